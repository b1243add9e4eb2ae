import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  algorithmIdentifier,
  type ContentChange,
  extensionDer,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  distinguishedName,
  keyUsage,
  subjectKeyIdentifier,
  type TestExtension,
} from '../../sim/certificates/extension-maker.ts';
import { entryOf, makeList } from '../../sim/certificates/revocation-list-maker.ts';
import {
  bitString,
  der,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  sequence,
  set,
  time,
} from '../../src/tls-auth/der-writer.ts';
import { SignatureOid } from '../../src/tls-auth/object-identifier.ts';
import { having, type Made, root, verdictOf } from './batch-fixtures.ts';

/**
 * What the tests 4.1 to 4.3 and 4.5 to 4.7 of PKITS check, with certificates of our own: those of
 * which the half at hand has no case.
 */
const reason = (...chain: readonly Made[]) => verdictOf(chain).reason;
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const serial =
  (serialNumber: bigint): ContentChange =>
  () => ({ serialNumber });

interface RawParts {
  readonly issuer: Uint8Array;
  readonly subject?: Uint8Array;
  readonly signer: TestAuthority;
  readonly validity?: Uint8Array;
  readonly uniqueIds?: readonly Uint8Array[];
  readonly extensions?: readonly TestExtension[];
}

/** A leaf of parts in DER that the certificate maker does not write. */
function rawLeaf(parts: RawParts): Made {
  const { privateKey, publicKey } = parts.signer.key;
  const algorithm = algorithmIdentifier(SignatureOid.ecdsaWithSha256);
  const key = makeKey().publicKey;
  const extensions = parts.extensions ?? [
    authorityKeyIdentifier(publicKey),
    subjectKeyIdentifier(key),
  ];
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(77),
    algorithm,
    parts.issuer,
    parts.validity ?? sequence(time(Date.UTC(2025, 0, 1)), time(Date.UTC(2030, 0, 1))),
    parts.subject ?? distinguishedName([['CN', 'Leaf']]),
    new Uint8Array(key.export({ format: 'der', type: 'spki' })),
    ...(parts.uniqueIds ?? []),
    explicit(3, sequence(...extensions.map(extensionDer))),
  );
  return { certificate: sequence(tbs, algorithm, bitString(sign('sha256', tbs, privateKey))) };
}

const [CN, O] = ['2.5.4.3', '2.5.4.10'];
const [UTF8, PRINTABLE] = [0x0c, 0x13];

/** A name of one attribute in each relative name. */
function rawName(...attributes: readonly (readonly [oid: string, text: string, tag?: number])[]) {
  return sequence(
    ...attributes.map(([oid, text, tag = UTF8]) =>
      set(sequence(objectIdentifier(oid), der(tag, Buffer.from(text)))),
    ),
  );
}

describe('PKITS 4.1: signatures', () => {
  const ca = makeIntermediate(root, { name: 'CA' });

  test('4.1.2 and 4.1.3: a bad signature of a CA, and of the leaf', () => {
    const forged = makeIntermediate({ ...root, key: makeKey() }, { name: 'CA', key: ca.key });
    expect(reason(makeLeaf(ca), ca)).toBe('valid');
    expect(reason(makeLeaf(ca), forged)).toBe('signature-invalid');
    expect(reason(makeLeaf({ ...ca, key: makeKey() }), ca)).toBe('signature-invalid');
  });
});

