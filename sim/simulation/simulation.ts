import { RunAttack } from '../attackers/run-attack.ts';
import type { Violation } from '../checkers/checker.ts';
import { type InstalledCheckers, installCheckers } from '../checkers/install-checkers.ts';
import type { StorageRules } from '../checkers/storage-rules.ts';
import { Churn } from '../churn/churn.ts';
import { Newcomers } from '../churn/newcomers.ts';
import { FaultSchedule } from '../faults/fault-schedule.ts';
import type { SignatureScheme, SimKeyPair } from '../identity/signature-scheme.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Workload } from '../workload/workload.ts';
import type { LatencyModel } from '../world/latency-model.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { LookupLog } from './lookup-log.ts';
import { Measurement } from './measurement.ts';
import { ringFault } from './ring-wholeness.ts';
import type { RunOutcome, RunRecord } from './run-record.ts';
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
  | 'observedWallSeconds'
  | 'observedCpuSeconds'
  | 'peakMemoryBytes'
  | 'latencySource'
>;

/** `building`: peers join; then the parts of a run in their order. */
export type Phase = 'building' | 'settling' | 'observing' | 'converging' | 'over';

/**
 * One run of a scenario: builds the overlay, lets it settle, observes it under churn, faults and
 * load, then stops all of these and waits until the ring is whole. Checkers watch from beginning to
 * end; the first violation ends the run.
 */
export class Simulation {
  readonly overlay: SimOverlay;
  readonly measurement: Measurement;
  readonly violations: Violation[] = [];
  phase: Phase = 'building';
  /** When the observation began, ms of the World. */
  observedFromMs = 0;
  /** Whether the ring was whole at the end; undefined before. */
  converged: boolean | undefined;
  private readonly scenario: Scenario;
  private readonly newcomers: Newcomers;
  private readonly checkers: InstalledCheckers;
  private readonly churn: Churn;
  private readonly faults: FaultSchedule;
  private readonly workload: Workload;
  private readonly attack: RunAttack | undefined;
  private phaseEndsMs: number;

  constructor(options: SimulationOptions) {
    const { scenario } = options;
    this.scenario = scenario;
    this.overlay = new SimOverlay(options);
    this.newcomers = new Newcomers(this.overlay);
    this.checkers = this.installCheckers();
    const { stores } = this.checkers;
    this.measurement = new Measurement(this.overlay, () => stores.counts().aliveByReplicaCount);
    this.churn = new Churn(this.overlay, scenario.churn, this.newcomers);
    this.faults = new FaultSchedule(this.overlay, scenario.faults, this.newcomers);
    this.workload = new Workload(this.overlay, scenario.workload, this.lookups, {
      isExcluded: (node) => this.faults.revoked.has(node),
      hasLiveCopy: (node, resource, kind) => stores.hasLiveCopy(node, resource, kind),
    });
    const buildMs = joinTimesMs(scenario.peers + scenario.clients).at(-1) ?? 0;
    const observedFromMs = buildMs + scenario.settleMinutes * 60_000;
    if (scenario.attack !== undefined && scenario.attack.share > 0) {
      this.attack = new RunAttack(this.overlay, scenario.attack, observedFromMs);
    }
    this.build();
    this.phaseEndsMs = buildMs;
  }

  get lookups(): LookupLog {
    return this.measurement.lookups;
  }

