/** What the user's own clients may take of the peer; each can be set otherwise by its caller. */
export interface ClientLimits {
  /** Bound sessions, those that wait for resumption included. */
  readonly sessionsMax: number;
  /** Connections without a bound session. */
  readonly negotiatingMax: number;
  /** New connections in CONNECTION_WINDOW_MS. */
  readonly connectionsPerWindowMax: number;
  /** From the connection to the bound resource. */
  readonly negotiationMsMax: number;
  /** Silence after which a client is asked whether it is there. */
  readonly idleMs: number;
  /** How long it may take to answer that, or a request for acknowledgement. */
  readonly answerMsMax: number;
  /** How long a session without a connection waits for its resumption (XEP-0198 §5). */
  readonly resumptionMsMax: number;
  /** Bytes that wait for a slow reader. */
  readonly waitingBytesMax: number;
  /** Stanzas that were sent and are not acknowledged. */
  readonly unacknowledgedMax: number;
  /** Bytes of them. */
  readonly unacknowledgedBytesMax: number;
  /** Stanzas that came and are not dealt with yet. */
  readonly unhandledMax: number;
  /** Bytes of them. */
  readonly unhandledBytesMax: number;
}

export const CLIENT_LIMITS_DEFAULT: ClientLimits = {
  sessionsMax: 1_000,
  negotiatingMax: 128,
  connectionsPerWindowMax: 600,
  negotiationMsMax: 60_000,
  idleMs: 180_000,
  answerMsMax: 60_000,
  resumptionMsMax: 600_000,
  waitingBytesMax: 4_194_304,
  unacknowledgedMax: 10_000,
  unacknowledgedBytesMax: 8_388_608,
  unhandledMax: 10_000,
  unhandledBytesMax: 16_777_216,
};

/**
 * Bytes that wait for a client beyond which nothing more of it is read: its requests alone, such as
 * for acknowledgements, are answered too. More than `waitingBytesMax`, which counts stanzas.
 */
export const UNREAD_BYTES_MAX = 8_388_608;
/** The same before the login. */
export const NEGOTIATION_UNREAD_BYTES_MAX = 65_536;
/** Certificates of sessions are judged again at least so often: one may have ended. */
export const CERTIFICATE_CHECK_MS = 3_600_000;
export const CONNECTION_WINDOW_MS = 10_000;
/** RFC 6120 §7.7.3: tries to bind a resource on one connection, 5 to 10. */
export const BIND_FAILURES_MAX = 5;
/** After so many stanzas of a client an acknowledgement is sent without being asked for. */
export const ACKNOWLEDGE_EVERY = 32;
/** Random bytes of stream ids and SM-IDs: nobody guesses them (RFC 6120 §4.7.3, XEP-0198 §8). */
export const STREAM_ID_LENGTH = 16;
/** Sessions that ended of which it is remembered how many stanzas were dealt with. */
export const ENDED_SESSIONS_MAX = 1_000;
