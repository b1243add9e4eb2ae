import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CertificateContent,
  type ContentChange,
  makeKey,
  makeLeaf,
  makeRoot,
  signTbs,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import {
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import {
  type Certificate,
  certificateLengthMax,
  parseCertificate,
} from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import {
  bitString,
  der,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  utf8String,
} from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid } from '../../src/tls-auth/object-identifier.ts';

const root = makeRoot();
const good = makeLeaf(root, { jid: 'juliet@capulet.lit', nodeId: testNodeId(7) }).certificate;

function parsed(bytes: Uint8Array): Certificate {
  const certificate = parseCertificate(bytes);
  if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
  return certificate;
}

function leafWith(change: ContentChange): Uint8Array {
  return makeLeaf(root, { change }).certificate;
}

function withExtension(name: string, value: CertificateContent['extensions'][string]) {
  return leafWith(({ extensions }) => ({ extensions: { ...extensions, [name]: value } }));
}

function refusalOf(bytes: Uint8Array): string {
  const refusal = parseCertificate(bytes);
  if (!(refusal instanceof CertificateRefusal)) throw new Error('it was not refused');
  return refusal.describe();
}

describe('RFC 5280 §4.1: the fields of a certificate', () => {
  const certificate = parsed(good);

  test('names, validity, serial number, key and hash', () => {
    expect(certificate.version).toBe(3);
    expect(certificate.subject.text).toBe(`CN=${testNodeId(7)}`);
    expect(certificate.issuer.text).toBe('CN=Test Root');
    expect(certificate.isSelfIssued).toBe(false);
    expect(certificate.notBeforeUnixMs).toBe(Date.UTC(2025, 0, 1));
    expect(certificate.notAfterUnixMs).toBe(Date.UTC(2035, 0, 1));
    expect(certificate.sha256).toBe(createHash('sha256').update(good).digest('hex'));
    expect(certificate.publicKey()?.asymmetricKeyType).toBe('ec');
    expect(certificate.publicKey()).toBe(certificate.publicKey());
    expect(certificate.describe()).toContain(certificate.sha256.slice(0, 16));
  });

  test('the names of the subjectAltName, XmppAddr among them', () => {
    expect(certificate.extensions.subjectAltName).toMatchObject({
      xmppAddrs: ['juliet@capulet.lit'],
      rfc822Names: ['juliet@capulet.lit'],
      uris: [`reload://0110${testNodeId(7)}@xmpp.org/`],
      dnsNames: [],
    });
  });

  test('the other extensions of a leaf', () => {
    const { extensions } = certificate;
    expect(extensions.basicConstraints).toEqual({ isCa: false, pathLength: undefined });
    expect([...(extensions.keyUsage ?? [])]).toEqual(['digitalSignature']);
    expect(extensions.crlDistributionPoints?.[0]?.fullName?.uris).toEqual([
      'http://crl.example.org/test.crl',
    ]);
    expect(extensions.subjectKeyIdentifier?.length).toBe(20);
    expect(extensions.authorityKeyIdentifier?.keyIdentifier?.length).toBe(20);
    expect(extensions.all).toHaveLength(6);
  });

  test('a certificate of version 1 without extensions', () => {
    const plain = parsed(leafWith(() => ({ version: undefined, extensions: {} })));
    expect(plain.version).toBe(1);
    expect(plain.extensions).toEqual({ all: [] });
  });

  test('extensions that only authorities use', () => {
    const policies = sequence(sequence(objectIdentifier('2.5.29.32.0')));
    const certificate = parsed(
      leafWith(({ extensions }) => ({
        extensions: {
          ...extensions,
          names: nameConstraints(
            [generalName.dnsName('example.org'), generalName.ipAddress(10, 0, 0, 0, 255, 0, 0, 0)],
            [generalName.xmppAddr('evil@example.org')],
          ),
          purposes: extendedKeyUsage('1.3.6.1.5.5.7.3.1'),
          policies: extension(ExtensionOid.certificatePolicies, policies),
          inhibit: extension(ExtensionOid.inhibitAnyPolicy, integer(3), true),
          constraints: extension(
            ExtensionOid.policyConstraints,
            sequence(implicit(0, Uint8Array.of(2))),
            true,
          ),
          mappings: extension(
            ExtensionOid.policyMappings,
            sequence(sequence(objectIdentifier('1.2.3'), objectIdentifier('1.2.4'))),
          ),
          unknown: extension('1.2.3.4', Uint8Array.of(0xff, 0xff)),
        },
      })),
    );
    expect(certificate.extensions).toMatchObject({
      nameConstraints: {
        permitted: [{ base: { form: 'dnsName', text: 'example.org' } }, {}],
        excluded: [{ base: { form: 'xmppAddr', text: 'evil@example.org' }, isPlain: true }],
      },
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
      certificatePolicies: [{ policy: '2.5.29.32.0', qualifiers: [] }],
      inhibitAnyPolicy: 3,
      policyConstraints: { requireExplicitPolicy: 2, inhibitPolicyMapping: undefined },
      policyMappings: [{ issuerDomainPolicy: '1.2.3', subjectDomainPolicy: '1.2.4' }],
    });
  });
});

