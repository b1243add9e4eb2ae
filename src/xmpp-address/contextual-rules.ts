import { isVirama, joiningType } from './character-properties.ts';

/**
 * Whether the contextual rule of RFC 5892 appendix A permits the code point at `index` of
 * `characters`, which are the code points of one string. One without a rule is not permitted.
 */
export function isInPermittedContext(characters: readonly string[], index: number): boolean {
  const before = characters[index - 1] ?? '';
  const after = characters[index + 1] ?? '';
  switch (characters[index]) {
    case ZERO_WIDTH_NON_JOINER:
      return isVirama(before) || joinsOnBothSides(characters, index);
    case ZERO_WIDTH_JOINER:
      return isVirama(before);
    case MIDDLE_DOT:
      return before === 'l' && after === 'l';
    case GREEK_KERAIA:
      return /\p{Script=Greek}/u.test(after);
    case HEBREW_GERESH:
    case HEBREW_GERSHAYIM:
      return /\p{Script=Hebrew}/u.test(before);
    default:
      return true;
  }
}

/** The rules that ask about the whole string, A.7 to A.9; the culprit, or undefined. */
export function culpritOfWholeString(text: string): string | undefined {
  const culprit = ARABIC_INDIC.exec(text)?.[0];
  if (culprit !== undefined && EXTENDED_ARABIC_INDIC.test(text)) return culprit;
  if (text.includes(KATAKANA_MIDDLE_DOT) && !JAPANESE.test(text)) return KATAKANA_MIDDLE_DOT;
  return undefined;
}

/** Appendix A.1: (Joining_Type:{L,D}) T* ZWNJ T* (Joining_Type:{R,D}). */
function joinsOnBothSides(characters: readonly string[], index: number): boolean {
  const before = joiningTypeBeyondMarks(characters, index, -1);
  const after = joiningTypeBeyondMarks(characters, index, 1);
  return (before === 'L' || before === 'D') && (after === 'R' || after === 'D');
}

function joiningTypeBeyondMarks(characters: readonly string[], index: number, step: 1 | -1) {
  let place = index + step;
  for (;;) {
    const character = characters[place];
    if (character === undefined) return undefined;
    const type = joiningType(character);
    if (type !== 'T') return type;
    place += step;
  }
}

const ZERO_WIDTH_NON_JOINER = '\u200c';
const ZERO_WIDTH_JOINER = '\u200d';
const MIDDLE_DOT = '\u00b7';
const GREEK_KERAIA = '\u0375';
const HEBREW_GERESH = '\u05f3';
const HEBREW_GERSHAYIM = '\u05f4';
const KATAKANA_MIDDLE_DOT = '\u30fb';
const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;
const ARABIC_INDIC = /[\u0660-\u0669]/u;
const EXTENDED_ARABIC_INDIC = /[\u06f0-\u06f9]/u;