  get isOver(): boolean {
    return this.phase === 'over';
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

  /** Runs to the end. */
  run(): void {
    while (this.advance(SLICE_MS));
  }

  /** All that is known of the run; when it is over. */
  record(surroundings: RunSurroundings): RunRecord {
    const { world } = this.overlay;
    const stores = this.checkers.stores.counts();
    const unauthorized = this.violations.filter(({ checker }) => checker === WRITES_CHECKER);
    return {
      ...surroundings,
      ...this.measurement.results(),
      scenario: this.scenario,
      seed: world.seed,
      traceHash: world.trace.digest(),
      events: world.eventCount,
      converged: this.converged,
      outcome: this.outcome(),
      violations: this.violations.map(({ atMs, ...violation }) => ({
        ...violation,
        atMinutes: this.measurement.minutesOf(atMs),
      })),
      stores: {
        acknowledged: stores.ackedStores,
        lost: stores.lostStores - stores.excusedLosses,
        excused: stores.excusedLosses,
        excusedExpected: stores.expectedExcusedLosses,
        unauthorized: unauthorized.length,
      },
      faults: this.faults.marks,
      attackCurve: [],
      series: [],
    };
  }

  private installCheckers(): InstalledCheckers {
    const { everySeconds, everyStep } = this.scenario.checks;
    const rules: StorageRules = {
      authenticator: this.overlay.checkingAuthenticator(),
      kinds: this.overlay.configuration.kinds,
    };
    const report = (violation: Violation) => {
      if (this.isHarmOfAttack(violation)) return;
      if (this.violations.length < VIOLATIONS_MAX) this.violations.push(violation);
      this.overlay.world.halt(`${violation.checker}: ${violation.detail}`);
    };
    return installCheckers(this.overlay.world, report, {
      rules,
      everyMs: everySeconds * 1000,
      share: everyStep ? 1 : CHECKED_SHARE_OF_LARGE_RUNS,
      isHonest: (node) => node.behavior === undefined,
    });
  }

  /**
   * Attackers may break what all peers keep together: that is what the run measures. What each
   * honest peer keeps for itself no attack may break.
   */
  private isHarmOfAttack({ checker, nodes }: Violation): boolean {
    if (this.attack === undefined) return false;
    const { attackers } = this.attack;
    const isByAttackers = nodes.every((name) => attackers.some((node) => node.name === name));
    return COMMON_PROMISES.has(checker) || isByAttackers;
  }

  private build(): void {
    const { peers, clients } = this.scenario;
    for (const [index, atMs] of joinTimesMs(peers + clients).entries()) {
      const node = this.newNode(index);
      this.overlay.world.scheduleAt(atMs, () => this.overlay.start(node));
    }
    this.attack?.prepare();
  }

  private newNode(index: number): SimNode {
    const { peers, bootstrapNodes } = this.scenario;
    if (this.attack?.isAttacker(index) === true) {
      return this.newcomers.make('peer', this.attack.newNode());
    }
    const defences = this.attack?.defences;
    const special = defences === undefined ? {} : { peerOptions: { defences } };
    if (index >= bootstrapNodes) {
      return this.newcomers.make(index < peers ? 'peer' : 'client', special);
    }
    const node = this.overlay.newNode(special);
    this.overlay.bootstrapNodes.push(node);
    return node;
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
        this.observe();
        return this.enter('observing', hours * 3_600_000);
      case 'observing':
        this.rest();
        // Attackers do not stop, and with them nobody promises a whole ring.
        if (this.attack !== undefined) return this.finish();
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

  private observe(): void {
    this.observedFromMs = this.overlay.world.nowMs;
    this.measurement.start();
    this.churn.start();
    this.faults.start();
    const revoked = this.attack?.begin() ?? [];
    if (revoked.length > 0) this.faults.revokeNodes(revoked, 'the attackers are revoked');
    this.workload.start();
  }

  private rest(): void {
    this.workload.stop();
    this.churn.stop();
    this.faults.stop();
    this.measurement.stop();
  }

  private finish(): void {
    if (this.phase === 'observing') this.rest();
    this.phase = 'over';
    if (this.violations.length === 0) this.checkers.finish();
  }

  private outcome(): RunOutcome {
    const kinds = new Set(this.violations.map(({ kind }) => kind));
    if (kinds.has('assertion')) return 'assertion';
    if (kinds.has('correctness')) return 'correctness';
    const isWhole = this.converged === true || this.attack !== undefined;
    return kinds.has('convergence') || !isWhole ? 'not-converged' : 'clean';
  }

  private ringFault(): string | undefined {
    const { revoked } = this.faults;
    const isMember = (node: SimNode) => node.role === 'peer' && node.isUp && !revoked.has(node);
    return ringFault(this.overlay.world.nodes.filter(isMember));
  }
}

/** When each node starts, ms of the World. */
function joinTimesMs(count: number): number[] {
  let atMs = 0;
  return Array.from({ length: count }, (_, before) => {
    if (before > 0) {
      atMs += 1000 / Math.max(1, Math.min(JOINS_PER_SECOND_MAX, (before - 1) / PEERS_PER_JOIN));
    }
    return atMs;
  });
}

/**
 * A young overlay takes one join a second, a larger one a twentieth of its peers: then the Updates
 * of several joins are one, and building 10,000 peers takes fewer events.
 */
const JOINS_PER_SECOND_MAX = 500;
const PEERS_PER_JOIN = 20;
const SLICE_MS = 1_000;
/** The run ends at the first one; others of the same event are kept as well. */
const VIOLATIONS_MAX = 100;
const CHECKED_SHARE_OF_LARGE_RUNS = 0.02;
/** What holds only where most peers do what the RFC says. */
const COMMON_PROMISES = new Set(['ring invariants', 'one responsible peer', 'acknowledged Stores']);
const WRITES_CHECKER = 'authorised writes';