describe('RFC 5280 §4.1: what is refused', () => {
  test('bytes before, after and missing', () => {
    expect(refusalOf(Buffer.concat([good, Buffer.from([0])]))).toContain('left over');
    expect(refusalOf(good.subarray(0, good.length - 1))).toMatch(/^malformed: /);
    expect(refusalOf(new Uint8Array(0))).toMatch(/^malformed: /);
  });

  test('more than certificateLengthMax bytes', () => {
    expect(refusalOf(new Uint8Array(certificateLengthMax + 1))).toMatch(/^too-large: /);
  });

  test('§4.1.1.2: two signature algorithms that differ', () => {
    const outer = sequence(
      parsed(good).tbsCertificate,
      sequence(objectIdentifier('1.2.840.10045.4.3.3')),
      bitString(parsed(good).signatureValue),
    );
    expect(refusalOf(outer)).toContain('the two signature algorithms differ');
  });

  test('§4.1.2.1: version 1 written out, version 4, extensions without version 3', () => {
    expect(refusalOf(leafWith(() => ({ version: 0 })))).toContain('expected version 1, 2 or 3');
    expect(refusalOf(leafWith(() => ({ version: 3 })))).toContain('expected version 1, 2 or 3');
    expect(refusalOf(leafWith(() => ({ version: 1 })))).toContain('extensions in version 2');
    expect(refusalOf(leafWith(() => ({ version: undefined })))).toContain('in version 1');
  });

  test('§4.2: the same extension twice', () => {
    expect(refusalOf(withExtension('again', basicConstraints(false)))).toContain('a second');
  });

  test.each([
    ['keyUsage without any bit', keyUsage()],
    ['keyUsage that is no BIT STRING', extension(ExtensionOid.keyUsage, integer(1))],
    ['an empty subjectAltName', subjectAltName([])],
    ['an iPAddress of 5 bytes', subjectAltName([generalName.ipAddress(1, 2, 3, 4, 5)])],
    ['a dNSName that is not ASCII', subjectAltName([generalName.dnsName('\u00e9')])],
    [
      'an XmppAddr that is no UTF8String',
      subjectAltName([generalName.otherName('1.3.6.1.5.5.7.8.5', octetString(Buffer.from('a@b')))]),
    ],
    [
      'an XmppAddr with bytes behind it',
      subjectAltName([
        explicit(
          0,
          objectIdentifier('1.3.6.1.5.5.7.8.5'),
          explicit(0, utf8String('a@b'), integer(1)),
        ),
      ]),
    ],
    ['a general name of an unknown tag', subjectAltName([implicit(9, Uint8Array.of(1))])],
    ['nameConstraints without lists', nameConstraints([], [])],
    [
      'basicConstraints with a negative length',
      extension(ExtensionOid.basicConstraints, sequence(integer(-1))),
    ],
    [
      'basicConstraints with bytes behind them',
      extension(ExtensionOid.basicConstraints, Buffer.concat([sequence(), sequence()])),
    ],
    ['policyConstraints without fields', extension(ExtensionOid.policyConstraints, sequence())],
    [
      'a policy that stands twice',
      extension(
        ExtensionOid.certificatePolicies,
        sequence(sequence(objectIdentifier('1.2.3')), sequence(objectIdentifier('1.2.3'))),
      ),
    ],
    [
      'authorityKeyIdentifier with issuer but no serial number',
      extension(
        ExtensionOid.authorityKeyIdentifier,
        sequence(explicit(1, generalName.dnsName('ca.example'))),
      ),
    ],
  ])('§4.2.1: %s', (_, value) => {
    const bytes = leafWith(() => ({ extensions: { value } }));
    expect(refusalOf(bytes)).toMatch(/^malformed: .*at byte \d+: /);
  });

  test('§4.2: critical FALSE written out (X.690 §11.5)', () => {
    const content = parsed(good);
    const written = sequence(
      objectIdentifier('1.2.3.4'),
      der(0x01, Uint8Array.of(0)),
      octetString(Uint8Array.of(5, 0)),
    );
    const tbs = sequence(
      explicit(0, integer(2)),
      integer(1),
      content.signatureAlgorithm.der,
      content.issuer.der,
      sequence(der(0x17, Buffer.from('250101000000Z')), der(0x17, Buffer.from('350101000000Z'))),
      content.subject.der,
      content.subjectPublicKeyInfo.der,
      explicit(3, sequence(written)),
    );
    const bytes = signTbs(tbs, content.signatureAlgorithm.oid, root.key.privateKey);
    expect(refusalOf(bytes)).toContain('critical FALSE');
  });
});

