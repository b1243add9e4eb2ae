import type { NodeId } from '../wire/node-id.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';
import type { CertificateRefusal } from './certificate-refusal.ts';

declare const verified: unique symbol;

/**
 * Who made a signature that is true: only `verifyMessage`, `verifyData` and `verifyDocument` make
 * one. `nodeId` is the Node-ID that the SignerIdentity designates (RFC 6940 §6.3.4).
 */
export interface VerifiedSigner {
  readonly [verified]: true;
  readonly node: AuthenticatedNode;
  readonly nodeId: NodeId;
}

/** Why a signature does not count. */
export type SignatureRefusalCode =
  | 'no-signer'
  | 'unknown-identity-type'
  | 'unsupported-algorithm'
  | 'certificate-missing'
  | 'certificate-refused'
  | 'wrong-identity-type'
  | 'signature-invalid';

/** The answer "no" about a signature: a value, never thrown. */
export class SignatureRefusal {
  readonly code: SignatureRefusalCode;
  /** What was expected and what came. */
  readonly detail: string;
  /** What is wrong with the signer's certificate, for the code `certificate-refused`. */
  readonly certificateRefusal: CertificateRefusal | undefined;
  /** Whom a refused certificate names; nobody has proved to be that node. */
  readonly claimedNodeId: NodeId | undefined;

  constructor(
    code: SignatureRefusalCode,
    detail: string,
    certificateRefusal?: CertificateRefusal,
    claimedNodeId?: NodeId,
  ) {
    this.code = code;
    this.detail = detail;
    this.certificateRefusal = certificateRefusal;
    this.claimedNodeId = claimedNodeId;
  }

  describe(): string {
    return `${this.code}: ${this.detail}`;
  }
}
