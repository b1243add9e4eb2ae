import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compareSequences,
  isNewerSequence,
  nextSequence,
  SEQUENCE_MAX,
} from '../../src/overlay-config/configuration-sequence.ts';

const sequence = fc.integer({ min: 0, max: SEQUENCE_MAX });

test('RFC 6940 §6.3.2.1: 0 follows 65534', () => {
  expect(nextSequence(65_534)).toBe(0);
  expect(nextSequence(21)).toBe(22);
});

test('RFC 6940 §6.3.2.1: greater and less are interpreted by modulo arithmetic as in TCP', () => {
  expect(isNewerSequence(0, 65_534)).toBe(true);
  expect(isNewerSequence(32_767, 0)).toBe(true);
  expect(isNewerSequence(32_768, 0)).toBe(false);
  expect(isNewerSequence(5, 5)).toBe(false);
  fc.assert(
    fc.property(sequence, fc.integer({ min: 1, max: 32_767 }), (held, steps) => {
      expect(isNewerSequence((held + steps) % 65_535, held)).toBe(true);
      expect(isNewerSequence(held, (held + steps) % 65_535)).toBe(false);
    }),
  );
});

test('of two different sequences exactly one is newer', () => {
  fc.assert(
    fc.property(sequence, sequence, (a, b) => {
      expect(compareSequences(a, b) + compareSequences(b, a)).toBe(0);
      expect(compareSequences(a, b) === 0).toBe(a === b);
      expect(isNewerSequence(nextSequence(a), a)).toBe(true);
    }),
  );
});
