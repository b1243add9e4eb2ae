import type { ClientTime } from '../../src/host/configuration/client-time.ts';

/** A clock that stands still until a test moves it. */
export class ManualTime implements ClientTime {
  now: number;
  chance = 0.5;
  private readonly timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  constructor(unixMs: number) {
    this.now = unixMs;
  }

  unixMs(): number {
    return this.now;
  }

  random(): number {
    return this.chance;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.now + delayMs, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** ms until each timer that is set, soonest first. */
  get pendingMs(): number[] {
    return [...this.timers].map(({ at }) => at - this.now).sort((a, b) => a - b);
  }

  /** Moves the clock to the next timer and calls it back. */
  fireNext(): void {
    const [next] = [...this.timers].sort((a, b) => a.at - b.at);
    if (next === undefined) throw new Error('no timer is set');
    this.now = next.at;
    this.timers.delete(next);
    next.callback();
  }
}
