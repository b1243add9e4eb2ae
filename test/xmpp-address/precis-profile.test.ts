import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrecisFault } from '../../src/xmpp-address/precis-fault.ts';
import {
  areEquivalent,
  enforce,
  opaqueString,
  PRECIS_LENGTH_MAX,
  type PrecisProfile,
  usernameCaseMapped,
  usernameCasePreserved,
} from '../../src/xmpp-address/precis-profile.ts';

const PROFILES: readonly PrecisProfile<string>[] = [
  usernameCaseMapped,
  usernameCasePreserved,
  opaqueString,
];

describe('RFC 8265 §3.6, table 1: legal userparts', () => {
  it.each([
    [1, 'juliet@example.com', 'juliet@example.com'],
    [2, 'fussball', 'fussball'],
    [3, 'fußball', 'fußball'],
    [4, 'π', 'π'],
    [5, 'Σ', 'σ'],
    [6, 'σ', 'σ'],
    [7, 'ς', 'ς'],
  ])('example %i, %s', (_number, userpart, mapped) => {
    expect(enforce(usernameCaseMapped, userpart)).toBe(mapped);
    expect(enforce(usernameCasePreserved, userpart)).toBe(userpart);
  });

  it('examples 2 and 3 are different', () => {
    expect(areEquivalent(usernameCaseMapped, 'fussball', 'fußball')).toBe(false);
  });

  it('examples 5 and 6 match under case mapping, 7 matches neither', () => {
    expect(areEquivalent(usernameCaseMapped, 'Σ', 'σ')).toBe(true);
    expect(areEquivalent(usernameCasePreserved, 'Σ', 'σ')).toBe(false);
    expect(areEquivalent(usernameCaseMapped, 'Σ', 'ς')).toBe(false);
    expect(areEquivalent(usernameCaseMapped, 'σ', 'ς')).toBe(false);
  });
});

describe('RFC 8265 §3.6, table 2: no userparts', () => {
  it.each([
    [8, 'foo bar', 'disallowed', 'U+0020'],
    [9, '', 'empty', 'empty'],
    [10, 'henryⅣ', 'disallowed', '"Ⅳ" (U+2163)'],
    [11, '∞', 'disallowed', '"∞" (U+221E)'],
  ])('example %i, %s', (_number, text, rule, culprit) => {
    for (const profile of [usernameCaseMapped, usernameCasePreserved]) {
      expect(enforce(profile, text)).toMatchObject({
        rule,
        reason: expect.stringContaining(culprit),
      });
    }
  });
});

