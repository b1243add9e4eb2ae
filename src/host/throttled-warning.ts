import type { Clock } from './host-clock.ts';
import type { Log } from './log.ts';

/**
 * Warnings that strangers can cause at will. Each rule is logged when it is first broken and then
 * at most once an interval with the number of those left out, so nobody fills the disk.
 */
export class ThrottledWarning {
  private readonly log: Log;
  private readonly clock: Clock;
  private readonly byRule = new Map<string, { untilMs: number; leftOut: number }>();

  constructor(log: Log, clock: Clock) {
    this.log = log;
    this.clock = clock;
  }

  warn(rule: string, fields: object, message: string): void {
    const { monotonicMs } = this.clock.now();
    const entry = this.byRule.get(rule);
    if (entry !== undefined && monotonicMs < entry.untilMs) {
      entry.leftOut += 1;
      return;
    }
    const leftOut = entry?.leftOut ?? 0;
    if (this.byRule.size < RULES_MAX || entry !== undefined) {
      this.byRule.set(rule, { untilMs: monotonicMs + INTERVAL_MS, leftOut: 0 });
    }
    this.log.warn({ rule, ...(leftOut > 0 ? { leftOut } : {}), ...fields }, message);
  }
}

const INTERVAL_MS = 1_000;
/** Rules come from our own code; the bound only guards against a mistake there. */
const RULES_MAX = 256;
