import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { Revocation } from '../tls-auth/certificate-refusal.ts';
import type { IceCandidate } from '../wire/attach.ts';
import type { Destination } from '../wire/destination.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { ModelSpecifier } from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { ProbeInformation } from '../wire/topology.ts';
import type { XmppLocation } from '../wire/xmpp-location.ts';

/** What an application asks of its Peer. Each ends with exactly one `completed` output. */
export type Command =
  /** Certificates stored under a Node-ID, verified to be that node's. */
  | { readonly type: 'lookupByNodeId'; readonly nodeId: NodeId }
  /** Certificates stored under a user name (an XMPP address), verified to be that user's. */
  | { readonly type: 'lookupByUserName'; readonly userName: string }
  /** XMPP-LOCATION entries of a user (XEP-0415 §5). */
  | { readonly type: 'locate'; readonly userName: string }
  | { readonly type: 'fetch'; readonly resource: ResourceId; readonly specifiers: FetchSpecifier[] }
  | { readonly type: 'store'; readonly resource: ResourceId; readonly values: ValueToStore[] }
  /** What is stored without the values themselves (RFC 6940 §7.4.3). */
  | { readonly type: 'stat'; readonly resource: ResourceId; readonly specifiers: FetchSpecifier[] }
  /** The closest Resource-ID at which each Kind is stored (RFC 6940 §7.4.4). */
  | { readonly type: 'find'; readonly resource: ResourceId; readonly kinds: KindId[] }
  /** `through`: the first entry of a located route, for a client that is found through its peer. */
  | { readonly type: 'ping'; readonly nodeId: NodeId; readonly through?: NodeId }
  /** ProbeInformationTypes of a node (RFC 6940 §6.4.2.5). */
  | { readonly type: 'probe'; readonly nodeId: NodeId; readonly requestedInfo: number[] }
  /** Where a node would send a message for this target next (RFC 6940 §6.4.2.4). */
  | { readonly type: 'routeQuery'; readonly nodeId: NodeId; readonly target: NodeId | ResourceId }
  /** Ask a node for a direct connection for an application (RFC 6940 §6.5.2). */
  | {
      readonly type: 'appAttach';
      readonly nodeId: NodeId;
      readonly application: number;
      /** The way to the node as its location says, itself the last entry. Default: that alone. */
      readonly destinationList?: readonly Destination[];
    }
  /** Leave the overlay: hand over, tell the neighbours, close; ends with `stopped`. */
  | { readonly type: 'leave' };

export interface FetchSpecifier {
  readonly kind: KindId;
  readonly specifier: ModelSpecifier;
  /** A generation counter known already: equal means no values are sent. Default 0. */
  readonly generation?: bigint;
}

export interface ValueToStore {
  readonly kind: KindId;
  /** `index` for an array (0xffffffff appends), `key` for a dictionary, neither for a single. */
  readonly place:
    | { readonly model: 'single' }
    | { readonly model: 'array'; readonly index: number }
    | { readonly model: 'dictionary'; readonly key: Uint8Array };
  /** undefined removes what is there. */
  readonly value: Uint8Array | undefined;
  readonly lifetimeSeconds: number;
}

/** A fetched value whose signature and signer were verified. */
export interface FetchedValue {
  readonly kind: KindId;
  readonly place: ValueToStore['place'];
  /** undefined: there is nothing (any more). */
  readonly value: Uint8Array | undefined;
  readonly storageTimeUnixMs: number;
  readonly lifetimeSeconds: number;
  /** undefined only for "there is nothing", which nobody signs. */
  readonly signer: AuthenticatedNode | undefined;
}

export interface StatEntry {
  readonly kind: KindId;
  readonly place: ValueToStore['place'];
  readonly exists: boolean;
  readonly valueLengthBytes: number;
  readonly hashAlgorithm: number;
  readonly hash: Uint8Array;
  readonly storageTimeUnixMs: number;
  readonly lifetimeSeconds: number;
}

export type CommandResult =
  | { readonly type: 'certificates'; readonly nodes: readonly AuthenticatedNode[] }
  | { readonly type: 'locations'; readonly locations: readonly Location[] }
  | {
      readonly type: 'values';
      readonly values: readonly FetchedValue[];
      readonly generations: ReadonlyMap<KindId, bigint>;
      /** Values dropped because signature, certificate or policy did not hold: partial result. */
      readonly refused: number;
    }
  | {
      readonly type: 'stored';
      readonly generations: ReadonlyMap<KindId, bigint>;
      /** Peers that hold copies, as the responsible peer says. */
      readonly replicas: readonly NodeId[];
    }
  | { readonly type: 'stat'; readonly entries: readonly StatEntry[] }
  | { readonly type: 'found'; readonly closest: ReadonlyMap<KindId, ResourceId> }
  | {
      readonly type: 'pong';
      readonly nodeId: NodeId;
      readonly roundTripMs: number;
      readonly peerTimeUnixMs: number;
      /** Via-list entries of the answer's path are not signed; this is an estimate from the TTL. */
      readonly hops: number;
    }
  | { readonly type: 'probed'; readonly nodeId: NodeId; readonly info: readonly ProbeInformation[] }
  | { readonly type: 'nextPeer'; readonly nodeId: NodeId }
  | {
      readonly type: 'appAttached';
      readonly node: AuthenticatedNode;
      readonly candidates: readonly IceCandidate[];
    }
  | { readonly type: 'left' };

export interface Location {
  readonly nodeId: NodeId;
  readonly location: XmppLocation;
  readonly storageTimeUnixMs: number;
  readonly lifetimeSeconds: number;
  readonly signer: AuthenticatedNode;
}

/** Why a command failed: `code` for programs, `detail` one sentence for people. */
export interface CommandFailure {
  readonly code: CommandFailureCode;
  readonly detail: string;
  /** The RELOAD error code where an ErrorResponse was the reason. */
  readonly errorCode?: number;
  /** For the code `revoked`: since when, and why. */
  readonly revocation?: Revocation;
}

export type CommandFailureCode =
  | 'not-joined' //         this peer is not in the overlay (yet)
  | 'timeout' //            five transmissions, no acceptable answer
  | 'no-route' //           no neighbour to send through
  | 'not-found' //          the answer says there is none
  | 'not-verified' //       there is something, but nothing that passes the checks
  | 'revoked' //            there was a certificate, and it is revoked
  | 'refused' //            an ErrorResponse came
  | 'malformed-answer' //   the answer cannot be read
  | 'too-busy' //           a named limit of this peer is reached
  | 'bad-request' //        the command itself cannot be carried out: unknown Kind, wrong model
  | 'stopped'; //           the peer left meanwhile

export type CommandOutcome =
  | { readonly ok: true; readonly result: CommandResult }
  | { readonly ok: false; readonly failure: CommandFailure };
