/**
 * What a Peer does against peers that lie about data or drop messages, where RFC 6940 leaves it
 * open: §13.5.4 and §13.6.6, "a resource search must still consist of parallel searches for
 * replicated registrations". Absent: one request to the responsible peer, as §7.4.2 has it.
 */
export interface LookupDefences {
  /**
   * Peers that are asked, the responsible one included, 1 to 9: its successors hold copies (§10.4),
   * three in all, and places behind the Resource-ID lead to them without its help. Default 1.
   */
  readonly lookupReplicas?: number;
  /** First hops over which each is asked at once, 1 to 4; one is the usual one. Default 1. */
  readonly lookupPaths?: number;
  /** A lookup that is transmitted again takes another first hop each time. */
  readonly retryDifferentHop?: boolean;
}
