import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  type TestAuthority,
  type TestLeaf,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
  type TestName,
} from '../../sim/certificates/extension-maker.ts';
import {
  certificateIssuer,
  deltaIndicator,
  distributionPoints,
  entryOf,
  issuingDistributionPoint,
  type ListChange,
  listNumber,
  makeList,
  type TestPoint,
  type TestScope,
} from '../../sim/certificates/revocation-list-maker.ts';
import { integer } from '../../src/tls-auth/der-writer.ts';
import { having, type Made, root, verdictOf } from './batch-fixtures.ts';

/** Features that PKITS numbers, with certificates of our own, where its half has no case. */
const rootList = makeList(root);
const base64 = (der: Uint8Array) => Buffer.from(der).toString('base64');

function required(chain: readonly Made[], ...lists: readonly Uint8Array[]): string {
  return verdictOf(chain, { revocation: 'require', crls: lists.map(base64) }).reason;
}

const serial =
  (serialNumber: bigint): ContentChange =>
  () => ({ serialNumber });

describe('PKITS 4.4: basic revocation', () => {
  const ca = makeIntermediate(root, { name: 'CA', change: serial(9n) });
  const leaf = makeLeaf(ca, { change: serial(77n) });
  const chain = [leaf, ca];

  test('4.4.2: a revoked CA', () => {
    expect(required(chain, makeList(root, [entryOf(9n, 'cACompromise')]), makeList(ca))).toBe(
      'revoked',
    );
  });

  test('4.4.4 and 4.4.6: a list of another key, and of another authority', () => {
    const other = makeList({ ...ca, key: makeKey() });
    expect(required(chain, rootList, other)).toBe('revocation-undetermined');
    expect(required(chain, rootList, rootList)).toBe('revocation-undetermined');
  });

  test('4.4.7: two lists of the name, one of another key', () => {
    const other = makeList({ ...ca, key: makeKey() });
    expect(required(chain, rootList, other, makeList(ca))).toBe('valid');
  });

  test('4.4.8 and 4.4.10: unknown critical extensions of an entry, and of a list', () => {
    const unknown = extension('1.2.3.4', integer(1), true);
    const entries = [entryOf(5n, undefined, unknown)];
    expect(required(chain, rootList, makeList(ca, entries))).toBe('revocation-undetermined');
    const change: ListChange = ({ extensions }) => ({ extensions: { ...extensions, unknown } });
    expect(required(chain, rootList, makeList(ca, [], change))).toBe('revocation-undetermined');
  });

  test('4.4.12 and 4.4.13: nextUpdate before 2000, and after 2050', () => {
    const until = (nextUpdateUnixMs: number) =>
      makeList(ca, [], () => ({ thisUpdateUnixMs: 0, nextUpdateUnixMs }));
    expect(required(chain, rootList, until(Date.UTC(1999, 0, 1)))).toBe('revocation-undetermined');
    expect(required(chain, rootList, until(Date.UTC(2051, 0, 1)))).toBe('valid');
  });

  test.each([
    [-1n, 255n],
    [2n ** 158n + 1n, 2n ** 158n + 2n],
    [0x80n, -0x80n],
  ])('4.4.14 to 4.4.18: the number %s is revoked, %s is not', (revoked, good) => {
    const list = makeList(ca, [entryOf(revoked, 'keyCompromise')]);
    expect(required([makeLeaf(ca, { change: serial(good) }), ca], rootList, list)).toBe('valid');
    expect(required([makeLeaf(ca, { change: serial(revoked) }), ca], rootList, list)).toBe(
      'revoked',
    );
  });

  test('4.4.19 and 4.4.20: separate keys for certificates and for lists', () => {
    const listKey = makeKey();
    const signs = { ...ca, key: listKey };
    const forLists = makeIntermediate(root, {
      name: 'CA',
      key: listKey,
      change: having({ basicConstraints: undefined, keyUsage: keyUsage('cRLSign') }),
    });
    expect(required([...chain, forLists], rootList, makeList(signs))).toBe('valid');
    const revoking = makeList(signs, [entryOf(77n, 'keyCompromise')]);
    expect(required([...chain, forLists], rootList, revoking)).toBe('revoked');
  });
});

