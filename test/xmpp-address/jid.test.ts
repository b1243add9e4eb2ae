import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressFault } from '../../src/xmpp-address/address-fault.ts';
import {
  isSameJid,
  type Jid,
  parseJid,
  withoutResource,
  withResource,
} from '../../src/xmpp-address/jid.ts';

function jid(text: string): Jid {
  const parsed = parseJid(text);
  if (parsed instanceof AddressFault) throw new Error(parsed.describe());
  return parsed;
}

describe('RFC 7622 §3.5, table 1: legal JIDs', () => {
  it.each([
    [1, 'juliet@example.com', ['juliet', 'example.com', undefined]],
    [2, 'juliet@example.com/foo', ['juliet', 'example.com', 'foo']],
    [3, 'juliet@example.com/foo bar', ['juliet', 'example.com', 'foo bar']],
    [4, 'juliet@example.com/foo@bar', ['juliet', 'example.com', 'foo@bar']],
    [5, 'foo\\20bar@example.com', ['foo\\20bar', 'example.com', undefined]],
    [6, 'fussball@example.com', ['fussball', 'example.com', undefined]],
    [7, 'fu\u00dfball@example.com', ['fußball', 'example.com', undefined]],
    [8, '\u03c0@example.com', ['π', 'example.com', undefined]],
    [9, '\u03a3@example.com/foo', ['σ', 'example.com', 'foo']],
    [10, '\u03c3@example.com/foo', ['σ', 'example.com', 'foo']],
    [11, '\u03c2@example.com/foo', ['ς', 'example.com', 'foo']],
    [12, 'king@example.com/\u265a', ['king', 'example.com', '♚']],
    [13, 'example.com', [undefined, 'example.com', undefined]],
    [14, 'example.com/foobar', [undefined, 'example.com', 'foobar']],
    [15, 'a.example.com/b@example.net', [undefined, 'a.example.com', 'b@example.net']],
  ])('example %i, %s', (_number, text, parts) => {
    const { localpart, domainpart, resourcepart } = jid(text);
    expect([localpart, domainpart, resourcepart]).toEqual(parts);
  });

  it('examples 6 and 7 are different, 9 and 10 the same, 11 another', () => {
    expect(isSameJid(jid('fussball@example.com'), jid('fußball@example.com'))).toBe(false);
    expect(isSameJid(jid('Σ@example.com/foo'), jid('σ@example.com/foo'))).toBe(true);
    expect(isSameJid(jid('Σ@example.com/foo'), jid('ς@example.com/foo'))).toBe(false);
  });
});

describe('RFC 7622 §3.5, table 2: no JIDs', () => {
  it.each([
    [16, '"juliet"@example.com', 'localpart', 'excluded-character'],
    [17, 'foo bar@example.com', 'localpart', 'disallowed'],
    [18, 'juliet@example.com/ foo', 'resourcepart', 'excluded-character'],
    [19, '@example.com/', 'localpart', 'empty'],
    [20, 'henry\u2163@example.com', 'localpart', 'disallowed'],
    [21, '\u265a@example.com', 'localpart', 'disallowed'],
    [22, 'juliet@', 'domainpart', 'empty'],
    [23, '/foobar', 'domainpart', 'empty'],
  ])('example %i, %s', (_number, text, part, rule) => {
    expect(parseJid(text)).toMatchObject({ part, rule });
  });
});

describe('RFC 7622 §3.2: the domainpart', () => {
  it.each([
    ['upper case', 'Example.COM', 'example.com'],
    ['one final dot', 'example.com.', 'example.com'],
    ['an A-label', 'xn--mnchen-3ya.de', 'münchen.de'],
    ['an A-label in upper case', 'XN--MNCHEN-3YA.de', 'münchen.de'],
    ['a U-label', 'MÜNCHEN.de', 'münchen.de'],
    ['fullwidth letters and ideographic full stops', 'ｅxample。ｃｏｍ', 'example.com'],
    ['sharp s', 'faß.de', 'faß.de'],
    ['sigma', 'ΑΣ.gr', 'ασ.gr'],
    ['Hebrew', 'שלום.co', 'שלום.co'],
    ['Catalan', 'col·lecció.cat', 'col·lecció.cat'],
    ['Cherokee', 'Ꭰ.org', 'Ꭰ.org'],
    ['an unqualified name', 'localhost', 'localhost'],
    ['IPv4', '127.0.0.1', '127.0.0.1'],
    ['IPv6', '[2001:DB8:0::1]', '[2001:db8::1]'],
  ])('%s', (_what, text, domainpart) => {
    expect(jid(text).text).toBe(domainpart);
    expect(jid(domainpart).text).toBe(domainpart);
  });

  it.each([
    ['an empty label', 'a..b', 'host-name'],
    ['two final dots', 'a.b..', 'host-name'],
    ['a dot alone', '.', 'empty'],
    ['an underscore', 'a_b.c', 'host-name'],
    ['a percent sign', 'a%41.c', 'host-name'],
    ['a port', 'a.c:5222', 'host-name'],
    ['a question mark', 'a.c?b', 'host-name'],
    ['a tab', 'a\t.c', 'host-name'],
    ['a hyphen first', '-a.c', 'host-name'],
    ['a hyphen last', 'a-.c', 'host-name'],
    ['hyphens in third and fourth place', 'ab--c.d', 'host-name'],
    ['an A-label that does not decode', 'xn--a', 'host-name'],
    ['an A-label of ASCII', 'xn--abc-', 'host-name'],
    ['an A-label of a symbol', 'xn--ls8h', 'disallowed'],
    ['a symbol', '☃.com', 'disallowed'],
    ['a ligature', 'ﬁ.com', 'disallowed'],
    ['a soft hyphen', 'ex\u00adample.com', 'disallowed'],
    ['a mark first', '\u0301a.com', 'host-name'],
    ['a middle dot between others than l', 'a·b.com', 'contextual-rule'],
    ['a digit first beside a right-to-left label', '1a.שלום', 'bidi-rule'],
    ['a Latin letter in a right-to-left label', 'שaל.com', 'bidi-rule'],
    ['half an IPv4 address', '1.2', 'host-name'],
    ['an IPv4 address in hexadecimal', '0x7f.1', 'host-name'],
    ['IPv4 beyond 255', '1.2.3.256', 'host-name'],
    ['IPv6 with a zone', '[fe80::1%25eth0]', 'ip-literal'],
    ['IPv6 without an end', '[::1', 'ip-literal'],
    ['IPv4 in brackets', '[127.0.0.1]', 'ip-literal'],
    ['a lone surrogate', '\ud800.com', 'disallowed'],
    ['a label of 64 bytes', `${'a'.repeat(64)}.com`, 'too-long'],
    ['a name of 255 bytes', `${'a.'.repeat(127)}a`, 'too-long'],
    ['1,024 bytes', 'a'.repeat(1_024), 'too-long'],
  ])('refuses %s', (_what, text, rule) => {
    expect(parseJid(`juliet@${text}`)).toMatchObject({ part: 'domainpart', rule });
  });
});

