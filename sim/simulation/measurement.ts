import { LookupLog } from './lookup-log.ts';
import { summarizeLookups } from './lookup-summary.ts';
import { RingSnapshots } from './ring-snapshots.ts';
import type { RunRecord } from './run-record.ts';
import type { SimOverlay } from './sim-overlay.ts';
import { Timeline } from './timeline.ts';
import { TrafficMeter } from './traffic-meter.ts';

/** All that is measured of a run, from the beginning of its observation to its end. */
export class Measurement {
  readonly lookups: LookupLog;
  private readonly overlay: SimOverlay;
  private readonly traffic: TrafficMeter;
  private readonly timeline: Timeline;
  private readonly ring: RingSnapshots;
  private startedMs = 0;
  private endedMs = 0;

  /** `valuesByReplicas`: as in `TimelineSample.valuesByReplicas`. */
  constructor(overlay: SimOverlay, valuesByReplicas: () => readonly number[]) {
    const { world, scenario } = overlay;
    const minutes = scenario.hours * 60;
    this.overlay = overlay;
    this.lookups = new LookupLog(world);
    this.traffic = new TrafficMeter(world);
    this.timeline = new Timeline(world, {
      intervalMinutes: minutes / TIMELINE_SAMPLES,
      lookups: this.lookups,
      traffic: this.traffic,
      valuesByReplicas,
    });
    this.ring = new RingSnapshots(world, minutes / RING_SNAPSHOTS);
  }

  start(): void {
    this.startedMs = this.overlay.world.nowMs;
    this.traffic.start();
    this.timeline.start();
    this.ring.start();
  }

  stop(): void {
    this.endedMs = this.overlay.world.nowMs;
    this.traffic.stop();
    this.timeline.stop();
    this.ring.stop();
  }

  /** Minutes since the beginning of the observation. */
  minutesOf(worldMs: number): number {
    return (worldMs - this.startedMs) / 60_000;
  }

  /** Of the lookups that began while it was observed. */
  results(): Pick<RunRecord, 'lookups' | 'traffic' | 'timeline' | 'ring' | 'virtualHours'> {
    const period = { fromMs: this.startedMs, nowMs: this.overlay.world.nowMs };
    return {
      lookups: summarizeLookups(this.lookups.entries, period),
      traffic: this.traffic.summary(),
      timeline: this.timeline.samples(),
      ring: this.ring.snapshots,
      virtualHours: Math.max(0, this.endedMs - this.startedMs) / 3_600_000,
    };
  }
}

const TIMELINE_SAMPLES = 60;
const RING_SNAPSHOTS = 48;
