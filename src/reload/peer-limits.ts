/** Every bound of a Peer in one place; all of them hold whatever the others send. */
export interface PeerLimits {
  /** Links at once, both directions. */
  readonly linksMax: number;
  /** Links to one Node-ID: a second one lives for a moment when both ends connect at once. */
  readonly linksPerNodeMax: number;
  /** Own requests waiting for an answer. */
  readonly transactionsMax: number;
  /** Answers kept for repeated requests (RFC 6940 §6.2.1). */
  readonly cachedAnswersMax: number;
  readonly cachedAnswersBytesMax: number;
  /** Requests received whose answer waits, for example for the disk. */
  readonly pendingRequestsMax: number;
  /** Messages that wait for a revocation list, and those of one link. */
  readonly undecidedMessagesMax: number;
  readonly undecidedMessagesOfLinkMax: number;
  /** Messages being put together from fragments. */
  readonly reassembliesMax: number;
  readonly reassemblyBytesMax: number;
  /** Attach procedures under way, both directions. */
  readonly attachesMax: number;
  /** Of these, to peers that one and the same peer named in its Updates. */
  readonly taughtAttachesMax: number;
  /** The same when as many as that, named by it lately, could not be reached. */
  readonly doubtedAttachesMax: number;
  /** Peers of whom is remembered whether those that they named could be reached. */
  readonly teachersMax: number;
  /** Candidates of an Attach that are looked at. */
  readonly candidatesMax: number;
  /** Updates of one neighbour that are looked at at once; later one every UPDATE_PACE_MS. */
  readonly updatesAtOnceMax: number;
  /** Node-IDs of an Update that are looked at. */
  readonly updateNodeIdsMax: number;
  /** Node-IDs that could not be reached and are left alone for a while. */
  readonly unreachableMax: number;
  /** Entries of a Destination or Via List. */
  readonly destinationsMax: number;
  /** Replica Stores on the way at once, and waiting. */
  readonly replicationsInFlightMax: number;
  readonly replicationsQueuedMax: number;
  /** Data being fetched because another peer has it and this one should, too. */
  readonly adoptionsMax: number;
  /** Commands under way. */
  readonly commandsMax: number;
  /** Remembered peers (RFC 6940 §11.4). */
  readonly knownPeersMax: number;
}

export const PEER_LIMITS: PeerLimits = {
  linksMax: 512,
  linksPerNodeMax: 2,
  transactionsMax: 4096,
  cachedAnswersMax: 1024,
  cachedAnswersBytesMax: 4 * 1024 * 1024,
  pendingRequestsMax: 1024,
  undecidedMessagesMax: 64,
  undecidedMessagesOfLinkMax: 16,
  reassembliesMax: 64,
  reassemblyBytesMax: 4 * 1024 * 1024,
  attachesMax: 128,
  taughtAttachesMax: 6,
  doubtedAttachesMax: 1,
  teachersMax: 256,
  candidatesMax: 8,
  updatesAtOnceMax: 16,
  updateNodeIdsMax: 512,
  unreachableMax: 256,
  destinationsMax: 128,
  replicationsInFlightMax: 16,
  replicationsQueuedMax: 100_000,
  adoptionsMax: 64,
  commandsMax: 1024,
  knownPeersMax: 10,
};
