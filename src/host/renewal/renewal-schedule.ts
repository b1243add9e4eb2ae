/** When a certificate is renewed, and when again after a failure: in numbers alone. */

/** From when to when a certificate counts, ms since 1970. */
export interface CertificateLife {
  readonly fromUnixMs: number;
  readonly untilUnixMs: number;
}

/**
 * When to renew: at two thirds of the life, or up to a twentieth of it earlier, so that peers that
 * were enrolled together do not all come at once. `random` is in 0..1.
 */
export function renewalUnixMs(life: CertificateLife, random: number): number {
  const lifeMs = life.untilUnixMs - life.fromUnixMs;
  const jitterMs = Math.min(lifeMs * JITTER_SHARE, JITTER_MS_MAX);
  return life.fromUnixMs + lifeMs * RENEWAL_SHARE - random * jitterMs;
}

/** ms until a renewal that is overdue, for example after the peer was off: soon, but spread out. */
export function overdueDelayMs(leftMs: number, random: number): number {
  return random * Math.max(0, Math.min(OVERDUE_SPREAD_MS, leftMs * LEFT_SHARE));
}

/**
 * ms until the next try after `failures` failures in a row: doubled each time, but so that many
 * tries remain in what is left of the certificate's life.
 */
export function retryDelayMs(failures: number, leftMs: number, random: number): number {
  const doubledMs = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MS_MAX);
  const fullMs = Math.max(RETRY_MS_MIN, Math.min(doubledMs, leftMs * LEFT_SHARE));
  return fullMs * (0.5 + random / 2);
}

/** Less than a quarter of the life is left: whoever watches the peer must hear of a failure. */
export function isUrgent(life: CertificateLife, nowUnixMs: number): boolean {
  return life.untilUnixMs - nowUnixMs < (life.untilUnixMs - life.fromUnixMs) * URGENT_SHARE;
}

/** A new certificate is not renewed before this, however short its life is. */
export const RENEWAL_PAUSE_MS_MIN = 60_000;

const RENEWAL_SHARE = 2 / 3;
const JITTER_SHARE = 1 / 20;
const JITTER_MS_MAX = 86_400_000;
const OVERDUE_SPREAD_MS = 60_000;
const LEFT_SHARE = 1 / 20;
const RETRY_FIRST_MS = 60_000;
const RETRY_MS_MAX = 6 * 3_600_000;
const RETRY_MS_MIN = 10_000;
const URGENT_SHARE = 1 / 4;
