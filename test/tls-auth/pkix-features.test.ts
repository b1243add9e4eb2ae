import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  certificateDer,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  type TestKey,
} from '../../sim/certificates/certificate-maker.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoints,
  extension,
  generalName,
  nameConstraints,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import { certificatePolicies } from '../../sim/certificates/policy-maker.ts';
import {
  bitString,
  explicit,
  implicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
} from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid, KeyOid } from '../../src/tls-auth/object-identifier.ts';

import { belowCa, belowRoot, having, leafWith, root, verdictOf } from './batch-fixtures.ts';

const { dnsName, directoryName } = generalName;
const raw = (oid: string, value: Uint8Array, critical = false) =>
  having({ raw: extension(oid, value, critical) });

describe('RFC 5280 §4.1: basic fields', () => {
  test('§4.1.2.2: serial numbers up to 20 octets; zero and negative ones are borne with', () => {
    const serial = (serialNumber: bigint) => leafWith(() => ({ serialNumber }));
    for (const fine of [0n, -1n, 255n, 2n ** 159n - 1n, 2n ** 160n - 1n]) {
      expect(serial(fine), String(fine)).toBe('valid');
    }
    expect(serial(2n ** 160n)).toBe('pkix-profile');
    expect(serial(-(2n ** 160n))).toBe('pkix-profile');
  });

  test('§4.1.2.5: years of both centuries, and beyond 2050', () => {
    expect(leafWith(() => ({ notBeforeUnixMs: Date.UTC(1950, 0, 1) }))).toBe('valid');
    expect(leafWith(() => ({ notAfterUnixMs: Date.UTC(2050, 0, 1) }))).toBe('valid');
    expect(leafWith(() => ({ notAfterUnixMs: Date.UTC(9999, 11, 31, 23, 59, 59) }))).toBe('valid');
    expect(leafWith(() => ({ notAfterUnixMs: Date.UTC(1999, 0, 1) }))).toBe('expired');
  });

  test('§4.1.2.1: a leaf of version 1 lacks what every certificate must have', () => {
    expect(leafWith(() => ({ version: undefined, extensions: {} }))).toBe('pkix-profile');
  });
});

describe('RFC 5280 §4.2.1.1 and §4.2.1.2: key identifiers', () => {
  const without = having({ authorityKeyIdentifier: undefined });

  test('authorityKeyIdentifier is missing: refused, but not of an anchor', () => {
    expect(leafWith(without)).toBe('pkix-profile');
    expect(belowCa(without)).toBe('pkix-profile');
    expect(belowRoot(without)).toBe('valid');
  });

  test('without keyIdentifier, also of an anchor', () => {
    const issuer = explicit(1, directoryName([['CN', 'Test Root']]));
    const value = sequence(issuer, implicit(2, integer(1).subarray(2)));
    const change = having({
      authorityKeyIdentifier: extension(ExtensionOid.authorityKeyIdentifier, value),
    });
    expect([leafWith(change), belowRoot(change)]).toEqual(['pkix-profile', 'pkix-profile']);
    const half = having({
      authorityKeyIdentifier: extension(ExtensionOid.authorityKeyIdentifier, sequence(issuer)),
    });
    expect(leafWith(half)).toBe('malformed');
  });

  test('one that names another key is no reason to refuse: the signature decides', () => {
    const other = authorityKeyIdentifier(makeKey().publicKey);
    expect(leafWith(having({ authorityKeyIdentifier: other }))).toBe('valid');
  });
});

