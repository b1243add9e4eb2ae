import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { ResourceStore } from '../storage/resource-store.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import type { Signer } from '../tls-auth/signer.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { LinkId } from './input.ts';
import type { LookupDefences } from './lookup-defences.ts';
import type { DropCause, PeerState } from './peer-event.ts';
import type { PeerLimits } from './peer-limits.ts';

/** Random bytes: from the system in the host, from the seed in the simulator. */
export interface RandomSource {
  /** `length` bytes that nobody can guess. */
  bytes(length: number): Uint8Array;
}

export interface PeerOptions {
  readonly configuration: VerifiedConfiguration;
  /** Holds the trust settings of `configuration`; the Peer replaces them when it changes. */
  readonly authenticator: Authenticator;
  /** The own key and certificate. */
  readonly signer: Signer;
  readonly random: RandomSource;
  /** A client stores and fetches, but does not route or store for others (RFC 6940 §3.2.1). */
  readonly role: 'peer' | 'client';
  /** This peer is the whole overlay and waits for others (RFC 6940 §6.4.2.1). */
  readonly first: boolean;
  /** Where others reach this node: its candidates in Attach, at most 8. */
  readonly addresses: readonly IpAddressPort[];
  /** Empty, or restored from disk by `ResourceStore.restore`. */
  readonly store: ResourceStore;
  /** Publish the own XMPP-LOCATION (XEP-0415 §4); needs an XmppAddr in the certificate. */
  readonly publishLocation: boolean;
  /** Of the route in it, 0 to 255, the smallest first (XEP-0415 §6.1). Default 0. */
  readonly locationPriority?: number;
  /** A prepared bare JID at which the user is reached instead: published in place of the route. */
  readonly forwardTo?: string;
  /**
   * Applications for which AppAttach requests are answered (RFC 6940 §6.5.2), and where each waits
   * for connections, at most 8 addresses. Default: none.
   */
  readonly applications?: ReadonlyMap<number, readonly IpAddressPort[]>;
  /**
   * Own messages larger than this leave in fragments (RFC 6940 §6.7). TLS links need none: absent.
   */
  readonly fragmentAboveBytes?: number;
  readonly limits?: Partial<PeerLimits>;
  /** Lookups that hold out against hostile peers, at the price of more messages. Default: none. */
  readonly defences?: LookupDefences;
}

/** A Peer's state, for people and scripts; a copy. */
export interface PeerStatus {
  readonly nodeId: NodeId;
  readonly userName: string;
  readonly role: 'peer' | 'client';
  readonly state: PeerState;
  /** Joined, but without a single neighbour although it is not the first peer. */
  readonly isolated: boolean;
  readonly uptimeSeconds: number;
  readonly configurationSequence: number;
  /** Why the own certificate does not count any more; undefined while it does. */
  readonly certificateRefusal: string | undefined;
  readonly predecessors: readonly NodeId[];
  readonly successors: readonly NodeId[];
  readonly fingers: readonly NodeId[];
  /** Which of the own records are stored now: Kind-IDs. */
  readonly ownRecordsStored: readonly number[];
  /** All own records that this node has to store are stored. */
  readonly ownRecordsComplete: boolean;
  /** When the own certificate ends, ms since 1970. */
  readonly certificateNotAfterUnixMs: number;
  /** What a former certificate still holds up: links, and places of values to look at. */
  readonly formerCertificate: { readonly values: number; readonly links: number };
  readonly links: readonly LinkStatus[];
  readonly counters: PeerCounters;
  readonly resources: number;
  readonly values: number;
}

export interface LinkStatus {
  readonly link: LinkId;
  readonly nodeId: NodeId;
  readonly userName: string;
  readonly remoteAddress: IpAddressPort;
  /** In the Routing Table: an Update came over it and it is not suspected to be dead. */
  readonly routable: boolean;
  readonly suspect: boolean;
  /** Smoothed round-trip time; undefined before the first acknowledgement. */
  readonly roundTripMs: number | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Counts since the start of this Peer. */
export interface PeerCounters {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly messagesForwarded: number;
  readonly requestsAnswered: number;
  readonly dropped: Readonly<Record<DropCause, number>>;
}
