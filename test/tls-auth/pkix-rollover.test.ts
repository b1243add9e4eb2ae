import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  type TestAuthority,
  type TestLeaf,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extendedKeyUsage,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import { entryOf, makeList } from '../../sim/certificates/revocation-list-maker.ts';

import { having, root, verdictOf } from './batch-fixtures.ts';

const ca = makeIntermediate(root, { name: 'CA' });
const { dnsName, directoryName } = generalName;

describe('RFC 5280 §6.1: self-issued certificates and key rollover', () => {
  const newKey = makeKey();
  const rolled = { name: 'Rolled' };
  const withNewKey = makeIntermediate(root, { ...rolled, key: newKey });
  const oldCa: TestAuthority = makeIntermediate(root, rolled);
  /** The old key under the new one, and the new key under the old one. */
  const oldWithNew = makeIntermediate(withNewKey, { ...rolled, key: oldCa.key });
  const newWithOld = makeIntermediate(oldCa, { ...rolled, key: newKey });
  const rootList = makeList(root);
  const base64 = (der: Uint8Array) => Buffer.from(der).toString('base64');
  const required = (...lists: readonly Uint8Array[]) => ({
    revocation: 'require',
    crls: lists.map(base64),
  });
  const serialOf =
    (serialNumber: bigint): ContentChange =>
    () => ({ serialNumber });

  test('old with new: leaf of the old key, list of the new one', () => {
    const leaf = makeLeaf(oldCa, { change: serialOf(77n) });
    const chain = [leaf, oldWithNew, withNewKey];
    expect(verdictOf(chain, required(rootList, makeList(withNewKey))).reason).toBe('valid');
    const revoking = makeList(withNewKey, [entryOf(77n, 'keyCompromise')]);
    expect(verdictOf(chain, required(rootList, revoking)).reason).toBe('revoked');
    expect(verdictOf(chain, required(rootList)).reason).toBe('revocation-undetermined');
  });

  test('new with old: leaf of the new key, list of the old one', () => {
    const leaf = makeLeaf(withNewKey, { change: serialOf(78n) });
    const chain = [leaf, newWithOld, oldCa];
    expect(verdictOf(chain, required(rootList, makeList(oldCa))).reason).toBe('valid');
    const revoking = makeList(oldCa, [entryOf(78n, 'keyCompromise')]);
    expect(verdictOf(chain, required(rootList, revoking)).reason).toBe('revoked');
  });

  test('a self-issued certificate of a key for lists issues no leaf', () => {
    const listKey = makeKey();
    const change = having({
      basicConstraints: undefined,
      keyUsage: keyUsage('cRLSign'),
    });
    const forLists = makeIntermediate(oldCa, { ...rolled, key: listKey, change });
    const leaf = makeLeaf({ ...oldCa, key: listKey });
    expect(verdictOf([leaf, forLists, oldCa]).reason).toBe('not-a-ca');
    const good = makeLeaf(oldCa);
    const lists = required(rootList, makeList({ ...oldCa, key: listKey }));
    expect(verdictOf([good, forLists, oldCa], lists).reason).toBe('valid');
  });

  test('a self-issued leaf counts for the path length and for name constraints', () => {
    const limited = makeIntermediate(root, { name: 'Limited', pathLength: 0 });
    const self = makeIntermediate(limited, { name: 'Limited' });
    expect(verdictOf([self, limited]).reason).toBe('valid');
    const change = having({ subtree: nameConstraints([directoryName([['O', 'A']])], []) });
    const constrained = makeIntermediate(root, { name: 'Constrained', change });
    const selfIssued = makeIntermediate(constrained, { name: 'Constrained' });
    expect(verdictOf([selfIssued, constrained]).reason).toBe('name-constraints');
    const leaf = makeLeaf(selfIssued, { change: () => ({ subject: [['O', 'A']] }) });
    expect(verdictOf([leaf, selfIssued, constrained]).reason).toBe('valid');
  });
});

describe('RFC 5280 §6.1: names of the peer, purposes and depth', () => {
  const named = (names: readonly Uint8Array[], subject?: string): TestLeaf =>
    makeLeaf(root, {
      change: (content) => ({
        ...(subject === undefined ? {} : { subject: [['CN', subject]] }),
        ...having({ subjectAltName: subjectAltName(names) })(content),
      }),
    });
  const dns = (leaf: TestLeaf, value: string) =>
    verdictOf([leaf], { peerName: { kind: 'dns', value } }).reason;

  test('wildcards stand for one whole left-most label', () => {
    const leaf = named([dnsName('*.example.com')]);
    expect(dns(leaf, 'a.example.com')).toBe('valid');
    expect(dns(leaf, 'A.EXAMPLE.com.')).toBe('valid');
    for (const name of ['example.com', 'a.b.example.com', '.example.com', 'aexample.com', '']) {
      expect(dns(leaf, name), name).toBe('peer-name');
    }
    for (const pattern of ['f*.example.com', 'a.*.com', '*', '*.', '**.example.com']) {
      // Before it could be compared it is no name at all (RFC 5280 §4.2.1.6).
      expect(dns(named([dnsName(pattern)]), 'a.example.com'), pattern).toBe('pkix-profile');
    }
  });

  test('RFC 6125 §6.4.2: an internationalized name is asked for in either form', () => {
    const leaf = named([dnsName('xn--bcher-kva.example')]);
    expect(dns(leaf, 'bücher.example')).toBe('valid');
    expect(dns(leaf, 'xn--bcher-kva.example')).toBe('valid');
    expect(dns(leaf, 'bucher.example')).toBe('peer-name');
  });

  test('the subject’s CN names nobody', () => {
    expect(dns(named([dnsName('a.example')], 'b.example'), 'b.example')).toBe('peer-name');
    const without = makeLeaf(root, { change: having({ subjectAltName: undefined }) });
    expect(dns(without, 'example.com')).toBe('peer-name');
  });

  test('an IP address is an iPAddress, no dNSName', () => {
    const ip = (leaf: TestLeaf, value: string) =>
      verdictOf([leaf], { peerName: { kind: 'ip', value } }).reason;
    expect(ip(named([generalName.ipAddress(127, 0, 0, 1)]), '127.0.0.1')).toBe('valid');
    expect(ip(named([dnsName('127.0.0.1')]), '127.0.0.1')).toBe('pkix-profile');
    expect(ip(named([dnsName('a.example')]), '127.0.0.1')).toBe('peer-name');
    const loopback = generalName.ipAddress(...new Array<number>(15).fill(0), 1);
    expect(ip(named([loopback]), '::1')).toBe('valid');
  });

  test('anyExtendedKeyUsage allows every purpose, a list without it only its own', () => {
    const purpose = 'serverAuth';
    const asked = (...purposes: readonly string[]) =>
      verdictOf([makeLeaf(root, { change: having({ purposes: extendedKeyUsage(...purposes) }) })], {
        purpose,
      }).reason;
    expect(asked('2.5.29.37.0')).toBe('valid');
    expect(asked('1.3.6.1.5.5.7.3.1')).toBe('valid');
    expect(asked('1.3.6.1.5.5.7.3.4')).toBe('purpose');
  });

  test('depthMax counts intermediates that are not self-issued', () => {
    const self = makeIntermediate(ca, { name: 'CA' });
    const chain = [makeLeaf(self), self, ca];
    expect(verdictOf(chain, { depthMax: 1 }).reason).toBe('valid');
    expect(verdictOf(chain, { depthMax: 0 }).reason).toBe('path-length');
  });
});
