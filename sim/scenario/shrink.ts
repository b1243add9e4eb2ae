import type { FaultPlan, Scenario } from './scenario.ts';
import { ScenarioFault } from './scenario-fault.ts';
import { readScenario } from './scenario-reader.ts';

/**
 * Looks for a smaller scenario that still fails. Yields one candidate after another and is told
 * whether it failed in the same way; returns the smallest that did. Ends when nothing can be left
 * out any more, so whoever runs the candidates sets the limit of time.
 */
export function* shrinking(scenario: Scenario): Generator<Scenario, Scenario, boolean> {
  let smallest = scenario;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const simplify of SIMPLIFICATIONS) {
      // The same again where it helped: half the peers, then half of those.
      for (;;) {
        const candidate = usable(simplify(smallest));
        if (candidate === undefined || same(candidate, smallest)) break;
        if (!(yield candidate)) break;
        smallest = candidate;
        isSmaller = true;
      }
    }
    const fewer = yield* withFewerFaults(smallest);
    isSmaller ||= fewer !== smallest;
    smallest = fewer;
  }
  return smallest;
}

/** Leaves out one fault after another, and makes those that stay shorter and smaller. */
function* withFewerFaults(scenario: Scenario): Generator<Scenario, Scenario, boolean> {
  let smallest = scenario;
  for (let i = scenario.faults.length - 1; i >= 0; i--) {
    const without = smallest.faults.filter((_, index) => index !== i);
    const candidate = usable({ ...smallest, faults: without });
    if (candidate !== undefined && (yield candidate)) {
      smallest = candidate;
      continue;
    }
    for (const smaller of smallerFaults(smallest.faults[i] as FaultPlan)) {
      const faults = smallest.faults.with(i, smaller);
      const changed = usable({ ...smallest, faults });
      if (changed === undefined || same(changed, smallest) || !(yield changed)) continue;
      smallest = changed;
    }
  }
  return smallest;
}

function smallerFaults(fault: FaultPlan): FaultPlan[] {
  const smaller: FaultPlan[] = [];
  if ('minutes' in fault && fault.minutes > MINUTES_MIN) {
    smaller.push({ ...fault, minutes: halved(fault.minutes) });
  }
  if ('share' in fault && fault.share > SHARE_MIN) {
    smaller.push({ ...fault, share: halved(fault.share) });
  }
  if (fault.type === 'flashCrowd' && fault.peers > 1) {
    smaller.push({ ...fault, peers: Math.floor(fault.peers / 2) });
  }
  return smaller;
}

type Simplify = (scenario: Scenario) => Scenario;

/** In the order of how much they leave out. */
const SIMPLIFICATIONS: readonly Simplify[] = [
  (one) => ({ ...one, faults: [] }),
  (one) => ({ ...one, churn: { ...one.churn, model: 'none', trace: [] } }),
  (one) => ({ ...one, attack: undefined }),
  (one) => withPeers(one, Math.floor(one.peers / 2)),
  (one) => withPeers(one, one.peers - 1),
  (one) => ({ ...one, clients: Math.floor(one.clients / 2) }),
  (one) => ({ ...one, hours: one.hours > HOURS_MIN ? halved(one.hours) : one.hours }),
  (one) => ({ ...one, network: { ...one.network, ...PERFECT_NETWORK } }),
  (one) => ({ ...one, network: { ...one.network, natShare: 0 } }),
  (one) => ({ ...one, disk: { ...one.disk, slowShare: 0, fullShare: 0 } }),
  (one) => ({ ...one, clock: { skewMs: 0, driftPpm: 0 } }),
  (one) => ({ ...one, workload: { ...one.workload, renewalsPerMinute: 0 } }),
  (one) => ({ ...one, workload: { ...one.workload, locationStoresPerMinute: 0 } }),
  (one) => ({ ...one, workload: { ...one.workload, lookupsPerMinute: 0 } }),
];

const PERFECT_NETWORK = {
  lossShare: 0,
  duplicateShare: 0,
  reorderShare: 0,
  jitterShare: 0,
} as const;

function withPeers(scenario: Scenario, peers: number): Scenario {
  return { ...scenario, peers, bootstrapNodes: Math.min(scenario.bootstrapNodes, peers) };
}

/** The scenario where it can be run. */
function usable(scenario: Scenario): Scenario | undefined {
  const read = readScenario(scenario);
  return read instanceof ScenarioFault ? undefined : read;
}

function same(one: Scenario, other: Scenario): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** With few digits, so that a person can read it. */
function halved(value: number): number {
  return Number((value / 2).toPrecision(3));
}

const HOURS_MIN = 0.05;
const MINUTES_MIN = 0.5;
const SHARE_MIN = 0.02;
