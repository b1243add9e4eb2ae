import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import {
  entryOf,
  type ListChange,
  listNumber,
  makeList,
} from '../../sim/certificates/revocation-list-maker.ts';
import { octetString, sequence, utf8String } from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid, KeyPurposeOid } from '../../src/tls-auth/object-identifier.ts';
import {
  belowCa,
  belowRoot,
  having,
  leafWith,
  type Made,
  root,
  verdictOf,
} from './batch-fixtures.ts';

/**
 * The families of x509-limbo's cases about RFC 5280, with certificates of our own: what the half at
 * hand has no case of.
 */
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const { dnsName, rfc822Name, uri, ipAddress, directoryName, otherName } = generalName;
const names = (...all: Uint8Array[]) => having({ subjectAltName: subjectAltName(all) });
const without = (...oids: string[]) =>
  having(Object.fromEntries(oids.map((oid) => [oid, undefined])));

describe('crl', () => {
  const leaf = makeLeaf(root, { change: () => ({ serialNumber: 77n }) });
  const judged = (list: Uint8Array, policy = 'require', anchor = root, one: Made = leaf) =>
    verdictOf([one], { revocation: policy, crls: [base64(list)] }, anchor).reason;
  const change = (changes: ReturnType<ListChange>): ListChange => {
    return ({ extensions }) => ({
      ...changes,
      extensions: { ...extensions, ...changes.extensions },
    });
  };
  const UNDETERMINED = 'revocation-undetermined';

  test('a list without the certificate, and with it', () => {
    expect(judged(makeList(root, [entryOf(78n, 'superseded')]))).toBe('valid');
    expect(judged(makeList(root, [entryOf(77n, 'superseded')]))).toBe('revoked');
    expect(judged(makeList(root, [entryOf(77n)]))).toBe('revoked');
  });

  test.each<readonly [string, ListChange]>([
    ['no cRLNumber (§5.2.3)', change({ extensions: { listNumber: undefined } })],
    [
      'a critical cRLNumber (§5.2.3)',
      change({ extensions: { listNumber: { ...listNumber(1), critical: true } } }),
    ],
    [
      'no authorityKeyIdentifier (§5.2.1)',
      change({ extensions: { authorityKeyIdentifier: undefined } }),
    ],
    ['no nextUpdate (§5.1.2.5)', change({ nextUpdateUnixMs: undefined })],
    ['nextUpdate long ago', change({ nextUpdateUnixMs: Date.UTC(2025, 11, 30) })],
    ['thisUpdate tomorrow', change({ thisUpdateUnixMs: Date.UTC(2026, 0, 2) })],
  ])('%s: it says nothing good, whatever the policy', (_, changed) => {
    expect(judged(makeList(root, [], changed))).toBe(UNDETERMINED);
    expect(judged(makeList(root, [], changed), 'prefer')).toBe(UNDETERMINED);
  });

  test('an issuer whose keyUsage lacks cRLSign, and one without keyUsage', () => {
    const noSign = makeRoot({ change: having({ keyUsage: keyUsage('keyCertSign') }) });
    expect(judged(makeList(noSign), 'require', noSign, makeLeaf(noSign))).toBe(UNDETERMINED);
    const open = makeRoot({ change: without('keyUsage') });
    expect(judged(makeList(open), 'require', open, makeLeaf(open))).toBe('valid');
  });

  test('the serial number on the list of another issuer is another certificate', () => {
    const other = makeRoot({ name: 'Other' });
    const foreign = makeList(other, [entryOf(77n, 'keyCompromise')]);
    expect(judged(foreign, 'prefer')).toBe('valid');
    const crls = [foreign, makeList(root)].map(base64);
    expect(verdictOf([leaf], { revocation: 'require', crls }).reason).toBe('valid');
  });

  test('a list that another key of the issuer’s name signed', () => {
    expect(judged(makeList({ ...root, key: makeKey() }))).toBe(UNDETERMINED);
  });
});

describe('pathlen', () => {
  test('the pathLenConstraint of a CA at the end of the path is not looked at', () => {
    const upper = makeIntermediate(root, { name: 'Upper', pathLength: 0 });
    const last = makeIntermediate(upper, { name: 'Last', pathLength: 0 });
    expect(verdictOf([last, upper]).reason).toBe('valid');
  });

  test('depthMax 0 and 1, with self-issued certificates beside', () => {
    const ca = makeIntermediate(root, { name: 'CA' });
    const ofRootName = makeIntermediate(root, { name: 'Test Root' });
    const depth = (depthMax: number, ...chain: Made[]) => verdictOf(chain, { depthMax }).reason;
    expect(depth(0, makeLeaf(ofRootName), ofRootName)).toBe('valid');
    expect(depth(0, makeLeaf(ca), ca)).toBe('path-length');
    expect(depth(1, makeLeaf(ca), ca)).toBe('valid');
  });
});