describe('RFC 5280 §4.2: extensions that contradict themselves', () => {
  const { inhibitAnyPolicy, extendedKeyUsage: purposes, policyConstraints } = ExtensionOid;

  test('§4.2.1.10, §4.2.1.11, §4.2.1.14: what must be critical is', () => {
    const subtree = nameConstraints([dnsName('example.org')], []);
    expect(belowCa(having({ subtree }))).toBe('valid');
    expect(belowCa(having({ subtree: { ...subtree, critical: false } }))).toBe('pkix-profile');
    expect(belowRoot(having({ subtree: { ...subtree, critical: false } }))).toBe('pkix-profile');
    expect(belowCa(raw(inhibitAnyPolicy, integer(1), true))).toBe('valid');
    expect(belowCa(raw(inhibitAnyPolicy, integer(1)))).toBe('pkix-profile');
    const constraints = sequence(implicit(0, Uint8Array.of(3)));
    expect(belowCa(raw(policyConstraints, constraints))).toBe('pkix-profile');
  });

  test.each([
    ['an empty extendedKeyUsage', purposes, sequence()],
    ['empty policyConstraints', policyConstraints, sequence()],
    ['empty nameConstraints', ExtensionOid.nameConstraints, sequence()],
    ['nameConstraints of two empty lists', '2.5.29.30', sequence(explicit(0), explicit(1))],
    ['an empty subjectAltName', ExtensionOid.subjectAltName, sequence()],
    ['empty certificatePolicies', ExtensionOid.certificatePolicies, sequence()],
    ['empty policyMappings', ExtensionOid.policyMappings, sequence()],
    ['empty CRLDistributionPoints', ExtensionOid.crlDistributionPoints, sequence()],
    ['a negative inhibitAnyPolicy', inhibitAnyPolicy, integer(-1)],
    ['a subjectKeyIdentifier that is none', '2.5.29.14', integer(1)],
    [
      'a distribution point of reasons alone (§4.2.1.13)',
      ExtensionOid.crlDistributionPoints,
      sequence(sequence(implicit(1, Uint8Array.of(1, 0x60)))),
    ],
    [
      'an iPAddress of five octets',
      ExtensionOid.subjectAltName,
      sequence(generalName.ipAddress(1, 2, 3, 4, 5)),
    ],
  ])('%s', (_, oid, value) => {
    const changed = makeRoot();
    const change: ContentChange = ({ extensions }) => ({
      extensions: {
        basicConstraints: extensions.basicConstraints,
        authorityKeyIdentifier: extensions.authorityKeyIdentifier,
        ...(oid === '2.5.29.14' ? {} : { key: extensions.subjectKeyIdentifier }),
        raw: extension(oid, value),
      },
    });
    const below = makeIntermediate(changed, { change });
    expect(verdictOf([below], {}, changed).reason).toBe('malformed');
    // As an intermediate it is no part of any path.
    expect(verdictOf([makeLeaf(below), below], {}, changed)).toMatchObject({
      reason: 'no-path',
      detail: expect.stringMatching(/; not read: intermediate 1 of 1: malformed: .* at byte \d+/),
    });
  });

  test('§4.2.1.7: issuerAltName, whether critical or not, holds names', () => {
    const { issuerAltName } = ExtensionOid;
    const good = sequence(generalName.uri('http://ca.example/'));
    for (const critical of [true, false]) {
      expect(leafWith(raw(issuerAltName, good, critical))).toBe('valid');
      expect(leafWith(raw(issuerAltName, integer(1), critical))).toBe('malformed');
      expect(leafWith(raw(issuerAltName, sequence(), critical))).toBe('malformed');
    }
  });

  test('§4.2.2: access descriptions and freshestCRL are never critical', () => {
    const { authorityInfoAccess, subjectInfoAccess, freshestCrl } = ExtensionOid;
    for (const oid of [authorityInfoAccess, subjectInfoAccess, freshestCrl]) {
      const value = sequence(sequence(objectIdentifier('1.2.3'), generalName.uri('http://x.y/')));
      expect(leafWith(raw(oid, value))).toBe('valid');
      expect(leafWith(raw(oid, value, true))).toBe('unknown-critical-extension');
    }
  });

  test.each([
    ['valid', 'a.example'],
    ['valid', 'xn--bcher-kva.example'],
    ['valid', '3com.example'],
    ['valid', 'a--b.example'],
    ['valid', 'localhost'],
    ['valid', '*.example.com'],
    ['pkix-profile', ' '],
    ['pkix-profile', ''],
    ['pkix-profile', 'a_b.example'],
    ['pkix-profile', '.example'],
    ['pkix-profile', 'a.example.'],
    ['pkix-profile', 'a..example'],
    ['pkix-profile', '-a.example'],
    ['pkix-profile', 'a-.example'],
    ['pkix-profile', 'a.example\0.org'],
    ['pkix-profile', 'a.*.example'],
    ['pkix-profile', 'a*.example'],
    ['pkix-profile', '*'],
    ['pkix-profile', '192.0.2.1'],
    ['pkix-profile', 'a.example:443'],
    ['pkix-profile', `${'a'.repeat(64)}.example`],
    ['pkix-profile', `${'a.'.repeat(127)}aa`],
  ])('§4.2.1.6: %s for the dNSName %j, by the preferred name syntax', (expected, name) => {
    const change = having({ subjectAltName: subjectAltName([dnsName(name)]) });
    expect(leafWith(change)).toBe(expected);
  });
});

describe('RFC 5280 §4.2.1.10: forms whose constraints are not supported', () => {
  const name = generalName.registeredId('1.2.3');
  const x400 = explicit(3, sequence());

  test.each([
    ['registeredID', name],
    ['x400Address', x400],
    ['ediPartyName', explicit(5, explicit(1, octetString(Uint8Array.of(1))))],
    ['otherName', generalName.otherName('1.2.3.4', integer(1))],
  ])('%s: refused where such a name stands, ignored where none does', (_, base) => {
    const change = having({ subtree: nameConstraints([base], []) });
    const constrained = makeIntermediate(root, { name: 'Constrained', change });
    const leafOf = (names: readonly Uint8Array[]) =>
      makeLeaf(constrained, { change: having({ subjectAltName: subjectAltName(names) }) });
    expect(verdictOf([leafOf([dnsName('a.example')]), constrained]).reason).toBe('valid');
    expect(verdictOf([leafOf([base]), constrained]).reason).toBe('name-constraints');
  });
});

