/** Limits and times of the user's client certificates. */

/** Certificates in the list, those that have expired and are still shown included. */
export const CERTIFICATES_MAX = 1_000;
/** Bytes of them: the whole list has to pass through one stream, in base64. */
export const CERTIFICATES_BYTES_MAX = 2 * 1024 * 1024;
/** Bytes of one. */
export const CERTIFICATE_BYTES_MAX = 8_192;
/** Revoked and disabled ones that are remembered until they would have expired, and the others. */
export const REMEMBERED_MAX = 4_000;
/** UTF-8 bytes of a name, as of names in the roster. */
export const NAME_BYTES_MAX = 1_023;
/** Requests that wait for the issuer. */
export const OPEN_REQUESTS_MAX = 32;

/** So long after its end a certificate is shown as expired; then it is removed. */
export const EXPIRED_SHOWN_MS = 30 * 24 * 60 * 60 * 1_000;
/** How often it is looked for such certificates. */
export const SWEEP_MS = 60 * 60 * 1_000;
/** When a certificate was last used is written at most so often. */
export const LAST_USED_PRECISION_MS = 60_000;
/** How often it is looked for the user's certificates in the overlay. */
export const OVERLAY_LOOKUP_MS = 6 * 60 * 60 * 1_000;
