import type { Now } from '../../src/storage/now.ts';

/** How wrong a host's clocks are. */
export interface ClockError {
  /** What its wall clock shows beyond the true time, ms; may be negative. */
  readonly skewMs: number;
  /** How much faster than true time both clocks run, parts per million; may be negative. */
  readonly driftPpm: number;
}

/** The two clocks of one host, driven by the true time of the World. */
export class SimClock {
  private readonly error: ClockError;
  private readonly rate: number;

  constructor(error: ClockError) {
    this.error = error;
    this.rate = 1 + error.driftPpm / 1e6;
  }

  /** What this host reads when the World's time is `worldMs`. */
  now(worldMs: number): Now {
    return {
      monotonicMs: worldMs * this.rate,
      unixMs: WORLD_START_UNIX_MS + worldMs * this.rate + this.error.skewMs,
    };
  }

  /** The World's time at which this host's monotonic clock shows `monotonicMs`. */
  worldMs(monotonicMs: number): number {
    return monotonicMs / this.rate;
  }
}

/** 2026-01-01T00:00:00Z: every World begins then. */
export const WORLD_START_UNIX_MS = 1_767_225_600_000;
