import type { StreamLimits } from '../stream/stream-limits.ts';

/** Times of a connection to an XMPP server; each can be set otherwise by its caller. */
export interface ServerTimeouts {
  /** Finding, connecting, and the TLS handshake, each on its own. */
  readonly connectMs: number;
  /** Each step of the negotiation: header, features, STARTTLS, SASL, binding. */
  readonly stepMs: number;
  /** An answer to a request, where the caller says nothing else. */
  readonly requestMs: number;
  /** Silence of the server after which it is asked whether it is there (XEP-0199). */
  readonly idleMs: number;
  /** How long it may then stay silent. */
  readonly answerMs: number;
}

export const SERVER_TIMEOUTS_DEFAULT: ServerTimeouts = {
  connectMs: 15_000,
  stepMs: 20_000,
  requestMs: 30_000,
  idleMs: 60_000,
  answerMs: 30_000,
};

/**
 * What the server of an account may send in one stanza. More than local clients may: a stanza that
 * somebody else sent must not end the stream because a server's limits are wider than ours.
 */
export const SERVER_STREAM_LIMITS: StreamLimits = {
  stanzaBytesMax: 1_048_576,
  writtenBytesMax: 2_097_152,
  depthMax: 256,
  elementsMax: 32_768,
  attributesMax: 256,
  nameLengthMax: 1_024,
};

/** Requests that wait for their answers at once. */
export const SERVER_REQUESTS_MAX = 256;
/** Bytes that wait for a server which does not read. */
export const SERVER_WAITING_BYTES_MAX = 8_388_608;
/** Random bytes of the id of a request: nobody guesses it. */
export const REQUEST_ID_LENGTH = 12;
