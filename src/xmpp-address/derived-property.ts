/** RFC 8264 §8. FREE_PVAL is what the FreeformClass takes and the IdentifierClass does not. */
export type DerivedProperty =
  | 'PVALID'
  | 'FREE_PVAL'
  | 'CONTEXTJ'
  | 'CONTEXTO'
  | 'DISALLOWED'
  | 'UNASSIGNED';

/**
 * The derived property of one code point, by the algorithm of RFC 8264 §8 in its order, over the
 * Unicode data of the Node that runs. A newer Node knows more code points, and those that it alone
 * knows are UNASSIGNED on an older one. BackwardCompatible (§9.7) is empty.
 */
export function derivedProperty(character: string): DerivedProperty {
  for (const [property, set] of EXCEPTIONS) if (set.test(character)) return property;
  if (UNASSIGNED.test(character) && !NONCHARACTER.test(character)) return 'UNASSIGNED';
  if (ASCII7.test(character)) return 'PVALID';
  if (JOIN_CONTROL.test(character)) return 'CONTEXTJ';
  if (OLD_HANGUL_JAMO.test(character)) return 'DISALLOWED';
  if (PRECIS_IGNORABLE.test(character)) return 'DISALLOWED';
  if (CONTROLS.test(character)) return 'DISALLOWED';
  if (character.normalize('NFKC') !== character) return 'FREE_PVAL';
  if (LETTER_DIGITS.test(character)) return 'PVALID';
  return OTHERS_OF_FREEFORM.test(character) ? 'FREE_PVAL' : 'DISALLOWED';
}

/** RFC 5892 §2.6. */
const EXCEPTIONS: readonly (readonly [DerivedProperty, RegExp])[] = [
  ['PVALID', /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u],
  ['CONTEXTO', /[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]/u],
  ['DISALLOWED', /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u],
];
const UNASSIGNED = /\p{Cn}/u;
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;
const ASCII7 = /[!-~]/u;
const JOIN_CONTROL = /\p{Join_Control}/u;
/** Hangul_Syllable_Type L, V or T. */
const OLD_HANGUL_JAMO = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/u;
const PRECIS_IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;
const CONTROLS = /\p{Cc}/u;
const LETTER_DIGITS = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;
/** OtherLetterDigits, Spaces, Symbols, Punctuation — RFC 8264 §9.14 to §9.18. */
const OTHERS_OF_FREEFORM = /[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u;
