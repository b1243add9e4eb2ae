import { describe, expect, test } from 'vitest';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import type { Scenario } from '../../../sim/scenario/scenario.ts';
import {
  changeOf,
  variationOf,
  withChange,
  withChanges,
} from '../../../sim/scenario/scenario-change.ts';
import { ScenarioFault } from '../../../sim/scenario/scenario-fault.ts';
import { parseScenarioFile, runsOf } from '../../../sim/scenario/study.ts';

const divided: Scenario = {
  ...DEFAULT_SCENARIO,
  faults: [{ type: 'partition', atMinutes: 10, minutes: 10, share: 0.5 }],
};

describe('one field of a scenario changed', () => {
  test('a field of an object, of a list, and a whole object', () => {
    expect(changed(divided, 'network.lossShare', 0.01).network.lossShare).toBe(0.01);
    expect(changed(divided, 'faults[0].share', 0.25).faults[0]).toMatchObject({ share: 0.25 });
    expect(changed(divided, 'faults.0.minutes', 5).faults[0]).toMatchObject({ minutes: 5 });
    expect(changed(divided, 'disk', { slowShare: 0.1 }).disk).toEqual({
      ...DEFAULT_SCENARIO.disk,
      slowShare: 0.1,
    });
    const latency = { model: 'constant', oneWayMs: 5 };
    expect(changed(divided, 'network.latency', latency).network.latency).toEqual(latency);
    const attack = { name: 'withhold', share: 0.1 };
    expect(changed(divided, 'attack', attack).attack).toMatchObject(attack);
  });

  test('the scenario itself stays as it was', () => {
    const before = JSON.stringify(divided);
    changed(divided, 'faults[0].share', 0.1);
    expect(JSON.stringify(divided)).toBe(before);
  });

  test('fewer peers than bootstrap nodes: all of them are, unless the change says how many', () => {
    expect(changed(DEFAULT_SCENARIO, 'peers', 3).bootstrapNodes).toBe(3);
    const changes = [
      { path: 'peers', value: 3 },
      { path: 'bootstrapNodes', value: 4 },
    ];
    expect(withChanges(DEFAULT_SCENARIO, changes)).toBeInstanceOf(ScenarioFault);
  });

  test.each<[string, unknown, string]>([
    ['network.loss', 0, 'network.loss: there is no such field'],
    ['network.lossShare', 7, 'network.lossShare: expected a number from 0 to 0.9, got 7'],
    ['attack.share', 0.1, 'attack.share: there is no attack in this scenario'],
    ['faults[1].share', 0.1, 'faults[1].share: there is no faults.1 in this scenario'],
    ['peers.x', 1, 'peers.x: there is no peers in this scenario'],
    ['__proto__.x', 1, '__proto__.x: there is no __proto__ in this scenario'],
    ['', 1, 'expected the name of a field'],
  ])('%s=%j is refused', (path, value, sentence) => {
    const fault = withChange(divided, path, value);
    expect(fault).toBeInstanceOf(ScenarioFault);
    expect((fault as ScenarioFault).describe()).toContain(sentence);
  });
});

describe('as it stands on a command line', () => {
  test('--set: JSON, or text where it is none', () => {
    expect(changeOf('peers=30')).toEqual({ path: 'peers', value: 30 });
    expect(changeOf('churn.model=weibull')).toEqual({ path: 'churn.model', value: 'weibull' });
    expect(changeOf('attack={"name":"a=b"}')).toEqual({ path: 'attack', value: { name: 'a=b' } });
    expect(changeOf('peers')).toBeUndefined();
  });

  test('--vary: values between commas, objects stay whole', () => {
    expect(variationOf('peers=10,20,30')?.values).toEqual([10, 20, 30]);
    const latencies =
      'network.latency={"model":"uniform","lowMs":1,"highMs":2},{"model":"planetlab"}';
    expect(variationOf(latencies)?.values).toHaveLength(2);
    expect(variationOf('name="a,b",c')?.values).toEqual(['a,b', 'c']);
    expect(variationOf('peers=')).toBeUndefined();
  });
});

describe('a study', () => {
  const study = {
    title: 'share of attackers',
    set: { hours: 2 },
    vary: { 'attack.share': [0, 0.1], 'attack.defences.lookupPaths': [1, 3] },
    figures: ['lookupSuccess'],
  };
  const file = { name: 'mine', attack: { name: 'withhold', share: 0 }, studies: [study] };

  test('has a run for every combination, the first path changing fastest', () => {
    const parsed = parseScenarioFile(JSON.stringify(file));
    if (parsed instanceof ScenarioFault) throw new Error(parsed.describe());
    const runs = runsOf(parsed.scenario, parsed.studies[0] as (typeof parsed.studies)[number]);
    if (runs instanceof ScenarioFault) throw new Error(runs.describe());
    expect(
      runs.map(({ scenario: { hours, attack } }) => [
        hours,
        attack?.share,
        attack?.defences.lookupPaths,
      ]),
    ).toEqual([
      [2, 0, 1],
      [2, 0.1, 1],
      [2, 0, 3],
      [2, 0.1, 3],
    ]);
  });

  test.each<[object, string]>([
    [{ vary: {} }, 'studies[0].vary: expected at least one path'],
    [{ vary: { peers: 1 } }, 'studies[0].vary.peers: expected a list of values, got 1'],
    [{ vary: { peers: [0] } }, 'studies[0].peers: expected a whole number from 1'],
    [{ figures: ['beauty'] }, 'studies[0].figures[0]: expected one of hopsMean,'],
    [{ fit: 'cubic' }, 'studies[0].fit: expected one of log2'],
  ])('%j is refused', (change, sentence) => {
    const fault = parseScenarioFile(
      JSON.stringify({ ...file, studies: [{ ...study, ...change }] }),
    );
    expect(fault).toBeInstanceOf(ScenarioFault);
    expect((fault as ScenarioFault).describe()).toContain(sentence);
  });

  test('a file without a name is refused', () => {
    const fault = parseScenarioFile('{}');
    expect((fault as ScenarioFault).describe()).toBe('name: expected a name, got nothing');
  });
});

function changed(scenario: Scenario, path: string, value: unknown): Scenario {
  const result = withChange(scenario, path, value);
  if (result instanceof ScenarioFault) throw new Error(result.describe());
  return result;
}
