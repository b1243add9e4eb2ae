import { describe, expect, test } from 'vitest';
import { failsAlike } from '../../../sim/run/failure-file.ts';
import { attackPoints, type DoneRun, fitted, studyRecord } from '../../../sim/run/study-record.ts';
import type { Scenario } from '../../../sim/scenario/scenario.ts';
import { ScenarioFault } from '../../../sim/scenario/scenario-fault.ts';
import { readScenario } from '../../../sim/scenario/scenario-reader.ts';
import { runsOf, type Study } from '../../../sim/scenario/study.ts';
import type { RunRecord, ViolationRecord } from '../../../sim/simulation/run-record.ts';

const attack = { name: 'withhold', share: 0.1 };
const scenario = readScenario({ name: 'base', attack }) as Scenario;
const study: Study = {
  title: 'with friends',
  set: [],
  vary: [
    { path: 'peers', values: [64, 1024] },
    { path: 'attack.defences.lookupPaths', values: [1, 3] },
  ],
  figures: ['hopsMean', 'lookupSuccess'],
  fit: 'log2',
  published: [{ figure: 'hopsMean', label: 'elsewhere', points: [{ x: 64, y: 3 }] }],
};

describe('the runs of a study as one record', () => {
  const runs = done();
  const record = studyRecord([{ study, runs }], 'xor sim run');

  test('has a line for each combination of what is not on the x axis, its fit, and published values', () => {
    expect(record.series.map(({ title }) => title)).toEqual([
      'mean hops, with friends',
      'lookups that succeed, in %, with friends',
    ]);
    expect(record.series[0]?.lines).toEqual([
      {
        label: 'attack.defences.lookupPaths=1',
        points: [
          { x: 64, y: 3 },
          { x: 1024, y: 5 },
        ],
      },
      {
        label: 'attack.defences.lookupPaths=3',
        points: [
          { x: 64, y: 3 },
          { x: 1024, y: 5 },
        ],
      },
      {
        label: '0.500·log2 x + 0.00',
        points: [
          { x: 64, y: 3 },
          { x: 1024, y: 5 },
        ],
      },
      {
        label: '0.500·log2 x + 0.00',
        points: [
          { x: 64, y: 3 },
          { x: 1024, y: 5 },
        ],
      },
      { label: 'elsewhere', points: [{ x: 64, y: 3 }] },
    ]);
  });

  test('has the sums, the worst outcome and a hash over all traces', () => {
    expect(record).toMatchObject({
      events: 400,
      wallSeconds: 8,
      observedWallSeconds: 4,
      observedCpuSeconds: 3.2,
      outcome: 'not-converged',
    });
    const changed = runs.map((one, i) =>
      i === 0 ? { ...one, record: { ...one.record, traceHash: 'x' } } : one,
    );
    expect(studyRecord([{ study, runs: changed }], '').traceHash).not.toBe(record.traceHash);
  });

  test('has a point of the curve over attackers for each run', () => {
    expect(record.attackCurve).toHaveLength(4);
    expect(attackPoints(runs[2] as DoneRun)).toEqual([
      {
        attack: 'withhold',
        share: 0.1,
        defences: '1 replicas, 3 paths',
        lookups: 10,
        succeeded: 9,
      },
    ]);
    expect(attackPoints(runs[0] as DoneRun)[0]?.defences).toBe('none');
  });

  test('one point or one place gives no line', () => {
    expect(fitted([{ x: 1, y: 1 }])).toEqual([]);
    expect(
      fitted([
        { x: 2, y: 1 },
        { x: 2, y: 3 },
      ]),
    ).toEqual([]);
  });
});

describe('a failure is the same', () => {
  test.each<[string, Partial<RunRecord>, Partial<RunRecord>, boolean]>([
    ['where the same checker complains', broken('a'), broken('b', 'a'), true],
    ['not where another one does', broken('a'), broken('b'), false],
    ['not where nobody does', broken('a'), { outcome: 'clean', violations: [] }, false],
    ['where the ring is not whole again', unwhole(), unwhole(), true],
    ['not where that has another cause', unwhole(), broken('a'), false],
  ])('%s', (_, found, tried, expected) => {
    expect(failsAlike(tried as RunRecord, found as RunRecord)).toBe(expected);
  });
});

function done(): DoneRun[] {
  const runs = runsOf(scenario, study);
  if (runs instanceof ScenarioFault) throw new Error(runs.describe());
  return runs.map((run, i) => ({ run, record: recordOf(run.scenario, i) }));
}

function recordOf(of: Scenario, i: number): RunRecord {
  return {
    scenario: of,
    traceHash: `trace ${i}`,
    events: 100,
    wallSeconds: 2,
    observedWallSeconds: 1,
    observedCpuSeconds: 0.8,
    virtualHours: 1,
    peakMemoryBytes: 1,
    outcome: i === 1 ? 'not-converged' : 'clean',
    violations: [],
    lookups: { started: 10, succeeded: 9, hops: { mean: Math.log2(of.peers) / 2 } },
  } as unknown as RunRecord;
}

function broken(...checkers: string[]): Partial<RunRecord> {
  const violations = checkers.map(
    (checker) => ({ checker, kind: 'correctness' }) as ViolationRecord,
  );
  return { outcome: 'correctness', violations };
}

function unwhole(): Partial<RunRecord> {
  return { outcome: 'not-converged', violations: [] };
}
