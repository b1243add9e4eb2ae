import { readdirSync, readFileSync } from 'node:fs';
import { isRecord } from '../scenario/field-reader.ts';
import { ScenarioFault } from '../scenario/scenario-fault.ts';
import { parseJson } from '../scenario/scenario-reader.ts';
import { parseScenarioFile, type ScenarioFile } from '../scenario/study.ts';
import { repositoryRoot } from './repository.ts';

/** What was asked for cannot be run; the message is one sentence. */
export class ScenarioUnusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ScenarioUnusable';
  }
}

/** A run that failed once, kept so that it is run again and again. */
export interface FailedSeed {
  readonly scenario: string;
  readonly seed: number;
  readonly signatures: 'real' | 'cheap';
  /** What it had found. */
  readonly found: string;
}

/** Names of the presets: the files of `sim/scenarios`, in order of the alphabet. */
export function presetNames(): string[] {
  return readdirSync(scenariosFolder())
    .filter((name) => name.endsWith('.json') && name !== FAILED_SEEDS_FILE)
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
}

/**
 * The preset of that name, or the file. A file that a failing run wrote stands for the scenario in
 * it that shows the failure with the least.
 */
export function loadScenario(nameOrFile: string): ScenarioFile {
  const isPreset = presetNames().includes(nameOrFile);
  if (!isPreset && /^[\w-]+$/.test(nameOrFile)) {
    throw new ScenarioUnusable(
      `there is no scenario "${nameOrFile}"; give a file, or one of ${presetNames().join(', ')}`,
    );
  }
  const place = isPreset ? new URL(`${nameOrFile}.json`, scenariosFolder()) : nameOrFile;
  const text = readText(place, nameOrFile);
  const file = parseScenarioFile(scenarioText(text));
  if (!(file instanceof ScenarioFault)) return file;
  throw new ScenarioUnusable(`${isPreset ? 'scenario ' : ''}${nameOrFile}: ${file.describe()}`);
}

/** The runs of `sim/scenarios/failed-seeds.json`. */
export function failedSeeds(): FailedSeed[] {
  const text = readText(new URL(FAILED_SEEDS_FILE, scenariosFolder()), FAILED_SEEDS_FILE);
  return JSON.parse(text) as FailedSeed[];
}

/** The scenario within a file of a failure, else the text as it is. */
function scenarioText(text: string): string {
  const document = parseJson(text);
  const isFailure = isRecord(document) && isRecord(document.shrunk);
  const inner = isFailure
    ? (document.shrunk as Readonly<Record<string, unknown>>).scenario
    : undefined;
  return inner === undefined ? text : JSON.stringify(inner);
}

function readText(place: URL | string, name: string): string {
  try {
    return readFileSync(place, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : String((error as Error).message);
    throw new ScenarioUnusable(`cannot read the scenario ${name}: ${why}`);
  }
}

function scenariosFolder(): URL {
  return new URL('sim/scenarios/', repositoryRoot());
}

const FAILED_SEEDS_FILE = 'failed-seeds.json';
