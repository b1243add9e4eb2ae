import { describe, expect, it } from 'vitest';
import type { AccountName } from '../../src/ca/account-name.ts';
import {
  leafCertificateContent,
  REVOCATION_LIST_ENTRIES_MAX,
  rootCertificateContent,
  serialNumberFrom,
  shardOf,
  shardOfSerialNumber,
  validityFrom,
} from '../../src/ca/certificate-content.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

const nodeIds = ['0123456789abcdef0123456789abcdef' as NodeId];
const uri = { type: 'uri', value: `reload://0110${nodeIds[0]}@xmpp.org/` };
const validity = { notBeforeUnixMs: 0, notAfterUnixMs: 1_000 };

function leaf(profile: 'xep-0416' | 'rfc6940', user: string) {
  const subject = { overlayName: 'xmpp.org', userName: user as AccountName, nodeIds };
  return leafCertificateContent(profile, subject, 'root', '4001', validity, 'https://ca/crl');
}

describe('what a leaf certificate says', () => {
  it('XEP-0416 §3.2: one RELOAD URI, one XmppAddr, and an rfc822Name when it is ASCII', () => {
    expect(leaf('xep-0416', 'juliet@capulet.lit')).toMatchObject({
      subjectCommonName: nodeIds[0],
      isCa: false,
      keyUsage: ['digitalSignature'],
      revocationListUrl: 'https://ca/crl',
      subjectAltNames: [
        uri,
        { type: 'xmppAddr', value: 'juliet@capulet.lit' },
        { type: 'rfc822Name', value: 'juliet@capulet.lit' },
      ],
    });
    expect(leaf('xep-0416', 'jülîet@capulet.lit').subjectAltNames).toEqual([
      uri,
      { type: 'xmppAddr', value: 'jülîet@capulet.lit' },
    ]);
  });

  it('RFC 6940 §11.3 (311): in the profile rfc6940 no identity but Node-IDs and user name', () => {
    expect(leaf('rfc6940', 'juliet@capulet.lit').subjectAltNames).toEqual([
      uri,
      { type: 'rfc822Name', value: 'juliet@capulet.lit' },
    ]);
  });

  it('RFC 6940 §11.3 (312): in the profile rfc6940 the subject is empty', () => {
    expect(leaf('rfc6940', 'juliet@capulet.lit').subjectCommonName).toBeUndefined();
  });
});

it('XEP-0416 §3.2: a root is a CA with digitalSignature and keyCertSign', () => {
  const root = rootCertificateContent('root', '4001', validity);
  expect(root.isCa).toBe(true);
  expect(root.keyUsage).toEqual(['digitalSignature', 'keyCertSign', 'cRLSign']);
  expect(root.issuerCommonName).toBe(root.subjectCommonName);
});

it('RFC 5280 §4.1.2.2: a serial number is positive and has exactly 20 octets', () => {
  for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
    expect(serialNumberFrom(new Uint8Array(20).fill(byte))).toMatch(/^[4-7][0-9a-f]{39}$/);
  }
});

it('a validity starts in the past, in whole seconds, and never outlives the issuer', () => {
  const nowUnixMs = 1_800_000_000_123;
  const young = validityFrom(nowUnixMs, 10, Number.MAX_SAFE_INTEGER);
  expect(young.notBeforeUnixMs).toBe(1_800_000_000_000 - 300_000);
  expect(young.notAfterUnixMs).toBe(1_800_000_000_000 + 10 * 86_400_000);
  expect(validityFrom(nowUnixMs, 10, 1_800_000_001_000).notAfterUnixMs).toBe(1_800_000_001_000);
});

it('a serial number says which revocation list names its certificate', () => {
  for (const byte of [0x00, 0x3f, 0x40, 0x80, 0xff]) {
    const random = new Uint8Array(20).fill(byte);
    for (const shard of [0, 1, 255, 256, 70_000, 0xffffff]) {
      const serialNumber = serialNumberFrom(random, shard);
      expect(serialNumber).toMatch(/^[2-7][0-9a-f]{39}$/);
      expect(shardOfSerialNumber(serialNumber)).toBe(shard);
      expect(serialNumber.slice(8)).toBe(byte.toString(16).padStart(2, '0').repeat(16));
    }
  }
});

it('RFC 5280 §5.2.5: another list begins when the last one could be full', () => {
  expect(REVOCATION_LIST_ENTRIES_MAX).toBe(10_000);
  expect([0, 9_999, 10_000, 19_999, 20_000].map(shardOf)).toEqual([0, 0, 1, 1, 2]);
});
