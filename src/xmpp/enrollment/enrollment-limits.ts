/** How long nothing at all may come after a request (XEP-0417 §6.5). */
export const RESPONSE_MS_MAX = 60_000;
/** How long a user has for the challenge's page. */
export const CHALLENGE_MS_MAX = 1_800_000;
/** Different pages that one transaction asks the user to open. */
export const CHALLENGES_MAX = 4;
/** Characters of a challenge's URL. */
export const CHALLENGE_URI_LENGTH_MAX = 2_048;
/** Certificates of one chain or list that are looked at. */
export const CHAIN_CERTIFICATES_MAX = 8;
export const LISTED_CERTIFICATES_MAX = 256;
/** Random bytes that name a transaction and a request: nobody guesses them. */
export const TRANSACTION_BYTES = 16;
