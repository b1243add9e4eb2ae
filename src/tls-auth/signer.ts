import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import {
  CertificateType,
  type GenericCertificate,
  HashAlgorithm,
  type SignatureAlgorithm,
  type SignerIdentity,
} from '../wire/security-block.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';
import { keySignatureAlgorithm } from './signature-verifier.ts';

/** What `Signer.sign` returns: the algorithm pair of RFC 6940 §6.3.4 and the signature. */
export interface SignatureBytes {
  readonly hashAlgorithm: HashAlgorithm;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly value: Uint8Array;
}

/** The one place that holds a private key. */
export interface Signer {
  readonly node: AuthenticatedNode;
  /** The Node-ID that `identity` designates. */
  readonly nodeId: NodeId;
  readonly identity: SignerIdentity;
  /** The own chain for a SecurityBlock: the leaf, then the intermediates. */
  readonly certificates: readonly GenericCertificate[];
  sign(input: Uint8Array): SignatureBytes;
}

/**
 * Signs as `nodeId`, one of the Node-IDs of `node`, with SHA-256 and the key of its certificate:
 * RSASSA-PKCS1-v1_5 or ECDSA in DER. Throws when the private key is not that of the certificate.
 */
export function createSigner(
  node: AuthenticatedNode,
  nodeId: NodeId,
  privateKey: KeyObject,
): Signer {
  const signatureAlgorithm = keySignatureAlgorithm(node.certificate);
  const ownKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = node.certificate.publicKey()?.export({ format: 'der', type: 'spki' });
  if (signatureAlgorithm === undefined || publicKey === undefined || !ownKey.equals(publicKey)) {
    throw new Error(`the private key does not belong to ${node.certificate.describe()}`);
  }
  const hashAlgorithm = HashAlgorithm.sha256;
  return {
    node,
    nodeId,
    identity: signerIdentityOf(node, nodeId),
    certificates: node.chain.map((certificate) => ({ type: CertificateType.x509, certificate })),
    sign: (input) => ({
      hashAlgorithm,
      signatureAlgorithm,
      value: sign('sha256', input, privateKey),
    }),
  };
}

/**
 * SignerIdentity — RFC 6940 §6.3.4: cert_hash MUST be used where the certificate has one Node-ID,
 * cert_hash_node_id where it has several.
 */
export function signerIdentityOf(node: AuthenticatedNode, nodeId: NodeId): SignerIdentity {
  if (!node.nodeIds.includes(nodeId)) {
    throw new Error(`${node.certificate.describe()} does not hold Node-ID ${nodeId}`);
  }
  const hash = createHash('sha256');
  const hashAlgorithm = HashAlgorithm.sha256;
  if (node.nodeIds.length === 1) {
    const digest = hash.update(node.certificate.der).digest();
    return { type: 'certHash', hashAlgorithm, hash: digest };
  }
  const digest = hash.update(nodeIdBytes(nodeId)).update(node.certificate.der).digest();
  return { type: 'certHashNodeId', hashAlgorithm, hash: digest };
}
