import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import { generalName, type TestName } from '../../sim/certificates/extension-maker.ts';
import {
  certificateIssuer,
  distributionPoints,
  entryOf,
  issuingDistributionPoint,
  makeList,
  type TestEntry,
  type TestPoint,
  type TestScope,
} from '../../sim/certificates/revocation-list-maker.ts';
import { having, type Made, root, verdictOf } from './batch-fixtures.ts';
import {
  delta,
  ca as fixtureCa,
  root as fixtureRoot,
  rootList as fixtureRootList,
  numbered,
  withExtensions,
} from './revocation-fixtures.ts';

/**
 * What the tests 4.14 and 4.15 of PKITS check, with certificates of our own: those of which the
 * half at hand has no case, in particular lists that another authority issues.
 */
const ca = makeIntermediate(root, {
  name: 'CA',
  change: having({ crlDistributionPoints: undefined }),
});
const other = makeIntermediate(root, {
  name: 'Lists',
  change: having({ crlDistributionPoints: undefined }),
});
const rootList = makeList(root);
const SERIAL = 77n;
const UNDETERMINED = 'revocation-undetermined';

const list = (scope: TestScope, entries: readonly TestEntry[] = [], issuer: TestAuthority = ca) =>
  makeList(issuer, entries, withExtensions(issuingDistributionPoint(scope)));
const revoked = (...extensions: Parameters<typeof entryOf>[2][]) =>
  entryOf(SERIAL, 'keyCompromise', ...extensions.filter((one) => one !== undefined));

function leafAt(points: readonly TestPoint[] | undefined, isCa = false): Made {
  const made = isCa ? makeIntermediate : makeLeaf;
  const crlDistributionPoints = points === undefined ? undefined : distributionPoints(points);
  return made(ca, {
    change: (content) => ({ serialNumber: SERIAL, ...having({ crlDistributionPoints })(content) }),
  });
}

function judged(leaf: Made, ...lists: readonly Uint8Array[]): string {
  const crls = [rootList, ...lists].map((one) => Buffer.from(one).toString('base64'));
  return verdictOf([leaf, ca, other], { revocation: 'require', crls }).reason;
}

const relative = (name: TestName, last: readonly [string, string]) => [
  generalName.directoryName([...name, last]),
];

describe('PKITS 4.14: names of distribution points', () => {
  const last = ['CN', 'CRL 1'] as const;
  const fullName = relative(ca.name, last);

  test.each<readonly [string, string, TestPoint, TestScope]>([
    ['4.14.1: full and full', 'valid', { fullName }, { fullName }],
    ['4.14.3: another', UNDETERMINED, { fullName }, { fullName: relative(ca.name, ['CN', 'x']) }],
    ['4.14.5: relative and full', 'valid', { relativeName: last }, { fullName }],
    ['4.14.7: full and relative', 'valid', { fullName }, { relativeName: last }],
    [
      '4.14.9: relative to another',
      UNDETERMINED,
      { fullName: relative(other.name, last) },
      { relativeName: last },
    ],
  ])('%s', (_, expected, point, scope) => {
    const leaf = leafAt([point]);
    expect(judged(leaf, list(scope))).toBe(expected);
    const answer = judged(leaf, list(scope, [revoked()]));
    expect(answer).toBe(expected === 'valid' ? 'revoked' : UNDETERMINED);
  });
});

describe('PKITS 4.14: lists of users, of authorities, of some reasons', () => {
  test('4.14.11 to 4.14.13: a list of users about a CA, a list of CAs about a user', () => {
    const [users, authorities] = [list({ onlyContains: [1] }), list({ onlyContains: [2] })];
    expect(judged(leafAt(undefined), users)).toBe('valid');
    expect(judged(leafAt(undefined), authorities)).toBe(UNDETERMINED);
    expect(judged(leafAt(undefined, true), users)).toBe(UNDETERMINED);
    expect(judged(leafAt(undefined, true), authorities)).toBe('valid');
  });

  test('4.14.15, 4.14.17, 4.14.21: revoked in one of two; not all reasons in two', () => {
    const first = { reasons: [1, 2] };
    const second = { reasons: [3, 4, 5, 6, 7, 8] };
    const leaf = leafAt(undefined);
    expect(judged(leaf, list(first, [revoked()]), list(second))).toBe('revoked');
    expect(judged(leaf, list(first), list(second, [entryOf(SERIAL, 'superseded')]))).toBe(
      'revoked',
    );
    expect(judged(leaf, list(first), list({ reasons: [3, 4, 5] }))).toBe(UNDETERMINED);
    expect(judged(leaf, list(first), list(second))).toBe('valid');
  });

  test('4.14.19: two points, each with a name and the reasons of its list', () => {
    const name = (text: string) => relative(ca.name, ['CN', text]);
    const [first, second] = [
      { fullName: name('1'), reasons: [1, 2] },
      { fullName: name('2'), reasons: [3, 4, 5, 6, 7, 8] },
    ];
    const leaf = leafAt([first, second]);
    expect(judged(leaf, list(first), list(second))).toBe('valid');
    expect(judged(leaf, list(first))).toBe(UNDETERMINED);
    expect(judged(leaf, list(first), list(second, [revoked()]))).toBe('revoked');
    // The first point speaks of its reasons alone, whatever its list says.
    expect(judged(leaf, list({ fullName: name('1') }))).toBe(UNDETERMINED);
  });
});

