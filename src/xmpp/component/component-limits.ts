import type { StreamLimits } from '../stream/stream-limits.ts';

/**
 * For the stream of a component. A stanza that is too much for it ends the stream for all, so these
 * are above what servers let their users send (Prosody: 512 KiB over s2s).
 */
export const COMPONENT_STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 786_432,
  writtenBytesMax: 4_194_304,
  depthMax: 1_024,
  elementsMax: 65_536,
  attributesMax: 1_024,
  nameLengthMax: 4_096,
};

/** From the attempt to connect to the end of the TLS handshake, if there is one. */
export const CONNECTING_MS_MAX = 15_000;
/** From the stream header to the answer of the handshake. */
export const NEGOTIATION_MS_MAX = 15_000;
/** From our end of the stream to the server's. */
export const CLOSING_MS_MAX = 5_000;
/** After so much silence the server is asked whether it is there. */
export const SILENCE_MS_MAX = 60_000;
/** For so long it may take to answer. */
export const PING_MS_MAX = 30_000;
/** The pause after the first loss; each further one in a row is twice as long. */
export const PAUSE_MS_MIN = 1_000;
export const PAUSE_MS_MAX = 60_000;
/** A stream that held for so long was a good one: after it pauses begin anew. */
export const GOOD_STREAM_MS_MIN = 30_000;
/** Stanzas that wait for the next stream; the oldest make room. */
export const UNSENT_STANZAS_MAX = 1_000;
export const UNSENT_BYTES_MAX = 4_194_304;
/** After so long nobody waits for a stanza any more. */
export const UNSENT_MS_MAX = 300_000;
