import {
  KNOWN_ADDRESSES_MAX,
  PASSWORD_FAILURES_FORGOTTEN_MS,
  PASSWORD_FAILURES_FREE,
  PASSWORD_LOCKOUT_FIRST_MS,
  PASSWORD_LOCKOUT_MAX_MS,
} from './sasl-limits.ts';

/**
 * The lock-outs of all addresses. Wrong passwords from an address at which the user has logged in
 * before count for that one alone, all others together: who guesses from many of them waits as
 * long, and keeps no client of the user out that comes from where it always comes from.
 */
export class PasswordLockouts {
  private readonly strangers = new PasswordLockout();
  /** The one of the last login is the last. */
  private readonly known = new Map<string, PasswordLockout>();

  of(address: string | undefined): PasswordLockout {
    return (address === undefined ? undefined : this.known.get(address)) ?? this.strangers;
  }

  /** The user has logged in from there. */
  noteLogin(address: string | undefined): void {
    if (address === undefined) return;
    const lockout = this.known.get(address) ?? new PasswordLockout();
    this.known.delete(address);
    this.known.set(address, lockout);
    const [oldest] = this.known.keys();
    if (this.known.size > KNOWN_ADDRESSES_MAX && oldest !== undefined) this.known.delete(oldest);
  }
}

/**
 * Counts wrong passwords: after some, each further one makes everybody wait whose passwords are
 * counted here, twice as long each time. There is one user, whose certificates are not held up by
 * it. Times are monotonic ms.
 */
export class PasswordLockout {
  private failures = 0;
  private lastMs = Number.NEGATIVE_INFINITY;

  /** Ms until another password is looked at; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.lastMs + this.lockMs(nowMs) - nowMs);
  }

  fail(nowMs: number): void {
    if (this.isForgotten(nowMs)) this.failures = 0;
    this.failures += 1;
    this.lastMs = nowMs;
  }

  /** The user has logged in. */
  clear(): void {
    this.failures = 0;
  }

  private lockMs(nowMs: number): number {
    const beyond = this.failures - PASSWORD_FAILURES_FREE;
    if (beyond < 0 || this.isForgotten(nowMs)) return 0;
    const doubled = PASSWORD_LOCKOUT_FIRST_MS * 2 ** Math.min(beyond, DOUBLINGS_MAX);
    return Math.min(PASSWORD_LOCKOUT_MAX_MS, doubled);
  }

  private isForgotten(nowMs: number): boolean {
    return nowMs - this.lastMs > PASSWORD_FAILURES_FORGOTTEN_MS;
  }
}

/** Longer than PASSWORD_LOCKOUT_MAX_MS asks for. */
const DOUBLINGS_MAX = 16;
