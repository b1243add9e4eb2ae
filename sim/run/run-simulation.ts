import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { cheapSignatures, realSignatures } from '../identity/signature-scheme.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import { type Phase, Simulation } from '../simulation/simulation.ts';
import type { SimNode } from '../world/sim-node.ts';
import { unpackKeys } from './key-pool.ts';
import { latencyDescription, latencyModelOf } from './latency-source.ts';
import { nodesAtOnce } from './memory-forecast.ts';
import { eventState, nodeState } from './node-state.ts';
import type {
  ReplayedState,
  ReplayRequest,
  RunProgress,
  RunRequest,
  RunResources,
  RunResult,
} from './run-request.ts';
import { threadCpuSeconds } from './thread-time.ts';

/** Whoever started a run. */
export interface RunHooks {
  /** Called about five times a second. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Asked every virtual second; the run stops where it returns true. */
  readonly shouldStop?: () => boolean;
  /** No other run takes memory of this process meanwhile. */
  readonly isAlone?: boolean;
}

/** Key pairs that a run of this scenario takes; more nodes than that share them. */
export function keysNeeded(scenario: RunRequest['scenario']): number {
  return Math.min(KEYS_MAX, nodesAtOnce(scenario) + KEYS_OF_AUTHORITY);
}

/** Makes one run in this thread. */
export function runSimulation(
  request: RunRequest,
  resources: RunResources,
  hooks: RunHooks = {},
): RunResult {
  const { scenario, seed, signatures, replay } = request;
  const startedMs = performance.now();
  let lookedAtMs = startedMs;
  const observed = new ObservedTime();
  const simulation = new Simulation({
    scenario,
    seed,
    scheme: signatures === 'real' ? realSignatures : cheapSignatures,
    keys: unpackKeys(resources.keys, keysNeeded(scenario)),
    latency: latencyModelOf(scenario.network.latency, seed, resources.matrix),
  });
  const memory = new PeakMemory(hooks.isAlone ?? true);
  const stop = replay === undefined ? undefined : stopAt(simulation, replay);
  while (simulation.advance(SLICE_MS)) {
    observed.look(simulation.phase);
    if (performance.now() >= lookedAtMs + LOOK_EVERY_MS) {
      lookedAtMs = performance.now();
      memory.sample();
      hooks.onProgress?.(progressOf(simulation, scenario));
    }
    if (hooks.shouldStop?.() === true) {
      return { type: 'stopped', progress: progressOf(simulation, scenario) };
    }
  }
  if (replay !== undefined) {
    return { type: 'replayed', state: replayedState(simulation, replay, stop?.()) };
  }
  memory.sample();
  const record = simulation.record({
    signatures,
    command: request.command,
    commit: request.commit,
    nodeVersion: process.versions.node,
    wallSeconds: (performance.now() - startedMs) / 1000,
    observedWallSeconds: observed.wallSeconds,
    observedCpuSeconds: observed.cpuSeconds,
    peakMemoryBytes: memory.peakBytes,
    latencySource: latencyDescription(scenario.network.latency, {
      matrix: resources.matrix,
      description: resources.matrixDescription,
    }),
  });
  return { type: 'record', record: asAsked(record) };
}

/** Where no time is given to become whole, nobody asks whether the ring is. */
function asAsked(record: RunRecord): RunRecord {
  if (record.scenario.convergeMinutes > 0) return record;
  const outcome = record.outcome === 'not-converged' ? 'clean' : record.outcome;
  return { ...record, converged: undefined, outcome };
}

/** Halts the World at an event; the returned function gives what happened there. */
function stopAt(simulation: Simulation, replay: ReplayRequest): () => StoppedEvent | undefined {
  const { world } = simulation.overlay;
  let seen: StoppedEvent | undefined;
  world.observers.push({
    handled: (node, input, outputs) => {
      if (world.eventCount < replay.event || seen !== undefined) return;
      seen = { node, input, outputs: [...outputs], phase: simulation.phase };
      world.halt(`replayed up to event ${replay.event}`);
    },
  });
  return () => seen;
}

interface StoppedEvent {
  readonly node: SimNode;
  readonly input: Input;
  readonly outputs: readonly Output[];
  readonly phase: Phase;
}

function replayedState(
  simulation: Simulation,
  replay: ReplayRequest,
  stopped: StoppedEvent | undefined,
): ReplayedState {
  const { world } = simulation.overlay;
  const wanted = replay.nodes.length > 0 ? replay.nodes : [stopped?.node.name];
  return {
    event: world.eventCount,
    virtualMs: world.nowMs,
    phase: stopped?.phase ?? simulation.phase,
    input:
      stopped === undefined ? undefined : eventState(stopped.node, stopped.input, stopped.outputs),
    nodes: world.nodes.filter(({ name }) => wanted.includes(name)).map((node) => nodeState(node)),
  };
}

function progressOf(simulation: Simulation, scenario: RunRequest['scenario']): RunProgress {
  const { world } = simulation.overlay;
  const observedMs = scenario.hours * 3_600_000;
  const passedMs = simulation.phase === 'observing' ? world.nowMs - simulation.observedFromMs : 0;
  const isAfter = simulation.phase === 'converging' || simulation.phase === 'over';
  return {
    phase: simulation.phase,
    virtualMs: world.nowMs,
    observedShare: isAfter ? 1 : passedMs / observedMs,
    peersJoined: world.nodes.filter((node) => node.isJoined).length,
    events: world.eventCount,
  };
}

/** What observing the overlay took: building it is no part of it. */
class ObservedTime {
  private from: TimeTaken | undefined;
  private until: TimeTaken | undefined;

  look(phase: Phase): void {
    if (phase !== 'observing') return;
    this.until = { wallSeconds: performance.now() / 1000, cpuSeconds: threadCpuSeconds() };
    this.from ??= this.until;
  }

  get wallSeconds(): number {
    return (this.until?.wallSeconds ?? 0) - (this.from?.wallSeconds ?? 0);
  }

  get cpuSeconds(): number | undefined {
    const [from, until] = [this.from?.cpuSeconds, this.until?.cpuSeconds];
    return from === undefined || until === undefined ? undefined : until - from;
  }
}

interface TimeTaken {
  readonly wallSeconds: number;
  readonly cpuSeconds: number | undefined;
}

/** The most memory that was in use at the moments looked at. */
class PeakMemory {
  peakBytes = 0;
  private readonly isAlone: boolean;

  constructor(isAlone: boolean) {
    this.isAlone = isAlone;
  }

  sample(): void {
    const { rss, heapTotal, external } = process.memoryUsage();
    // Resident memory is that of all threads together.
    this.peakBytes = Math.max(this.peakBytes, this.isAlone ? rss : heapTotal + external);
  }
}

/** Virtual time between two looks at the clock on the wall. */
const SLICE_MS = 1_000;
/** On the wall, between two looks at memory and progress. */
const LOOK_EVERY_MS = 200;
const KEYS_OF_AUTHORITY = 2;
const KEYS_MAX = 20_002;