describe('PKITS 4.13: name constraints', () => {
  const { directoryName, rfc822Name, dnsName, uri } = generalName;
  const below = (permitted: Uint8Array[], excluded: Uint8Array[], issuer: TestAuthority = root) =>
    makeIntermediate(issuer, {
      name: `Below ${issuer === root ? 1 : 2}`,
      change: (content) => ({
        ...(issuer === root ? {} : { subject: [['O', 'A'] as const, ['CN', 'Below'] as const] }),
        ...having({ subtrees: nameConstraints(permitted, excluded) })(content),
      }),
    });
  const leafOf = (issuer: TestAuthority, subject: TestName, names: Uint8Array[] = []): TestLeaf =>
    makeLeaf(issuer, {
      change: (content) => ({
        subject,
        ...having({
          subjectAltName: names.length === 0 ? undefined : subjectAltName(names),
        })(content),
      }),
    });
  const verdict = (issuer: TestAuthority, subject: TestName, names: Uint8Array[] = []) =>
    verdictOf([leafOf(issuer, subject, names), issuer]).reason;
  const [A, B]: [TestName, TestName] = [[['O', 'A']], [['O', 'B']]];
  const inA: TestName = [...A, ['CN', 'x']];

  test('4.13.1 to 4.13.6: subjects in permitted and excluded subtrees, several of each', () => {
    const permitsA = below([directoryName(A)], []);
    expect([verdict(permitsA, inA), verdict(permitsA, B)]).toEqual(['valid', 'name-constraints']);
    const permitsBoth = below([directoryName(A), directoryName(B)], []);
    expect([verdict(permitsBoth, inA), verdict(permitsBoth, B)]).toEqual(['valid', 'valid']);
    expect(verdict(permitsA, inA, [directoryName(B)])).toBe('name-constraints');
    expect(verdict(permitsA, inA, [directoryName(A)])).toBe('valid');
  });

  test('4.13.7 to 4.13.10: excluded, and excluded inside what is permitted', () => {
    expect(verdict(below([], [directoryName(A)]), inA)).toBe('name-constraints');
    expect(verdict(below([], [directoryName(A)]), B)).toBe('valid');
    const inner = below([directoryName(A)], [directoryName([...A, ['OU', 'x']])]);
    expect(verdict(inner, [...A, ['OU', 'y']])).toBe('valid');
    expect(verdict(inner, [...A, ['OU', 'x'], ['CN', 'z']])).toBe('name-constraints');
  });

  test('4.13.11 to 4.13.18: the subtrees of two authorities are intersected', () => {
    const outer = below([directoryName(A)], []);
    const narrower = below([directoryName([...A, ['OU', 'x']])], [], outer);
    const chain = (subject: TestName) =>
      verdictOf([leafOf(narrower, subject), narrower, outer]).reason;
    expect(chain([...A, ['OU', 'x'], ['CN', 'y']])).toBe('valid');
    expect(chain(inA)).toBe('name-constraints');
    const elsewhere = below([directoryName(B)], [], outer);
    expect(verdictOf([leafOf(elsewhere, B), elsewhere, outer]).reason).toBe('name-constraints');
    expect(verdictOf([leafOf(elsewhere, inA), elsewhere, outer]).reason).toBe('name-constraints');
  });

  test('4.13.21 to 4.13.29: mailboxes, also in the subject where there are no other names', () => {
    const domain = below([rfc822Name('.gov.example')], []);
    const mailbox = (name: string) => verdict(domain, B, [rfc822Name(name)]);
    expect(mailbox('a@mail.gov.example')).toBe('valid');
    expect(mailbox('a@gov.example')).toBe('name-constraints');
    const host = below([rfc822Name('gov.example')], []);
    expect(verdict(host, B, [rfc822Name('a@gov.example')])).toBe('valid');
    expect(verdict(host, B, [rfc822Name('a@mail.gov.example')])).toBe('name-constraints');
    const noHost = below([], [rfc822Name('gov.example')]);
    expect(verdict(noHost, B, [rfc822Name('a@gov.example')])).toBe('name-constraints');
    expect(verdict(noHost, B, [rfc822Name('a@mail.gov.example')])).toBe('valid');
    const inSubject = (address: string): TestName => [...B, ['emailAddress', address]];
    expect(verdict(host, inSubject('a@gov.example'))).toBe('valid');
    expect(verdict(host, inSubject('a@other.example'))).toBe('name-constraints');
    expect(verdict(host, inSubject('a@other.example'), [rfc822Name('a@gov.example')])).toBe(
      'valid',
    );
  });

  test('4.13.30 to 4.13.38: DNS names and URIs', () => {
    const permits = below([dnsName('gov.example')], []);
    expect(verdict(permits, B, [dnsName('a.gov.example')])).toBe('valid');
    expect(verdict(permits, B, [dnsName('mygov.example')])).toBe('name-constraints');
    expect(verdict(below([], [dnsName('gov.example')]), B, [dnsName('a.gov.example')])).toBe(
      'name-constraints',
    );
    const domain = below([uri('.gov.example')], []);
    expect(verdict(domain, B, [uri('http://a.gov.example/x.html')])).toBe('valid');
    expect(verdict(domain, B, [uri('http://gov.example/x.html')])).toBe('name-constraints');
    const excludes = below([], [uri('gov.example')]);
    expect(verdict(excludes, B, [uri('ftp://gov.example:21/x')])).toBe('name-constraints');
    expect(verdict(excludes, B, [uri('http://a.gov.example/')])).toBe('valid');
  });
});