describe('PKITS 4.2: validity', () => {
  const ca = makeIntermediate(root, { name: 'CA' });
  const between = (notBeforeUnixMs: number, notAfterUnixMs: number): ContentChange => {
    return () => ({ notBeforeUnixMs, notAfterUnixMs });
  };
  const generalized = (digits: string) => der(0x18, Buffer.from(`${digits}Z`));

  test('4.2.1, 4.2.2, 4.2.5, 4.2.6: not begun, and ended, of a CA and of the leaf', () => {
    const early = between(TEST_UNIX_MS + 1000, Date.UTC(2040, 0, 1));
    const late = between(0, TEST_UNIX_MS - 1000);
    expect(reason(makeLeaf(ca, { change: early }), ca)).toBe('not-yet-valid');
    expect(reason(makeLeaf(ca, { change: late }), ca)).toBe('expired');
    for (const [change, expected] of [
      [early, 'not-yet-valid'],
      [late, 'expired'],
    ] as const) {
      const changed = makeIntermediate(root, { name: 'CA', change });
      expect(reason(makeLeaf(changed), changed)).toBe(expected);
    }
  });

  test('4.2.3, 4.2.4, 4.2.7, 4.2.8: UTCTime before 2000, GeneralizedTime in any year', () => {
    const from = (begin: Uint8Array, end: Uint8Array) => {
      const issuer = distinguishedName(ca.name);
      return reason(rawLeaf({ issuer, signer: ca, validity: sequence(begin, end) }), ca);
    };
    const [past, future] = [time(Date.UTC(1950, 0, 1)), time(Date.UTC(2049, 11, 31))];
    expect(from(past, future)).toBe('valid');
    expect(from(generalized('20020101120100'), future)).toBe('valid');
    expect(from(past, generalized('20500101120100'))).toBe('valid');
    expect(from(past, generalized('20260101000000'))).toBe('valid');
    expect(from(past, generalized('20251231235959'))).toBe('expired');
    expect(from(past, time(Date.UTC(1999, 0, 1)))).toBe('expired');
    expect(from(generalized('20020101120100.5'), future)).toBe('malformed');
    expect(from(der(0x17, Buffer.from('0201011201Z')), future)).toBe('malformed');
    expect(from(der(0x17, Buffer.from('020101120100+0000')), future)).toBe('malformed');
  });
});

describe('PKITS 4.3: name chaining', () => {
  const named = (subject: readonly (readonly [string, string])[]) =>
    makeIntermediate(root, { change: () => ({ subject }) });

  test('4.3.1, 4.3.2: another name, and the same parts in another order', () => {
    const ca = named([
      ['O', 'Lists'],
      ['CN', 'CA'],
    ]);
    const below = (issuer: Uint8Array) => reason(rawLeaf({ issuer, signer: ca }), ca);
    expect(below(rawName([O, 'Lists'], [CN, 'CA']))).toBe('valid');
    expect(below(rawName([O, 'Lists'], [CN, 'Other']))).toBe('no-path');
    expect(below(rawName([CN, 'CA'], [O, 'Lists']))).toBe('no-path');
  });

  test('4.3.3 to 4.3.5: white space inside and at the ends, and case', () => {
    const ca = named([['CN', 'The  Good CA']]);
    const below = (text: string, tag = UTF8) =>
      reason(rawLeaf({ issuer: rawName([CN, text, tag]), signer: ca }), ca);
    expect(below('The Good CA')).toBe('valid');
    expect(below('  The   Good CA ')).toBe('valid');
    expect(below('the GOOD ca', PRINTABLE)).toBe('valid');
    expect(below('TheGood CA')).toBe('no-path');
  });

  test('4.3.6: unique identifiers', () => {
    const ca = named([['CN', 'CA']]);
    const uniqueIds = [implicit(1, Uint8Array.of(0, 1)), implicit(2, Uint8Array.of(0, 2))];
    const leaf = rawLeaf({ issuer: rawName([CN, 'CA']), signer: ca, uniqueIds });
    expect(reason(leaf, ca)).toBe('valid');
  });

  test('4.3.7, 4.3.8: the attribute types of RFC 5280 §4.1.2.4, mandatory and optional', () => {
    const types = ['6', '10', '11', '46', '8', '3', '5', '7', '12', '4', '42', '43', '44', '65'];
    const attributes = types.map((type): [string, string] => [`2.5.4.${type}`, 'US']);
    const component = ['0.9.2342.19200300.100.1.25', 'example'] as const;
    const ca = named([component, ...attributes]);
    const issuer = rawName(
      [component[0], 'EXAMPLE', 0x16],
      ...attributes.map(([oid, text]) => [oid, text, PRINTABLE] as const),
    );
    expect(reason(rawLeaf({ issuer, signer: ca }), ca)).toBe('valid');
  });

  test('4.3.9 to 4.3.11: UTF8String, rolled over from PrintableString, and in other case', () => {
    const ca = named([['CN', 'Bücher CA']]);
    const below = (text: string, tag = UTF8) =>
      reason(rawLeaf({ issuer: rawName([CN, text, tag]), signer: ca }), ca);
    expect(below('BÜCHER ca')).toBe('valid');
    expect(below('Bu\u0308cher CA')).toBe('valid');
    const plain = named([['CN', 'Plain CA']]);
    const printable = rawLeaf({ issuer: rawName([CN, 'Plain CA', PRINTABLE]), signer: plain });
    expect(reason(printable, plain)).toBe('valid');
  });
});

