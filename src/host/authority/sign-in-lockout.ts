/** After `free` failures in a row everything waits: at first for `firstMs`, then twice as long. */
export interface LockoutLimit {
  readonly free: number;
  readonly firstMs: number;
  readonly maxMs: number;
  /** A key of which nothing was heard for so long starts anew. */
  readonly forgetMs: number;
}

/**
 * Counts failures by key (an address, an account) and says how long to wait. The table is bounded:
 * when it is full, the key that was used longest ago is forgotten. Times are monotonic.
 */
export class SignInLockout {
  private readonly limit: LockoutLimit;
  private readonly failures = new Map<string, Failures>();

  constructor(limit: LockoutLimit) {
    this.limit = limit;
  }

  /** Ms until another try is allowed; 0: now. */
  waitMs(key: string, nowMs: number): number {
    const held = this.held(key, nowMs);
    return held === undefined ? 0 : Math.max(0, held.untilMs - nowMs);
  }

  /** Counts one failure, and locks the key when there were too many. */
  fail(key: string, nowMs: number): void {
    const count = (this.held(key, nowMs)?.count ?? 0) + 1;
    // Deleting first moves the key to the end: the map is ordered by last use.
    this.failures.delete(key);
    this.failures.set(key, { count, atMs: nowMs, untilMs: nowMs + this.lockMs(count) });
    if (this.failures.size > KEYS_MAX) this.forgetOldest();
  }

  /** Takes one failure back: it was none. */
  takeBack(key: string): void {
    const held = this.failures.get(key);
    if (held === undefined) return;
    const count = held.count - 1;
    if (count <= 0) this.failures.delete(key);
    else this.failures.set(key, { ...held, count, untilMs: held.atMs + this.lockMs(count) });
  }

  /** Forgets a key: whoever it stands for has proved to be who he is. */
  clear(key: string): void {
    this.failures.delete(key);
  }

  private lockMs(count: number): number {
    const beyond = count - this.limit.free;
    if (beyond < 0) return 0;
    return Math.min(this.limit.maxMs, this.limit.firstMs * 2 ** Math.min(beyond, DOUBLINGS_MAX));
  }

  private held(key: string, nowMs: number): Failures | undefined {
    const held = this.failures.get(key);
    return held === undefined || nowMs - held.atMs > this.limit.forgetMs ? undefined : held;
  }

  private forgetOldest(): void {
    const oldest = this.failures.keys().next();
    if (oldest.done !== true) this.failures.delete(oldest.value);
  }
}

interface Failures {
  readonly count: number;
  readonly atMs: number;
  readonly untilMs: number;
}

const KEYS_MAX = 10_000;
/** Longer than any `maxMs` asks for, and far from where 2 ** n loses its meaning. */
const DOUBLINGS_MAX = 30;
