import type { PersistRecord } from '../../src/storage/persist-record.ts';
import type { SimRandom } from './sim-random.ts';

/** How a disk behaves. Times in ms of the World. */
export interface DiskConditions {
  /** A batch is durable after a time drawn evenly from here … */
  readonly writeLowMs: number;
  /** … to here. */
  readonly writeHighMs: number;
}

/** What a SimDisk needs of the World. */
export interface DiskTimer {
  schedule(delayMs: number, run: () => void): void;
}

/**
 * The disk of one node: batches become durable after a delay, in order; a crash loses those that
 * were not acknowledged; a full disk refuses.
 */
export class SimDisk {
  /** What survives. */
  readonly records = new Map<string, Uint8Array>();
  /** Every write fails while this is set. */
  isFull = false;
  /** Writes take this many times as long. */
  slowness = 1;
  private readonly timer: DiskTimer;
  private readonly random: SimRandom;
  private readonly conditions: DiskConditions;
  private epoch = 0;
  private batchesWaiting = 0;
  private lastDelayEndMs = 0;

  constructor(timer: DiskTimer, random: SimRandom, conditions: DiskConditions) {
    this.timer = timer;
    this.random = random;
    this.conditions = conditions;
  }

  /** Batches that are on their way. */
  get waiting(): number {
    return this.batchesWaiting;
  }

  /** Writes all records in one batch; then `done`, with a reason where it failed. */
  write(
    nowMs: number,
    records: readonly PersistRecord[],
    done: (failure: string | undefined) => void,
  ): void {
    const { epoch } = this;
    const { writeLowMs, writeHighMs } = this.conditions;
    const ownMs = this.random.between(writeLowMs, writeHighMs) * this.slowness;
    // Batches become durable in the order in which they were written.
    const endMs = Math.max(nowMs + ownMs, this.lastDelayEndMs);
    this.lastDelayEndMs = endMs;
    this.batchesWaiting++;
    this.timer.schedule(endMs - nowMs, () => {
      if (epoch !== this.epoch) return;
      this.batchesWaiting--;
      if (this.isFull) {
        done('no space left on the device');
        return;
      }
      for (const { key, value } of records) {
        if (value === undefined) this.records.delete(key);
        else this.records.set(key, value);
      }
      done(undefined);
    });
  }

  /** The process or host ended: what was not acknowledged is gone. */
  crash(): void {
    this.epoch++;
    this.batchesWaiting = 0;
    this.lastDelayEndMs = 0;
  }

  /** A new machine: nothing is left. */
  wipe(): void {
    this.crash();
    this.records.clear();
  }
}
