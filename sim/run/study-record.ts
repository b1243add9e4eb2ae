import type { FigureName, Study, StudyRun } from '../scenario/study.ts';
import type { AttackPoint, RunRecord, Series } from '../simulation/run-record.ts';
import { TraceHash } from '../world/trace-hash.ts';
import { worstOutcome } from './run-summary.ts';

/** One run of a study, done. */
export interface DoneRun {
  readonly run: StudyRun;
  readonly record: RunRecord;
}

export interface DoneStudy {
  readonly study: Study;
  readonly runs: readonly DoneRun[];
}

/**
 * The record of all runs of a scenario's studies: that of the last run, with the figures of all of
 * them as series, everybody's violations, and the worst outcome.
 */
export function studyRecord(studies: readonly DoneStudy[], command: string): RunRecord {
  const records = studies.flatMap(({ runs }) => runs.map(({ record }) => record));
  const last = records.at(-1);
  if (last === undefined) throw new Error('a study without a run');
  const sum = (of: (record: RunRecord) => number) =>
    records.reduce((total, record) => total + of(record), 0);
  const trace = new TraceHash();
  for (const { traceHash } of records) trace.addText(traceHash);
  return {
    ...last,
    command,
    traceHash: trace.digest(),
    events: sum(({ events }) => events),
    virtualHours: sum(({ virtualHours }) => virtualHours),
    wallSeconds: sum(({ wallSeconds }) => wallSeconds),
    observedWallSeconds: sum(({ observedWallSeconds }) => observedWallSeconds),
    observedCpuSeconds: records.some(({ observedCpuSeconds }) => observedCpuSeconds === undefined)
      ? undefined
      : sum(({ observedCpuSeconds = 0 }) => observedCpuSeconds),
    peakMemoryBytes: Math.max(...records.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    outcome: worstOutcome(records.map(({ outcome }) => outcome)),
    violations: records.flatMap(({ violations }) => violations),
    attackCurve: studies.flatMap(({ runs }) => runs.flatMap(attackPoints)),
    series: studies.flatMap(seriesOf),
  };
}

/** A point of the curve over the share of attackers, for a run that has an attack. */
export function attackPoints({ run, record }: DoneRun): AttackPoint[] {
  const { attack } = run.scenario;
  if (attack === undefined) return [];
  const { lookupReplicas, lookupPaths } = attack.defences;
  const isDefended = lookupReplicas > 1 || lookupPaths > 1;
  const { started, succeeded } = record.lookups;
  return [
    {
      attack: attack.name,
      share: attack.share,
      defences: isDefended ? `${lookupReplicas} replicas, ${lookupPaths} paths` : 'none',
      lookups: started,
      succeeded,
    },
  ];
}

/** One series for each figure: a line for each combination of what else varies. */
function seriesOf({ study, runs }: DoneStudy): Series[] {
  const [x, ...others] = study.vary;
  if (x === undefined) return [];
  return study.figures.map((figure) => {
    const groups = grouped(runs, ({ run }) =>
      others.map(({ path }, i) => `${path}=${JSON.stringify(run.changes[i + 1]?.value)}`).join(' '),
    );
    const measured = [...groups].map(([label, group]) => ({
      label: label === '' ? 'measured' : label,
      points: group.map((one) => ({ x: placeOf(one), y: FIGURES[figure].of(one.record) })),
    }));
    const published = study.published
      .filter((one) => one.figure === figure)
      .map(({ label, points }) => ({ label, points }));
    const fits = study.fit === undefined ? [] : measured.flatMap(({ points }) => fitted(points));
    return {
      title: `${FIGURES[figure].label}, ${study.title}`,
      xLabel: x.path,
      yLabel: FIGURES[figure].label,
      xScale: study.fit === 'log2' ? 'log' : 'linear',
      lines: [...measured, ...fits, ...published],
    };
  });
}

function grouped(
  runs: readonly DoneRun[],
  nameOf: (one: DoneRun) => string,
): ReadonlyMap<string, readonly DoneRun[]> {
  const groups = new Map<string, DoneRun[]>();
  for (const one of runs) {
    const name = nameOf(one);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

/** Where a run is on the x axis; 0 where its value is no number. */
function placeOf({ run }: DoneRun): number {
  const value = run.changes[0]?.value;
  return typeof value === 'number' ? value : 0;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The line a·log2 x + b with the least squares, named by its slope. */
export function fitted(points: readonly Point[]): { label: string; points: Point[] }[] {
  const count = points.length;
  if (count < 2) return [];
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / count;
  const meanX = mean(({ x }) => Math.log2(x));
  const meanY = mean(({ y }) => y);
  const spread = mean(({ x }) => (Math.log2(x) - meanX) ** 2);
  if (!(spread > 0)) return [];
  const slope = mean(({ x, y }) => (Math.log2(x) - meanX) * (y - meanY)) / spread;
  const offset = meanY - slope * meanX;
  const sign = offset < 0 ? '-' : '+';
  return [
    {
      label: `${slope.toPrecision(3)}·log2 x ${sign} ${Math.abs(offset).toPrecision(3)}`,
      points: points.map(({ x }) => ({ x, y: slope * Math.log2(x) + offset })),
    },
  ];
}

const FIGURES: Readonly<
  Record<FigureName, { readonly label: string; of(record: RunRecord): number }>
> = {
  hopsMean: { label: 'mean hops', of: ({ lookups }) => lookups.hops.mean },
  hopsP99: { label: 'hops, p99', of: ({ lookups }) => lookups.hops.p99 },
  lookupMsP50: { label: 'lookup time in ms, p50', of: ({ lookups }) => lookups.latencyMs.p50 },
  lookupMsP95: { label: 'lookup time in ms, p95', of: ({ lookups }) => lookups.latencyMs.p95 },
  lookupSuccess: { label: 'lookups that succeed, in %', of: (record) => 100 * successOf(record) },
  lookupFailuresPer10000: {
    label: 'failed lookups of 10,000',
    of: (record) => 10_000 * (1 - successOf(record)),
  },
  bytesPerPeerPerSecond: {
    label: 'bytes a second of each peer',
    of: ({ traffic }) => traffic.bytesPerPeerPerSecond,
  },
  peakMemoryBytes: { label: 'peak memory in bytes', of: (record) => record.peakMemoryBytes },
  eventsPerSecond: {
    label: 'events a second',
    of: ({ events, wallSeconds }) => events / Math.max(wallSeconds, 0.001),
  },
  timesRealTime: {
    label: 'virtual seconds in one of processor time, once built',
    of: ({ virtualHours, observedCpuSeconds, observedWallSeconds }) =>
      (virtualHours * 3600) / Math.max(observedCpuSeconds ?? observedWallSeconds, 0.001),
  },
  lostStores: { label: 'lost stores', of: ({ stores }) => stores.lost },
};

function successOf({ lookups }: RunRecord): number {
  return lookups.started === 0 ? 1 : lookups.succeeded / lookups.started;
}
