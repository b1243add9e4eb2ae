import { describe, expect, it } from 'vitest';
import { derivedProperty } from '../../src/xmpp-address/derived-property.ts';
import { type StringClass, stringClassFault } from '../../src/xmpp-address/string-class.ts';
import { mapWidth } from '../../src/xmpp-address/width-mapping.ts';

describe('RFC 8264 §8: the derived property, by category', () => {
  it.each([
    ['§9.1 LetterDigits: a letter', 'é', 'PVALID'],
    ['§9.1 LetterDigits: a capital letter', 'É', 'PVALID'],
    ['§9.1 LetterDigits: a digit of Devanagari', '०', 'PVALID'],
    ['§9.1 LetterDigits: a spacing mark', '\u093e', 'PVALID'],
    ['§9.6 Exceptions: sharp s', 'ß', 'PVALID'],
    ['§9.6 Exceptions: ideographic number zero', '〇', 'PVALID'],
    ['§9.6 Exceptions: middle dot', '·', 'CONTEXTO'],
    ['§9.6 Exceptions: Arabic-Indic digit', '٣', 'CONTEXTO'],
    ['§9.6 Exceptions: tatweel', 'ـ', 'DISALLOWED'],
    ['§9.6 Exceptions: vertical kana repeat mark', '〱', 'DISALLOWED'],
    ['§9.8 JoinControl: zero width joiner', '\u200d', 'CONTEXTJ'],
    ['§9.8 JoinControl: zero width non-joiner', '\u200c', 'CONTEXTJ'],
    ['§9.9 OldHangulJamo: leading consonant', '\u1100', 'DISALLOWED'],
    ['§9.9 OldHangulJamo: extended vowel', '\ud7b0', 'DISALLOWED'],
    ['§9.10 Unassigned, reserved for ever', '\u{2fffd}', 'UNASSIGNED'],
    ['§9.11 ASCII7: exclamation mark', '!', 'PVALID'],
    ['§9.11 ASCII7: tilde', '~', 'PVALID'],
    ['§9.12 Controls: line feed', '\n', 'DISALLOWED'],
    ['§9.12 Controls: delete', '\x7f', 'DISALLOWED'],
    ['§9.13 PrecisIgnorableProperties: soft hyphen', '\u00ad', 'DISALLOWED'],
    ['§9.13 PrecisIgnorableProperties: noncharacter', '\ufdd0', 'DISALLOWED'],
    ['§9.13 PrecisIgnorableProperties: variation selector', '\ufe0f', 'DISALLOWED'],
    ['§9.14 Spaces: space', ' ', 'FREE_PVAL'],
    ['§9.15 Symbols: chess king', '♚', 'FREE_PVAL'],
    ['§9.16 Punctuation: inverted question mark', '¿', 'FREE_PVAL'],
    ['§9.17 HasCompat: ligature', 'ﬁ', 'FREE_PVAL'],
    ['§9.17 HasCompat: fullwidth letter', 'Ａ', 'FREE_PVAL'],
    ['§9.18 OtherLetterDigits: enclosing mark', '\u20dd', 'FREE_PVAL'],
    ['§9.18 OtherLetterDigits: letter number', 'ↀ', 'FREE_PVAL'],
    ['none: private use', '\ue000', 'DISALLOWED'],
    ['none: surrogate', '\ud800', 'DISALLOWED'],
    ['none: line separator', '\u2028', 'DISALLOWED'],
  ])('%s', (_category, character, property) => {
    expect(derivedProperty(character)).toBe(property);
  });
});

describe('RFC 5892 appendix A: contextual rules', () => {
  it.each([
    ['A.1 ZWNJ after a virama', 'क्\u200cष', true],
    ['A.1 ZWNJ between joining letters', 'ب\u200cب', true],
    ['A.1 ZWNJ between joining letters with marks', 'ب\u064e\u200c\u064eب', true],
    ['A.1 ZWNJ after a letter that does not join to the left', 'ا\u200cب', false],
    ['A.1 ZWNJ between Latin letters', 'a\u200cb', false],
    ['A.1 ZWNJ at the beginning', '\u200cب', false],
    ['A.1 ZWNJ at the end', 'ب\u200c', false],
    ['A.2 ZWJ after a virama', 'क्\u200dष', true],
    ['A.2 ZWJ elsewhere', 'ب\u200dب', false],
    ['A.3 middle dot between two l', 'l·l', true],
    ['A.3 middle dot between others', 'l·a', false],
    ['A.3 middle dot between capital letters', 'L·L', false],
    ['A.3 middle dot at the end', 'l·', false],
    ['A.4 keraia before Greek', '͵α', true],
    ['A.4 keraia before Latin', '͵a', false],
    ['A.4 keraia at the end', 'α͵', false],
    ['A.5 geresh after Hebrew', 'ש׳', true],
    ['A.5 geresh after Latin', 'a׳', false],
    ['A.6 gershayim after Hebrew', 'צה״ל', true],
    ['A.6 gershayim at the beginning', '״ל', false],
    ['A.7 katakana middle dot beside katakana', 'ア・', true],
    ['A.7 katakana middle dot with Han further off', 'a・b漢', true],
    ['A.7 katakana middle dot without them', 'a・b', false],
    ['A.8 Arabic-Indic digits', '٠٩', true],
    ['A.9 extended Arabic-Indic digits', '۰۹', true],
    ['A.8 and A.9 both', '٠۹', false],
    ['A.9 and A.8 far from each other', '۹aaa٠', false],
  ])('%s', (_rule, text, isPermitted) => {
    for (const stringClass of ['IdentifierClass', 'FreeformClass'] satisfies StringClass[]) {
      const fault = stringClassFault(text, stringClass);
      expect(fault?.rule).toBe(isPermitted ? undefined : 'contextual-rule');
    }
  });
});

describe('RFC 8264 §5.2.1: width', () => {
  it.each([
    ['fullwidth ASCII', '！Ａｚ～', '!Az~'],
    ['ideographic space', '\u3000', ' '],
    ['halfwidth katakana with its voice mark', 'ｶﾞ', 'カ\u3099'],
    ['halfwidth full stop', '｡', '。'],
    ['fullwidth macron, one step', '￣', '¯'],
    ['halfwidth Hangul filler, one step', 'ﾠ', 'ㅤ'],
    ['halfwidth Hangul consonants, one step', 'ﾡﾾ', 'ㄱㅎ'],
    ['halfwidth Hangul vowels, one step', 'ￂￇￊￏￒￗￚￜ', 'ㅏㅔㅕㅚㅛㅠㅡㅣ'],
    ['fullwidth and halfwidth signs', '￠￦￨￮', '¢₩│○'],
    ['no width', 'ﬁ①½', 'ﬁ①½'],
  ])('%s', (_what, wide, mapped) => {
    expect(mapWidth(wide)).toBe(mapped);
  });
});
