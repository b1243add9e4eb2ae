import type { NodeId } from '../wire/node-id.ts';
import type { LinkId } from './input.ts';

/** Everything a Peer can wait for. Each entry says what happens when its time has come. */
export type PeerDeadline =
  /** The oldest unacknowledged frame of some link is due: that link may be suspect. */
  | { readonly type: 'linkAcknowledgements' }
  /** Nothing may have come over some links for a while: probe or close them. */
  | { readonly type: 'linkUpkeep' }
  /** A suspect link did not recover: close it. */
  | { readonly type: 'linkRetention'; readonly link: LinkId }
  /** A spare second link to a node has lingered long enough. */
  | { readonly type: 'spareLink'; readonly link: LinkId }
  /** No answer yet: transmit the request again, or give up. */
  | { readonly type: 'transaction'; readonly transactionId: bigint }
  /** Cached answers older than the longest life of a request go. */
  | { readonly type: 'cachedAnswers' }
  /** Messages for which no revocation list came are refused. */
  | { readonly type: 'undecidedMessages' }
  /** An unfinished reassembly is given up. */
  | { readonly type: 'reassembly'; readonly key: string }
  /** The link that an answered Attach announced has not come. */
  | { readonly type: 'attachLink'; readonly nodeId: NodeId }
  /** A neighbour to which no link came is attached to again. */
  | { readonly type: 'unlinkedNeighbors' }
  /** The Neighbor Table changed a moment ago: send Updates. */
  | { readonly type: 'announce' }
  /** Periodic Updates to the neighbours (RFC 6940 §10.7.4.1). */
  | { readonly type: 'stabilize' }
  /** Search for replacements of invalid fingers (RFC 6940 §10.7.4.2). */
  | { readonly type: 'fingers' }
  /** Look for a partition (RFC 6940 §10.7.4.4). */
  | { readonly type: 'partition' }
  /** A step of joining took too long, or the pause before the next try is over. */
  | { readonly type: 'join' }
  /** The hold-down after a successor's failure is over: make the missing replicas. */
  | { readonly type: 'holdDown' }
  /** Replica Stores that failed are tried again. */
  | { readonly type: 'replication' }
  /** Values expire. */
  | { readonly type: 'storeExpiry' }
  /** Data that this peer need not keep any more is looked for. */
  | { readonly type: 'housekeeping' }
  /** The own certificate and location are stored again. */
  | { readonly type: 'ownRecords' }
  /** The next link that hangs on a former certificate is made again. */
  | { readonly type: 'linkRenewal' }
  /** Own values that a former certificate signed are looked for again. */
  | { readonly type: 'valueRenewal' }
  /** Last answers of a Leave are not waited for any longer. */
  | { readonly type: 'leave' };
