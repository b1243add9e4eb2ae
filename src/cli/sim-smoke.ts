import { failureOf, shrinkFailure, writeFailureFile } from '../../sim/run/failure-file.ts';
import { commitName } from '../../sim/run/repository.ts';
import { runAll } from '../../sim/run/run-all.ts';
import type { RunRequest, RunResources, RunResult } from '../../sim/run/run-request.ts';
import { exitStatusOf, summaryOf, worstOutcome } from '../../sim/run/run-summary.ts';
import { failedSeeds, loadScenario } from '../../sim/run/scenario-files.ts';
import { RunFailed } from '../../sim/run/worker-run.ts';
import type { RunOutcome, RunRecord } from '../../sim/simulation/run-record.ts';
import { commandOf, randomSeed, resourcesFor, type Signatures } from './sim-options.ts';
import { percent } from './sim-output.ts';
import { StopSignal } from './stop-signal.ts';
import { Progress, printJson, printLine } from './terminal-output.ts';

export interface SimSmokeOptions {
  readonly seeds: number;
  readonly scenario: string;
  readonly signatures: Signatures;
  readonly workers: number;
  readonly json?: boolean;
  readonly shrinkSeconds: number;
  readonly failureDir: string;
}

/** `xor sim smoke`: fresh seeds and those that failed once; ends as the worst of them. */
export async function smokeSim(options: SimSmokeOptions): Promise<void> {
  const stop = new StopSignal();
  const progress = new Progress(true);
  const requests = requestsOf(options);
  const resources = resourcesFor(
    requests.map(({ scenario }) => scenario),
    undefined,
    progress,
  );
  const outcomes: RunOutcome[] = [];
  const failed: RunRecord[] = [];
  try {
    await runAll(requests, {
      resources,
      workers: options.workers,
      signal: stop.signal,
      onResult: (index, result) => {
        const outcome = said(requests[index] as RunRequest, result, options);
        if (outcome !== undefined) outcomes.push(outcome);
        if (!(result instanceof Error) && result.type === 'record' && outcome !== 'clean') {
          failed.push(result.record);
        }
      },
    });
    for (const record of failed) await keep(record, resources, options, { stop, progress });
  } finally {
    progress.done();
    stop.release();
  }
  const worst = worstOutcome(outcomes);
  const bad = outcomes.filter((outcome) => outcome !== 'clean').length;
  if (options.json === true) printJson({ runs: outcomes.length, failed: bad, outcome: worst });
  else printLine(`${outcomes.length} runs, ${bad} failed`);
  process.exitCode = stop.signal.aborted ? INTERRUPTED : exitStatusOf(worst);
}

function requestsOf(options: SimSmokeOptions): RunRequest[] {
  const commit = commitName();
  const fresh = Array.from({ length: options.seeds }, () => ({
    scenario: options.scenario,
    seed: randomSeed(),
    signatures: options.signatures,
  }));
  return [...failedSeeds(), ...fresh].map(({ scenario: name, seed, signatures }) => {
    const { scenario } = loadScenario(name);
    const command = commandOf({ scenario: name, set: [], converge: true }, { seed, signatures });
    return { scenario, seed, signatures, commit, command };
  });
}

/** One line; undefined where the run was stopped. */
function said(
  { seed, scenario, command }: RunRequest,
  result: RunResult | Error,
  { json }: SimSmokeOptions,
): RunOutcome | undefined {
  const name = `${scenario.name}, seed ${seed}`;
  if (result instanceof Error) {
    if (!(result instanceof RunFailed)) throw result;
    process.stderr.write(`xor: ${name}: ${result.message}; again: ${command}\n`);
    if (json !== true) printLine(`FAILED  ${name}: assertion`);
    return 'assertion';
  }
  if (result.type !== 'record') return undefined;
  const summary = summaryOf(result.record);
  const { outcome, traceHash, wallSeconds, lookups, lookupSuccess } = summary;
  if (json === true) printJson(summary);
  else {
    const state = outcome === 'clean' ? 'ok    ' : 'FAILED';
    const success = `${percent(lookupSuccess)} of ${lookups} lookups`;
    printLine(`${state}  ${name}: ${outcome}, ${success}, trace ${traceHash}, ${wallSeconds} s`);
  }
  return outcome;
}

async function keep(
  record: RunRecord,
  resources: RunResources,
  options: SimSmokeOptions,
  { stop, progress }: { readonly stop: StopSignal; readonly progress: Progress },
): Promise<void> {
  const shrunk = await shrinkFailure(record, {
    resources,
    seconds: options.shrinkSeconds,
    signal: stop.signal,
    onProgress: (sentence) => progress.show(sentence),
  });
  progress.done();
  const path = writeFailureFile(options.failureDir, failureOf(record, shrunk));
  const what = record.violations[0]?.detail.split('\n')[0] ?? 'the ring was not whole';
  process.stderr.write(`xor: ${what}; again: ${record.command}; the least that fails: ${path}\n`);
}

/** As a shell counts Ctrl-C. */
const INTERRUPTED = 130;
