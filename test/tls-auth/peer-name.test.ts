import { describe, expect, test } from 'vitest';
import { makeLeaf, makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { generalName, subjectAltName } from '../../sim/certificates/extension-maker.ts';
import { type PeerName, peerNameRefusal } from '../../src/tls-auth/peer-name.ts';
import { read } from './path-fixtures.ts';

const root = makeRoot();

function isNamed(names: readonly Uint8Array[], peerName: PeerName): boolean {
  const leaf = makeLeaf(root, {
    change: ({ extensions }) => ({
      subject: [['CN', 'example.com']],
      extensions: {
        ...extensions,
        subjectAltName: names.length === 0 ? undefined : subjectAltName(names),
      },
    }),
  });
  return peerNameRefusal(read(leaf), peerName) === undefined;
}

describe('RFC 6125 §6.4: matching names', () => {
  test.each([
    ['example.com', 'EXAMPLE.com', true],
    ['example.com', 'example.com.', true],
    ['example.com', 'a.example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', '.example.com', false],
    ['a*.example.com', 'ab.example.com', false],
    ['a.*.example.com', 'a.b.example.com', false],
    ['*.*.example.com', 'a.b.example.com', false],
    ['*', 'com', false],
    ['*.', 'a.', false],
  ])('dNSName %s names %s: %s', (presented, wanted, expected) => {
    const names = [generalName.dnsName(presented)];
    expect(isNamed(names, { kind: 'dns', value: wanted })).toBe(expected);
  });

  test('the subject and names of other forms name nobody', () => {
    expect(isNamed([], { kind: 'dns', value: 'example.com' })).toBe(false);
    const text = generalName.dnsName('192.0.2.1');
    expect(isNamed([text], { kind: 'ip', value: Uint8Array.of(192, 0, 2, 1) })).toBe(false);
  });

  test('addresses by their bytes, mailboxes with the host in any case', () => {
    const names = [
      generalName.ipAddress(192, 0, 2, 1),
      generalName.rfc822Name('Juliet@CAPULET.lit'),
    ];
    expect(isNamed(names, { kind: 'ip', value: Uint8Array.of(192, 0, 2, 1) })).toBe(true);
    expect(isNamed(names, { kind: 'ip', value: Uint8Array.of(192, 0, 2, 2) })).toBe(false);
    expect(isNamed(names, { kind: 'email', value: 'Juliet@capulet.lit' })).toBe(true);
    expect(isNamed(names, { kind: 'email', value: 'juliet@capulet.lit' })).toBe(false);
  });
});