describe('PKITS 4.5: self-issued certificates and lists', () => {
  const rootList = makeList(root);
  const required = (chain: readonly Made[], ...lists: readonly Uint8Array[]) =>
    verdictOf(chain, { revocation: 'require', crls: lists.map(base64) }).reason;
  const rolled = { name: 'Rolled' };
  const newCa = makeIntermediate(root, rolled);
  const oldCa: TestAuthority = { ...newCa, key: makeKey() };
  const revoking = [entryOf(77n, 'keyCompromise')];

  test('4.5.1 to 4.5.5: the old key under the new one, and the other way', () => {
    for (const [upper, lower] of [
      [newCa, oldCa],
      [makeIntermediate(root, { ...rolled, key: oldCa.key }), newCa],
    ] as const) {
      const link = makeIntermediate(upper, { ...rolled, key: lower.key });
      const chain = [makeLeaf(lower, { change: serial(77n) }), link, upper];
      expect(required(chain, rootList, makeList(upper))).toBe('valid');
      expect(required(chain, rootList, makeList(upper, revoking))).toBe('revoked');
      // One list by the new key, one by the old: each of them speaks for the name.
      expect(required(chain, rootList, makeList(upper), makeList(lower))).toBe('valid');
      // PKITS 4.5.2: the link itself is revoked.
      const changed = makeIntermediate(upper, { ...rolled, key: lower.key, change: serial(99n) });
      const list = makeList(upper, [entryOf(99n, 'superseded')]);
      expect(required([chain[0] ?? upper, changed, upper], rootList, list)).toBe('revoked');
    }
  });

  test('4.5.6 to 4.5.8: a self-issued certificate of the key for lists', () => {
    const listKey = makeKey();
    const change = having({ basicConstraints: undefined, keyUsage: keyUsage('cRLSign') });
    const forLists = makeIntermediate(newCa, { ...rolled, key: listKey, change });
    const lists = (entries = revoking) => makeList({ ...newCa, key: listKey }, entries);
    const chain = [makeLeaf(newCa, { change: serial(77n) }), forLists, newCa];
    expect(required(chain, rootList, lists([]))).toBe('valid');
    expect(required(chain, rootList, lists())).toBe('revoked');
    const ofListKey = makeLeaf({ ...newCa, key: listKey });
    expect(required([ofListKey, forLists, newCa], rootList, lists([]))).not.toBe('valid');
  });
});

