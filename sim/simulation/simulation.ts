import type { SignatureScheme, SimKeyPair } from '../identity/signature-scheme.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LatencyModel } from '../world/latency-model.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { LookupLog } from './lookup-log.ts';
import { Measurement } from './measurement.ts';
import { ringFault } from './ring-wholeness.ts';
import type { RunRecord } from './run-record.ts';
import { SimOverlay } from './sim-overlay.ts';

/** What a run needs from outside. */
export interface SimulationOptions {
  readonly scenario: Scenario;
  /** A whole number in [0, 2^53). */
  readonly seed: number;
  readonly scheme: SignatureScheme;
  /** At least three; more nodes than keys share them. */
  readonly keys: readonly SimKeyPair[];
  readonly latency: LatencyModel;
}

/** What a run does not know of itself. */
export type RunSurroundings = Pick<
  RunRecord,
  | 'signatures'
  | 'command'
  | 'commit'
  | 'nodeVersion'
  | 'wallSeconds'
  | 'peakMemoryBytes'
  | 'latencySource'
>;

/** `building`: peers join; then the parts of a run in their order. */
export type Phase = 'building' | 'settling' | 'observing' | 'converging' | 'over';

/**
 * One run of a scenario: builds the overlay, lets it settle, observes it under churn, faults and
 * load, then stops all of these and waits until the ring is whole.
 */
export class Simulation {
  readonly overlay: SimOverlay;
  readonly measurement: Measurement;
  phase: Phase = 'building';
  /** When the observation began, ms of the World. */
  observedFromMs = 0;
  /** Whether the ring was whole at the end; undefined before. */
  converged: boolean | undefined;
  private readonly scenario: Scenario;
  private phaseEndsMs: number;

  constructor(options: SimulationOptions) {
    this.scenario = options.scenario;
    this.overlay = new SimOverlay(options);
    this.measurement = new Measurement(this.overlay, () => []);
    this.phaseEndsMs = this.build();
  }

  /** Runs on for `virtualMs` at most; false once the run is over. */
  advance(virtualMs: number): boolean {
    const { world } = this.overlay;
    if (this.isOver) return false;
    const goesOn = world.runUntil(Math.min(world.nowMs + virtualMs, this.phaseEndsMs));
    if (!goesOn) this.finish();
    else if (this.isPhaseOver()) this.enterNext();
    return !this.isOver;
  }

  get lookups(): LookupLog {
    return this.measurement.lookups;
  }

  get isOver(): boolean {
    return this.phase === 'over';
  }

  /** Runs to the end. */
  run(): void {
    while (this.advance(SLICE_MS));
  }

  /** All that is known of the run; when it is over. */
  record(surroundings: RunSurroundings): RunRecord {
    const { world } = this.overlay;
    return {
      ...surroundings,
      ...this.measurement.results(),
      scenario: this.scenario,
      seed: world.seed,
      traceHash: world.trace.digest(),
      events: world.eventCount,
      converged: this.converged,
      outcome: this.converged === false ? 'not-converged' : 'clean',
      violations: [],
      stores: { acknowledged: 0, lost: 0, excused: 0, excusedExpected: 0, unauthorized: 0 },
      faults: [],
      attackCurve: [],
      series: [],
    };
  }

  private build(): number {
    const { peers, clients, bootstrapNodes, network } = this.scenario;
    const nat = this.overlay.world.stream('nat');
    let atMs = 0;
    for (let count = 0; count < peers + clients; count++) {
      const isBootstrap = count < bootstrapNodes;
      const node = this.overlay.newNode({
        role: count < peers ? 'peer' : 'client',
        isBehindNat: !isBootstrap && nat.chance(network.natShare),
      });
      if (isBootstrap) this.overlay.bootstrapNodes.push(node);
      this.overlay.world.scheduleAt(atMs, () => this.overlay.start(node));
      atMs += 1000 / Math.max(1, Math.min(JOINS_PER_SECOND_MAX, count / PEERS_PER_JOIN));
    }
    return atMs;
  }

  private isPhaseOver(): boolean {
    const { nowMs } = this.overlay.world;
    if (this.phase === 'converging' && this.ringFault() === undefined) return true;
    return nowMs >= this.phaseEndsMs;
  }

  private enterNext(): void {
    const { settleMinutes, hours, convergeMinutes } = this.scenario;
    switch (this.phase) {
      case 'building':
        return this.enter('settling', settleMinutes * 60_000);
      case 'settling':
        this.observedFromMs = this.overlay.world.nowMs;
        this.measurement.start();
        return this.enter('observing', hours * 3_600_000);
      case 'observing':
        this.measurement.stop();
        return this.enter('converging', convergeMinutes * 60_000);
      case 'converging':
        this.converged = this.ringFault() === undefined;
        return this.finish();
      case 'over':
    }
  }

  private enter(phase: Phase, lastsMs: number): void {
    this.phase = phase;
    this.phaseEndsMs = this.overlay.world.nowMs + lastsMs;
  }

  private finish(): void {
    this.phase = 'over';
  }

  private ringFault(): string | undefined {
    const peers = this.overlay.world.nodes.filter(isRunningPeer);
    return ringFault(peers);
  }
}

function isRunningPeer(node: SimNode): boolean {
  return node.role === 'peer' && node.isUp;
}

/** A young overlay takes one join a second, a larger one as many as it can bear. */
const JOINS_PER_SECOND_MAX = 100;
const PEERS_PER_JOIN = 20;
const SLICE_MS = 1_000;
