import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  makeKey,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import { extension, generalName } from '../../sim/certificates/extension-maker.ts';
import {
  entryOf,
  type ListChange,
  makeList,
  type TestEntry,
  type TestPoint,
  type TestScope,
} from '../../sim/certificates/revocation-list-maker.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { integer } from '../../src/tls-auth/der-writer.ts';
import { parseRevocationList } from '../../src/tls-auth/revocation-list.ts';
import {
  CA_SERIAL,
  ca,
  caList,
  checkOf,
  DAY_MS,
  delta,
  fullName,
  judged,
  LEAF_SERIAL,
  leafAt,
  leafKey,
  numbered,
  revokedLeaf,
  root,
  rootList,
  scoped,
  statusOf,
  stranger,
  URI,
  withExtensions,
} from './revocation-fixtures.ts';

describe('RFC 5280 §6.3.3: complete lists', () => {
  test('good, revoked, held; and the issuer before what it issued', () => {
    expect(judged({ lists: [rootList, caList] })).toBe('good');
    expect(judged({ lists: [caList, makeList(ca, [entryOf(3n)]), rootList] })).toBe('good');
    const held = makeList(ca, [entryOf(LEAF_SERIAL, 'certificateHold')]);
    expect(judged({ lists: [rootList, held] })).toMatch(/^revoked: .*certificateHold/);
    const both = [makeList(root, [entryOf(CA_SERIAL)]), makeList(ca, [revokedLeaf])];
    expect(judged({ lists: both })).toMatch(/^revoked: CN=CA .*for unspecified/);
  });

  test('since when and why', () => {
    expect(statusOf({ lists: [makeList(ca, [revokedLeaf])] })).toMatchObject({
      status: 'revoked',
      sinceUnixMs: Date.UTC(2025, 10, 3),
      reason: 'keyCompromise',
      invalidUnixMs: undefined,
      list: expect.stringMatching(/^list of CN=CA, number 1/),
    });
    const text = judged({ lists: [rootList, makeList(ca, [revokedLeaf])] });
    expect(text).toContain('revoked since 2025-11-03T00:00:00Z for keyCompromise');
  });

  test('the newer of two current lists decides', () => {
    const older = makeList(ca, [entryOf(LEAF_SERIAL, 'certificateHold')], () => ({
      thisUpdateUnixMs: Date.UTC(2025, 11, 30),
    }));
    const released = makeList(ca, [], numbered(2));
    for (const lists of [
      [older, released],
      [released, older],
    ]) {
      expect(judged({ lists: [rootList, ...lists] })).toBe('good');
    }
    const again = makeList(ca, [revokedLeaf], numbered(3));
    expect(judged({ lists: [rootList, caList, again] })).toMatch(/^revoked/);
  });

  const foreignKey: TestAuthority = { ...ca, key: stranger.key };
  const unknown = extension('1.2.3.4', integer(1), true);
  const unusable: readonly (readonly [name: string, rule: string, list: Uint8Array | undefined])[] =
    [
      ['none', '§6.3.3 revocation list', undefined],
      ['another issuer', '§6.3.3 revocation list', makeList(stranger)],
      ['a signature by another key', '§6.3.3 (g) signature', makeList(foreignKey)],
      ['an unknown critical extension', '§5.2 critical', makeList(ca, [], withExtensions(unknown))],
      [
        'an unknown critical extension of an entry',
        '§5.2 critical',
        makeList(ca, [entryOf(1n, undefined, unknown)]),
      ],
      [
        'from tomorrow',
        '§5.1.2.4 thisUpdate',
        makeList(ca, [], () => ({ thisUpdateUnixMs: TEST_UNIX_MS + DAY_MS })),
      ],
      [
        'of last week',
        '§5.1.2.5 nextUpdate',
        makeList(ca, [], () => ({ nextUpdateUnixMs: TEST_UNIX_MS - 7 * DAY_MS })),
      ],
      ['of CA certificates', '§6.3.3 (b) scope', scoped({ onlyContains: [2] })],
      ['of attribute certificates', '§6.3.3 (b) scope', scoped({ onlyContains: [5] })],
      [
        'of another distribution point',
        '§6.3.3 (b) scope',
        scoped({ fullName: [generalName.uri(`${URI}2`)] }),
      ],
      ['of some reasons', '§6.3.3 (l) reasons_mask', scoped({ reasons: [1, 2] })],
      ['a delta list alone', '§5.2.4', delta(2, 1, [])],
    ];

  test.each(unusable)('undetermined: %s', (_, rule, list) => {
    const answer = judged({ lists: list === undefined ? [rootList] : [rootList, list] });
    expect(answer).toMatch(/^revocation-undetermined: CN=0001/);
    expect(answer).toContain(rule);
  });

  test('a list of last week that revokes for good still does, one that held does not', () => {
    const change: ListChange = () => ({ nextUpdateUnixMs: TEST_UNIX_MS - 7 * DAY_MS });
    expect(judged({ lists: [rootList, makeList(ca, [revokedLeaf], change)] })).toMatch(/^revoked/);
    const held = [entryOf(LEAF_SERIAL, 'certificateHold')];
    expect(judged({ lists: [rootList, makeList(ca, held, change)] })).toContain('nextUpdate');
  });
});

