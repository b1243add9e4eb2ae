import { generateKeyPairSync } from 'node:crypto';
import { cheapSignatures, type SignatureScheme } from '../../sim/identity/signature-scheme.ts';
import { DEFAULT_SCENARIO } from '../../sim/scenario/default-scenario.ts';
import type { Scenario } from '../../sim/scenario/scenario.ts';
import { Simulation } from '../../sim/simulation/simulation.ts';
import { constantLatency } from '../../sim/world/latency-model.ts';

/** A run of a small scenario without load of its own; nodes share a few keys. */
export function testSimulation(
  change: Partial<Scenario>,
  options: { readonly seed?: number; readonly scheme?: SignatureScheme } = {},
): Simulation {
  const workload = { ...DEFAULT_SCENARIO.workload, lookupsPerMinute: 0 };
  const quick = { peers: 16, hours: 0.05, settleMinutes: 1, workload };
  return new Simulation({
    scenario: { ...DEFAULT_SCENARIO, ...quick, ...change },
    seed: options.seed ?? 7,
    scheme: options.scheme ?? cheapSignatures,
    keys: Array.from({ length: 8 }, newKeyPair),
    latency: constantLatency(50),
  });
}

/** Builds the overlay and runs until the observation begins. */
export function settledSimulation(...args: Parameters<typeof testSimulation>): Simulation {
  const simulation = testSimulation(...args);
  while (simulation.phase !== 'observing') simulation.advance(1_000);
  return simulation;
}

function newKeyPair() {
  return generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
}
