import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import type { Signer } from '../tls-auth/signer.ts';

declare const renewed: unique symbol;

/** A Signer that may take the place of a Peer's present one. Only `checkRenewed` makes one. */
export interface RenewedSigner extends Signer {
  readonly [renewed]: true;
}

export type RenewalRefusalCode = 'other-node' | 'other-user' | 'not-later' | 'certificate-refused';

/** Why a Signer is no renewal of the present one: a value, never thrown. */
export class RenewalRefusal {
  readonly code: RenewalRefusalCode;
  readonly detail: string;

  constructor(code: RenewalRefusalCode, detail: string) {
    this.code = code;
    this.detail = detail;
  }

  describe(): string {
    return `${this.code}: ${this.detail}`;
  }
}

/**
 * A renewed certificate is of the same node and user, counts now under the configuration in force,
 * and lasts longer than the present one. The key may be another.
 */
export function checkRenewed(
  present: Signer,
  next: Signer,
  authenticator: Authenticator,
  unixMs: number,
): RenewedSigner | RenewalRefusal {
  if (next.nodeId !== present.nodeId || !isSameList(next.node.nodeIds, present.node.nodeIds)) {
    return refuse('other-node', `expected Node-ID ${present.nodeId}, got ${next.nodeId}`);
  }
  const { userName } = present.node;
  if (next.node.userName !== userName) {
    return refuse('other-user', `expected the user ${userName}, got ${next.node.userName}`);
  }
  const [leaf = NO_BYTES, ...pool] = next.node.chain;
  const node: AuthenticatedNode | CertificateRefusal = authenticator.authenticate(
    leaf,
    pool,
    unixMs,
  );
  if (node instanceof CertificateRefusal) return refuse('certificate-refused', node.describe());
  if (node.validUntilUnixMs <= present.node.validUntilUnixMs) {
    const detail = 'it ends no later than the certificate in force';
    return refuse('not-later', detail);
  }
  return next as RenewedSigner;
}

function refuse(code: RenewalRefusalCode, detail: string): RenewalRefusal {
  return new RenewalRefusal(code, detail);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

const NO_BYTES = new Uint8Array(0);
