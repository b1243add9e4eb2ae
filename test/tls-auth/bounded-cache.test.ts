import { expect, test } from 'vitest';
import { BoundedCache } from '../../src/tls-auth/bounded-cache.ts';

test('holds no more than its limit; the oldest that nobody asked for goes first', () => {
  const dropped: string[] = [];
  const cache = new BoundedCache<number, string>(3, (value) => dropped.push(value));
  for (const key of [1, 2, 3]) cache.set(key, `v${key}`);
  expect(cache.get(1)).toBe('v1');
  cache.set(4, 'v4');
  expect(dropped).toEqual(['v2']);
  expect([1, 2, 3, 4].map((key) => cache.get(key))).toEqual(['v1', undefined, 'v3', 'v4']);
  expect(cache.size).toBe(3);
});

test('when all were asked for, one round ends the search', () => {
  const cache = new BoundedCache<number, number>(2);
  cache.set(1, 1);
  cache.set(2, 2);
  cache.get(1);
  cache.get(2);
  cache.set(3, 3);
  expect(cache.size).toBe(2);
  expect(cache.get(3)).toBe(3);
});

test('replacing, deleting and clearing tell of every value that leaves', () => {
  const dropped: string[] = [];
  const cache = new BoundedCache<string, string>(5, (value) => dropped.push(value));
  cache.set('a', 'old');
  cache.set('a', 'new');
  cache.set('b', 'b');
  cache.delete('b');
  cache.delete('b');
  cache.clear();
  expect(dropped).toEqual(['old', 'b', 'new']);
  expect(cache.size).toBe(0);
});