describe('PKITS 4.14: indirect lists', () => {
  const fullName = relative(other.name, ['CN', 'indirect']);
  const point: TestPoint = { fullName, crlIssuer: other.name };
  const indirect: TestScope = { fullName, isIndirect: true };
  const ofCa = certificateIssuer(ca.name);

  test('4.14.22 to 4.14.26: of the own issuer, and what it says of others', () => {
    const own: TestScope = { isIndirect: true };
    const leaf = leafAt(undefined);
    expect(judged(leaf, list(own))).toBe('valid');
    expect(judged(leaf, list(own, [revoked()]))).toBe('revoked');
    const ofOther = entryOf(SERIAL, 'keyCompromise', certificateIssuer(other.name));
    expect(judged(leaf, list(own, [ofOther]))).toBe('valid');
    // Nobody but the certificate may say that another issues lists about it.
    expect(judged(leaf, list(own, [revoked(ofCa)], other))).toBe(UNDETERMINED);
  });

  test('4.14.27: the point names another issuer, whose list is not indirect', () => {
    expect(judged(leafAt([point]), list({ fullName }, [], other))).toBe(UNDETERMINED);
    expect(judged(leafAt([point]), makeList(other))).toBe(UNDETERMINED);
  });

  test('4.14.28, 4.14.29: a point with a full name, and one relative to the list’s issuer', () => {
    expect(judged(leafAt([point]), list(indirect, [], other))).toBe('valid');
    const named: TestPoint = { relativeName: ['CN', 'indirect'], crlIssuer: other.name };
    expect(judged(leafAt([named]), list(indirect, [], other))).toBe('valid');
    const elsewhere: TestPoint = { relativeName: ['CN', 'x'], crlIssuer: other.name };
    expect(judged(leafAt([elsewhere]), list(indirect, [], other))).toBe(UNDETERMINED);
  });

  test('4.14.30: a point with a cRLIssuer alone, whose list has no name', () => {
    const nameless: TestPoint = { crlIssuer: other.name };
    const all: TestScope = { isIndirect: true };
    expect(judged(leafAt([nameless]), list(all, [], other))).toBe('valid');
    expect(judged(leafAt([nameless]), list(all, [revoked(ofCa)], other))).toBe('revoked');
  });

  test('4.14.31 to 4.14.33: the issuer of an entry holds until another one is named', () => {
    const answer = (...entries: TestEntry[]) =>
      judged(leafAt([point]), list(indirect, entries, other));
    const earlier = entryOf(5n, 'superseded', ofCa);
    expect(answer(revoked(ofCa))).toBe('revoked');
    expect(answer(earlier, revoked())).toBe('revoked');
    expect(answer(revoked(), earlier)).toBe('valid');
    expect(answer(earlier, revoked(certificateIssuer(other.name)))).toBe('valid');
    const back = entryOf(6n, 'superseded', certificateIssuer(other.name));
    expect(answer(earlier, back, revoked())).toBe('valid');
    expect(answer(earlier, back, revoked(ofCa))).toBe('revoked');
  });

  test('4.14.34, 4.14.35: revoked in the indirect list, or some of its reasons alone', () => {
    const some: TestScope = { ...indirect, reasons: [1, 2, 3] };
    const leaf = leafAt([point]);
    expect(judged(leaf, list(some, [revoked(ofCa)], other))).toBe('revoked');
    expect(judged(leaf, list(some, [], other))).toBe(UNDETERMINED);
  });
});

describe('PKITS 4.15: delta lists', () => {
  const base = (number: number, entries: readonly TestEntry[] = []) =>
    makeList(fixtureCa, entries, numbered(number));
  const removed = entryOf(SERIAL, 'removeFromCRL');
  const held = entryOf(SERIAL, 'certificateHold');

  test.each<readonly [string, string, Uint8Array[]]>([
    ['4.15.2: in neither', 'valid', [base(1), delta(5, 1, [])]],
    ['4.15.3: in the complete list', 'revoked', [base(1, [revoked()]), delta(5, 1, [])]],
    ['4.15.4: in the delta list', 'revoked', [base(1), delta(5, 1, [revoked()])]],
    ['4.15.5: held, then removed', 'valid', [base(1, [held]), delta(5, 1, [removed])]],
    ['4.15.6: held, then revoked', 'revoked', [base(1, [held]), delta(5, 1, [revoked()])]],
    ['4.15.7: removed, not there before', 'valid', [base(3), delta(5, 1, [removed])]],
    ['4.15.8: of an earlier base', 'valid', [base(3), delta(5, 1, [])]],
    ['4.15.9: of an earlier base, revoked', 'revoked', [base(3), delta(5, 1, [revoked()])]],
    [
      '4.15.10: of a later base, the complete list has ended',
      UNDETERMINED,
      [
        makeList(fixtureCa, [], (content) => ({
          ...numbered(3)(content),
          nextUpdateUnixMs: Date.UTC(2025, 11, 31, 12),
        })),
        delta(5, 4, []),
      ],
    ],
  ])('%s', (_, expected, lists) => {
    const leaf = makeLeaf(fixtureCa, { change: () => ({ serialNumber: SERIAL }) });
    const crls = [fixtureRootList, ...lists].map((one) => Buffer.from(one).toString('base64'));
    expect(verdictOf([leaf, fixtureCa], { revocation: 'require', crls }, fixtureRoot).reason).toBe(
      expected,
    );
  });
});