describe('PKITS 4.6: basicConstraints', () => {
  const authority = (issuer: TestAuthority, name: string, pathLength?: number) =>
    makeIntermediate(issuer, { name, ...(pathLength === undefined ? {} : { pathLength }) });

  test('4.6.1 to 4.6.4: missing, cA FALSE whether critical or not, TRUE and not critical', () => {
    const keys = keyUsage('digitalSignature');
    const judged = (basic: TestExtension | undefined) => {
      const changed = makeIntermediate(root, {
        change: having({ basicConstraints: basic, keyUsage: keys }),
      });
      return reason(makeLeaf(changed), changed);
    };
    expect(judged(undefined)).toBe('not-a-ca');
    expect(judged(basicConstraints(false))).toBe('not-a-ca');
    expect(judged(basicConstraints(false, undefined, false))).toBe('not-a-ca');
    const change = having({ basicConstraints: basicConstraints(true, undefined, false) });
    const plain = makeIntermediate(root, { change });
    expect(reason(makeLeaf(plain), plain)).toBe('valid');
  });

  test('4.6.5 to 4.6.8: pathLen 0 allows a leaf, also one that is a CA', () => {
    const zero = authority(root, 'Zero', 0);
    const below = authority(zero, 'Below');
    expect(reason(makeLeaf(zero), zero)).toBe('valid');
    expect(reason(below, zero)).toBe('valid');
    expect(reason(makeLeaf(below), below, zero)).toBe('path-length');
    expect(reason(authority(below, 'Last'), below, zero)).toBe('path-length');
  });

  test('4.6.9 to 4.6.14: 6, then 0 or 4 or 1, then what is left', () => {
    const six = authority(root, 'Six', 6);
    const chainOf = (...lengths: readonly (number | undefined)[]) => {
      const chain: TestAuthority[] = [six];
      for (const length of lengths)
        chain.unshift(authority(chain[0] ?? six, `CA ${chain.length}`, length));
      return chain;
    };
    const judged = (chain: readonly TestAuthority[], isCa: boolean) => {
      const [issuer = six] = chain;
      return reason(isCa ? authority(issuer, 'Leaf CA') : makeLeaf(issuer), ...chain);
    };
    for (const isCa of [false, true]) {
      expect(judged(chainOf(0), isCa)).toBe('valid');
      expect(judged(chainOf(0, undefined), isCa)).toBe('path-length');
      expect(judged(chainOf(1, 0), isCa)).toBe('valid');
      expect(judged(chainOf(1, 0, undefined), isCa)).toBe('path-length');
      expect(judged(chainOf(4, 1, 1), isCa)).toBe('valid');
      expect(judged(chainOf(4, 1, 1, undefined), isCa)).toBe('path-length');
    }
  });

  test('4.6.15 to 4.6.17: self-issued certificates are not counted', () => {
    const zero = authority(root, 'Zero', 0);
    const self = authority(zero, 'Zero', 0);
    expect(reason(makeLeaf(self), self, zero)).toBe('valid');
    const other = authority(self, 'Other');
    expect(reason(makeLeaf(other), other, self, zero)).toBe('path-length');
    const one = authority(root, 'One', 1);
    const selfOne = authority(one, 'One');
    const next = authority(selfOne, 'Next');
    const selfNext = authority(next, 'Next');
    expect(reason(makeLeaf(selfNext), selfNext, next, selfOne, one)).toBe('valid');
  });
});

describe('PKITS 4.7: keyUsage', () => {
  const plain = (extension: TestExtension, critical: boolean) => ({ ...extension, critical });

  test('4.7.1 to 4.7.3: keyCertSign missing, whether critical or not; a usage not critical', () => {
    for (const critical of [true, false]) {
      const lacking = makeIntermediate(root, {
        change: having({ keyUsage: plain(keyUsage('cRLSign'), critical) }),
      });
      expect(reason(makeLeaf(lacking), lacking)).toBe('key-usage');
      const good = makeIntermediate(root, {
        change: having({ keyUsage: plain(keyUsage('cRLSign', 'keyCertSign'), critical) }),
      });
      expect(reason(makeLeaf(good), good)).toBe('valid');
    }
  });

  test('4.7.4 and 4.7.5: cRLSign missing, whether critical or not', () => {
    for (const critical of [true, false]) {
      const ca = makeIntermediate(root, {
        change: having({ keyUsage: plain(keyUsage('keyCertSign'), critical) }),
      });
      const crls = [makeList(root), makeList(ca)].map(base64);
      const verdict = verdictOf([makeLeaf(ca), ca], { revocation: 'require', crls });
      expect(verdict.reason).toBe('revocation-undetermined');
      expect(verdict.detail).toContain('cRLSign');
    }
  });

  test('the anchor of a key for something else issues nothing', () => {
    const anchor = makeRoot({ change: having({ keyUsage: keyUsage('digitalSignature') }) });
    expect(verdictOf([makeLeaf(anchor)], {}, anchor).reason).toBe('key-usage');
  });
});
