import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountName } from '../../src/ca/account-name.ts';
import {
  authorityCertificateContent,
  type CertificateContent,
  leafCertificateContent,
  rootCertificateContent,
  serialNumberFrom,
} from '../../src/ca/certificate-content.ts';
import { encodeSigned, encodeTbsCertificate } from '../../src/ca/certificate-encoding.ts';
import { encodeTbsCertList } from '../../src/ca/revocation-list-encoding.ts';
import { revocationReasonCodes } from '../../src/ca/revocation-reason.ts';
import { signatureSchemeOf } from '../../src/ca/signature-scheme.ts';
import { type Certificate, parseCertificate } from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { signatureRefusal } from '../../src/tls-auth/path-building.ts';
import { parseRevocationList } from '../../src/tls-auth/revocation-list.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

const keys = {
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
};
type KeyName = keyof typeof keys;

function spkiOf(name: KeyName): Uint8Array {
  return new Uint8Array(keys[name].publicKey.export({ type: 'spki', format: 'der' }));
}

function made(content: CertificateContent, issuer: KeyName, subject: KeyName): Certificate {
  const key = spkiOf(issuer);
  const signed = encodeTbsCertificate(content, spkiOf(subject), key);
  const signature = sign(signatureSchemeOf(key).hash, signed, keys[issuer].privateKey);
  const certificate = parseCertificate(encodeSigned(signed, key, signature));
  if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
  return certificate;
}

const seconds = fc.integer({ min: 0, max: 4_000_000_000 }).map((second) => second * 1000);
const serials = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => serialNumberFrom(bytes));
const validities = fc.record({ notBeforeUnixMs: seconds, notAfterUnixMs: seconds });
const urls = fc.webUrl();

describe('what is written is what is read', () => {
  it('RFC 5280 §4.1: of a leaf of any user, at any time', () => {
    const jids = fc.constantFrom(
      'juliet@capulet.lit',
      'jülîet@münchen.example',
      `${'a'.repeat(500)}@b.lit`,
    );
    fc.assert(
      fc.property(jids, serials, validities, urls, (jid, serial, validity, url) => {
        const nodeIds = ['0123456789abcdef0123456789abcdef' as NodeId];
        const subject = { overlayName: 'xmpp.org', userName: jid as AccountName, nodeIds };
        const content = leafCertificateContent('xep-0416', subject, 'ca', serial, validity, url);
        const read = made(content, 'p256', 'p256');
        expect(read).toMatchObject({ ...validity, version: 3, serialNumber: serial });
        expect([read.issuer.text, read.subject.text]).toEqual(['CN=ca', `CN=${nodeIds[0]}`]);
        expect(read.extensions.subjectAltName?.xmppAddrs).toEqual([jid]);
        expect(read.extensions.crlDistributionPoints?.[0]?.fullName?.uris).toEqual([url]);
      }),
      { numRuns: 100 },
    );
  });

  const names: KeyName[] = ['p256', 'p384', 'secp256k1', 'rsa'];
  it.each(names)('RFC 5758 §3.2, RFC 4055 §5: signed with a %s key', (issuer) => {
    const validity = { notBeforeUnixMs: 0, notAfterUnixMs: 1_000 };
    const root = made(rootCertificateContent('ca', '4001', validity), issuer, issuer);
    for (const subject of names) {
      const below = { commonName: 'below', domain: 'a.lit', xmppAddress: 'a.lit' };
      const content = authorityCertificateContent(below, 'ca', '4002', validity, 'https://a/b');
      const certificate = made(content, issuer, subject);
      expect(signatureRefusal(certificate, root, verifyWithKey)).toBeUndefined();
      const { authorityKeyIdentifier } = certificate.extensions;
      expect(authorityKeyIdentifier?.keyIdentifier).toEqual(root.extensions.subjectKeyIdentifier);
    }
  });

  it('RFC 5280 §5.1: of a revocation list with any reasons', () => {
    const reasons = Object.keys(revocationReasonCodes) as (keyof typeof revocationReasonCodes)[];
    const entry = fc.record({
      serialNumber: serials,
      revokedUnixMs: seconds,
      reason: fc.constantFrom(...reasons),
    });
    const entries = fc.uniqueArray(entry, { selector: ({ serialNumber }) => serialNumber });
    fc.assert(
      fc.property(
        entries,
        seconds,
        fc.nat(),
        fc.option(urls, { nil: undefined }),
        (all, at, n, url) => {
          const dates = { thisUpdateUnixMs: at, nextUpdateUnixMs: at + 1_000 };
          const content = { issuerCommonName: 'ca', number: n, ...dates, entries: all };
          const key = spkiOf('p256');
          const signed = encodeTbsCertList({ ...content, distributionPointUrl: url }, key);
          const signature = sign('sha256', signed, keys.p256.privateKey);
          const list = parseRevocationList(encodeSigned(signed, key, signature));
          if (list instanceof CertificateRefusal) throw new Error(list.describe());
          expect(list).toMatchObject({ ...dates, crlNumber: BigInt(n), version: 2 });
          const uris = list.issuingDistributionPoint?.fullName?.uris;
          expect(uris).toEqual(url === undefined ? undefined : [url]);
          for (const { serialNumber, revokedUnixMs, reason } of all) {
            const found = list.entries.find(list.issuer, serialNumber);
            expect(found).toMatchObject({ revokedUnixMs, reason });
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

it('an authority signs with no other kind of key', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const key = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  expect(() => signatureSchemeOf(key)).toThrow('P-256');
});
