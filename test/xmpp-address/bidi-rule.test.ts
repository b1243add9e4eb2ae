import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bidiRuleFault, hasRightToLeft } from '../../src/xmpp-address/bidi-rule.ts';

describe('RFC 5893 §2: the Bidi Rule', () => {
  it.each([
    ['Hebrew', 'שלום'],
    ['Hebrew that ends in European digits', 'שלום123'],
    ['Arabic that ends in Arabic-Indic digits', 'سلام٣'],
    ['Thaana that ends in marks', 'ދިވެހި'],
    ['Hebrew with a hyphen and an apostrophe inside', "ש-ל'ם"],
    ['left-to-right with digits and marks', 'a-1e\u0301'],
  ])('%s obeys it', (_what, text) => {
    expect(bidiRuleFault(text)).toBeUndefined();
  });

  it.each([
    [1, 'a European digit first', '1ש'],
    [1, 'an Arabic-Indic digit first', '٣ש'],
    [1, 'a mark first', '\u0301ש'],
    [2, 'a Latin letter in Hebrew', 'שaל'],
    [3, 'Hebrew that ends in a hyphen', 'שלום-'],
    [3, 'Hebrew that ends in a sign and a mark', 'שלום!\u0301'],
    [4, 'both kinds of digits', 'ש1٣'],
    [5, 'Hebrew after Latin', 'aש'],
    [5, 'an Arabic-Indic digit after Latin', 'a٣'],
    [6, 'Latin that ends in a sign', 'a!'],
  ])('condition %i: %s breaks it', (condition, _what, text) => {
    expect(bidiRuleFault(text)).toContain(`condition ${condition}`);
  });

  it('asks only for strings with right-to-left code points', () => {
    expect(hasRightToLeft('1-é漢')).toBe(false);
    for (const one of ['ש', 'aس', '٣']) expect(hasRightToLeft(one)).toBe(true);
  });

  it('takes no label that the platform refuses to encode for its order', () => {
    const unit = fc.constantFrom(...'abz19אשתبدسދ٣-');
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 8 }), (label) => {
        const hasOddHyphen = /^-|-$|^..--/.test(label);
        if (hasOddHyphen || !hasRightToLeft(label) || bidiRuleFault(label) !== undefined) return;
        expect(domainToASCII(label)).toMatch(/^xn--/);
      }),
      { numRuns: 2_000 },
    );
  });
});
