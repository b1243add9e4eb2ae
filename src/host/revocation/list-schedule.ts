/** When a revocation list is asked for again: in numbers alone, for any clock. */

/** What counts of a list here; ms since 1970. */
interface ListTimes {
  readonly thisUpdateUnixMs: number;
  readonly nextUpdateUnixMs: number;
}

/**
 * ms from now to the next request for a list that is held: between a half and two thirds of its
 * time, so that peers spread out and several tries are left before it is stale; but at least every
 * `refreshMsMax`, since a revocation may stand in the next list at any moment. `random` is in 0..1.
 */
export function refreshDelayMs(
  list: ListTimes,
  nowUnixMs: number,
  refreshMsMax: number,
  random: number,
): number {
  const lifeMs = list.nextUpdateUnixMs - list.thisUpdateUnixMs;
  const early = list.thisUpdateUnixMs + lifeMs * (0.5 + random / 6) - nowUnixMs;
  // The authority is late with the next one: the time left is used for some more tries.
  const leftMs = (list.nextUpdateUnixMs - nowUnixMs) * LATE_SHARE;
  const wantedMs = early > 0 ? early : leftMs;
  const soonestMs = Math.min(REFRESH_MS_MIN, refreshMsMax);
  return Math.min(Math.max(wantedMs, soonestMs), refreshMsMax * (0.75 + random / 4));
}

/** ms from now to the next try after `failures` failures in a row: exponential with jitter. */
export function retryDelayMs(failures: number, refreshMsMax: number, random: number): number {
  const fullMs = RETRY_FIRST_MS * 2 ** Math.min(failures - 1, DOUBLINGS_MAX);
  return Math.min(fullMs, refreshMsMax, RETRY_MS_MAX) * (0.5 + random / 2);
}

/** Unless whoever runs the peer wants it oftener. */
export const REFRESH_MS_MAX_DEFAULT = 3_600_000;

const REFRESH_MS_MIN = 60_000;
const LATE_SHARE = 0.25;
const RETRY_FIRST_MS = 15_000;
const RETRY_MS_MAX = 1_800_000;
const DOUBLINGS_MAX = 20;
