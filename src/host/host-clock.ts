import type { Now } from '../storage/now.ts';

/** The two clocks of a Peer, read from the machine. */
export interface Clock {
  now(): Now;
}

/** `monotonicMs` counts from the start of the machine, `unixMs` follows the system's clock. */
export const hostClock: Clock = {
  now: () => ({
    monotonicMs: Number(process.hrtime.bigint() / 1000n) / 1000,
    unixMs: Date.now(),
  }),
};
