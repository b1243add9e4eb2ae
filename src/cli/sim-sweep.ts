import { InvalidArgumentError } from 'commander';
import { commitName } from '../../sim/run/repository.ts';
import { runAll } from '../../sim/run/run-all.ts';
import type { RunRequest, RunResult } from '../../sim/run/run-request.ts';
import { exitStatusOf, summaryOf, worstOutcome } from '../../sim/run/run-summary.ts';
import { SweepFile, SweepFileUnusable } from '../../sim/run/sweep-file.ts';
import type { SweepLine } from '../../sim/run/sweep-line.ts';
import {
  itemsOf,
  planSweep,
  type Shard,
  type SweepItem,
  type SweepPlan,
} from '../../sim/run/sweep-plan.ts';
import { RunFailed } from '../../sim/run/worker-run.ts';
import { variationOf } from '../../sim/scenario/scenario-change.ts';
import { ScenarioFault } from '../../sim/scenario/scenario-fault.ts';
import type { Variation } from '../../sim/scenario/study.ts';
import { usageError } from './operator-error.ts';
import {
  chosenScenario,
  commandOf,
  resourcesFor,
  type SimScenarioOptions,
  signaturesOf,
} from './sim-options.ts';
import { StopSignal } from './stop-signal.ts';
import { Progress, printJson, printLine } from './terminal-output.ts';

export interface SimSweepOptions extends SimScenarioOptions {
  readonly seeds: readonly number[];
  readonly vary: readonly Variation[];
  readonly out: string;
  readonly shard: Shard;
  readonly workers: number;
  readonly json?: boolean;
}

/** `xor sim sweep`: many runs into one file, of which those that it has are not made again. */
export async function sweepSim(options: SimSweepOptions): Promise<void> {
  const plan = planOf(options);
  const mine = itemsOf(plan, options.shard);
  const file = openFile(options.out, plan);
  const stop = new StopSignal();
  const progress = new Progress(true);
  try {
    if (file.wasTorn) process.stderr.write(`xor: ${options.out}: a torn last line is run again\n`);
    const done = new Set(file.before.map(({ item }) => item));
    const left = mine.filter(({ item }) => !done.has(item));
    const lines = [...file.before];
    const onLine = (line: SweepLine) => {
      file.append(line);
      lines.push(line);
      progress.show(`${lines.length - file.before.length} of ${left.length} runs`);
    };
    if (left.length > 0) await runItems(plan, left, options, { stop, progress, onLine });
    progress.done();
    const made = new Set(lines.map(({ item }) => item));
    const missing = mine.filter(({ item }) => !made.has(item)).length;
    conclude(plan, missing, lines, options);
    if (stop.signal.aborted && missing > 0) {
      process.stderr.write('xor: stopped; the same command goes on from there\n');
      process.exitCode = INTERRUPTED;
    }
  } finally {
    progress.done();
    stop.release();
    file.close();
  }
}

/** `path=a,b,c`, repeatable. */
export function collectVariation(text: string, before: readonly Variation[]): Variation[] {
  const variation = variationOf(text);
  if (variation === undefined) {
    throw new InvalidArgumentError('expected path=value,value…, such as peers=100,300,1000');
  }
  return [...before, variation];
}

/** `i/n`, i from 0: the part of the work that this process does. */
export function readShard(text: string): Shard {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index === undefined || count === undefined || shard.index >= shard.count) {
    throw new InvalidArgumentError('expected i/n with i from 0 to n - 1, such as 0/8');
  }
  return shard;
}

interface SweepHooks {
  readonly stop: StopSignal;
  readonly progress: Progress;
  readonly onLine: (line: SweepLine) => void;
}

async function runItems(
  plan: SweepPlan,
  items: readonly SweepItem[],
  options: SimSweepOptions,
  { stop, progress, onLine }: SweepHooks,
): Promise<void> {
  const commit = commitName();
  const scenarios = items.map(({ scenario }) => scenario);
  const requests = items.map(({ scenario, seed, changes }): RunRequest => {
    const signatures = signaturesOf(scenario, options.signatures);
    const command = commandOf(options, { seed, signatures, changes });
    return { scenario, seed, signatures, commit, command };
  });
  await runAll(requests, {
    resources: resourcesFor(scenarios, options.latencyMatrix, progress),
    workers: options.workers,
    signal: stop.signal,
    onResult: (index, result) => {
      const line = lineOf(plan, items[index] as SweepItem, result);
      if (line !== undefined) onLine(line);
    },
  });
}

/** Undefined: the run was stopped and is made another time. */
function lineOf(
  plan: SweepPlan,
  { item, seed, changes }: SweepItem,
  result: RunResult | Error,
): SweepLine | undefined {
  const place = {
    sweep: plan.id,
    item,
    items: plan.items.length,
    seed,
    changes: Object.fromEntries(changes.map(({ path, value }) => [path, value])),
  };
  if (result instanceof RunFailed) {
    return { ...place, outcome: 'assertion', error: result.message };
  }
  if (result instanceof Error) throw result;
  return result.type === 'record' ? { ...place, ...summaryOf(result.record) } : undefined;
}

function conclude(
  plan: SweepPlan,
  left: number,
  lines: readonly SweepLine[],
  options: SimSweepOptions,
): void {
  const outcome = worstOutcome(lines.map((line) => line.outcome));
  const failed = lines.filter((line) => line.outcome !== 'clean');
  for (const { seed, outcome: bad, command } of failed.slice(0, FAILED_SHOWN_MAX)) {
    process.stderr.write(`xor: seed ${seed}: ${bad}; again: ${command ?? 'see its line'}\n`);
  }
  const result = {
    sweep: plan.id,
    shard: `${options.shard.index}/${options.shard.count}`,
    runs: lines.length,
    left,
    failed: failed.length,
    outcome,
    out: options.out,
  };
  if (options.json === true) printJson(result);
  else
    printLine(
      `${result.runs} runs in ${result.out}, ${result.failed} not clean, ${result.left} left`,
    );
  process.exitCode = exitStatusOf(outcome);
}

function planOf(options: SimSweepOptions): SweepPlan {
  const { seeds, vary, signatures = 'auto' } = options;
  const { scenario } = chosenScenario(options);
  const plan = planSweep({ scenario, seeds, vary, signatures });
  if (plan instanceof ScenarioFault) throw usageError(plan.describe());
  return plan;
}

function openFile(path: string, plan: SweepPlan): SweepFile {
  try {
    return new SweepFile(path, plan);
  } catch (error) {
    if (error instanceof SweepFileUnusable) throw usageError(error.message);
    throw error;
  }
}

const FAILED_SHOWN_MAX = 20;
/** As a shell counts Ctrl-C. */
const INTERRUPTED = 130;
