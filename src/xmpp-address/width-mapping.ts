/**
 * Maps fullwidth and halfwidth code points to their decomposition mappings — RFC 8264 §5.2.1. That
 * is one step of decomposition: some results have a compatibility mapping of their own, which
 * stays.
 */
export function mapWidth(text: string): string {
  return text.replace(WIDE_OR_NARROW, (character) => {
    const exception = mappedInOneStep(character.charCodeAt(0));
    return exception ?? character.normalize('NFKC');
  });
}

/** Where NFKC would go further than the one step. */
function mappedInOneStep(point: number): string | undefined {
  if (point === FULLWIDTH_MACRON) return '\u00af';
  if (point === HALFWIDTH_HANGUL_FILLER) return '\u3164';
  if (point < HALFWIDTH_HANGUL_FIRST || point > HALFWIDTH_HANGUL_LAST) return undefined;
  // Consonants are without gaps; vowels stand in groups of six with two free places between.
  if (point <= HALFWIDTH_HANGUL_CONSONANT_LAST) {
    return String.fromCharCode(point - HALFWIDTH_HANGUL_FIRST + HANGUL_LETTER_FIRST);
  }
  const place = point - HALFWIDTH_HANGUL_VOWEL_FIRST;
  const isFree = place < 0 || place % 8 >= 6;
  return isFree ? undefined : String.fromCharCode(HANGUL_VOWEL_FIRST + place - 2 * (place >> 3));
}

const WIDE_OR_NARROW = /[\u3000\uff01-\uffee]/gu;
const FULLWIDTH_MACRON = 0xffe3;
const HALFWIDTH_HANGUL_FILLER = 0xffa0;
const HALFWIDTH_HANGUL_FIRST = 0xffa1;
const HALFWIDTH_HANGUL_CONSONANT_LAST = 0xffbe;
const HALFWIDTH_HANGUL_VOWEL_FIRST = 0xffc2;
const HALFWIDTH_HANGUL_LAST = 0xffdc;
const HANGUL_LETTER_FIRST = 0x3131;
const HANGUL_VOWEL_FIRST = 0x314f;
