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

/** Pauses between two tries to log in: doubled up to the second, with jitter. */
export const ACCOUNT_PAUSE_MS_MIN = 1_000;
export const ACCOUNT_PAUSE_MS_MAX = 300_000;
/** The same where the server refuses the credentials, or proves nothing: haste helps no one. */
export const ACCOUNT_REFUSED_PAUSE_MS_MIN = 60_000;
export const ACCOUNT_REFUSED_PAUSE_MS_MAX = 3_600_000;
/** A login that lasted so long was a good one: the next pause is the shortest again. */
export const ACCOUNT_STABLE_MS = 60_000;
/** Stanzas that the server has not acknowledged; beyond, what nobody waits for is not sent. */
export const SERVER_UNACKNOWLEDGED_MAX = 2_048;

/** So long the primary way has a message for itself before the other one gets it, too. */
export const FIRST_WAY_MS = 10_000;
/** Messages under way to the server at once. */
export const SERVER_WINDOW_MAX = 256;
/** So long an address is not tried by the server after it answered with an error. */
export const SERVER_REFUSAL_MS = 900_000;
/** So long messages go by the server at once after the overlay did not reach their addressee. */
export const OVERLAY_UNREACHED_MS = 60_000;
/** Addresses of which either is remembered. */
export const WAY_ADDRESSES_MAX = 1_000;
/** Messages that went by the server and may still be answered by an error. */
export const SERVER_SENT_MAX = 1_000;
/** Bytes of these. */
export const SERVER_SENT_BYTES_MAX = 8_388_608;
/** Contacts' resources that the server tells of. */
export const SERVER_PRESENCES_MAX = 2_000;
/** Contacts are told gone when the server is away for so long. */
export const SERVER_AWAY_MS = 60_000;
/** How long requests of own clients wait for an answer by the server. */
export const SERVER_IQ_MS_MAX = 60_000;
/** Stanzas that came by the server and are not dealt with. */
export const SERVER_UNHANDLED_MAX = 10_000;
/** Bytes of messages that came by the server and are being judged, or wait for that. */
export const SERVER_JUDGED_BYTES_MAX = 16 * 1024 * 1024;
/** How long a stream over whose limits a stanza was waits for what came before it. */
export const SERVER_SKIP_MS_MAX = 10_000;

/** Requests that wait for their answers at once. */
export const SERVER_REQUESTS_MAX = 256;
/** Bytes that wait for a server which does not read. */
export const SERVER_WAITING_BYTES_MAX = 8_388_608;
/** Random bytes of the id of a request: nobody guesses it. */
export const REQUEST_ID_LENGTH = 12;
