import type { Scenario } from '../scenario/scenario.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import type { Phase } from '../simulation/simulation.ts';
import type { RoundTripMatrix } from '../world/latency-model.ts';
import type { PackedKeys } from './key-pool.ts';

/** One run to make. Plain data: it goes to another thread. */
export interface RunRequest {
  readonly scenario: Scenario;
  /** A whole number in [0, 2^53). */
  readonly seed: number;
  readonly signatures: 'real' | 'cheap';
  /** The command that gives this run again. */
  readonly command: string;
  readonly commit: string;
  /** Stop at an event instead, and look at nodes. */
  readonly replay?: ReplayRequest;
}

export interface ReplayRequest {
  /** As `ViolationRecord.event` counts. */
  readonly event: number;
  /** `n12`; empty: the node that the event happened to. */
  readonly nodes: readonly string[];
}

/** What all runs of a process share; in memory that threads share. */
export interface RunResources {
  readonly keys: PackedKeys;
  readonly matrix: RoundTripMatrix;
  /** Where the matrix is from. */
  readonly matrixDescription: string;
}

/** Where a run is. */
export interface RunProgress {
  readonly phase: Phase;
  /** Of the World, since it began. */
  readonly virtualMs: number;
  /** Of the observation that the scenario asks for: in [0, 1]. */
  readonly observedShare: number;
  readonly peersJoined: number;
  readonly events: number;
}

/** How a run ended. */
export type RunResult =
  | { readonly type: 'record'; readonly record: RunRecord }
  /** Somebody asked it to stop. */
  | { readonly type: 'stopped'; readonly progress: RunProgress }
  | { readonly type: 'replayed'; readonly state: ReplayedState };

/** What `--replay` shows. Plain JSON. */
export interface ReplayedState {
  readonly event: number;
  readonly virtualMs: number;
  readonly phase: Phase;
  /** What the event was: node, input, outputs. */
  readonly input: Readonly<Record<string, unknown>> | undefined;
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
}