describe('RFC 8265 §4.3, table 3: legal passwords', () => {
  it.each([
    [12, 'correct horse battery staple', 'correct horse battery staple'],
    [13, 'Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
    [14, 'πßå', 'πßå'],
    [15, 'Jack of ♦s', 'Jack of ♦s'],
    [16, 'foo\u1680bar', 'foo bar'],
  ])('example %i, %s', (_number, password, prepared) => {
    expect(enforce(opaqueString, password)).toBe(prepared);
  });

  it('examples 12 and 13 differ by case', () => {
    const [lower, upper] = ['correct horse battery staple', 'Correct Horse Battery Staple'];
    expect(areEquivalent(opaqueString, lower, upper)).toBe(false);
  });
});

describe('RFC 8265 §4.3, table 4: no passwords', () => {
  it.each([
    [17, '', 'empty', 'empty'],
    [18, 'my cat is a \tby', 'disallowed', 'U+0009'],
  ])('example %i', (_number, text, rule, culprit) => {
    expect(enforce(opaqueString, text)).toMatchObject({
      rule,
      reason: expect.stringContaining(culprit),
    });
  });
});

describe('RFC 8265 §3.3 and §4.2: the order of the rules', () => {
  it('width is mapped before the class is asked, RFC 8264 §5.2.1', () => {
    expect(enforce(usernameCaseMapped, 'Ｊuliet０')).toBe('juliet0');
    expect(enforce(usernameCasePreserved, 'Ｊuliet０')).toBe('Juliet0');
    expect(enforce(usernameCaseMapped, 'ｶﾞ')).toBe('ガ');
  });

  it('the opaque string keeps width and case', () => {
    expect(enforce(opaqueString, 'Ｊuliet０')).toBe('Ｊuliet０');
  });

  it('a decomposed string becomes NFC', () => {
    for (const profile of PROFILES) expect(enforce(profile, 'e\u0301')).toBe('é');
  });

  it('the class is asked before normalization: the Angstrom sign has a compatibility mapping', () => {
    expect(enforce(usernameCaseMapped, '\u212b')).toMatchObject({ rule: 'disallowed' });
    expect(enforce(opaqueString, '\u212b')).toBe('å'.toUpperCase());
  });

  it('case is mapped as Unicode does it, with one letter becoming two and the final sigma', () => {
    expect(enforce(usernameCaseMapped, 'İ')).toBe('i\u0307');
    expect(enforce(usernameCaseMapped, 'ΟΔΥΣΣΕΥΣ')).toBe('οδυσσευς');
  });

  it('every non-ASCII space of an opaque string becomes a space', () => {
    expect(enforce(opaqueString, '\u00a0\u2003\u3000')).toBe('   ');
  });

  it('right-to-left usernames obey the Bidi Rule, opaque strings need not', () => {
    expect(enforce(usernameCaseMapped, 'שלום')).toBe('שלום');
    expect(enforce(usernameCaseMapped, 'שלוםa')).toMatchObject({
      rule: 'bidi-rule',
      reason: expect.stringContaining('condition 2'),
    });
    expect(enforce(opaqueString, 'שלוםa')).toBe('שלוםa');
  });
});

describe('properties of every profile', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom(...'aAΣς·lßשא١۱\u200c\u200dक्ﾞｶ\u0345\u0301\ud800') }),
  );

  it('is idempotent: what was enforced stays as it is (RFC 8264 §7)', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PROFILES), text, (profile, one) => {
        const enforced = enforce(profile, one);
        if (enforced instanceof PrecisFault) return;
        expect(enforce(profile, enforced)).toBe(enforced);
        expect(enforced).toBe(enforced.normalize('NFC'));
        expect(enforced).not.toBe('');
      }),
      { numRuns: 3_000 },
    );
  });

  it('never throws, and a refusal has a reason', () => {
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.constantFrom(...PROFILES), fc.string({ unit }), (profile, one) => {
        const enforced = enforce(profile, one);
        if (enforced instanceof PrecisFault) expect(enforced.reason).not.toBe('');
        else expect(one).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it('spellings in other forms of normalization are equivalent where both are usernames', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'éüåàñçő') }), (one) => {
        if (one === '') return;
        expect(areEquivalent(usernameCaseMapped, one, one.normalize('NFD'))).toBe(true);
        expect(areEquivalent(usernameCaseMapped, one, one.toUpperCase())).toBe(true);
      }),
    );
  });
});

describe('hostile strings', () => {
  it.each([
    ['a high surrogate alone', 'a\ud800'],
    ['a low surrogate alone', '\udc00a'],
    ['a noncharacter', '\ufffe'],
    ['a private character', '\ue000'],
    ['a tag character', '\u{e0041}'],
    ['a right-to-left override', 'a\u202eb'],
    ['a soft hyphen', 'a\u00adb'],
  ])('%s is in no class', (_what, hostile) => {
    for (const profile of PROFILES) {
      expect(enforce(profile, hostile)).toMatchObject({ rule: 'disallowed' });
    }
  });

  it.each([
    ['letters', 'a'.repeat(1_000_000)],
    ['combining marks that sort', '\u0301\u0323'.repeat(500_000)],
    ['joiners', '\u200c'.repeat(1_000_000)],
    ['surrogates', '\ud800'.repeat(1_000_000)],
  ])('a million %s are refused by their length alone', (_what, hostile) => {
    for (const profile of PROFILES) {
      expect(enforce(profile, hostile)).toMatchObject({ rule: 'too-long' });
    }
  });

  it(`the longest string taken has ${PRECIS_LENGTH_MAX} characters`, () => {
    expect(enforce(opaqueString, 'é'.repeat(PRECIS_LENGTH_MAX))).toHaveLength(PRECIS_LENGTH_MAX);
    const longer = 'a'.repeat(PRECIS_LENGTH_MAX + 1);
    expect(enforce(opaqueString, longer)).toMatchObject({ rule: 'too-long' });
  });
});
