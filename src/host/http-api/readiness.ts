import { KindIds } from '../../overlay-config/kind-definition.ts';
import type { PeerStatus } from '../../reload/peer-options.ts';
import type { RenewalStatus } from '../renewal/renewal-status.ts';

/** What readiness is read off. */
export interface RenewingPeer {
  status(): PeerStatus;
  readonly renewal?: RenewalStatus | undefined;
}

export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string };

/** In the overlay, with the own certificate where others look for it. */
export function joinedReadiness(status: PeerStatus): Readiness {
  if (status.state !== 'joined') return notReady(`the peer is ${status.state}`);
  const kinds = [KindIds.certificateByNode, KindIds.certificateByUser];
  if (!kinds.every((kind) => status.ownRecordsStored.includes(kind))) {
    return notReady('the own certificate is not stored in the overlay yet');
  }
  return { ready: true };
}

/**
 * Joined, not isolated, and findable. A first peer whom nobody has joined yet works, but it is not
 * an overlay, so it is not ready either.
 */
export function serviceReadiness(status: PeerStatus): Readiness {
  const joined = joinedReadiness(status);
  if (!joined.ready) return joined;
  if (status.certificateRefusal !== undefined) {
    return notReady(`the own certificate does not count now: ${status.certificateRefusal}`);
  }
  const connected = new Set(
    status.links.filter((link) => !link.suspect).map((link) => link.nodeId),
  );
  const neighbors = [...status.predecessors, ...status.successors];
  if (status.role === 'client') {
    return connected.size > 0 ? joined : notReady('no peer is connected');
  }
  if (neighbors.length === 0) return notReady('no other peer is in the ring');
  if (!neighbors.some((nodeId) => connected.has(nodeId))) {
    return notReady('none of the neighbours answers');
  }
  return joined;
}

/**
 * Ready, and its certificate will be renewed in time: a failure to do so is told while a quarter of
 * the certificate's life is left, so that somebody can act before the peer falls out.
 */
export function peerReadiness(host: RenewingPeer): Readiness {
  const service = serviceReadiness(host.status());
  const { renewal } = host;
  if (!service.ready || renewal?.fault === undefined || !renewal.isUrgent) return service;
  return notReady(renewalWarning(renewal) ?? '');
}

/** Why the certificate may end unrenewed, as a sentence; undefined: nothing speaks for that. */
export function renewalWarning(renewal: RenewalStatus | undefined): string | undefined {
  if (renewal?.fault === undefined) return undefined;
  const ends = new Date(renewal.notAfterUnixMs).toISOString();
  return `the certificate ends at ${ends} and could not be renewed: ${renewal.fault}`;
}

function notReady(reason: string): Readiness {
  return { ready: false, reason };
}