describe('RFC 7622 §3.3 and §3.4: localpart and resourcepart', () => {
  it.each([...'"&\'/:<>@'])('§3.3.1: a localpart cannot have %s', (excluded) => {
    // The first slash ends the bare JID, and what follows the first @ is the domain.
    expect(parseJid(`a${excluded}b@example.com`)).not.toMatchObject({ localpart: `a${excluded}b` });
  });

  it('§3.3.1: nor their fullwidth forms, which become them', () => {
    expect(parseJid('a＠b@example.com')).toMatchObject({ rule: 'excluded-character' });
    expect(parseJid('a／b@example.com')).toMatchObject({ rule: 'excluded-character' });
  });

  it('each has at most 1,023 bytes after mapping', () => {
    const longest = 'é'.repeat(511);
    expect(jid(`${longest}a@example.com/${longest}a`).localpart).toBe(`${longest}a`);
    expect(jid(`${longest.normalize('NFD')}a@example.com`).localpart).toBe(`${longest}a`);
    expect(parseJid(`${longest}é@a`)).toMatchObject({ part: 'localpart', rule: 'too-long' });
    expect(parseJid(`a/${longest}é`)).toMatchObject({ part: 'resourcepart', rule: 'too-long' });
  });

  it('the fault names the part, its section and the culprit', () => {
    const fault = parseJid('foo bar@example.com');
    expect(fault instanceof AddressFault && fault.describe()).toBe(
      'the localpart (RFC 7622 §3.3): the IdentifierClass does not allow U+0020',
    );
  });
});

describe('addresses made from others', () => {
  it('bare and full', () => {
    const full = jid('Juliet@Capulet.lit/Balcony');
    expect(full.bare).toBe('juliet@capulet.lit');
    expect(full.text).toBe('juliet@capulet.lit/Balcony');
    expect(withoutResource(full)).toEqual(jid('juliet@capulet.lit'));
    expect(withResource(withoutResource(full), 'Balcony')).toEqual(full);
    expect(withResource(full, '')).toMatchObject({ part: 'resourcepart', rule: 'empty' });
  });
});

describe('properties', () => {
  const unit = fc.oneof(
    fc.constantFrom(...'aZ0.-@/שא٣Σςßｅ。·l[]:xn\u200c\u0301\ud800'),
    fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
  );
  const part = fc.string({ unit, maxLength: 12 });
  const address = fc.oneof(
    part,
    fc.tuple(part, part, part).map(([a, b, c]) => `${a}@${b}/${c}`),
    fc.tuple(part, part).map(([a, c]) => `${a}@Example.com/${c}`),
    fc.tuple(fc.domain()).map(([b]) => `a@${b}`),
  );

  it('parsing never throws, its result parses to itself, and no part exceeds its limit', () => {
    fc.assert(
      fc.property(address, (text) => {
        const parsed = parseJid(text);
        if (parsed instanceof AddressFault) {
          expect(parsed.reason).not.toBe('');
          return;
        }
        expect(parseJid(parsed.text)).toEqual(parsed);
        for (const one of [parsed.localpart, parsed.domainpart, parsed.resourcepart]) {
          expect(Buffer.byteLength(one ?? '')).toBeLessThanOrEqual(1_023);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['letters', 'a'],
    ['dots', '.'],
    ['at signs', '@'],
    ['slashes', '/'],
    ['combining marks', '\u0323\u0301'],
    ['brackets', '['],
    ['surrogates', '\ud800'],
  ])('a million %s in any part are refused', (_what, one) => {
    const million = one.repeat(1_000_000 / one.length);
    for (const text of [million, `${million}@a`, `a@${million}`, `a@b/${million}`]) {
      expect(parseJid(text)).toBeInstanceOf(AddressFault);
    }
  });
});