describe('hostile input', () => {
  test('arbitrary bytes give a certificate or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(parseCertificate(bytes)).toBeInstanceOf(CertificateRefusal);
      }),
    );
  });

  test('mutated certificates are read or refused, quickly, and all their parts can be asked', () => {
    const bytes = fc.integer({ min: 0, max: 255 });
    const places = fc.integer({ min: 0, max: good.length - 1 });
    const mutations = fc.array(fc.tuple(places, bytes), { minLength: 1, maxLength: 4 });
    const startedMs = performance.now();
    fc.assert(
      fc.property(mutations, (changes) => {
        const mutated = Uint8Array.from(good);
        for (const [at, value] of changes) mutated[at] = value;
        const certificate = parseCertificate(mutated);
        if (certificate instanceof CertificateRefusal) return;
        certificate.publicKey();
        certificate.describe();
        expect(certificate.subject.comparisonKey).toBeTypeOf('string');
      }),
      { numRuns: 2000 },
    );
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });

  test('every prefix of a certificate is refused', () => {
    for (let length = 0; length < good.length; length++) {
      expect(parseCertificate(good.subarray(0, length))).toBeInstanceOf(CertificateRefusal);
    }
  });

  test('a name of thousands of parts, and extensions by the thousand, are refused', () => {
    const names = Array.from({ length: 3000 }, () => ['CN', 'x'] as const);
    expect(refusalOf(leafWith(() => ({ subject: names })))).toContain('more than');
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [i, extension(`1.2.3.${i}`, integer(i))]),
    );
    expect(refusalOf(leafWith(() => ({ extensions: many })))).toContain('more than 64 extensions');
  });

  test('a key that OpenSSL cannot read is no key', () => {
    const content = parsed(good);
    const point = content.subjectPublicKeyInfo.key;
    const at = Buffer.from(good).indexOf(Buffer.from(point));
    const mutated = Uint8Array.from(good);
    mutated.fill(0x11, at + 1, at + 65);
    expect(parsed(mutated).publicKey()).toBeUndefined();
  });
});

test('a certificate of any key and serial number is read back', () => {
  const key = makeKey('secp256k1');
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 159n }), (serialNumber) => {
      const bytes = makeLeaf(root, { key, change: () => ({ serialNumber }) }).certificate;
      const hex = parsed(bytes).serialNumber;
      expect(BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`))).toBe(serialNumber);
    }),
    { numRuns: 20 },
  );
});
