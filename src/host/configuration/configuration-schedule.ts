/** When the configuration is asked for again: in numbers alone, for any clock. */

/**
 * ms from now to the next request in normal running: a day after the last one (XEP-0416 §5: not
 * more often), and once more at a random time before the document expires (RFC 6940 §11.1).
 * `random` is in 0..1.
 */
export function normalDelayMs(
  nowUnixMs: number,
  checkedUnixMs: number,
  expirationUnixMs: number | undefined,
  random: number,
): number {
  // Peers that started together, after a power failure, spread out over time.
  const dailyUnixMs = checkedUnixMs + DAY_MS + random * SPREAD_MS;
  const leftMs = (expirationUnixMs ?? Number.POSITIVE_INFINITY) - nowUnixMs;
  const beforeExpirationMs = leftMs * (EARLIEST_SHARE + random * (LATEST_SHARE - EARLIEST_SHARE));
  const delayMs = Math.min(dailyUnixMs - nowUnixMs, beforeExpirationMs);
  // A clock that was set back must not put the next request years off.
  return Math.min(Math.max(delayMs, 0), DAY_MS + SPREAD_MS);
}

/**
 * ms from now to the next try after `failures` failures in a row: exponential with jitter
 * (XEP-0416 §5: "exponential backoff MUST be applied").
 */
export function backoffDelayMs(failures: number, random: number): number {
  const fullMs = Math.min(BACKOFF_FIRST_MS * 2 ** (failures - 1), BACKOFF_MS_MAX);
  return fullMs * (0.5 + random / 2);
}

/** Even where everything says "now": nobody is asked twice in a shorter time. */
export const REQUEST_INTERVAL_MS_MIN = 60_000;

const DAY_MS = 86_400_000;
const SPREAD_MS = 3_600_000;
/** Shares of the time left to the expiration between which the request before it falls. */
const EARLIEST_SHARE = 0.5;
const LATEST_SHARE = 0.9;
const BACKOFF_FIRST_MS = 60_000;
const BACKOFF_MS_MAX = 6 * 3_600_000;
