import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareAccountName } from '../../src/ca/account-name.ts';
import { bareJidFault } from '../../src/tls-auth/xmpp-address.ts';

describe('prepareAccountName', () => {
  it.each([
    'juliet@capulet.lit',
    'a+b=c@x.y',
    'jülîet@münchen.lit',
    'ᾳ@example.org',
    '张三@例子.测试',
  ])('takes %s as it is', (name) => {
    expect(prepareAccountName(name, 'xep-0416')).toBe(name);
  });

  it.each([
    ['no @', 'juliet', 'the form localpart@domain'],
    ['an upper-case localpart', 'Juliet@capulet.lit', 'write "juliet"'],
    ['an upper-case domain', 'juliet@Capulet.lit', 'write "capulet.lit"'],
    ['a resource', 'juliet@capulet.lit/balcony', 'the character "/"'],
    ['a second @', 'a@b@c', 'the character "@"'],
    ['an empty localpart', '@capulet.lit', 'the localpart is empty'],
    ['an empty domain', 'juliet@', 'the domain is empty'],
    ['a zero', 'jul\0iet@capulet.lit', 'is not allowed'],
    ['a space', 'jul iet@capulet.lit', 'is not allowed'],
    ['an apostrophe', "o'neil@capulet.lit", 'is not allowed'],
    ['an unpaired surrogate', '\ud800@capulet.lit', 'is not allowed'],
    ['a composed character in two', 'e\u0301@capulet.lit', 'not in its prepared form'],
    ['a ligature', 'ﬁ@capulet.lit', 'write "fi"'],
    ['a full-width letter', 'ａ@capulet.lit', 'write "a"'],
    ['two dots', 'a..b@capulet.lit', 'dots stand only between'],
    ['an A-label', 'juliet@xn--mnchen-3ya.de', 'prepared form "münchen.de"'],
    ['a domain that is a number', 'juliet@1.2', 'prepared form'],
    ['a label that begins with -', 'juliet@-x.lit', 'not a host name'],
    ['a right-to-left script', 'שלום@capulet.lit', 'right-to-left'],
    ['1,024 bytes', `${'a'.repeat(1_024)}@capulet.lit`, 'exceeds 1023 bytes'],
  ])('refuses %s and says why', (_what, name, reason) => {
    expect(prepareAccountName(name, 'xep-0416')).toEqual({
      reason: expect.stringContaining(reason),
    });
  });

  it('takes ASCII alone in the profile rfc6940, whose user names are rfc822Names', () => {
    expect(prepareAccountName('juliet@capulet.lit', 'rfc6940')).toBe('juliet@capulet.lit');
    expect(prepareAccountName('jülîet@capulet.lit', 'rfc6940')).toEqual({
      reason: expect.stringContaining('ASCII'),
    });
  });

  it('takes nothing that a certificate could not carry as a bare JID', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.emailAddress());
    fc.assert(
      fc.property(text, text, (left, right) => {
        for (const candidate of [left, `${left}@${right}`]) {
          const name = prepareAccountName(candidate, 'xep-0416');
          if (typeof name !== 'string') continue;
          expect(bareJidFault(name)).toBeUndefined();
          const upper = name.toUpperCase();
          if (upper === name) continue;
          expect(prepareAccountName(upper, 'xep-0416')).toHaveProperty('reason');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
