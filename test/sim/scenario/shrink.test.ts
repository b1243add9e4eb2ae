import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../../sim/scenario/scenario.ts';
import { readScenario } from '../../../sim/scenario/scenario-reader.ts';
import { shrinking } from '../../../sim/scenario/shrink.ts';

const big = readScenario({
  name: 'big',
  peers: 100,
  clients: 8,
  hours: 2,
  network: { lossShare: 0.1, natShare: 0.2 },
  churn: { model: 'weibull' },
  faults: [
    { type: 'vanish', atMinutes: 2, share: 0.2 },
    { type: 'partition', atMinutes: 4, minutes: 10, share: 0.5 },
    { type: 'flashCrowd', atMinutes: 6, minutes: 1, peers: 64 },
  ],
}) as Scenario;

describe('a failing scenario made smaller', () => {
  test('what does not matter is left out', () => {
    const { smallest } = shrunk((one) => one.faults.some(({ type }) => type === 'partition'));
    expect(smallest.peers).toBe(1);
    expect(smallest.clients).toBe(0);
    expect(smallest.churn.model).toBe('none');
    expect(smallest.network).toMatchObject({ lossShare: 0, natShare: 0 });
    expect(smallest.workload).toMatchObject({ lookupsPerMinute: 0 });
    expect(smallest.faults).toEqual([
      { type: 'partition', atMinutes: 4, minutes: expect.any(Number), share: expect.any(Number) },
    ]);
    const [fault] = smallest.faults;
    expect(fault).toSatisfy((one: { minutes: number }) => one.minutes <= 0.5);
    expect(smallest.hours).toBeLessThan(0.2);
  });

  test('what matters stays', () => {
    const { smallest } = shrunk(
      ({ peers, churn, faults }) =>
        peers >= 30 && churn.model !== 'none' && faults.some(({ type }) => type === 'flashCrowd'),
    );
    expect(smallest.peers).toBe(30);
    expect(smallest.churn.model).toBe('weibull');
    expect(smallest.faults).toMatchObject([{ type: 'flashCrowd', peers: 1 }]);
  });

  test('what fails in this form alone stays as it is', () => {
    const { smallest } = shrunk((one) => JSON.stringify(one) === JSON.stringify(big));
    expect(smallest).toEqual(big);
  });

  test('every candidate can be run, and their number is bounded', () => {
    const { tried } = shrunk(({ faults }) => faults.length > 1);
    for (const candidate of tried) expect(readScenario(candidate)).toEqual(candidate);
    expect(tried.length).toBeLessThan(200);
  });
});

function shrunk(fails: (scenario: Scenario) => boolean): { smallest: Scenario; tried: Scenario[] } {
  const tried: Scenario[] = [];
  const search = shrinking(big);
  let step = search.next(false);
  while (step.done !== true) {
    tried.push(step.value);
    step = search.next(fails(step.value));
  }
  return { smallest: step.value, tried };
}