describe('aki, ski, eku, serial', () => {
  test('missing in a leaf, an intermediate, a root', () => {
    expect(leafWith(without('authorityKeyIdentifier'))).toBe('pkix-profile');
    expect(belowCa(without('authorityKeyIdentifier'))).toBe('pkix-profile');
    expect(belowRoot(without('authorityKeyIdentifier'))).toBe('valid');
    expect(leafWith(without('subjectKeyIdentifier'))).toBe('valid');
    expect(belowCa(without('subjectKeyIdentifier'))).toBe('pkix-profile');
    expect(belowRoot(without('subjectKeyIdentifier'))).toBe('pkix-profile');
  });

  test('extendedKeyUsage of the leaf: none, any, another, empty', () => {
    const asked = (change: ContentChange) =>
      verdictOf([makeLeaf(root, { change })], { purpose: 'serverAuth' }).reason;
    expect(asked(() => ({}))).toBe('valid');
    expect(asked(having({ purposes: extendedKeyUsage(KeyPurposeOid.any) }))).toBe('valid');
    expect(asked(having({ purposes: extendedKeyUsage(KeyPurposeOid.clientAuth) }))).toBe('purpose');
    const empty = extension(ExtensionOid.extendedKeyUsage, sequence());
    expect(asked(having({ purposes: empty }))).toBe('malformed');
  });

  test('serial numbers of 20 and of 21 octets', () => {
    expect(leafWith(() => ({ serialNumber: 2n ** 159n - 1n }))).toBe('valid');
    expect(leafWith(() => ({ serialNumber: 2n ** 167n - 1n }))).toBe('pkix-profile');
  });
});

describe('san', () => {
  test('bytes that are no GeneralNames, another string type, octets above ASCII', () => {
    const raw = (value: Uint8Array) =>
      leafWith(having({ subjectAltName: extension(ExtensionOid.subjectAltName, value) }));
    expect(raw(octetString(Buffer.from('lol')))).toBe('malformed');
    expect(raw(Buffer.from('lol'))).toBe('malformed');
    expect(raw(sequence(utf8String('example.com')))).toBe('malformed');
    expect(leafWith(names(dnsName('b\u00fccher.example')))).toBe('malformed');
    expect(leafWith(names(rfc822Name('b\u00fc@example.com')))).toBe('malformed');
  });

  test('an empty subject wants a critical subjectAltName', () => {
    const named = (critical: boolean): ContentChange => {
      const san = subjectAltName([dnsName('example.com')], critical);
      return (content) => ({ subject: [], ...having({ subjectAltName: san })(content) });
    };
    expect(leafWith(named(true))).toBe('valid');
    expect(leafWith(named(false))).toBe('pkix-profile');
    expect(leafWith(() => ({ subject: [], extensions: {} }))).toBe('pkix-profile');
  });
});

describe('validity', () => {
  const at = (time: string) => {
    const change: ContentChange = () => ({
      notBeforeUnixMs: Date.UTC(2024, 2, 1),
      notAfterUnixMs: Date.UTC(2024, 3, 1),
    });
    const old: ContentChange = () => ({ notBeforeUnixMs: Date.UTC(2020, 0, 1) });
    const anchor = makeRoot({ change: old });
    return verdictOf([makeLeaf(anchor, { change })], { time }, anchor).reason;
  };

  test('notBefore and notAfter to the second, and between seconds', () => {
    expect(at('2024-02-29T23:59:59Z')).toBe('not-yet-valid');
    expect(at('2024-02-29T23:59:59.995Z')).toBe('not-yet-valid');
    expect(at('2024-03-01T00:00:00Z')).toBe('valid');
    expect(at('2024-03-01T00:00:00.005Z')).toBe('valid');
    expect(at('2024-04-01T00:00:00.999Z')).toBe('valid');
    expect(at('2024-04-01T00:00:01Z')).toBe('expired');
  });
});

