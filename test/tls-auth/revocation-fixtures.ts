import {
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestLeaf,
} from '../../sim/certificates/certificate-maker.ts';
import { generalName, type TestExtension } from '../../sim/certificates/extension-maker.ts';
import {
  deltaIndicator,
  distributionPoints,
  entryOf,
  issuingDistributionPoint,
  type ListChange,
  listNumber,
  makeList,
  type TestEntry,
  type TestPoint,
  type TestScope,
} from '../../sim/certificates/revocation-list-maker.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import type { ValidPath } from '../../src/tls-auth/path-validation.ts';
import {
  RevocationCheck,
  type RevocationPolicy,
  type RevocationStatus,
} from '../../src/tls-auth/revocation-check.ts';
import { parseRevocationList, type RevocationList } from '../../src/tls-auth/revocation-list.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { pathTo, read } from './path-fixtures.ts';

export const LEAF_SERIAL = 0x77n;
export const CA_SERIAL = 0x55n;
export const DAY_MS = 86_400_000;

export const root = makeRoot();
export const ca = makeIntermediate(root, {
  name: 'CA',
  change: () => ({ serialNumber: CA_SERIAL }),
});
export const stranger = makeRoot({ name: 'Stranger' });
export const leafKey = makeKey();
export const rootList = makeList(root);

/** A leaf of `ca` with these distribution points; undefined leaves the extension out. */
export function leafAt(points: readonly TestPoint[] | undefined): TestLeaf {
  const crlDistributionPoints = points === undefined ? undefined : distributionPoints(points);
  return makeLeaf(ca, {
    key: leafKey,
    change: ({ extensions }) => ({
      serialNumber: LEAF_SERIAL,
      extensions: { ...extensions, crlDistributionPoints },
    }),
  });
}

export const URI = 'http://crl.example.org/ca.crl';
export const fullName = [generalName.uri(URI)];
export const plainLeaf = leafAt([{ fullName }]);
export const caList = makeList(ca);
export const revokedLeaf = entryOf(LEAF_SERIAL, 'keyCompromise');

/** What is asked about `leaf` below `ca`. */
export interface Question {
  readonly lists: readonly Uint8Array[];
  /** `require` where it is absent. */
  readonly policy?: RevocationPolicy;
  readonly leaf?: TestLeaf;
  /** Where signers of lists may be. */
  readonly pool?: readonly { readonly certificate: Uint8Array }[];
  /** In the place of `ca`. */
  readonly authority?: TestAuthority;
}

/** `good`, or the refusal of the whole path with its rule. */
export function judged(question: Question): string {
  const check = checkOf(question);
  const { leaf = plainLeaf, authority = ca } = question;
  const furtherRule = (path: ValidPath) => check.refusal(path);
  const result = pathTo(leaf, [authority], [root], { furtherRule });
  return result instanceof CertificateRefusal ? result.describe() : 'good';
}

/** The status of the leaf alone. */
export function statusOf(question: Question): RevocationStatus {
  const leaf = question.leaf ?? plainLeaf;
  const path = pathTo(leaf, [ca], [root]);
  if (path instanceof CertificateRefusal) throw new Error(path.describe());
  return checkOf(question).status(read(leaf), path);
}

export function checkOf({ lists, pool = [], policy = 'require' }: Question): RevocationCheck {
  return new RevocationCheck({
    lists: lists.map(readList),
    pool: pool.map(read),
    verifySignature: verifyWithKey,
    unixMs: TEST_UNIX_MS,
    policy,
  });
}

function readList(der: Uint8Array): RevocationList {
  const list = parseRevocationList(der);
  if (list instanceof CertificateRefusal) throw new Error(list.describe());
  return list;
}

const byOid = (added: readonly TestExtension[]) =>
  Object.fromEntries(added.map((one) => [one.oid, one]));

export const withExtensions =
  (...added: readonly TestExtension[]): ListChange =>
  ({ extensions }) => ({ extensions: { ...extensions, ...byOid(added) } });

/** A list of the CA with this scope. */
export function scoped(
  scope: TestScope,
  entries: readonly TestEntry[] = [],
  issuer = ca,
): Uint8Array {
  return makeList(issuer, entries, withExtensions(issuingDistributionPoint(scope)));
}

/** A complete list of the CA with this number. */
export function numbered(number: number): ListChange {
  return ({ extensions }) => ({ extensions: { ...extensions, listNumber: listNumber(number) } });
}

/** A delta list of the CA that changes the list numbered `base`. */
export function delta(
  number: number,
  base: number,
  entries: readonly TestEntry[],
  more?: ListChange,
): Uint8Array {
  return makeList(ca, entries, (content) => {
    const extensions = {
      ...content.extensions,
      listNumber: listNumber(number),
      delta: deltaIndicator(base),
    };
    const changed = { ...content, extensions };
    return { ...changed, ...more?.(changed) };
  });
}
