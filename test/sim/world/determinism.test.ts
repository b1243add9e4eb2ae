import { expect, test } from 'vitest';
import { Churn } from '../../../sim/churn/churn.ts';
import { FaultSchedule } from '../../../sim/faults/fault-schedule.ts';
import { realSignatures, type SignatureScheme } from '../../../sim/identity/signature-scheme.ts';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import { Workload } from '../../../sim/workload/workload.ts';
import { testSimulation } from '../test-simulation.ts';

/** A run with everything that is random in it; keys are new each time. */
function traceOf(seed: number, scheme?: SignatureScheme): string {
  const { network, churn, workload } = DEFAULT_SCENARIO;
  const simulation = testSimulation(
    {
      peers: 8,
      clients: 1,
      network: { ...network, lossShare: 0.01, duplicateShare: 0.01, reorderShare: 0.05 },
    },
    scheme === undefined ? { seed } : { seed, scheme },
  );
  const { overlay, lookups } = simulation;
  const load = { ...workload, byUserName: 1, locate: 1, locationStoresPerMinute: 10 };
  const parts = [
    new Workload(overlay, { ...load, renewalsPerMinute: 1 }, lookups),
    new Churn(overlay, { ...churn, model: 'weibull', medianSessionMinutes: 3 }),
    new FaultSchedule(overlay, [
      { type: 'configurationRollOver', atMinutes: 0.2 },
      { type: 'partition', atMinutes: 0.5, minutes: 0.5, share: 0.5 },
    ]),
  ];
  while (simulation.phase !== 'observing') simulation.advance(1_000);
  for (const part of parts) part.start();
  overlay.world.runUntil(overlay.world.nowMs + 120_000);
  expect(overlay.world.haltReason).toBeUndefined();
  return `${overlay.world.trace.digest()} after ${overlay.world.eventCount} events`;
}

test('the same seed gives the same trace with other keys, another seed another', () => {
  const once = traceOf(11);
  expect(traceOf(11)).toBe(once);
  expect(traceOf(12)).not.toBe(once);
});

test('real signatures, which differ in every run, change nothing either', () => {
  expect(traceOf(11, realSignatures)).toBe(traceOf(11, realSignatures));
});
