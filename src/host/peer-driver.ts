import type { Now } from '../storage/now.ts';
import type { Clock } from './host-clock.ts';

/** What the driver needs of a Peer, or of another core that is driven like one. */
export interface DrivenCore<Input, Output> {
  handle(input: Input | Tick, now: Now): readonly Output[];
  nextDeadline(): number | undefined;
}

/** Nothing but that time has passed. */
export interface Tick {
  readonly type: 'tick';
}

/**
 * Gives a Peer its inputs one after another, has every output carried out in order, and wakes it
 * at its deadlines. An input that arises while another is handled waits for its turn.
 */
export class PeerDriver<Input, Output> {
  private readonly peer: DrivenCore<Input, Output>;
  private readonly clock: Clock;
  private readonly perform: (output: Output) => void;
  private readonly waiting: (Input | Tick)[] = [];
  private handling = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;

  constructor(peer: DrivenCore<Input, Output>, clock: Clock, perform: (output: Output) => void) {
    this.peer = peer;
    this.clock = clock;
    this.perform = perform;
  }

  deliver(input: Input | Tick): void {
    if (this.stopped) return;
    this.waiting.push(input);
    if (this.handling) return;
    this.handling = true;
    try {
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
        for (const output of this.peer.handle(next, this.clock.now())) this.perform(output);
      }
    } finally {
      this.handling = false;
    }
    this.arm();
  }

  /** No more inputs, no more waking. */
  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
    clearTimeout(this.timer);
  }

  /**
   * Sets the one timer. A deadline that moved back keeps the earlier timer, which then finds
   * nothing due and sets itself anew: cheaper than a new timer for every message.
   */
  private arm(): void {
    const deadlineMs = this.peer.nextDeadline();
    if (this.stopped || deadlineMs === undefined || deadlineMs >= this.timerAtMs) return;
    clearTimeout(this.timer);
    this.timerAtMs = deadlineMs;
    const delayMs = Math.ceil(deadlineMs - this.clock.now().monotonicMs);
    this.timer = setTimeout(() => this.wake(), Math.min(Math.max(delayMs, 0), TIMER_MS_MAX));
  }

  private wake(): void {
    this.timerAtMs = Number.POSITIVE_INFINITY;
    const deadlineMs = this.peer.nextDeadline();
    if (deadlineMs !== undefined && deadlineMs <= this.clock.now().monotonicMs) {
      this.deliver({ type: 'tick' });
    } else {
      this.arm();
    }
  }
}

/** The longest that setTimeout can wait. */
const TIMER_MS_MAX = 2 ** 31 - 1;
