import { isIPv6 } from 'node:net';

/** How much of something is allowed: `burst` at once, then one more every `refillMs`. */
export interface RateLimit {
  readonly burst: number;
  readonly refillMs: number;
}

/**
 * Counts by key (an address, an account) with one token bucket each. The table is bounded: when it
 * is full, the key that was used longest ago is forgotten, which is the one most likely refilled.
 */
export class RateLimiter {
  private readonly limit: RateLimit;
  private readonly buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.limit = limit;
  }

  /** Ms until something is allowed again; 0 when it is now. Takes nothing. */
  waitMs(key: string, nowMs: number): number {
    const tokens = this.tokensOf(key, nowMs);
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * this.limit.refillMs);
  }

  /** Takes one token, where there is one. Returns whether there was. */
  take(key: string, nowMs: number): boolean {
    const tokens = this.tokensOf(key, nowMs);
    // Deleting first moves the key to the end: the map is ordered by last use.
    this.buckets.delete(key);
    this.buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    if (this.buckets.size > KEYS_MAX) this.forgetOldest();
    return tokens >= 1;
  }

  private tokensOf(key: string, nowMs: number): number {
    const bucket = this.buckets.get(key);
    if (bucket === undefined) return this.limit.burst;
    const refilled = Math.max(0, nowMs - bucket.atMs) / this.limit.refillMs;
    return Math.min(this.limit.burst, bucket.tokens + refilled);
  }

  private forgetOldest(): void {
    const oldest = this.buckets.keys().next();
    if (oldest.done !== true) this.buckets.delete(oldest.value);
  }
}

/** Whoever has an IPv6 address has 2^64 of them: one key for the network. */
export function rateLimitKeyOf(address: string | undefined): string {
  const plain = (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':');
  if (tail !== undefined) {
    const tailGroups = tail === '' ? [] : tail.split(':');
    while (groups.length + tailGroups.length < 8) groups.push('0');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

const KEYS_MAX = 10_000;
