import { describe, expect, test } from 'vitest';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import type { Scenario } from '../../../sim/scenario/scenario.ts';
import { ScenarioFault } from '../../../sim/scenario/scenario-fault.ts';
import { parseScenario } from '../../../sim/scenario/scenario-reader.ts';

describe('a scenario that can be run', () => {
  test('what a file leaves out is as in the default scenario, inside objects too', () => {
    expect(read({ name: 'mine', network: { lossShare: 0.01 } })).toEqual({
      ...DEFAULT_SCENARIO,
      name: 'mine',
      network: { ...DEFAULT_SCENARIO.network, lossShare: 0.01 },
    });
  });

  test('the default scenario is read as itself', () => {
    expect(read(DEFAULT_SCENARIO)).toEqual(DEFAULT_SCENARIO);
  });

  test('a list takes the place of the default one, and absent shares of a fault are none', () => {
    const { faults } = read({ faults: [{ type: 'badNetwork', atMinutes: 1, minutes: 2 }] });
    expect(faults).toEqual([
      {
        type: 'badNetwork',
        atMinutes: 1,
        minutes: 2,
        lossShare: 0,
        duplicateShare: 0,
        reorderShare: 0,
      },
    ]);
  });

  test('a small overlay has no more bootstrap nodes than peers', () => {
    expect(read({ peers: 3 }).bootstrapNodes).toBe(3);
  });
});

describe('what cannot be run gets one sentence with the field, what came and its range', () => {
  test.each<[unknown, string]>([
    ['no object', 'expected an object, got "no object"'],
    [{ network: { lossShare: 7 } }, 'network.lossShare: expected a number from 0 to 0.9, got 7'],
    [
      { network: { lossShare: '0' } },
      'network.lossShare: expected a number from 0 to 0.9, got "0"',
    ],
    [{ network: { lossShare: 1 } }, 'network.lossShare: expected a number from 0 to 0.9, got 1'],
    [{ peers: 0 }, 'peers: expected a whole number from 1 to 100000, got 0'],
    [{ peers: 1.5 }, 'peers: expected a whole number from 1 to 100000, got 1.5'],
    [{ peers: null }, 'peers: expected a whole number from 1 to 100000, got null'],
    [{ hours: 0 }, 'hours: expected a number above 0 up to 10000, got 0'],
    [{ hours: -1 }, 'hours: expected a number above 0 up to 10000, got -1'],
    [{ name: 'a\nb' }, 'name: expected text of 1 to 60 characters on one line, got "a\\nb"'],
    [{ churn: [] }, 'churn: expected an object, got []'],
    [{ churn: { model: 'some' } }, 'churn.model: expected one of none, poisson,'],
    [{ faults: [{ type: 'vanish', atMinutes: 1 }] }, 'faults[0].share: expected a number from 0'],
    [{ faults: [{ type: 'fire' }] }, 'faults[0].type: expected one of vanish, partition,'],
    [{ faults: 'none' }, 'faults: expected a list of at most 1000, got "none"'],
    [
      { network: { latency: { model: 'constant' } } },
      'network.latency.oneWayMs: expected a number',
    ],
    [{ network: { latency: { model: 'toString' } } }, 'network.latency.model: expected one of'],
    [{ checks: { everyStep: 'yes' } }, 'checks.everyStep: expected true or false, got "yes"'],
    [{ network: { loss: 0.1 } }, 'network.loss: there is no such field; network has latency,'],
    [{ pears: 100 }, 'pears: there is no such field; a scenario has name,'],
  ])('%j', (document, sentence) => {
    expect(faultOf(document)).toContain(sentence);
    expect(faultOf(document)).not.toContain('\n');
  });

  test('text that is no JSON', () => {
    const fault = parseScenario('{"peers": }');
    expect(fault).toBeInstanceOf(ScenarioFault);
    expect((fault as ScenarioFault).describe()).toMatch(/^expected a scenario in JSON: [^\n]+$/);
  });

  test('a field that JavaScript knows is not taken for one of a scenario', () => {
    const fault = parseScenario('{"__proto__": {"peers": 7}}');
    expect((fault as ScenarioFault).describe()).toMatch(/^__proto__: there is no such field/);
  });
});

describe('fields that do not go together', () => {
  test.each<[object, string]>([
    [{ peers: 10, bootstrapNodes: 11 }, 'bootstrapNodes: expected at most 10'],
    [{ peers: 99_999, clients: 2 }, 'clients: expected at most 100000 peers and clients together'],
    [
      { network: { latency: { model: 'uniform', lowMs: 9, highMs: 8 } } },
      'network.latency.highMs: expected at least lowMs (9), got 8',
    ],
    [{ disk: { writeLowMs: 9, writeHighMs: 8 } }, 'disk.writeHighMs: expected at least writeLowMs'],
    [{ disk: { slowShare: 0.7, fullShare: 0.5 } }, 'disk.fullShare: expected at most 0.3'],
    [{ churn: { model: 'pareto', shape: 1 } }, 'churn.shape: expected more than 1'],
    [{ churn: { model: 'trace' } }, 'churn.trace: expected at least one entry'],
    [
      { churn: { trace: [{ atSeconds: 1, node: 1, event: 'leave' }] } },
      'churn.trace: a trace needs the churn.model "trace"',
    ],
    [
      traced({ atSeconds: 1, node: 5, event: 'leave' }),
      'churn.trace[0].node: expected a node below 5, which are there, or one that joins before, got 5',
    ],
    [
      traced({ atSeconds: 2, node: 7, event: 'join' }, { atSeconds: 1, node: 7, event: 'leave' }),
      'churn.trace[1].node: expected a node below 5',
    ],
    [
      traced({ atSeconds: 3601, node: 0, event: 'leave' }),
      'churn.trace[0].atSeconds: expected at most 3600',
    ],
    [
      { hours: 0.5, faults: [{ type: 'vanish', atMinutes: 31, share: 0.1 }] },
      'faults[0].atMinutes: expected at most 30, the hours observed, got 31',
    ],
    [
      { faults: [{ type: 'partition', atMinutes: 55, minutes: 6, share: 0.5 }] },
      'faults[0].minutes: expected at most 5, the rest of the hours observed, got 6',
    ],
    [{ workload: { byNodeId: 0 } }, 'workload.byNodeId: expected a weight above 0'],
    [{ attack: { name: 'nonsense', share: 0.1 } }, 'attack.name: expected one of drop-forwards,'],
    [
      { peers: 10, attack: { name: 'withhold', share: 0.6 } },
      'attack.share: expected at most 0.5: bootstrap nodes are honest, got 0.6',
    ],
  ])('%j', (document, sentence) => {
    expect(faultOf(document)).toContain(sentence);
  });
});

test('a trace may name nodes that join in it', () => {
  const { churn } = read(
    traced({ atSeconds: 1, node: 7, event: 'join' }, { atSeconds: 2, node: 7, event: 'leave' }),
  );
  expect(churn.trace).toHaveLength(2);
});

function traced(...trace: object[]): object {
  return { peers: 10, churn: { model: 'trace', trace } };
}

function read(document: unknown): Scenario {
  const scenario = parseScenario(JSON.stringify(document));
  if (scenario instanceof ScenarioFault) throw new Error(scenario.describe());
  return scenario;
}

function faultOf(document: unknown): string {
  const fault = parseScenario(JSON.stringify(document));
  if (!(fault instanceof ScenarioFault)) throw new Error('it was read');
  return fault.describe();
}
