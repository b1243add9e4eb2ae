import type { ChurnPlan } from '../scenario/scenario.ts';
import type { SimOverlay } from '../simulation/sim-overlay.ts';
import { PoissonProcess } from '../world/poisson-process.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import type { StopManner, WorldObserver } from '../world/world-observer.ts';
import { ChurnTrace } from './churn-trace.ts';
import { Newcomers } from './newcomers.ts';
import {
  exponentialSessions,
  paretoSessions,
  type SessionLengths,
  weibullSessions,
} from './session-length.ts';

/** What churn has done so far. */
export interface ChurnCounters {
  leaves: number;
  processCrashes: number;
  hostCrashes: number;
  /** Nodes with new identities. */
  newcomers: number;
  /** Nodes that came back with their disks. */
  restarts: number;
}

/**
 * Nodes come and go: peers and clients alike, but neither bootstrap nodes nor attackers. Each has
 * sessions; at the end of one it leaves or crashes, and later it comes back with its disk, or
 * another node with a new identity comes in its place and it is gone for good.
 *
 * With an absence the number of nodes that are up falls from the scenario's to that times
 * session / (session + absence). With `poisson` those who go and those who come are independent of
 * each other: each node stays for an exponential time, and as many come as go on average.
 */
export class Churn implements WorldObserver {
  readonly counters: ChurnCounters = {
    leaves: 0,
    processCrashes: 0,
    hostCrashes: 0,
    newcomers: 0,
    restarts: 0,
  };
  private readonly overlay: SimOverlay;
  private readonly plan: ChurnPlan;
  private readonly newcomers: Newcomers;
  private readonly random: SimRandom;
  private readonly lengths: SessionLengths | undefined;
  /** The session that each node is in: an end that was planned for another one does not count. */
  private readonly sessions = new Map<SimNode, number>();
  /** `poisson`: who will come back with its disk, first come first. */
  private readonly absent: SimNode[] = [];
  private readonly processes: PoissonProcess[] = [];
  private readonly trace: ChurnTrace | undefined;
  private nextSession = 1;
  private isRunning = false;

  constructor(overlay: SimOverlay, plan: ChurnPlan, newcomers = new Newcomers(overlay)) {
    this.overlay = overlay;
    this.plan = plan;
    this.newcomers = newcomers;
    this.random = overlay.world.stream('churn');
    this.lengths = lengthsOf(plan);
    if (plan.model === 'trace') this.trace = new ChurnTrace(overlay, plan.trace, newcomers);
    overlay.world.observers.push(this);
  }

  /** Those who are up now have been for a while; those who start later begin a session. */
  start(): void {
    this.isRunning = true;
    this.trace?.start();
    const { lengths } = this;
    if (lengths === undefined) return;
    const present = this.overlay.world.nodes.filter((node) => node.isUp && this.takesPart(node));
    for (const node of present) this.begin(node, lengths.residualMs(this.random));
    if (this.plan.model !== 'poisson') return;
    for (const role of ['peer', 'client'] as const) {
      const count = present.filter((node) => node.role === role).length;
      this.arrive(role, (count * Math.LN2) / this.plan.medianSessionMinutes);
    }
  }

  /** Nobody goes or comes any more. */
  stop(): void {
    this.isRunning = false;
    this.trace?.stop();
    for (const process of this.processes) process.stop();
  }

  started(node: SimNode): void {
    if (!this.isRunning || this.lengths === undefined) return;
    if (this.sessions.has(node) || !this.takesPart(node)) return;
    this.begin(node, this.lengths.sessionMs(this.random));
  }

  private takesPart(node: SimNode): boolean {
    return node.behavior === undefined && !this.overlay.bootstrapNodes.includes(node);
  }

  private begin(node: SimNode, lengthMs: number): void {
    const session = this.nextSession++;
    this.sessions.set(node, session);
    this.overlay.world.schedule(lengthMs, () => {
      if (!this.isRunning || this.sessions.get(node) !== session) return;
      this.sessions.delete(node);
      // Something else ended it before, or made it an attacker.
      if (node.isUp && this.takesPart(node)) this.end(node);
    });
  }

  private end(node: SimNode): void {
    const isKept = this.random.chance(this.plan.restartWithStateShare);
    const how = endOfSession(this.plan, this.random);
    if (how === 'leave') this.counters.leaves++;
    else if (how === 'process') this.counters.processCrashes++;
    else this.counters.hostCrashes++;
    this.overlay.stop(node, how, !isKept);
    if (this.plan.model === 'poisson') {
      if (isKept) this.absent.push(node);
      return;
    }
    const absenceMs = this.absenceMs();
    if (isKept) {
      const leastMs = how === 'host' ? HOST_RESTART_MS : RESTART_MS;
      this.later(Math.max(absenceMs, leastMs), () => this.restart(node));
    } else {
      this.later(absenceMs, () => this.replace(node.role));
    }
  }

  private absenceMs(): number {
    const medianMs = this.plan.medianAbsenceMinutes * 60_000;
    return medianMs === 0 ? 0 : exponentialSessions(medianMs).sessionMs(this.random);
  }

  private arrive(role: 'peer' | 'client', perMinute: number): void {
    const { world } = this.overlay;
    const random = world.stream(`churn/arrivals/${role}`);
    const process = new PoissonProcess(world, random, perMinute, () => {
      const place = this.random.chance(this.plan.restartWithStateShare)
        ? this.absent.findIndex((node) => node.role === role && !node.isUp)
        : -1;
      const [back] = place < 0 ? [] : this.absent.splice(place, 1);
      if (back === undefined) this.replace(role);
      else this.restart(back);
    });
    process.start();
    this.processes.push(process);
  }

  private replace(role: 'peer' | 'client'): void {
    this.counters.newcomers++;
    this.newcomers.start(role);
  }

  private restart(node: SimNode): void {
    // It may still be saying good-bye.
    if (node.isUp) return this.later(RESTART_MS, () => this.restart(node));
    this.counters.restarts++;
    this.overlay.start(node);
  }

  private later(delayMs: number, run: () => void): void {
    this.overlay.world.schedule(delayMs, () => {
      if (this.isRunning) run();
    });
  }
}

/** How a session ends. */
function endOfSession(plan: ChurnPlan, random: SimRandom): StopManner {
  if (random.chance(plan.gracefulShare)) return 'leave';
  return random.chance(plan.processCrashShare) ? 'process' : 'host';
}

function lengthsOf(plan: ChurnPlan): SessionLengths | undefined {
  const medianMs = plan.medianSessionMinutes * 60_000;
  switch (plan.model) {
    case 'poisson':
    case 'exponential':
      return exponentialSessions(medianMs);
    case 'weibull':
      return weibullSessions(medianMs, plan.shape);
    case 'pareto':
      return paretoSessions(medianMs, plan.shape);
    case 'none':
    case 'trace':
      return undefined;
  }
}

/** A process is not back sooner, and a host not before it has booted. */
const RESTART_MS = 1_000;
const HOST_RESTART_MS = 30_000;
