import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../scenario/scenario.ts';
import { shrinking } from '../scenario/shrink.ts';
import type { RunOutcome, RunRecord, ViolationRecord } from '../simulation/run-record.ts';
import { runOne } from './run-all.ts';
import type { RunRequest, RunResources } from './run-request.ts';

/** What a failing run leaves behind: `xor-sim-failure-SEED.json`. */
export interface FailureFile {
  readonly seed: number;
  readonly signatures: 'real' | 'cheap';
  readonly commit: string;
  readonly outcome: RunOutcome;
  /** The first; none where the ring only was not whole. */
  readonly violation: ViolationRecord | undefined;
  /** What gives the failure again. */
  readonly command: string;
  readonly scenario: Scenario;
  readonly shrunk: ShrunkFailure;
}

/** The least that still fails in the same way. */
export interface ShrunkFailure {
  readonly scenario: Scenario;
  readonly violation: ViolationRecord | undefined;
  /** Runs that were made to find it. */
  readonly runs: number;
  /** Nothing more can be left out; else the time was up. */
  readonly complete: boolean;
}

export interface ShrinkOptions {
  readonly resources: RunResources;
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (sentence: string) => void;
}

/** Runs smaller and smaller scenarios with the seed of a failing run until the time is up. */
export async function shrinkFailure(
  record: RunRecord,
  options: ShrinkOptions,
): Promise<ShrunkFailure> {
  const { seed, signatures, commit, command } = record;
  const endMs = performance.now() + options.seconds * 1000;
  const timeUp = AbortSignal.timeout(Math.max(1, options.seconds * 1000));
  const signal = AbortSignal.any([timeUp, ...(options.signal ? [options.signal] : [])]);
  const search = shrinking(record.scenario);
  let best: RunRecord = record;
  let runs = 0;
  let step = search.next(false);
  while (step.done !== true && performance.now() < endMs && !signal.aborted) {
    const scenario = step.value;
    options.onProgress?.(`shrinking: run ${runs + 1}, ${sizeOf(best.scenario)}`);
    const request: RunRequest = { scenario, seed, signatures, commit, command };
    const tried = await recordOf(request, options.resources, signal);
    runs++;
    const isSame = tried !== undefined && failsAlike(tried, record);
    if (isSame) best = tried;
    step = search.next(isSame);
  }
  const violation = violationLike(best, record);
  return { scenario: best.scenario, violation, runs, complete: step.done === true };
}

/** Writes the file whole or not at all; returns its path. */
export function writeFailureFile(folder: string, failure: FailureFile): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `xor-sim-failure-${failure.seed}.json`);
  writeFileSync(`${path}.new`, `${JSON.stringify(failure, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
  return path;
}

export function failureOf(record: RunRecord, shrunk: ShrunkFailure): FailureFile {
  const { seed, signatures, commit, outcome, command, scenario } = record;
  const violation = record.violations[0];
  return { seed, signatures, commit, outcome, violation, command, scenario, shrunk };
}

/** The same checker complains; where none does, the same outcome. */
export function failsAlike(one: RunRecord, other: RunRecord): boolean {
  return other.violations[0] === undefined
    ? one.outcome === other.outcome && one.violations.length === 0
    : violationLike(one, other) !== undefined;
}

function violationLike(one: RunRecord, other: RunRecord): ViolationRecord | undefined {
  const { checker, kind } = other.violations[0] ?? {};
  return one.violations.find((found) => found.checker === checker && found.kind === kind);
}

async function recordOf(
  request: RunRequest,
  resources: RunResources,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  try {
    const result = await runOne(request, { resources, signal });
    return result.type === 'record' ? result.record : undefined;
  } catch {
    // A candidate that cannot be run is none.
    return undefined;
  }
}

function sizeOf({ peers, hours, faults }: Scenario): string {
  return `${peers} peers, ${hours} hours, ${faults.length} faults still fail`;
}
