import { expect, test } from 'vitest';
import { decode } from '../../src/wire/codec.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { addressCases } from './address-cases.ts';
import { attachCases } from './attach-cases.ts';
import { headerCases } from './header-cases.ts';
import { securityCases } from './security-cases.ts';
import { storageCases } from './storage-cases.ts';
import { hexBytes } from './struct-case.ts';
import { topologyCases } from './topology-cases.ts';
import { valueCases } from './value-cases.ts';

const cases = [
  ...addressCases,
  ...headerCases,
  ...securityCases,
  ...topologyCases,
  ...attachCases,
  ...storageCases,
  ...valueCases,
];

const INPUT_BYTES = 65_536;
/** A linear decoder needs a few ms; one that is quadratic needs seconds. */
const DECODE_MS_MAX = 500;

/** Values nested in an answer: the most objects that one byte of input can become. */
function objectsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0;
  let count = 1;
  for (const inner of Object.values(value)) count += objectsIn(inner);
  return count;
}

function filled(pattern: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: INPUT_BYTES }, (_, i) => pattern[i % pattern.length] as number);
}

/** `bytes` with each run of 1 to 4 bytes set, in turn, to the length that is left behind it. */
function* withLyingLengths(bytes: Uint8Array, prefix: number): Generator<Uint8Array> {
  for (let at = 0; at < prefix; at++) {
    for (const width of [1, 2, 3, 4]) {
      const changed = bytes.slice();
      const left = INPUT_BYTES - at - width;
      for (let i = 0; i < width; i++) changed[at + i] = left / 256 ** (width - 1 - i);
      yield changed;
    }
  }
}

/** Zeros, ones, short lengths, two-byte destinations, elements that are nearly empty. */
const patterns = [[0], [0xff], [1, 0], [0x80], [0, 0, 0, 0, 0, 0, 0, 1]];

for (const { name, section, codec, vector } of cases) {
  test(`${section}: 64 KiB of hostile bytes as ${name} take time and space as their size`, () => {
    const sample = hexBytes(vector);
    for (const pattern of [...patterns, [...sample, 0]]) {
      const bytes = filled(pattern);
      bytes.set(sample.subarray(0, INPUT_BYTES));
      for (const input of withLyingLengths(bytes, Math.min(sample.length, 24))) {
        const start = performance.now();
        const result = decode(codec, input);
        expect(performance.now() - start).toBeLessThan(DECODE_MS_MAX);
        if (!(result instanceof Error)) expect(objectsIn(result)).toBeLessThan(INPUT_BYTES);
      }
    }
  });
}

test('RFC 6940 §6.6.2: a frame that announces 16 MB does not make room for them', () => {
  expect(decode(FramedMessage, hexBytes('80 00000000 ffffff 00'))).toBeInstanceOf(Error);
});
