import {
  PASSWORD_FAILURES_FORGOTTEN_MS,
  PASSWORD_FAILURES_FREE,
  PASSWORD_LOCKOUT_FIRST_MS,
  PASSWORD_LOCKOUT_MAX_MS,
} from './sasl-limits.ts';

/**
 * Counts wrong passwords over all connections: after some, each further one makes everybody wait,
 * twice as long each time. There is one user, whose certificates are not held up by it. Times are
 * monotonic ms.
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
