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
    'שלום@capulet.lit',
    'سلام@مثال.إختبار',
    'col·lega@capulet.lit',
  ])('takes %s as it is', (name) => {
    expect(prepareAccountName(name, 'xep-0416')).toBe(name);
  });

  it.each([
    ['no @', 'juliet', 'the form localpart@domain'],
    ['an upper-case localpart', 'Juliet@capulet.lit', 'write "juliet@capulet.lit"'],
    ['an upper-case domain', 'juliet@Capulet.lit', 'write "juliet@capulet.lit"'],
    ['a resource', 'juliet@capulet.lit/balcony', 'a resource; write "juliet@capulet.lit"'],
    ['a second @', 'a@b@c', 'cannot have "@"'],
    ['an empty localpart', '@capulet.lit', 'the localpart (RFC 7622 §3.3): it is empty'],
    ['an empty domain', 'juliet@', 'the domainpart (RFC 7622 §3.2): it is empty'],
    ['a zero', 'jul\0iet@capulet.lit', 'does not allow U+0000'],
    ['a space', 'jul iet@capulet.lit', 'does not allow U+0020'],
    ['an apostrophe', "o'neil@capulet.lit", 'cannot have "\'" (U+0027)'],
    ['a comma, which no e-mail address has', 'a,b@capulet.lit', 'e-mail address'],
    ['an unpaired surrogate', '\ud800@capulet.lit', 'does not allow U+D800'],
    ['a composed character in two', 'e\u0301@capulet.lit', 'write "é@capulet.lit"'],
    ['a ligature', 'ﬁ@capulet.lit', 'does not allow "ﬁ"'],
    ['a full-width letter', 'ａ@capulet.lit', 'write "a@capulet.lit"'],
    ['two dots', 'a..b@capulet.lit', 'dot-atom'],
    ['a final dot of the domain', 'juliet@capulet.lit.', 'write "juliet@capulet.lit"'],
    ['an A-label', 'juliet@xn--mnchen-3ya.de', 'write "juliet@münchen.de"'],
    ['a domain that is a number', 'juliet@1.2', 'no IPv4 address'],
    ['an IPv6 address', 'juliet@[::1]', 'write a host name'],
    ['a label that begins with -', 'juliet@-x.lit', 'a hyphen'],
    ['both directions in one localpart', 'שלוםa@capulet.lit', 'RFC 5893'],
    ['1,024 bytes', `${'a'.repeat(1_024)}@capulet.lit`, 'over 1023 bytes'],
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
