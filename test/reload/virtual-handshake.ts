import type { PeerOptions } from '../../src/reload/peer-options.ts';
import type { AuthenticatedNode } from '../../src/tls-auth/authenticated-node.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';

/** What a handshake is about, at either end. */
export interface HandshakeEnd {
  readonly options: Pick<PeerOptions, 'authenticator'>;
  readonly signer: PeerOptions['signer'];
  /** Its host calls back when every revocation list that is wanted was asked for. */
  readonly whenListsSettled: ((then: () => void) => void) | undefined;
}

/** Who `other` is to `peer`: what a host asks at the end of a handshake. */
export function nodeSeen(
  peer: HandshakeEnd,
  other: HandshakeEnd,
  unixMs: number,
): AuthenticatedNode | CertificateRefusal {
  const [leaf = new Uint8Array(0), ...pool] = other.signer.node.chain;
  return peer.options.authenticator.authenticate(leaf, pool, unixMs);
}

/** How `peer` waits for the list without which it cannot judge `other`, if its host can. */
export function waitForLists(
  peer: HandshakeEnd,
  other: HandshakeEnd,
  unixMs: number,
): HandshakeEnd['whenListsSettled'] {
  const node = nodeSeen(peer, other, unixMs);
  const isUndecided = node instanceof CertificateRefusal && node.code === 'revocation-undetermined';
  return isUndecided ? peer.whenListsSettled : undefined;
}