describe('nc', () => {
  const below = (permitted: Uint8Array[], excluded: Uint8Array[] = [], critical = true) =>
    makeRoot({
      change: having({ subtree: { ...nameConstraints(permitted, excluded), critical } }),
    });
  const judged = (anchor: TestAuthority, ...all: Uint8Array[]) =>
    verdictOf([makeLeaf(anchor, { change: names(...all) })], {}, anchor).reason;
  const REFUSED = 'name-constraints';
  const v6 = (last: number) => [...new Array<number>(15).fill(0), last];
  const net6 = ipAddress(...v6(0), ...new Array<number>(15).fill(255), 0);

  test.each<readonly [string, string, TestAuthority, Uint8Array[]]>([
    [
      'more than one permitted',
      'valid',
      below([dnsName('a.x'), dnsName('b.x')]),
      [dnsName('c.b.x')],
    ],
    [
      'one of two names outside',
      REFUSED,
      below([dnsName('a.x')]),
      [dnsName('a.x'), dnsName('b.x')],
    ],
    [
      'excluded, first name',
      REFUSED,
      below([], [dnsName('a.x')]),
      [dnsName('a.x'), dnsName('b.x')],
    ],
    [
      'CVE-2025-61727',
      REFUSED,
      below([], [dnsName('foo.example.com')]),
      [dnsName('*.example.com')],
    ],
    ['permitted IPv6', 'valid', below([net6]), [ipAddress(...v6(7))]],
    ['IPv6 outside', REFUSED, below([net6]), [ipAddress(1, ...v6(7).slice(1))]],
    ['IPv4 under IPv6 alone', REFUSED, below([net6]), [ipAddress(10, 0, 0, 1)]],
    [
      'a host of IPv4',
      'valid',
      below([ipAddress(10, 0, 0, 1, 255, 255, 255, 255)]),
      [ipAddress(10, 0, 0, 1)],
    ],
    [
      'all of IPv4',
      REFUSED,
      below([], [ipAddress(0, 0, 0, 0, 0, 0, 0, 0)]),
      [ipAddress(10, 0, 0, 1)],
    ],
    ['an address of three octets', REFUSED, below([ipAddress(10, 0, 0)]), [dnsName('a.x')]],
    ['a mask with a gap', REFUSED, below([ipAddress(10, 0, 0, 0, 255, 0, 0, 1)]), [dnsName('a.x')]],
    [
      'a wildcard as constraint',
      REFUSED,
      below([dnsName('*.example.com')]),
      [dnsName('a.example.com')],
    ],
    [
      'a mailbox without @',
      REFUSED,
      below([rfc822Name('example.com')]),
      [rfc822Name('example.com')],
    ],
    [
      'a mailbox with two @',
      REFUSED,
      below([rfc822Name('example.com')]),
      [rfc822Name('a@b@example.com')],
    ],
    [
      'a mailbox without local part',
      REFUSED,
      below([rfc822Name('example.com')]),
      [rfc822Name('@example.com')],
    ],
    [
      'a host with a wildcard',
      REFUSED,
      below([rfc822Name('.example.com')]),
      [rfc822Name('a@*.example.com')],
    ],
    [
      'a host with an empty label',
      REFUSED,
      below([rfc822Name('.example.com')]),
      [rfc822Name('a@.example.com')],
    ],
    [
      'a local part with a space',
      REFUSED,
      below([rfc822Name('example.com')]),
      [rfc822Name('a b@example.com')],
    ],
    [
      'a local part with two dots',
      REFUSED,
      below([rfc822Name('example.com')]),
      [rfc822Name('a..b@example.com')],
    ],
    [
      'asterisks in a local part',
      'valid',
      below([rfc822Name('**@example.com')]),
      [rfc822Name('**@example.com')],
    ],
    [
      'a mailbox in another case',
      'valid',
      below([rfc822Name('Example.COM')]),
      [rfc822Name('A@example.com')],
    ],
    [
      'a URI with a port and a user',
      'valid',
      below([uri('x.example')]),
      [uri('http://u@x.example:80/')],
    ],
    [
      'a URI that hides its host',
      REFUSED,
      below([uri('x.example')]),
      [uri('http://x.example@y.example/')],
    ],
    [
      'a URI with a backslash',
      REFUSED,
      below([uri('x.example')]),
      [uri('http://y.example\\@x.example/')],
    ],
    [
      'an unknown name permitted',
      REFUSED,
      below([otherName('1.2.3', utf8String('x'))]),
      [otherName('1.2.3', utf8String('x'))],
    ],
  ])('%s: %s', (_, expected, anchor, all) => {
    expect(judged(anchor, ...all)).toBe(expected);
  });

  test('not critical in a CA, and in a leaf at all', () => {
    expect(judged(below([dnsName('a.x')], [], false), dnsName('a.x'))).toBe('pkix-profile');
    const subtree = nameConstraints([dnsName('a.x')], []);
    expect(leafWith(having({ subtree }))).toBe('pkix-profile');
    expect(leafWith(having({ subtree: { ...subtree, critical: false } }))).toBe('pkix-profile');
  });

  test('an empty distinguished name holds every subject, and no subject is in none', () => {
    expect(judged(below([directoryName([])]), dnsName('a.x'))).toBe('valid');
    expect(judged(below([], [directoryName([])]), dnsName('a.x'))).toBe(REFUSED);
    const empty: ContentChange = (content) => ({
      subject: [],
      ...having({ subjectAltName: subjectAltName([dnsName('a.x')], true) })(content),
    });
    const anchor = below([], [directoryName([])]);
    expect(verdictOf([makeLeaf(anchor, { change: empty })], {}, anchor).reason).toBe('valid');
  });
});
