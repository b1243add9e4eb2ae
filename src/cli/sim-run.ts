import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { failureOf, shrinkFailure, writeFailureFile } from '../../sim/run/failure-file.ts';
import { commitName } from '../../sim/run/repository.ts';
import { runOne } from '../../sim/run/run-all.ts';
import type {
  ReplayedState,
  RunRequest,
  RunResources,
  RunResult,
} from '../../sim/run/run-request.ts';
import { exitStatusOf, summaryOf } from '../../sim/run/run-summary.ts';
import { attackPoints, type DoneStudy, studyRecord } from '../../sim/run/study-record.ts';
import { RunFailed } from '../../sim/run/worker-run.ts';
import { ScenarioFault } from '../../sim/scenario/scenario-fault.ts';
import { runsOf, type Study, type StudyRun } from '../../sim/scenario/study.ts';
import type { RunRecord } from '../../sim/simulation/run-record.ts';
import { OperatorError, usageError } from './operator-error.ts';
import {
  chosenScenario,
  commandOf,
  randomSeed,
  resourcesFor,
  type SimScenarioOptions,
  signaturesOf,
} from './sim-options.ts';
import { printRun, printSeries, progressText, stoppedText } from './sim-output.ts';
import { StopSignal } from './stop-signal.ts';
import { Progress, printJson, printLine } from './terminal-output.ts';

export interface SimRunOptions extends SimScenarioOptions {
  readonly seed?: number;
  readonly json?: boolean;
  readonly report?: string;
  readonly replay?: number;
  readonly node?: readonly string[];
  readonly studies: boolean;
  readonly shrinkSeconds: number;
  readonly failureDir: string;
}

/** `xor sim run`: one run, or those of the scenario's studies, and what they show. */
export async function runSim(options: SimRunOptions): Promise<void> {
  if (options.node !== undefined && options.replay === undefined) {
    throw usageError('--node says what --replay shows; give --replay EVENT as well');
  }
  if (options.report !== undefined) requireWritable(options.report);
  const stop = new StopSignal();
  const progress = new Progress(true);
  const run = new SimRun(options, stop, progress);
  try {
    await run.make();
  } catch (error) {
    progress.done();
    if (!(error instanceof RunFailed)) throw error;
    process.stderr.write(`xor: an assertion of the simulator failed: ${error.message}\n`);
    process.stderr.write(`xor: again: ${run.command}\n`);
    process.exitCode = exitStatusOf('assertion');
  } finally {
    progress.done();
    stop.release();
  }
}

function showReplayed(state: ReplayedState, wanted: readonly string[]): void {
  if (state.input === undefined) {
    throw new OperatorError(`the run was over before that, at event ${state.event}`);
  }
  printJson(state);
  const absent = wanted.filter((name) => !state.nodes.some((node) => node.name === name));
  if (absent.length > 0) {
    throw new OperatorError(`there is no ${absent.join(', ')} at that event; nodes are n0, n1, …`);
  }
}

/** A report that cannot be written is better known before a run of an hour than after it. */
function requireWritable(path: string): void {
  try {
    accessSync(dirname(resolve(path)), constants.W_OK);
  } catch {
    throw usageError(`--report ${path}: there is no such folder, or no permission to write in it`);
  }
}

/** One use of the command. */
class SimRun {
  readonly command: string;
  private readonly options: SimRunOptions;
  private readonly stop: StopSignal;
  private readonly progress: Progress;
  private readonly seed: number;
  private readonly commit = commitName();
  private readonly file;
  private resources: RunResources | undefined;

  constructor(options: SimRunOptions, stop: StopSignal, progress: Progress) {
    this.options = options;
    this.stop = stop;
    this.progress = progress;
    this.file = chosenScenario(options);
    this.seed = options.seed ?? randomSeed();
    this.command = this.requestOf({ scenario: this.file.scenario, changes: [] }).command;
  }

  async make(): Promise<void> {
    const { options, file } = this;
    process.stderr.write(`seed ${this.seed}\n`);
    const isAlone = !options.studies || options.replay !== undefined || file.studies.length === 0;
    const studies = isAlone ? [] : file.studies.map((study) => ({ study, runs: this.runs(study) }));
    const all = studies.flatMap(({ runs }) => runs);
    const scenarios = [file.scenario, ...all.map(({ scenario }) => scenario)];
    this.resources = resourcesFor(scenarios, options.latencyMatrix, this.progress);
    if (isAlone) await this.makeAlone();
    else await this.makeStudies(studies);
  }

  private async makeAlone(): Promise<void> {
    const run = { scenario: this.file.scenario, changes: [] };
    const result = await this.result(this.requestOf(run), '');
    if (result.type === 'replayed') return showReplayed(result.state, this.options.node ?? []);
    if (result.type === 'stopped') return this.sayStopped(result);
    const { record } = result;
    await this.present({ ...record, attackCurve: attackPoints({ run, record }) }, [record]);
  }

