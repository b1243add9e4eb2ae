/** Of new credentials; RFC 7677 §4 gives 15,000 by its rule of thumb, and 4,096 as the least. */
export const SCRAM_ITERATIONS = 15_000;
export const SCRAM_SALT_LENGTH = 16;
/** RFC 7677 §3: less, a client does not take from a server. */
export const SCRAM_ITERATIONS_MIN = 4_096;
/** RFC 5802 §9: with more, a hostile server would keep a client busy. */
export const SCRAM_ITERATIONS_MAX = 1_000_000;
/** Random bytes of one end's part of a nonce. */
export const SCRAM_NONCE_LENGTH = 18;
/** UTF-8 bytes of one SCRAM message: a bare JID twice, a nonce and channel binding. */
export const SCRAM_MESSAGE_LENGTH_MAX = 8_192;
/** Characters of the other end's part of a nonce. */
export const SCRAM_FOREIGN_NONCE_MAX = 512;

/** RFC 6120 §6.4.5: handshakes that may fail on one connection. */
export const SASL_FAILURES_MAX = 3;
/** Wrong passwords before each further one makes all wait who are counted together. */
export const PASSWORD_FAILURES_FREE = 10;
export const PASSWORD_LOCKOUT_FIRST_MS = 1_000;
export const PASSWORD_LOCKOUT_MAX_MS = 60_000;
/** So long after the last wrong password they are forgotten. */
export const PASSWORD_FAILURES_FORGOTTEN_MS = 900_000;
/** Addresses of logins that are remembered, each with wrong passwords of its own. */
export const KNOWN_ADDRESSES_MAX = 64;
