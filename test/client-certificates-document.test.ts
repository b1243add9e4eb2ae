import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { titlesIn } from './conformance-lines.ts';

test('every test that docs/client-certificates.md names exists, under that title', () => {
  const text = readFileSync('docs/client-certificates.md', 'utf8');
  const named = [...text.matchAll(/`(test\/[^`]+\.test\.ts)` — (.+?)(?=<br>| \|$)/gm)];
  expect(named.length).toBeGreaterThan(8);
  const missing = named.filter(([, file = '', title = '']) => !titlesIn(file).includes(title));
  expect(missing.map(([line]) => line)).toEqual([]);
});