describe('RFC 5280 §6.3.3 (b), (d): distribution points', () => {
  const own = { fullName };
  const mixed = [...fullName, generalName.dnsName('crl.example.org')];
  const relativeName = ['OU', 'shard 1'] as const;
  const inFull = [generalName.directoryName([...ca.name, relativeName])];
  const caName = [generalName.directoryName(ca.name)];
  const cases: readonly (readonly [
    string,
    TestPoint[] | undefined,
    TestScope,
    'good' | 'other',
  ])[] = [
    ['the same URI', [own], own, 'good'],
    ['one name of several', [{ fullName: mixed }], { fullName: fullName }, 'good'],
    ['users only', [own], { onlyContains: [1] }, 'good'],
    ['the second of two points', [{ fullName: [generalName.uri('http://x/')] }, own], own, 'good'],
    ['a relative name in both', [{ relativeName }], { relativeName }, 'good'],
    [
      'relative in the list, full in the certificate',
      [{ fullName: inFull }],
      { relativeName },
      'good',
    ],
    [
      'relative in the certificate, full in the list',
      [{ relativeName }],
      { fullName: inFull },
      'good',
    ],
    ['another relative name', [{ relativeName }], { relativeName: ['OU', 'shard 2'] }, 'other'],
    [
      'no point in the certificate, the issuer in the list',
      undefined,
      { fullName: caName },
      'good',
    ],
    ['no point in the certificate, a URI in the list', undefined, own, 'other'],
    ['an indirect list of the issuer itself', [own], { isIndirect: true }, 'good'],
    ['all reasons named', [own], { reasons: [1, 2, 3, 4, 5, 6, 7, 8] }, 'good'],
    [
      'cRLIssuer is the issuer, the list not indirect',
      [{ ...own, crlIssuer: ca.name }],
      own,
      'other',
    ],
    [
      'cRLIssuer is the issuer, the list indirect',
      [{ ...own, crlIssuer: ca.name }],
      { ...own, isIndirect: true },
      'good',
    ],
    [
      'only a cRLIssuer, named by the list',
      [{ crlIssuer: ca.name }],
      { fullName: caName, isIndirect: true },
      'good',
    ],
    [
      'only a cRLIssuer, another name in the list',
      [{ crlIssuer: ca.name }],
      { ...own, isIndirect: true },
      'other',
    ],
  ];

  test.each(cases)('%s', (_, points, scope, expected) => {
    const leaf = leafAt(points);
    const answer = judged({ leaf, lists: [rootList, scoped(scope)] });
    if (expected === 'good') expect(answer).toBe('good');
    else expect(answer).toMatch(/^revocation-undetermined/);
    const revoking = judged({ leaf, lists: [rootList, scoped(scope, [revokedLeaf])] });
    expect(revoking).toMatch(expected === 'good' ? /^revoked/ : /^revocation-undetermined/);
  });

  test('lists of some reasons each, until all are covered', () => {
    const some = scoped({ reasons: [1, 2, 8] });
    const rest = scoped({ reasons: [3, 4, 5, 6, 7] });
    const answer = judged({ lists: [rootList, some] });
    expect(answer).toContain('affiliationChanged, superseded, cessationOfOperation');
    expect(judged({ lists: [rootList, some, rest] })).toBe('good');
    const revoking = scoped({ reasons: [3, 4, 5, 6, 7] }, [revokedLeaf]);
    expect(judged({ lists: [rootList, some, revoking] })).toMatch(/^revoked/);
    // The point's own reasons narrow what its list says.
    const leaf = leafAt([{ fullName, reasons: [1, 2] }]);
    const ofPoint = scoped({ fullName });
    expect(judged({ leaf, lists: [rootList, ofPoint] })).toContain('reasons_mask');
    expect(judged({ leaf, lists: [rootList, ofPoint, caList] })).toBe('good');
  });
});

