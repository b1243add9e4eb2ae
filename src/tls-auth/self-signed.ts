import type { NodeId } from '../wire/node-id.ts';
import type { Certificate } from './certificate.ts';
import { leafIdentity, profileRefusal } from './certificate-profile.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { selfSignedNodeId } from './node-identity.ts';
import {
  criticalExtensionRefusal,
  formRefusal,
  type ValidPath,
  validityRefusal,
} from './path-validation.ts';
import { NO_VALID_POLICIES } from './policy-graph.ts';
import type { TrustSettings } from './trust-settings.ts';

/**
 * The path of a self-signed certificate whose signature is verified: itself — RFC 6940 §11.3.1.
 * "Nodes MUST check that the Node-ID and public keys match. This prevents Node-ID theft."
 */
export function selfSignedPath(
  leaf: Certificate,
  settings: TrustSettings,
  unixMs: number,
): ValidPath | CertificateRefusal {
  const refusal =
    validityRefusal(leaf, unixMs) ??
    formRefusal(leaf, 'self-signed') ??
    criticalExtensionRefusal(leaf) ??
    profileRefusal(leaf, 'self-signed', settings) ??
    nodeIdRefusal(leaf, settings);
  if (refusal !== undefined) return refusal;
  const { notBeforeUnixMs, notAfterUnixMs } = leaf;
  const certificates = [leaf];
  const policies = NO_VALID_POLICIES;
  return { certificates, anchor: leaf, policies, notBeforeUnixMs, notAfterUnixMs };
}

function nodeIdRefusal(leaf: Certificate, settings: TrustSettings): CertificateRefusal | undefined {
  const { selfSignedDigest, nodeIdLength } = settings;
  const nodeIds = leafIdentity(leaf, settings)?.nodeIds ?? [];
  const rule = 'RFC 6940 §11.3.1 Node-ID';
  if (selfSignedDigest === undefined || nodeIds.length === 0) {
    const detail = 'self-signed certificates are not permitted here';
    return new CertificateRefusal('self-signed', leaf.describe(), rule, detail);
  }
  const key = leaf.subjectPublicKeyInfo.der;
  const computed = new Set<NodeId>(
    nodeIds.map((_, index) =>
      selfSignedNodeId(
        key,
        selfSignedDigest,
        nodeIdLength,
        nodeIds.length === 1 ? undefined : index + 1,
      ),
    ),
  );
  const stolen = nodeIds.find((nodeId) => !computed.has(nodeId));
  if (stolen === undefined) return undefined;
  const detail = `Node-ID ${stolen} is not the ${selfSignedDigest} digest of the key`;
  return new CertificateRefusal('self-signed', leaf.describe(), rule, detail);
}
