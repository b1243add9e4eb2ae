import type { World } from '../world/world.ts';
import type { LookupLog } from './lookup-log.ts';
import { isCounted, isSuccess } from './lookup-summary.ts';
import type { TimelineSample } from './run-record.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** Where a Timeline reads, and how often. */
export interface TimelineOptions {
  readonly intervalMinutes: number;
  readonly lookups: LookupLog;
  readonly traffic: TrafficMeter;
  /** As in `TimelineSample.valuesByReplicas`; without it that stays empty. */
  readonly valuesByReplicas?: () => readonly number[];
}

/** Notes the state of an overlay at the end of every interval. */
export class Timeline {
  private readonly world: World;
  private readonly options: TimelineOptions;
  private readonly taken: TimelineSample[] = [];
  private startMs = 0;
  private isRunning = false;

  constructor(world: World, options: TimelineOptions) {
    this.world = world;
    this.options = options;
  }

  /** Begins to count time from now; the TrafficMeter must have been started. */
  start(): void {
    this.startMs = this.world.nowMs;
    this.isRunning = true;
    this.planNext();
  }

  stop(): void {
    this.isRunning = false;
  }

  /**
   * All samples so far. Lookups are filled in here, because one that starts in an interval may
   * end after it.
   */
  samples(): TimelineSample[] {
    const { intervalMinutes, lookups } = this.options;
    const period = { fromMs: this.startMs, nowMs: this.world.nowMs };
    const samples = this.taken.map((sample) => ({ ...sample }));
    for (const entry of lookups.entries) {
      if (!isCounted(entry, period)) continue;
      const minutes = (entry.startedMs - this.startMs) / 60_000;
      const sample = samples[Math.floor(minutes / intervalMinutes)];
      if (sample === undefined) continue;
      sample.lookups++;
      if (isSuccess(entry)) sample.succeeded++;
    }
    return samples;
  }

  private planNext(): void {
    const minutes = (this.taken.length + 1) * this.options.intervalMinutes;
    this.world.scheduleAt(this.startMs + minutes * 60_000, () => {
      if (!this.isRunning) return;
      this.taken.push(this.sample(minutes));
      this.planNext();
    });
  }

  private sample(atMinutes: number): TimelineSample {
    let peersUp = 0;
    let peersJoined = 0;
    let links = 0;
    for (const node of this.world.nodes) {
      if (node.role !== 'peer' || !node.isUp) continue;
      peersUp++;
      links += node.links.size;
      if (node.isJoined) peersJoined++;
    }
    return {
      atMinutes,
      peersUp,
      peersJoined,
      lookups: 0,
      succeeded: 0,
      ...this.options.traffic.takeInterval(),
      valuesByReplicas: [...(this.options.valuesByReplicas?.() ?? [])],
      linksPerPeer: peersUp === 0 ? 0 : links / peersUp,
    };
  }
}
