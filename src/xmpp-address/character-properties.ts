import { RangeTable } from './range-table.ts';
import { BIDI_CLASS_RANGES, JOINING_TYPE_RANGES } from './unicode-tables.ts';

/** The classes of RFC 5893 §2; `other` are those that its rule never permits. */
export type BidiClass = keyof typeof BIDI_CLASS_RANGES | 'L' | 'NSM';

/** Joining_Type, as far as RFC 5892 appendix A.1 asks for it. */
type JoiningType = keyof typeof JOINING_TYPE_RANGES | 'T';

/** `character` is one code point. */
export function bidiClass(character: string): BidiClass {
  const listed = bidiClasses.find(character.codePointAt(0) ?? 0);
  if (listed !== undefined) return listed;
  return NONSPACING.test(character) && !LEFT_TO_RIGHT_MARK.test(character) ? 'NSM' : 'L';
}

/** Undefined for Join_Causing and Non_Joining. `character` is one code point. */
export function joiningType(character: string): JoiningType | undefined {
  const listed = joiningTypes.find(character.codePointAt(0) ?? 0);
  if (listed !== undefined) return listed;
  const isTransparent = TRANSPARENT.test(character) && !NOT_TRANSPARENT.test(character);
  return isTransparent || character === ADLAM_NASALIZATION_MARK ? 'T' : undefined;
}

/**
 * Canonical_Combining_Class = Virama, which is 9. JavaScript does not tell the class, but
 * normalization sorts marks by it: U+3099 has 8 and U+05B0 has 10.
 */
export function isVirama(character: string): boolean {
  if (character === '' || character === '\u3099' || character === '\u05b0') return false;
  return (
    `${character}\u3099`.normalize('NFD') === `\u3099${character}` &&
    `\u05b0${character}`.normalize('NFD') === `${character}\u05b0`
  );
}

const bidiClasses = new RangeTable(BIDI_CLASS_RANGES);
const joiningTypes = new RangeTable(JOINING_TYPE_RANGES);
const NONSPACING = /[\p{Mn}\p{Me}]/u;
/** The few nonspacing marks that have the Bidi_Class L. */
const LEFT_TO_RIGHT_MARK = /[\u0cbf\u0cc6\u{11a07}\u{11a08}\u{11c3f}]/u;
const TRANSPARENT = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** Format characters that do not join, although others of their kind are transparent. */
const NOT_TRANSPARENT =
  /[\p{Join_Control}\u0600-\u0605\u06dd\u0890\u0891\u08e2\u180e\u2066-\u2069\u{110bd}\u{110cd}]/u;
const ADLAM_NASALIZATION_MARK = '\u{1e94b}';
