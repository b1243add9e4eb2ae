/** What a peer spends on overlay links, so that nobody can use it up. */
export interface LinkLimits {
  /** Handshakes of others under way at once; beyond it the oldest one is closed. */
  readonly handshakesMax: number;
  /** The same from one remote address; beyond it new connections are closed. */
  readonly handshakesPerAddressMax: number;
  /** From the TCP connection to the authenticated link, in either direction. */
  readonly handshakeMsMax: number;
  /** Connections that others made, authenticated or not. */
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** Own attempts to connect under way at once. */
  readonly connectsMax: number;
  /** Connections after their handshake that wait for a revocation list, and for how long. */
  readonly undecidedMax: number;
  readonly undecidedMsMax: number;
  /** Bytes that wait for a slow reader; a link beyond it is closed. */
  readonly outgoingBytesMax: number;
  /** From this many waiting bytes on, nothing more is read from that link. */
  readonly outgoingBytesBeforePauseMax: number;
  /** Nothing received for so long: closed. A Peer probes every link every few minutes. */
  readonly idleMsMax: number;
  /** For flushing what was sent before an orderly close. */
  readonly closeMsMax: number;
  /** Bytes of certificates that the other end may present. */
  readonly presentedChainBytesMax: number;
  readonly presentedCertificatesMax: number;
}

export const defaultLinkLimits: LinkLimits = {
  handshakesMax: 128,
  handshakesPerAddressMax: 64,
  handshakeMsMax: 10_000,
  connectionsMax: 2_048,
  connectionsPerAddressMax: 512,
  connectsMax: 64,
  undecidedMax: 64,
  undecidedMsMax: 5_000,
  outgoingBytesMax: 4 * 1024 * 1024,
  outgoingBytesBeforePauseMax: 512 * 1024,
  idleMsMax: 10 * 60_000,
  closeMsMax: 2_000,
  presentedChainBytesMax: 65_536,
  presentedCertificatesMax: 16,
};