  private async makeStudies(
    studies: readonly { readonly study: Study; readonly runs: readonly StudyRun[] }[],
  ): Promise<void> {
    const done: DoneStudy[] = [];
    const total = studies.reduce((sum, { runs }) => sum + runs.length, 0);
    const records: RunRecord[] = [];
    for (const { study, runs } of studies) {
      const finished = [];
      for (const run of runs) {
        const place = `run ${records.length + 1} of ${total}, `;
        const result = await this.result(this.requestOf(run, run.changes), place);
        if (result.type !== 'record') return this.sayStopped(result);
        finished.push({ run, record: result.record });
        records.push(result.record);
      }
      done.push({ study, runs: finished });
    }
    await this.present(studyRecord(done, this.command), records);
  }

  private async result(request: RunRequest, place: string): Promise<RunResult> {
    const startedMs = performance.now();
    const result = await runOne(request, {
      resources: this.resources as RunResources,
      signal: this.stop.signal,
      onProgress: (progress) => {
        const wallSeconds = (performance.now() - startedMs) / 1000;
        this.progress.show(place + progressText(progress, wallSeconds));
      },
    });
    this.progress.done();
    return result;
  }

  /** `record`: what is shown; `records`: of each run. */
  private async present(record: RunRecord, records: readonly RunRecord[]): Promise<void> {
    const { json, report } = this.options;
    if (report !== undefined) {
      this.progress.show(`writing ${report}`);
      // Only reports need the libraries that draw.
      const { writeReport } = await import('../../sim/run/render-plots.ts');
      await writeReport(record, report);
      this.progress.done();
    }
    const bad = records.find(({ outcome }) => outcome === record.outcome && outcome !== 'clean');
    if (bad !== undefined) await this.explain(bad);
    const summary = summaryOf(record);
    if (json === true) {
      const runs = records.map((one) => summaryOf(one));
      printJson(record.series.length > 0 ? { ...summary, series: record.series, runs } : summary);
    } else {
      printRun(summary, record.scenario.description);
      printSeries(record);
      if (report !== undefined) printLine(`report: ${report}`);
    }
    process.exitCode = exitStatusOf(record.outcome);
  }

  /** Says what failed and how to see it again, and keeps the least that still fails. */
  private async explain(record: RunRecord): Promise<void> {
    const { shrinkSeconds, failureDir } = this.options;
    const [violation] = record.violations;
    const what =
      violation === undefined
        ? `the ring was not whole ${record.scenario.convergeMinutes} minutes after the faults ended`
        : `${violation.checker} at event ${violation.event}: ${violation.detail.split('\n')[0]}`;
    process.stderr.write(`xor: ${record.outcome}: ${what}\nxor: again: ${record.command}\n`);
    if (violation !== undefined) {
      const nodes = violation.nodes.length > 0 ? ` --node ${violation.nodes.join(' ')}` : '';
      const replay = `--replay ${Math.max(1, violation.event)}${nodes}`;
      process.stderr.write(`xor: the peers at that moment: ${record.command} ${replay}\n`);
    }
    const shrunk = await shrinkFailure(record, {
      resources: this.resources as RunResources,
      seconds: shrinkSeconds,
      signal: this.stop.signal,
      onProgress: (sentence) => this.progress.show(sentence),
    });
    this.progress.done();
    const path = writeFailureFile(failureDir, failureOf(record, shrunk));
    const { peers, hours, faults } = shrunk.scenario;
    process.stderr.write(
      `xor: ${path} has the least that still fails: ${peers} peers, ${hours} hours, ` +
        `${faults.length} faults (after ${shrunk.runs} runs); run it with --scenario ${path}\n`,
    );
  }

  private sayStopped(result: RunResult): void {
    const text = result.type === 'stopped' ? stoppedText(result.progress) : 'stopped';
    process.stderr.write(`xor: ${text}; again: ${this.command}\n`);
    process.exitCode = INTERRUPTED;
  }

  private runs(study: Study): readonly StudyRun[] {
    const runs = runsOf(this.file.scenario, study);
    if (runs instanceof ScenarioFault) throw usageError(runs.describe());
    return runs.map((run) => ({ ...run, changes: [...run.changes] }));
  }

  /** `changes`: of a run of a study. */
  private requestOf(run: StudyRun, changes?: StudyRun['changes']): RunRequest {
    const { options, seed } = this;
    const { scenario } = run;
    const signatures = signaturesOf(scenario, options.signatures);
    const shown = changes ?? (options.studies ? undefined : []);
    const reproduction = { seed, signatures, ...(shown === undefined ? {} : { changes: shown }) };
    const request = {
      scenario,
      seed,
      signatures,
      commit: this.commit,
      command: commandOf(options, reproduction),
    };
    const { replay, node = [] } = options;
    return replay === undefined ? request : { ...request, replay: { event: replay, nodes: node } };
  }
}

/** As a shell counts Ctrl-C. */
const INTERRUPTED = 130;
