import type { NodeId } from '../wire/node-id.ts';

/** Why a connection is wanted; comes back with the result. */
export type AttachPurpose =
  /** To the peer that will admit this node (RFC 6940 §10.5 step 2); also a client's only one. */
  | { readonly type: 'admittingPeer' }
  /** To a peer that belongs into the Neighbor Table (§10.7.3). */
  | { readonly type: 'neighbor' }
  /** To a finger's place (§10.5, §10.7.4.2). */
  | { readonly type: 'finger'; readonly index: number }
  /** To a peer of the other part of a divided ring (§10.7.4.4). */
  | { readonly type: 'partition' };

/** An Attach to which no link came. */
export interface FailedAttach {
  readonly nodeId: NodeId | undefined;
  readonly purpose: AttachPurpose;
  readonly alive: boolean;
  /** A sentence without its end. */
  readonly reason: string;
}

/** What the AttachManager tells the rest of the Peer. */
export interface AttachListener {
  /** A live link to `nodeId` serves the purpose; an Update of it may still be on its way. */
  handleAttached(nodeId: NodeId, purpose: AttachPurpose): void;
  /**
   * `nodeId` is unknown where a Resource-ID was asked for and nobody answered. Whoever is `alive`
   * has signed an answer; only the link did not come.
   */
  handleAttachFailed(failed: FailedAttach): void;
  /** `nodeId` asked for a link by an Attach, and cannot be connected to. */
  handleUnconnected(nodeId: NodeId): void;
  /** The other end asked for an Update (send_update, RFC 6940 §6.4.2.3). */
  sendRequestedUpdate(nodeId: NodeId): void;
}