describe('policies', () => {
  const stale = (sinceMs: number, entries: readonly TestEntry[] = []) =>
    makeList(ca, entries, () => ({ nextUpdateUnixMs: TEST_UNIX_MS - sinceMs }));
  const undetermined = /^revocation-undetermined/;
  const cases: readonly (readonly [string, Uint8Array[], require: RegExp, prefer: RegExp])[] = [
    ['no list', [], undetermined, /^good/],
    ['a list of the root alone', [rootList], undetermined, /^good/],
    [
      'a list that has nothing to do with it',
      [scoped({ onlyContains: [2] })],
      undetermined,
      /^good/,
    ],
    ['all lists', [rootList, caList], /^good/, /^good/],
    ['revoked', [makeList(ca, [revokedLeaf])], undetermined, /^revoked/],
    ['stale for 23 hours', [rootList, stale(DAY_MS - 3_600_000)], undetermined, /^good/],
    [
      'stale for 23 hours, revoked',
      [stale(DAY_MS - 3_600_000, [revokedLeaf])],
      undetermined,
      /^revoked/,
    ],
    ['stale for 25 hours', [rootList, stale(DAY_MS + 3_600_000)], undetermined, undetermined],
    [
      'a forged list',
      [rootList, makeList({ ...ca, key: stranger.key })],
      undetermined,
      undetermined,
    ],
    ['a delta list alone', [rootList, delta(2, 1, [])], undetermined, undetermined],
  ];

  test.each(cases)('%s', (_, lists, required, preferred) => {
    expect(judged({ lists, policy: 'require' })).toMatch(required);
    expect(judged({ lists, policy: 'prefer' })).toMatch(preferred);
    expect(judged({ lists, policy: 'off' })).toBe('good');
    expect(checkOf({ lists, policy: 'off' }).refusal({} as never)).toBeUndefined();
  });

  test('a revoking list that was tampered with lets nothing pass', () => {
    const revoking = makeList(ca, [revokedLeaf]);
    const octets = fc.integer({ min: 0, max: 255 });
    const places = fc.integer({ min: 0, max: revoking.length - 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(places, octets), { maxLength: 3 }), (changes) => {
        const mutated = Uint8Array.from(revoking);
        for (const [at, value] of changes) mutated[at] = value;
        if (parseRevocationList(mutated) instanceof CertificateRefusal) return;
        const answer = judged({ lists: [rootList, mutated], policy: 'require' });
        expect(answer).toMatch(/^revoked|^revocation-undetermined/);
      }),
      { numRuns: 300 },
    );
  });

  test('more lists than a check takes decide nothing', () => {
    const lists = Array.from({ length: 1025 }, () => caList);
    const answer = judged({ lists, policy: 'prefer' });
    expect(answer).toMatch(undetermined);
    expect(answer).toContain('listsMax');
  });

  test('lists and signers by the hundred come to an end, and do not let pass', () => {
    const keys = Array.from({ length: 10 }, () => makeKey());
    const impostors = Array.from({ length: 100 }, (_, at) =>
      makeRoot({
        key: keys[at % keys.length] ?? leafKey,
        name: 'CA',
        change: () => ({ serialNumber: BigInt(at) }),
      }),
    );
    const forged = Array.from({ length: 20 }, (_, at) =>
      makeList({ ...ca, key: stranger.key }, [entryOf(BigInt(at))]),
    );
    const startedMs = performance.now();
    for (const policy of ['require', 'prefer'] as const) {
      const answer = judged({ lists: [rootList, ...forged], pool: impostors, policy });
      expect(answer).toMatch(undetermined);
      expect(answer).toContain('signatureChecksMax');
    }
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});
