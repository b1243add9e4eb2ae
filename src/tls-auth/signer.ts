import type { NodeId } from '../wire/node-id.ts';
import type {
  GenericCertificate,
  HashAlgorithm,
  SignatureAlgorithm,
  SignerIdentity,
} from '../wire/security-block.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';

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
