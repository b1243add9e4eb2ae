import { createHash } from 'node:crypto';
import type { Scenario } from '../scenario/scenario.ts';
import type { ScenarioChange } from '../scenario/scenario-change.ts';
import { ScenarioFault } from '../scenario/scenario-fault.ts';
import { runsOf, type Variation } from '../scenario/study.ts';

export interface SweepOptions {
  readonly scenario: Scenario;
  readonly seeds: readonly number[];
  readonly vary: readonly Variation[];
  /** `auto`: as many peers as there are decide. */
  readonly signatures: 'real' | 'cheap' | 'auto';
}

/** Every run of a sweep, in an order that depends on its options alone. */
export interface SweepPlan {
  /** The same for all shards of one sweep, and for no other sweep. */
  readonly id: string;
  readonly items: readonly SweepItem[];
}

export interface SweepItem {
  /** Counts from 0; shard i of n has those whose remainder by n is i. */
  readonly item: number;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly changes: readonly ScenarioChange[];
}

/** All combinations of what varies, each with every seed. */
export function planSweep(options: SweepOptions): SweepPlan | ScenarioFault {
  const { scenario, seeds, vary, signatures } = options;
  const runs = runsOf(scenario, { set: [], vary });
  if (runs instanceof ScenarioFault) return runs;
  const items = runs.flatMap((run, i) =>
    seeds.map((seed, j) => ({ ...run, seed, item: i * seeds.length + j })),
  );
  const definition = JSON.stringify({ scenario, seeds, vary, signatures });
  const id = createHash('sha256').update(definition).digest('hex').slice(0, ID_DIGITS);
  return { id, items };
}

/** One of several parts of a sweep, for machines that know only their number. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export function itemsOf(plan: SweepPlan, shard: Shard): SweepItem[] {
  return plan.items.filter(({ item }) => item % shard.count === shard.index);
}

const ID_DIGITS = 16;
