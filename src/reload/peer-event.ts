import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { LinkId } from './input.ts';

/** What a Peer tells about itself. No secret is ever in it. */
export type PeerEvent =
  | { readonly type: 'stateChanged'; readonly state: PeerState }
  /** One try to join failed; the next follows by itself. */
  | { readonly type: 'joinFailed'; readonly reason: string }
  | {
      readonly type: 'neighborsChanged';
      readonly predecessors: readonly NodeId[];
      readonly successors: readonly NodeId[];
    }
  /** The own certificate (or location) is stored at its responsible peer. */
  | { readonly type: 'ownDataStored'; readonly kind: KindId; readonly resource: ResourceId }
  | { readonly type: 'ownDataFailed'; readonly kind: KindId; readonly reason: string }
  /** A renewed certificate is in force, and until when, ms since 1970. */
  | { readonly type: 'renewed'; readonly notAfterUnixMs: number }
  /** What was to be the renewed certificate is none: the former one stays in force. */
  | { readonly type: 'renewalRefused'; readonly reason: string }
  | {
      readonly type: 'linkClosed';
      readonly link: LinkId;
      readonly nodeId: NodeId;
      readonly reason: string;
    }
  /** A message was not processed; counted under `cause`. */
  | { readonly type: 'messageDropped'; readonly cause: DropCause; readonly detail: string }
  /** Somebody asked for a direct connection for an application that is registered here. */
  | {
      readonly type: 'appAttachRequested';
      readonly nodeId: NodeId;
      readonly application: number;
      /** Where it waits, as far as this node may connect there, best first. */
      readonly addresses: readonly IpAddressPort[];
    }
  /** What a ConfigUpdate brought does not count. */
  | { readonly type: 'configurationRefused'; readonly reason: string }
  /** This node can no longer be part of the overlay, and leaves it. */
  | { readonly type: 'mustLeave'; readonly reason: string }
  | { readonly type: 'partitionHealed'; readonly through: NodeId };

export type PeerState = 'starting' | 'joining' | 'joined' | 'leaving' | 'stopped';

export type DropCause =
  | 'malformed' //             bytes that are not a message
  | 'bad-header' //            other overlay, version, TTL
  | 'bad-signature' //         or a certificate that does not pass
  | 'not-for-us' //            a Node-ID in our range that is nobody here
  | 'no-route'
  | 'stale-opaque-id' //       RFC 6940 §6.3.2.2: the generation does not match
  | 'unexpected-response' //   no such transaction (any more), or the wrong signer
  | 'reassembly-limit'
  | 'overload';
