/** What a StreamReader takes at most between two of its events. */
export interface StreamLimits {
  /** Bytes of one first-level element, or of the stream header. */
  readonly stanzaBytesMax: number;
  /**
   * Bytes of the same as this program writes it: with each namespace where it begins, and quotes
   * and line ends as references. It can be much more than what was read.
   */
  readonly writtenBytesMax: number;
  /** Elements within each other; a first-level element is at depth 1. */
  readonly depthMax: number;
  /** Elements of one first-level element, itself counted. */
  readonly elementsMax: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributesMax: number;
  /** UTF-16 units of an element's or attribute's name with its prefix. */
  readonly nameLengthMax: number;
}

/** Bytes of a client's stanza as this program writes it, to be routed. */
export const ROUTED_BYTES_MAX = 245_760;

/** For a client that has logged in. RFC 6120 §13.12 wants 10,000 bytes at least. */
export const STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 262_144,
  writtenBytesMax: 524_288,
  depthMax: 64,
  elementsMax: 8_192,
  attributesMax: 64,
  nameLengthMax: 256,
};

/**
 * For a stream with a device. What of a client is routed (ROUTED_BYTES_MAX) fits, also wrapped as a
 * copy: otherwise one stanza could end a stream whenever it is sent again.
 */
export const DIRECT_STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 270_336,
  writtenBytesMax: 262_144,
  depthMax: 80,
  elementsMax: 8_448,
  // Each attribute of a namespace is written with a declaration.
  attributesMax: 160,
  nameLengthMax: 272,
};

/** For whoever has not proved yet who it is. */
export const NEGOTIATION_STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 16_384,
  writtenBytesMax: 65_536,
  depthMax: 16,
  elementsMax: 64,
  attributesMax: 32,
  nameLengthMax: 256,
};