describe('keys and algorithms', () => {
  const signedBy = (key: TestKey) => makeRoot({ key });

  test('other kinds of keys are refused by name', () => {
    const p521 = signedBy(makeKey('p521'));
    expect(verdictOf([makeLeaf(p521)], {}, p521)).toMatchObject({ reason: 'weak-key' });
    const rsa = signedBy(makeKey('rsa1024'));
    expect(verdictOf([makeLeaf(rsa)], {}, rsa)).toMatchObject({ reason: 'weak-key' });
  });

  const p256Point = () => {
    const { x = '', y = '' } = makeKey().publicKey.export({ format: 'jwk' });
    return [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')] as const;
  };
  const ecAlgorithm = sequence(objectIdentifier(KeyOid.ec), objectIdentifier(KeyOid.p256));
  const [x, y] = p256Point();
  const parity = (y.at(-1) ?? 0) & 1;
  const rsaKey = makeKey('rsa2048').publicKey.export({ format: 'der', type: 'pkcs1' });
  const rsaWith = (...parameters: Uint8Array[]) =>
    sequence(sequence(objectIdentifier(KeyOid.rsa), ...parameters), bitString(rsaKey));
  const pointOf = (...octets: Uint8Array[]) =>
    sequence(ecAlgorithm, bitString(Buffer.concat(octets)));
  test.each([
    ['valid', 'RFC 3279 §2.3.1: RSA with NULL', rsaWith(nullValue())],
    ['weak-key', 'RFC 3279 §2.3.1: RSA without parameters', rsaWith()],
    ['weak-key', 'RFC 3279 §2.3.1: RSA with others', rsaWith(objectIdentifier(KeyOid.p256))],
    ['valid', 'RFC 5480 §2.2: an uncompressed point', pointOf(Uint8Array.of(4), x, y)],
    ['valid', 'RFC 5480 §2.2: a compressed point', pointOf(Uint8Array.of(2 + parity), x)],
    ['weak-key', 'RFC 5480 §2.2: a hybrid point', pointOf(Uint8Array.of(6 + parity), x, y)],
    ['weak-key', 'RFC 5480 §2.2: the point at infinity', pointOf(Uint8Array.of(0))],
    ['weak-key', 'RFC 5480 §2.2: a point cut short', pointOf(Uint8Array.of(4), x)],
    ['weak-key', 'RFC 5480 §2.2: no point', pointOf()],
  ])('%s: %s', (expected, _, subjectPublicKeyInfo) => {
    let certificate = new Uint8Array(0);
    makeLeaf(root, {
      change: (content) => {
        const made = certificateDer({ ...content, subjectPublicKeyInfo }, (tbs) =>
          sign('sha256', tbs, root.key.privateKey),
        );
        certificate = new Uint8Array(made);
        return {};
      },
    });
    expect(verdictOf([{ certificate }]).reason).toBe(expected);
  });

  test('other signature algorithms are refused by name', () => {
    // RSASSA-PSS, Ed25519, ECDSA with SHA-1, MD5 with RSA.
    for (const signatureOid of [
      '1.2.840.113549.1.1.10',
      '1.3.101.112',
      '1.2.840.10045.4.1',
      '1.2.840.113549.1.1.4',
    ]) {
      expect(
        leafWith(() => ({ signatureOid })),
        signatureOid,
      ).toBe('signature-algorithm');
    }
  });
});

describe('the answer says which certificate, and which rule', () => {
  test('of an intermediate, an anchor, a leaf', () => {
    const change = having({ basicConstraints: basicConstraints(false), keyUsage: undefined });
    const bad = makeIntermediate(root, { name: 'Bad', change });
    expect(verdictOf([makeLeaf(bad), bad])).toMatchObject({
      valid: false,
      reason: 'not-a-ca',
      detail: expect.stringMatching(/^not-a-ca: CN=Bad \(sha256 .*RFC 5280 §6\.1\.4 \(k\)/),
    });
    const old = makeRoot({ name: 'Old', change: () => ({ notAfterUnixMs: 1000 }) });
    expect(verdictOf([makeLeaf(old)], {}, old).detail).toMatch(/^expired: CN=Old /);
    const point = having({
      crlDistributionPoints: crlDistributionPoints('http://x.example/'),
      policies: certificatePolicies(['1.2.3']),
    });
    const leaf = makeLeaf(root, { change: point });
    expect(verdictOf([leaf], { explicitPolicy: true, initialPolicies: ['1.2.4'] })).toMatchObject({
      reason: 'no-valid-policy',
      detail: expect.stringContaining('1.2.4'),
    });
  });

  test('nothing at all, and what is no certificate', () => {
    expect(verdictOf([])).toMatchObject({ valid: false, reason: 'bad-case' });
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0x30, 0), new Uint8Array(70_000)]) {
      expect(verdictOf([{ certificate: bytes }]).valid).toBe(false);
    }
  });
});
