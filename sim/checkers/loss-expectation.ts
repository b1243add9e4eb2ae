import type { World } from '../world/world.ts';
import { expectedLosses, expectedLossesAtOnce, Mean } from './loss-arithmetic.ts';
import type { Membership } from './membership.ts';
import { COPIES } from './wanted-copies.ts';

/** What a LossExpectation looks at besides the World. */
export interface StoresInSight {
  readonly members: Membership;
  /** How many acknowledged values there are now, those that are lost left out. */
  acknowledgedValues(): number;
  /** What a repair takes while none was measured, ms of the World. */
  readonly repairMs: number;
}

/** Measures what a run does to its values, and says how many of them arithmetic expects to lose. */
export class LossExpectation {
  private readonly world: World;
  private readonly sight: StoresInSight;
  private readonly repairs = new Mean();
  private readonly firstReplications = new Mean();
  private expectedAtOnce = 0;
  private deaths = 0;
  private together = NOBODY_TOGETHER;
  private memberMs = 0;
  private valueMs = 0;
  private measuredMs: number;

  constructor(world: World, sight: StoresInSight) {
    this.world = world;
    this.sight = sight;
    this.measuredMs = world.nowMs;
  }

  /** All copies of a value are there, after `tookMs`; `isNew`: for the first time. */
  noteReplicated(tookMs: number, isNew: boolean): void {
    (isNew ? this.firstReplications : this.repairs).add(tookMs);
  }

  /** A host with copies ended; it is a member still. */
  noteDeath(): void {
    const { nowMs } = this.world;
    const { members } = this.sight;
    this.measure();
    this.deaths++;
    if (this.together.atMs !== nowMs) {
      this.closeTogether();
      const values = this.sight.acknowledgedValues();
      this.together = { atMs: nowMs, count: 0, peers: members.size, values };
    }
    this.together = { ...this.together, count: this.together.count + 1 };
  }

  /** To be called often enough: what is now counts for the time since the last call. */
  measure(): void {
    const { nowMs } = this.world;
    const passedMs = nowMs - this.measuredMs;
    if (passedMs < MEASURE_MS) return;
    this.measuredMs = nowMs;
    this.memberMs += passedMs * this.sight.members.size;
    this.valueMs += passedMs * this.sight.acknowledgedValues();
  }

  /** See loss-arithmetic.ts; `stores`: those acknowledged so far. */
  expected(stores: number): number {
    this.closeTogether();
    const independently = expectedLosses({
      valueHours: this.valueMs / HOUR_MS,
      stores,
      deathsPerPeerHour: this.memberMs === 0 ? 0 : this.deaths / (this.memberMs / HOUR_MS),
      repairHours: this.repairs.value(this.sight.repairMs) / HOUR_MS,
      firstReplicationHours: this.firstReplications.value(0) / HOUR_MS,
    });
    return independently + this.expectedAtOnce;
  }

  /** Peers that vanish in the same moment are no Poisson process. */
  private closeTogether(): void {
    const { count, peers, values } = this.together;
    if (count < COPIES) return;
    this.deaths -= count;
    this.expectedAtOnce += expectedLossesAtOnce(values, count, peers);
    this.together = NOBODY_TOGETHER;
  }
}

const NOBODY_TOGETHER = { atMs: -1, count: 0, peers: 0, values: 0 };
const HOUR_MS = 3_600_000;
const MEASURE_MS = 10_000;
