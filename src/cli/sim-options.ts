import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LatencyMatrixUnusable } from '../../sim/run/latency-source.ts';
import { prepareResources } from '../../sim/run/run-all.ts';
import type { RunResources } from '../../sim/run/run-request.ts';
import { loadScenario, ScenarioUnusable } from '../../sim/run/scenario-files.ts';
import type { Scenario } from '../../sim/scenario/scenario.ts';
import { changeOf, type ScenarioChange, withChanges } from '../../sim/scenario/scenario-change.ts';
import { ScenarioFault } from '../../sim/scenario/scenario-fault.ts';
import type { ScenarioFile } from '../../sim/scenario/study.ts';
import { usageError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';
import type { Progress } from './terminal-output.ts';

/** What the commands of the simulator have in common: which scenario, and how it is run. */
export interface SimScenarioOptions {
  readonly scenario: string;
  readonly peers?: string;
  readonly hours?: string;
  readonly set: readonly ScenarioChange[];
  /** False with `--no-converge`. */
  readonly converge: boolean;
  readonly signatures?: Signatures;
  readonly latencyMatrix?: string;
}

export type Signatures = 'real' | 'cheap';

export function withScenarioOptions(command: Command): Command {
  return command
    .option('--scenario <name|file>', 'a name of `xor sim list`, or a file', 'steady')
    .option('--peers <number>', 'how many peers')
    .option('--hours <number>', 'virtual time under observation')
    .option('--set <path=value>', 'any other field of the scenario; repeatable', collectChange, [])
    .option('--no-converge', 'do not ask whether the ring is whole at the end')
    .addOption(
      new Option(
        '--signatures <kind>',
        `default: real up to ${REAL_PEERS_MAX} peers, cheap beyond`,
      ).choices(['real', 'cheap']),
    )
    .option('--latency-matrix <file>', 'round-trip times in ms, tab-separated, a row a line');
}

/** The scenario as the options change it. */
export function chosenScenario(options: SimScenarioOptions): ScenarioFile {
  let file: ScenarioFile;
  try {
    file = loadScenario(options.scenario);
  } catch (error) {
    if (error instanceof ScenarioUnusable) throw usageError(error.message);
    throw error;
  }
  return { ...file, scenario: changed(file.scenario, changesOf(options)) };
}

/** What the options change of the scenario, in their order. */
export function changesOf(options: SimScenarioOptions): ScenarioChange[] {
  const { peers, hours, set, converge } = options;
  return [
    ...(peers === undefined ? [] : [{ path: 'peers', value: numberOr(peers) }]),
    ...(hours === undefined ? [] : [{ path: 'hours', value: numberOr(hours) }]),
    ...set,
    ...(converge ? [] : [{ path: 'convergeMinutes', value: 0 }]),
  ];
}

function changed(scenario: Scenario, changes: readonly ScenarioChange[]): Scenario {
  const result = withChanges(scenario, changes);
  if (result instanceof ScenarioFault) throw usageError(result.describe());
  return result;
}

export function signaturesOf(scenario: Scenario, given: Signatures | undefined): Signatures {
  return given ?? (scenario.peers <= REAL_PEERS_MAX ? 'real' : 'cheap');
}

/** What runs of these scenarios need; throws where the arguments or the memory do not allow it. */
export function resourcesFor(
  scenarios: readonly Scenario[],
  latencyMatrix: string | undefined,
  progress: Progress,
): RunResources {
  try {
    return prepareResources(scenarios, {
      latencyMatrix,
      onKeys: (made, missing) => progress.show(`making keys: ${made} of ${missing}`),
      onNotice: (sentence) => process.stderr.write(`xor: ${sentence}\n`),
    });
  } catch (error) {
    if (error instanceof LatencyMatrixUnusable) throw usageError(error.message);
    throw error;
  } finally {
    progress.done();
  }
}

/** What gives a run again. */
export interface Reproduction {
  readonly seed: number;
  readonly signatures: Signatures;
  /** What a study changes besides. */
  readonly changes?: readonly ScenarioChange[];
}

/** The command line of a run. */
export function commandOf(options: SimScenarioOptions, run: Reproduction): string {
  const { scenario, latencyMatrix } = options;
  const words = ['xor', 'sim', 'run', '--scenario', scenario];
  for (const { path, value } of [...changesOf(options), ...(run.changes ?? [])]) {
    words.push('--set', `${path}=${JSON.stringify(value)}`);
  }
  if (run.changes !== undefined) words.push('--no-studies');
  words.push('--seed', String(run.seed), '--signatures', run.signatures);
  if (latencyMatrix !== undefined) words.push('--latency-matrix', latencyMatrix);
  return words.map(shellWord).join(' ');
}

/** Any whole number that the simulator takes for a seed. */
export const readSeed = readNumber(0, Number.MAX_SAFE_INTEGER);

/** Short enough to be typed. */
export function randomSeed(): number {
  return randomInt(SEED_END);
}

/** `1-50`, `1,5,9-12`: seeds in that order. */
export function readSeeds(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const from = Number(first);
    const count = Number(last) - from + 1;
    const isGood = first !== '' && Number.isSafeInteger(Number(last)) && count >= 1;
    if (!isGood || count > SEEDS_MAX) {
      throw new InvalidArgumentError(
        `expected seeds such as 1-50 or 1,5,9, at most ${SEEDS_MAX}, each from 0 to 2^53 - 1`,
      );
    }
    return Array.from({ length: count }, (_, i) => from + i);
  });
  return [...new Set(seeds)];
}

function collectChange(text: string, before: readonly ScenarioChange[]): ScenarioChange[] {
  const change = changeOf(text);
  if (change === undefined) {
    throw new InvalidArgumentError('expected path=value, such as network.lossShare=0.01');
  }
  return [...before, change];
}

/** The scenario's own check says what is wrong with text that is no number. */
function numberOr(text: string): unknown {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

function shellWord(word: string): string {
  return /^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const REAL_PEERS_MAX = 1_000;
const SEED_END = 2 ** 32;
const SEEDS_MAX = 1_000_000;
