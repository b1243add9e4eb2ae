import type { Clock } from './host-clock.ts';
import type { Log } from './log.ts';

/**
 * A log in which nobody outside can write without end: of each sentence so many lines in a time,
 * then how many were left out. Lines for debugging are not limited.
 */
export function limitedLog(log: Log, clock: Clock): Log {
  return new LimitedLog(log, clock);
}

class LimitedLog implements Log {
  private readonly log: Log;
  private readonly clock: Clock;
  private windowBeganMs = Number.NEGATIVE_INFINITY;
  /** By sentence; there are no others than those of the program. */
  private readonly lines = new Map<string, number>();

  constructor(log: Log, clock: Clock) {
    this.log = log;
    this.clock = clock;
  }

  debug(fields: object, message: string): void {
    this.log.debug(fields, message);
  }

  info(fields: object, message: string): void {
    if (this.isAllowed(message)) this.log.info(fields, message);
  }

  warn(fields: object, message: string): void {
    if (this.isAllowed(message)) this.log.warn(fields, message);
  }

  error(fields: object, message: string): void {
    if (this.isAllowed(message)) this.log.error(fields, message);
  }

  child(fields: Record<string, unknown>): Log {
    return new LimitedLog(this.log.child(fields), this.clock);
  }

  private isAllowed(message: string): boolean {
    const { monotonicMs } = this.clock.now();
    if (monotonicMs - this.windowBeganMs >= LOG_WINDOW_MS) this.beginWindow(monotonicMs);
    const count = (this.lines.get(message) ?? 0) + 1;
    this.lines.set(message, count);
    return count <= LOG_LINES_MAX;
  }

  private beginWindow(nowMs: number): void {
    for (const [sentence, count] of this.lines) {
      const leftOut = count - LOG_LINES_MAX;
      if (leftOut > 0) this.log.warn({ sentence, leftOut }, 'lines of one kind were left out');
    }
    this.lines.clear();
    this.windowBeganMs = nowMs;
  }
}

const LOG_WINDOW_MS = 10_000;
/** Of one sentence in LOG_WINDOW_MS. */
const LOG_LINES_MAX = 200;
