import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import type { Now } from '../../src/storage/now.ts';

/** Virtual time in one process: what happens later, and the deadlines of all who take part. */
export abstract class VirtualWorld<Party extends { readonly isUp: boolean }> {
  nowMs = 1_000;
  private readonly queue: { readonly at: number; run(): void }[] = [];

  protected abstract parties(): readonly Party[];
  /** In monotonic ms. */
  protected abstract deadlineOf(party: Party): number | undefined;
  protected abstract tick(party: Party): void;

  get now(): Now {
    return { monotonicMs: this.nowMs, unixMs: TEST_UNIX_MS + this.nowMs };
  }

  runFor(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Runs until `done`, at most `withinMs` of virtual time. Returns whether it was done. */
  runUntil(done: () => boolean, withinMs = 60_000): boolean {
    const endMs = this.nowMs + withinMs;
    for (;;) {
      if (done()) return true;
      const nextMs = this.nextEventMs();
      if (nextMs === undefined || nextMs > endMs) {
        this.nowMs = endMs;
        return done();
      }
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.step();
    }
  }

  /** Something that the world does by itself; what is due at one time happens in the order given. */
  later(delayMs: number, run: () => void): void {
    const at = this.nowMs + delayMs;
    let place = this.queue.length;
    while (place > 0 && (this.queue[place - 1]?.at ?? 0) > at) place--;
    this.queue.splice(place, 0, { at, run });
  }

  private nextEventMs(): number | undefined {
    let next = this.queue[0]?.at;
    for (const party of this.parties()) {
      const deadline = party.isUp ? this.deadlineOf(party) : undefined;
      if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
    }
    return next;
  }

  private step(): void {
    const first = this.queue[0];
    if (first !== undefined && first.at <= this.nowMs) {
      this.queue.shift();
      first.run();
      return;
    }
    for (const party of this.parties()) {
      const deadline = party.isUp ? this.deadlineOf(party) : undefined;
      if (deadline !== undefined && deadline <= this.nowMs) this.tick(party);
    }
  }
}