describe('PKITS 4.14 and 4.15: distribution points and delta lists', () => {
  const ca = makeIntermediate(root, { name: 'CA' });
  const fullName = [
    generalName.directoryName([
      ['O', 'Lists'],
      ['CN', 'One'],
    ]),
  ];
  const otherName = [
    generalName.directoryName([
      ['O', 'Lists'],
      ['CN', 'Two'],
    ]),
  ];
  const leafAt = (point: TestPoint, issuer: TestAuthority = ca) =>
    makeLeaf(issuer, {
      change: (content) => ({
        serialNumber: 77n,
        ...having({ crlDistributionPoints: distributionPoints([point]) })(content),
      }),
    });
  const scoped = (scope: TestScope, issuer = ca, entries: ReturnType<typeof entryOf>[] = []) =>
    makeList(issuer, entries, ({ extensions }) => ({
      extensions: { ...extensions, scope: issuingDistributionPoint(scope) },
    }));
  const judged = (point: TestPoint, ...lists: Uint8Array[]) =>
    required([leafAt(point), ca], rootList, ...lists);
  const undetermined = 'revocation-undetermined';

  test('4.14.1 to 4.14.9: the names of point and list must meet', () => {
    expect(judged({ fullName }, scoped({ fullName }))).toBe('valid');
    expect(judged({ fullName }, scoped({ fullName: [...otherName, ...fullName] }))).toBe('valid');
    expect(judged({ fullName }, scoped({ fullName: otherName }))).toBe(undetermined);
    expect(judged({ fullName }, makeList(ca))).toBe('valid');
    const revoking = scoped({ fullName }, ca, [entryOf(77n, 'keyCompromise')]);
    expect(judged({ fullName }, revoking)).toBe('revoked');
  });

  test('4.14.10 to 4.14.14: lists of CAs or of users alone', () => {
    expect(judged({ fullName }, scoped({ onlyContains: [1] }))).toBe('valid');
    expect(judged({ fullName }, scoped({ onlyContains: [2] }))).toBe(undetermined);
    expect(judged({ fullName }, scoped({ onlyContains: [5] }))).toBe(undetermined);
  });

  test('4.14.15 to 4.14.21: some reasons each, until all are covered', () => {
    const first = scoped({ fullName, reasons: [1, 2] });
    const second = scoped({ fullName, reasons: [3, 4, 5, 6, 7, 8] });
    expect(judged({ fullName }, first)).toBe(undetermined);
    expect(judged({ fullName }, first, second)).toBe('valid');
  });

  test('4.14.22 to 4.14.35: indirect lists, for the issuer that a point names', () => {
    const other = makeIntermediate(root, { name: 'Lists' });
    const point: TestPoint = { fullName, crlIssuer: other.name };
    const chain = [leafAt(point), ca, other];
    const indirect = (entries: ReturnType<typeof entryOf>[] = [], isIndirect = true) =>
      scoped({ fullName, isIndirect }, other, entries);
    expect(required(chain, rootList, indirect())).toBe('valid');
    expect(required(chain, rootList, indirect([], false))).toBe(undetermined);
    const ofCa = entryOf(77n, 'keyCompromise', certificateIssuer(ca.name));
    expect(required(chain, rootList, indirect([ofCa]))).toBe('revoked');
    // The same number, of the list's own issuer.
    expect(required(chain, rootList, indirect([entryOf(77n, 'keyCompromise')]))).toBe('valid');
    // §6.3.3, last paragraph: the list of the certificate's own issuer serves as well.
    expect(required(chain, rootList, makeList(ca))).toBe('valid');
  });

  test('4.15.1 to 4.15.10: a delta list needs its base, and adds or removes', () => {
    const base = (number: number, entries: ReturnType<typeof entryOf>[] = []) =>
      makeList(ca, entries, ({ extensions }) => ({
        extensions: { ...extensions, listNumber: listNumber(number) },
      }));
    const delta = (from: number, entries: ReturnType<typeof entryOf>[] = []) =>
      makeList(ca, entries, ({ extensions }) => ({
        extensions: { ...extensions, listNumber: listNumber(9), delta: deltaIndicator(from) },
      }));
    const revoked = entryOf(77n, 'keyCompromise');
    expect(judged({ fullName }, delta(1))).toBe(undetermined);
    expect(judged({ fullName }, base(1), delta(1))).toBe('valid');
    expect(judged({ fullName }, base(1), delta(1, [revoked]))).toBe('revoked');
    const held = entryOf(77n, 'certificateHold');
    expect(judged({ fullName }, base(1, [held]))).toBe('revoked');
    expect(judged({ fullName }, base(1, [held]), delta(1, [entryOf(77n, 'removeFromCRL')]))).toBe(
      'valid',
    );
    // One that rests on a later base than the one held changes nothing.
    expect(judged({ fullName }, base(1), delta(2, [revoked]))).toBe('valid');
  });

  test('4.16.1: an unknown extension that is not critical', () => {
    const unknown = extension('1.2.3.4', integer(1));
    const own = makeRoot({ change: having({ unknown }) });
    expect(verdictOf([makeLeaf(own, { change: having({ unknown }) })], {}, own).reason).toBe(
      'valid',
    );
  });
});
