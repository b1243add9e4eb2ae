/** What a StreamReader takes at most between two of its events. */
export interface StreamLimits {
  /** Bytes of one first-level element, or of the stream header. */
  readonly stanzaBytesMax: number;
  /** Elements within each other; a first-level element is at depth 1. */
  readonly depthMax: number;
  /** Elements of one first-level element, itself counted. */
  readonly elementsMax: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributesMax: number;
  /** UTF-16 units of an element's or attribute's name with its prefix. */
  readonly nameLengthMax: number;
}

/**
 * For a stream whose other end is authenticated. RFC 6120 §13.12 wants 10,000 bytes at least.
 */
export const STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 262_144,
  depthMax: 64,
  elementsMax: 8_192,
  attributesMax: 64,
  nameLengthMax: 256,
};

/** For whoever has not proved yet who it is. */
export const NEGOTIATION_STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 16_384,
  depthMax: 16,
  elementsMax: 64,
  attributesMax: 32,
  nameLengthMax: 256,
};
