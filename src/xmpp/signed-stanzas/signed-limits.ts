/** XEP-0285. */
export const SIGNED_NAMESPACE = 'urn:xmpp:signed:0';

/** A timestamp may be so far from the own clock, or from a server's delay stamp (XEP-0285 §5). */
export const FRESH_WITHIN_MS = 5 * 60 * 1_000;
/**
 * What is older is refused, whatever a server says: as long as a message may wait in the outbox of
 * its sender, and so as long as `ReplayGuard` remembers.
 */
export const LONGEST_WAIT_MS = 14 * 24 * 60 * 60 * 1_000;
/**
 * A sending clock that was set back is followed from here on; until then timestamps go on from the
 * last one, so that they only grow. Below `FRESH_WITHIN_MS`, or receivers would refuse them.
 */
export const CLOCK_SET_BACK_MS = 4 * 60 * 1_000;

/** Bytes of the stanza-string, the XML text that is signed. */
export const SIGNED_BYTES_MAX = 131_072;
/** Bytes of a stanza-string up to which what people read in it also stands beside the signature. */
export const FALLBACK_BYTES_MAX = 65_536;
/** Characters of `<data/>`, white space included: base64 twice over, broken into lines. */
export const SIGNED_DATA_CHARACTERS_MAX = 262_144;
/** Characters of `<signature/>`: RSA of 8,192 bits, broken into lines. */
export const SIGNATURE_CHARACTERS_MAX = 2_048;

/** Keys of certificates whose last timestamp is remembered. */
export const GUARDED_CERTIFICATES_MAX = 10_000;
/** Timestamps of one key by which a stanza that comes twice is told from a late one. */
export const RECENT_TIMESTAMPS_MAX = 64;

/** Times of absence that are remembered; the oldest goes first, and is an absence no more. */
export const ABSENCES_MAX = 256;
/** Absences so close together count as one. */
export const ABSENCES_JOIN_MS = 2 * FRESH_WITHIN_MS;
/** What was last heard of the server is written this often at most. */
export const LAST_HEARD_WRITE_MS = 60_000;

/** Users whose certificates are remembered. */
export const CERTIFIED_USERS_MAX = 2_000;
/** As many as CERTIFICATE_BY_USER holds. */
export const CHAINS_PER_USER_MAX = 32;
/** Certificates of one chain. */
export const CHAIN_CERTIFICATES_MAX = 8;
/** Bytes of all remembered certificates. */
export const REMEMBERED_CERTIFICATE_BYTES_MAX = 8 * 1024 * 1024;
/** Remembered certificates of a user are asked for again after this. */
export const CERTIFICATES_AGE_MAX_MS = 60 * 60 * 1_000;
/** That a user has none is believed so long; a failed or fruitless question is not repeated. */
export const CERTIFICATES_AGAIN_MS = 10_000;
/** How long an answer of the overlay and of the server's nodes is waited for. */
export const CERTIFICATES_WAIT_MS = 20_000;
/** How long the other one is waited for once one of them has named some. */
export const CERTIFICATES_OTHER_WAIT_MS = 2_000;
/** Questions for certificates under way at once. */
export const CERTIFICATE_LOOKUPS_MAX = 64;
/** Stanzas that wait for certificates of one user, in one direction. */
export const HELD_PER_USER_MAX = 200;
/** Stanzas that wait for certificates, all together, in one direction. */
export const HELD_STANZAS_MAX = 1_000;
