import type { Authenticator } from '../tls-auth/authenticator.ts';
import { type Certificate, parseCertificate } from '../tls-auth/certificate.ts';
import { profileRefusal } from '../tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { ExtensionOid } from '../tls-auth/object-identifier.ts';
import { findPath } from '../tls-auth/path-building.ts';
import type { ProfileRules } from '../tls-auth/profile-rule.ts';
import { intermediateRole } from '../tls-auth/profile-xep0416.ts';
import { parseRevocationList } from '../tls-auth/revocation-list.ts';
import { signatureAlgorithmPair, verifyWithKey } from '../tls-auth/signature-verifier.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { AuthorityIdentity } from './authority-identity.ts';

/** Who issues: its certificates, its own first, without the root, and the root. DER. */
export interface IssuerChain {
  /** Empty: the root issues. */
  readonly chain: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** What a node's certificate was meant to say. */
export interface ExpectedLeaf {
  readonly userName: string;
  readonly nodeIds: readonly NodeId[];
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
}

/**
 * Why a finished certificate of a node must not leave the authority; undefined: it may. It is asked
 * what a peer asks: a path that is valid under RFC 5280 §6, the profile, the domain of the issuer.
 */
export function leafLint(
  der: Uint8Array,
  expected: ExpectedLeaf,
  authenticator: Authenticator,
  chain: readonly Uint8Array[],
  unixMs: number,
): string | undefined {
  const node = authenticator.authenticate(der, chain, unixMs);
  if (node instanceof CertificateRefusal) return node.describe();
  const { certificate, nodeIds, userName } = node;
  if (userName !== expected.userName) return `it names ${userName}, not ${expected.userName}`;
  if (nodeIds.join() !== expected.nodeIds.join()) return `it names the Node-ID ${nodeIds.join()}`;
  const { der: key } = certificate.subjectPublicKeyInfo;
  if (Buffer.compare(key, expected.subjectPublicKeyInfo) !== 0) return 'it has another key';
  const more = certificate.extensions.all.find(({ oid }) => !LEAF_EXTENSIONS.has(oid));
  return more === undefined ? undefined : `it has the extension ${more.oid}`;
}

/**
 * Why the finished certificate of an authority must not leave the one above it; undefined: it may.
 * A path from it must be valid, its profile obeyed, and every authority above must allow one more
 * below (RFC 5280 §4.2.1.9).
 */
export function authorityLint(
  der: Uint8Array,
  expected: AuthorityIdentity,
  issuer: IssuerChain,
  rules: ProfileRules,
  unixMs: number,
): string | undefined {
  const certificate = parseCertificate(der);
  if (certificate instanceof CertificateRefusal) return certificate.describe();
  const [root, ...above] = [issuer.root, ...issuer.chain].flatMap((one) => {
    const parsed = parseCertificate(one);
    return parsed instanceof CertificateRefusal ? [] : [parsed];
  });
  if (root === undefined) return 'the root certificate cannot be read';
  const material = { pool: above, anchors: [root], verifySignature: verifyWithKey };
  const path = findPath(certificate, material, { unixMs });
  if (path instanceof CertificateRefusal) return path.describe();
  const broken = profileRefusal(certificate, intermediateRole(certificate), rules, above[0]);
  if (broken !== undefined) return broken.describe();
  const { isSelfIssued, extensions } = certificate;
  if (isSelfIssued) return 'it has the name of its issuer';
  const [domain] = extensions.subjectAltName?.dnsNames ?? [];
  if (domain !== expected.domain) return `it is of the domain ${domain}`;
  return faultOfDepth([...above, root]);
}

/** Half a sentence; undefined: one more authority may be below these, the lowest of them first. */
function faultOfDepth(above: readonly Certificate[]): string | undefined {
  for (const [index, { extensions, subject }] of above.entries()) {
    const { pathLength } = extensions.basicConstraints ?? {};
    if (pathLength === undefined || pathLength > index) continue;
    return `pathLenConstraint ${pathLength} of ${subject.text} allows no authority there`;
  }
  return undefined;
}

/** Why a finished revocation list must not be shown; undefined: it may. `issuer` is in DER. */
export function revocationListLint(der: Uint8Array, issuer: Uint8Array): string | undefined {
  const list = parseRevocationList(der);
  if (list instanceof CertificateRefusal) return list.describe();
  const certificate = parseCertificate(issuer);
  if (certificate instanceof CertificateRefusal) return certificate.describe();
  if (!list.issuer.equals(certificate.subject)) return 'it has another issuer';
  const [hash, algorithm] = signatureAlgorithmPair(list.signatureAlgorithm) ?? [];
  const isSigned =
    hash !== undefined &&
    algorithm !== undefined &&
    verifyWithKey(certificate, hash, algorithm, list.tbsCertList, list.signatureValue);
  return isSigned ? undefined : 'its signature is not the one of its issuer';
}

/** All that a node's certificate may have. */
const LEAF_EXTENSIONS: ReadonlySet<string> = new Set([
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.crlDistributionPoints,
  ExtensionOid.subjectKeyIdentifier,
  ExtensionOid.authorityKeyIdentifier,
]);
