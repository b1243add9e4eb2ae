import {
  choice,
  type FieldReader,
  isRecord,
  list,
  number,
  optional,
  record,
  text,
  withDefault,
} from './field-reader.ts';
import type { Scenario } from './scenario.ts';
import { type ScenarioChange, withChanges } from './scenario-change.ts';
import { ScenarioFault, unexpected } from './scenario-fault.ts';
import { nameFault, parseJson, readScenario } from './scenario-reader.ts';

/** Several runs of one scenario that differ in some fields, and what is drawn of them. */
export interface Study {
  readonly title: string;
  /** What is different from the scenario in all of its runs. */
  readonly set: readonly ScenarioChange[];
  /** What is different from run to run; the first one is the x axis. Every combination is run. */
  readonly vary: readonly Variation[];
  readonly figures: readonly FigureName[];
  /** `log2`: a line fitted through figure = a·log2 x + b. */
  readonly fit: 'log2' | undefined;
  readonly published: readonly PublishedFigure[];
}

export interface Variation {
  readonly path: string;
  readonly values: readonly unknown[];
}

/** What others measured. */
export interface PublishedFigure {
  readonly figure: FigureName;
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A scenario file: a scenario, and where it is not one run alone, its studies. */
export interface ScenarioFile {
  readonly scenario: Scenario;
  readonly studies: readonly Study[];
}

/** Figures of a run that a study can draw. */
export const FIGURE_NAMES = [
  'hopsMean',
  'hopsP99',
  'lookupMsP50',
  'lookupMsP95',
  'lookupSuccess',
  'lookupFailuresPer10000',
  'bytesPerPeerPerSecond',
  'peakMemoryBytes',
  'eventsPerSecond',
  'timesRealTime',
  'lostStores',
] as const;
export type FigureName = (typeof FIGURE_NAMES)[number];

/** Reads a scenario file: the fields of a scenario, and `studies`. */
export function parseScenarioFile(fileText: string): ScenarioFile | ScenarioFault {
  const document = parseJson(fileText);
  if (document instanceof ScenarioFault) return document;
  const unnamed = nameFault(document);
  if (unnamed !== undefined) return unnamed;
  const { studies: plans, ...fields } = document as Readonly<Record<string, unknown>>;
  const scenario = readScenario(fields);
  if (scenario instanceof ScenarioFault) return scenario;
  const studies = list(study, STUDIES_MAX)(plans, 'studies', []);
  if (studies instanceof ScenarioFault) return studies;
  for (const [i, one] of studies.entries()) {
    const runs = runsOf(scenario, one);
    if (runs instanceof ScenarioFault) {
      return new ScenarioFault(`studies[${i}].${runs.path}`, runs.problem);
    }
  }
  return { scenario, studies };
}

/** One run of a study. */
export interface StudyRun {
  readonly scenario: Scenario;
  /** What of `vary` it has, in that order. */
  readonly changes: readonly ScenarioChange[];
}

/** Every combination of what varies, the first variation changing fastest. */
export function runsOf(
  scenario: Scenario,
  study: Pick<Study, 'set' | 'vary'>,
): readonly StudyRun[] | ScenarioFault {
  const count = study.vary.reduce((product, { values }) => product * values.length, 1);
  if (count > RUNS_MAX) return unexpected('vary', `at most ${RUNS_MAX} combinations`, count);
  const runs: StudyRun[] = [];
  for (let run = 0; run < count; run++) {
    let rest = run;
    const changes = study.vary.map(({ path, values }) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return { path, value };
    });
    const changed = withChanges(scenario, [...study.set, ...changes]);
    if (changed instanceof ScenarioFault) return changed;
    runs.push({ scenario: changed, changes });
  }
  return runs;
}

const changes: FieldReader<readonly ScenarioChange[]> = (value, path, fallback) => {
  if (value === undefined && fallback !== undefined) return fallback;
  if (!isRecord(value)) return unexpected(path, 'an object of paths and values', value);
  return Object.entries(value).map(([field, changed]) => ({ path: field, value: changed }));
};

const variations: FieldReader<readonly Variation[]> = (value, path) => {
  if (!isRecord(value)) return unexpected(path, 'an object of paths and lists of values', value);
  const result: Variation[] = [];
  for (const [field, values] of Object.entries(value)) {
    if (!Array.isArray(values) || values.length === 0) {
      return unexpected(`${path}.${field}`, 'a list of values', values);
    }
    result.push({ path: field, values });
  }
  return result.length === 0 ? unexpected(path, 'at least one path', value) : result;
};

const coordinate = number({ min: -1e15, max: 1e15 });

const study: FieldReader<Study> = record<Study>({
  title: text(120),
  set: withDefault(changes, []),
  vary: variations,
  figures: list(choice(...FIGURE_NAMES), FIGURE_NAMES.length),
  fit: optional(choice('log2')),
  published: withDefault(
    list(
      record<PublishedFigure>({
        figure: choice(...FIGURE_NAMES),
        label: text(120),
        points: list(record({ x: coordinate, y: coordinate }), 1_000),
      }),
      100,
    ),
    [],
  ),
});

const STUDIES_MAX = 20;
const RUNS_MAX = 100_000;
