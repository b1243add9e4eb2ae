import { describe, expect, test } from 'vitest';
import {
  type CertificateContent,
  makeIntermediate,
  makeKey,
  makeLeaf,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestKey,
} from '../../sim/certificates/certificate-maker.ts';
import {
  authorityKeyIdentifier,
  extension,
  keyUsage,
  type TestExtension,
  type TestName,
} from '../../sim/certificates/extension-maker.ts';
import {
  certificateIssuer,
  deltaIndicator,
  distributionPoints,
  entryOf,
  issuingDistributionPoint,
  listNumber,
  makeList,
  type TestEntry,
  type TestPoint,
} from '../../sim/certificates/revocation-list-maker.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { integer } from '../../src/tls-auth/der-writer.ts';
import type { KnownListSignatures } from '../../src/tls-auth/list-issuers.ts';
import { RevocationCheck } from '../../src/tls-auth/revocation-check.ts';
import { parseRevocationList } from '../../src/tls-auth/revocation-list.ts';
import { type SignatureVerifier, verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { pathTo } from './path-fixtures.ts';
import {
  ca,
  caList,
  DAY_MS,
  delta,
  fullName,
  judged,
  LEAF_SERIAL,
  leafAt,
  numbered,
  revokedLeaf,
  root,
  rootList,
  scoped,
  stranger,
  withExtensions,
} from './revocation-fixtures.ts';

describe('RFC 5280 §6.3.3 (f): other signers', () => {
  /** A certificate of `issuer` that may sign lists, or what `usage` says. */
  function signer(
    name: TestName,
    issuer: TestAuthority,
    options: { usage?: TestExtension | undefined; points?: TestPoint[]; serial?: bigint } = {},
  ): TestAuthority {
    const key: TestKey = makeKey();
    const usage = 'usage' in options ? options.usage : keyUsage('cRLSign');
    const change = ({ extensions }: CertificateContent) => ({
      subject: name,
      serialNumber: options.serial ?? 0x99n,
      extensions: {
        ...extensions,
        keyUsage: usage,
        subjectAltName: undefined,
        crlDistributionPoints: distributionPoints(options.points ?? [{ fullName }]),
      },
    });
    return { ...makeLeaf(issuer, { key, change }), name };
  }

  test('a key of its own for lists, under the name of the CA', () => {
    const listKey = signer(ca.name, root);
    const list = makeList(listKey);
    expect(judged({ lists: [rootList, list], pool: [listKey] })).toBe('good');
    expect(judged({ lists: [rootList, list] })).toContain('(g) signature');
    const revoking = makeList(listKey, [revokedLeaf]);
    expect(judged({ lists: [rootList, revoking], pool: [listKey] })).toMatch(/^revoked/);
    const revoked = makeList(root, [entryOf(0x99n)]);
    const answer = judged({ lists: [revoked, list], pool: [listKey] });
    expect(answer).toMatch(/^revocation-undetermined.*\(f\) path of the issuer/);
  });

  test('a signer without cRLSign, without a path, or with one to another anchor', () => {
    const unfit = [keyUsage('digitalSignature'), undefined];
    for (const usage of unfit) {
      const one = signer(ca.name, root, { usage });
      const answer = judged({ lists: [rootList, makeList(one)], pool: [one] });
      expect(answer).toContain('lacks cRLSign');
    }
    const foreign = signer(ca.name, stranger);
    const answer = judged({ lists: [rootList, makeList(foreign)], pool: [foreign, stranger] });
    expect(answer).toContain('(f) path of the issuer');
  });

  test('a CA that may not sign lists', () => {
    const authority = makeIntermediate(root, {
      name: 'CA',
      key: ca.key,
      change: ({ extensions }) => ({
        extensions: { ...extensions, keyUsage: keyUsage('keyCertSign') },
      }),
    });
    expect(judged({ lists: [rootList, caList], authority })).toContain('lacks cRLSign');
  });

  test('an indirect list of another issuer, which tells of itself as well', () => {
    const name: TestName = [['CN', 'List Issuer']];
    const point = { fullName, crlIssuer: name };
    const issuer = signer(name, ca, { points: [point] });
    const leaf = leafAt([point]);
    const scope = { fullName, isIndirect: true };
    const of = (entries: readonly TestEntry[]) => [rootList, scoped(scope, entries, issuer)];
    const pool = [issuer];
    expect(judged({ leaf, pool, lists: of([]) })).toBe('good');
    const named = entryOf(LEAF_SERIAL, 'superseded', certificateIssuer(ca.name));
    expect(judged({ leaf, pool, lists: of([named]) })).toMatch(/^revoked/);
    // The same serial number of another issuer is another certificate.
    expect(judged({ leaf, pool, lists: of([entryOf(LEAF_SERIAL)]) })).toBe('good');
    const itself = entryOf(0x99n, 'keyCompromise', certificateIssuer(ca.name));
    expect(judged({ leaf, pool, lists: of([itself]) })).toMatch(/^revocation-undetermined/);
    // Only the certificate says who else may speak for its issuer.
    expect(judged({ pool, lists: of([]) })).toMatch(/^revocation-undetermined/);
  });

  test('one key in many certificates verifies a list once', () => {
    const leaf = leafAt([{ fullName }]);
    const counted = { lists: 0 };
    const verifySignature: SignatureVerifier = (...args) => {
      counted.lists += 1;
      return verifyWithKey(...args);
    };
    const lists = [rootList, makeList(ca, [revokedLeaf])].map((der) => {
      const list = parseRevocationList(der);
      if (list instanceof CertificateRefusal) throw new Error(list.describe());
      return list;
    });
    const knownListSignatures: KnownListSignatures = new WeakMap();
    for (let at = 0; at < 10; at++) {
      const again = makeIntermediate(root, { name: 'CA', key: ca.key });
      const path = pathTo(leaf, [again], [root]);
      if (path instanceof CertificateRefusal) throw new Error(path.describe());
      const check = new RevocationCheck({
        lists,
        pool: [],
        verifySignature,
        unixMs: TEST_UNIX_MS,
        policy: 'require',
        knownListSignatures,
      });
      expect(check.refusal(path)?.code).toBe('revoked');
    }
    expect(counted.lists).toBe(2);
  });

  test('signers that tell of each other come to an end', () => {
    const names = [0, 1, 2, 3, 4, 5, 6, 7].map((at): TestName => [['CN', `Signer ${at}`]]);
    const pointTo = (at: number) => ({ fullName, crlIssuer: names[at % names.length] ?? [] });
    const signers = names.map((name, at) => signer(name, ca, { points: [pointTo(at + 1)] }));
    const lists = signers.map((one) => scoped({ fullName, isIndirect: true }, [], one));
    const leaf = leafAt([pointTo(0)]);
    const answer = judged({ leaf, lists: [rootList, ...lists], pool: signers });
    expect(answer).toContain('issuerDepthMax');
    const ring = names
      .slice(0, 2)
      .map((name, at) => signer(name, ca, { points: [pointTo(1 - at)] }));
    const two = ring.map((one) => scoped({ fullName, isIndirect: true }, [], one));
    expect(judged({ leaf, lists: [rootList, ...two], pool: ring })).toBe('good');
  });
});

describe('RFC 5280 §5.2.4, §6.3.3 (c): delta lists', () => {
  const hold = entryOf(LEAF_SERIAL, 'certificateHold');
  const base = (number: number, entries: readonly TestEntry[] = []) =>
    makeList(ca, entries, numbered(number));

  test('a delta list adds, changes and removes', () => {
    expect(judged({ lists: [rootList, base(1), delta(2, 1, [revokedLeaf])] })).toMatch(/^revoked/);
    expect(judged({ lists: [rootList, base(1, [hold]), delta(2, 1, [])] })).toMatch(/^revoked/);
    const removal = delta(2, 1, [entryOf(LEAF_SERIAL, 'removeFromCRL')]);
    expect(judged({ lists: [rootList, base(1, [hold]), removal] })).toBe('good');
    const later = delta(3, 1, [revokedLeaf], () => ({ thisUpdateUnixMs: TEST_UNIX_MS - 1000 }));
    const answer = judged({ lists: [rootList, base(1, [hold]), removal, later] });
    expect(answer).toMatch(/^revoked: .*keyCompromise, says the list of CN=CA, number 3/);
  });

  test('a current delta list makes an old complete one current', () => {
    const old = makeList(ca, [], () => ({ nextUpdateUnixMs: TEST_UNIX_MS - DAY_MS }));
    expect(judged({ lists: [rootList, old] })).toContain('nextUpdate');
    expect(judged({ lists: [rootList, old, delta(2, 1, [])] })).toBe('good');
    const oldDelta = delta(2, 1, [], () => ({ nextUpdateUnixMs: TEST_UNIX_MS - DAY_MS }));
    expect(judged({ lists: [rootList, old, oldDelta] })).toContain('nextUpdate');
  });

  const removal = [entryOf(LEAF_SERIAL, 'removeFromCRL')];
  const otherKey = authorityKeyIdentifier(stranger.key.publicKey);
  const unfit: readonly (readonly [string, Uint8Array])[] = [
    ['the complete list is older than its base', delta(9, 5, removal)],
    ['the complete list is as new', delta(3, 1, removal)],
    [
      'another scope',
      delta(4, 1, removal, withExtensions(issuingDistributionPoint({ isIndirect: true }))),
    ],
    [
      'another key identifier',
      delta(4, 1, removal, ({ extensions }) => ({
        extensions: { ...extensions, authorityKeyIdentifier: otherKey },
      })),
    ],
    [
      'an unknown critical extension',
      delta(4, 1, removal, withExtensions(extension('1.2.3', integer(1), true))),
    ],
  ];

  test.each(unfit)('not combined: %s', (_, list) => {
    expect(judged({ lists: [rootList, base(3, [hold]), list] })).toMatch(/^revoked/);
  });

  test('not combined: another signer', () => {
    const forged = makeList({ ...ca, key: stranger.key }, removal, (content) => ({
      extensions: {
        ...content.extensions,
        authorityKeyIdentifier: authorityKeyIdentifier(ca.key.publicKey),
        listNumber: listNumber(4),
        delta: deltaIndicator(1),
      },
    }));
    expect(judged({ lists: [rootList, base(3, [hold]), forged] })).toMatch(/^revoked/);
  });
});
