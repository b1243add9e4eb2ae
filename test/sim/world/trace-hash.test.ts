import { expect, test } from 'vitest';
import { TraceHash } from '../../../sim/world/trace-hash.ts';

function hashOf(...values: readonly (number | string)[]): string {
  const hash = new TraceHash();
  for (const value of values) {
    if (typeof value === 'number') hash.add(value);
    else hash.addText(value);
  }
  return hash.digest();
}

test('a trace hash depends on every value and on their order', () => {
  const different = [
    hashOf(),
    hashOf(0),
    hashOf(0, 0),
    hashOf(1),
    hashOf(1.0000000000000002),
    hashOf(2 ** -1074),
    hashOf(1, 2),
    hashOf(2, 1),
    hashOf('tick'),
    hashOf('tick', ''),
    hashOf('ti', 'ck'),
  ];
  expect(new Set(different).size).toBe(different.length);
  for (const digest of different) expect(digest).toMatch(/^[0-9a-f]{16}$/);
});

test('a trace hash of the same is the same', () => {
  expect(hashOf(1.5, 'linkData', 300)).toBe(hashOf(1.5, 'linkData', 300));
});

test('one changed value among many is seen wherever it is', () => {
  const base = Array.from({ length: 200 }, (_, index) => index * 1.25);
  const whole = hashOf(...base);
  for (let at = 0; at < base.length; at++) {
    expect(hashOf(...base.with(at, -1))).not.toBe(whole);
  }
});
