import type { StoreCounters } from '../storage/store-result.ts';

/** How many entries each table of a Peer has; PeerLimits bounds them. */
export interface PeerLoads {
  readonly links: number;
  /** Own requests waiting for an answer. */
  readonly transactions: number;
  /** Answers kept for repeated requests, and their bytes. */
  readonly cachedAnswers: number;
  readonly cachedAnswerBytes: number;
  /** Requests received whose answer waits. */
  readonly pendingRequests: number;
  /** Messages that wait for a revocation list. */
  readonly undecidedMessages: number;
  readonly reassemblies: number;
  readonly reassemblyBytes: number;
  /** Own Attaches without a link yet, and connections being made. */
  readonly attaches: number;
  readonly connecting: number;
  /** Node-IDs that are left alone for a while. */
  readonly unreachable: number;
  /** Copies to send, on their way, and to be tried again. */
  readonly replicationsQueued: number;
  readonly replicationsInFlight: number;
  readonly replicationsToRetry: number;
  /** Resources that the responsible peer has not confirmed. */
  readonly replicationsMisplaced: number;
  readonly commands: number;
  /** Deadlines, and entries of their heap with the stale ones. */
  readonly deadlines: number;
  readonly deadlineEntries: number;
  readonly store: StoreCounters;
}
