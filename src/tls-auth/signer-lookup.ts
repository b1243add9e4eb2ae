import { createHash } from 'node:crypto';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import {
  CertificateType,
  type GenericCertificate,
  HashAlgorithm,
  type SignerIdentity,
} from '../wire/security-block.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';
import type { Authenticator } from './authenticator.ts';
import { parseCertificate } from './certificate.ts';
import { leafIdentity } from './certificate-profile.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { signatureHashName } from './signature-verifier.ts';
import { SignatureRefusal } from './verified-signer.ts';

/** Whom a SignerIdentity designates; the signature itself is not looked at yet. */
export interface DesignatedSigner {
  readonly node: AuthenticatedNode;
  readonly nodeId: NodeId;
}

/**
 * The node that a SignerIdentity designates — RFC 6940 §6.3.4: its certificate is known by its hash
 * or stands among `certificates`, which are also the pool for its chain.
 */
export function designatedSigner(
  authenticator: Authenticator,
  identity: SignerIdentity,
  certificates: readonly GenericCertificate[],
  unixMs: number,
): DesignatedSigner | SignatureRefusal {
  if (identity.type === 'none') return new SignatureRefusal('no-signer', 'identity none');
  if (identity.type === 'unknown') {
    return new SignatureRefusal('unknown-identity-type', `identity type ${identity.code}`);
  }
  const hashName = signatureHashName(identity.hashAlgorithm);
  if (hashName === undefined) {
    const detail = `hash algorithm ${identity.hashAlgorithm} in the SignerIdentity`;
    return new SignatureRefusal('unsupported-algorithm', detail);
  }
  if (identity.hashAlgorithm === HashAlgorithm.sha256) {
    const known = authenticator.authenticateByHash(identity.hash, unixMs);
    if (known !== undefined) return checkedType(known, identity.type);
  }
  const leaf = findLeaf(authenticator, identity, hashName, certificates);
  if (leaf === undefined) {
    const detail = `none of ${certificates.length} certificates has the signer's hash`;
    return new SignatureRefusal('certificate-missing', detail);
  }
  const pool = certificates.flatMap((one) => (isX509(one) ? [one.certificate] : []));
  const node = authenticator.authenticate(leaf.certificate, pool, unixMs);
  if (node instanceof CertificateRefusal) {
    const claimed = leaf.nodeId ?? claimedNodeIds(authenticator, leaf.certificate)[0];
    return new SignatureRefusal('certificate-refused', node.describe(), node, claimed);
  }
  return checkedType({ node, nodeId: leaf.nodeId ?? node.nodeId }, identity.type);
}

/** "Single-Node-ID certificate: cert_hash MUST be used", with several cert_hash_node_id MUST. */
function checkedType(
  { node, nodeId }: DesignatedSigner,
  type: 'certHash' | 'certHashNodeId',
): DesignatedSigner | SignatureRefusal {
  const expected = node.nodeIds.length === 1 ? 'certHash' : 'certHashNodeId';
  if (type === expected) return { node, nodeId };
  const detail = `expected ${expected} with ${node.nodeIds.length} Node-IDs, got ${type}`;
  return new SignatureRefusal('wrong-identity-type', detail);
}

/** The certificate whose hash stands in the identity, and the Node-ID that it was hashed with. */
function findLeaf(
  authenticator: Authenticator,
  identity: HashIdentity,
  hashName: string,
  certificates: readonly GenericCertificate[],
): { certificate: Uint8Array; nodeId: NodeId | undefined } | undefined {
  for (const one of certificates.slice(0, certificatesMax)) {
    if (!isX509(one)) continue;
    const { certificate } = one;
    if (identity.type === 'certHash') {
      const hash = createHash(hashName).update(certificate).digest();
      if (hash.equals(identity.hash)) return { certificate, nodeId: undefined };
      continue;
    }
    const nodeId = claimedNodeIds(authenticator, certificate).find((id) =>
      createHash(hashName)
        .update(nodeIdBytes(id))
        .update(certificate)
        .digest()
        .equals(identity.hash),
    );
    if (nodeId !== undefined) return { certificate, nodeId };
  }
  return undefined;
}

type HashIdentity = Extract<SignerIdentity, { hash: Uint8Array }>;

/** What the certificate says; it is believed only once it is authenticated. */
function claimedNodeIds(authenticator: Authenticator, der: Uint8Array): readonly NodeId[] {
  const certificate = parseCertificate(der);
  if (certificate instanceof CertificateRefusal) return [];
  return leafIdentity(certificate, authenticator.trustSettings)?.nodeIds ?? [];
}

function isX509(certificate: GenericCertificate): boolean {
  return certificate.type === CertificateType.x509;
}

/** Certificates of one SecurityBlock that are looked at. */
const certificatesMax = 256;
