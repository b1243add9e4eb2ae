import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { AcknowledgedStores, type AcknowledgedStoresOptions } from './acknowledged-stores.ts';
import { AnswerAfterDisk } from './answer-after-disk.ts';
import { AuthorisedWrites } from './authorised-writes.ts';
import { BoundedTables, type BoundedTablesOptions } from './bounded-tables.ts';
import type { Checker, ReportViolation } from './checker.ts';
import { Lifetimes } from './lifetimes.ts';
import { NoErrors } from './no-errors.ts';
import { OneResponsible, type OneResponsibleOptions } from './one-responsible.ts';
import { RingInvariants, type RingOptions } from './ring-invariants.ts';
import type { StorageRules } from './storage-rules.ts';

export interface CheckersOptions {
  readonly rules: StorageRules;
  /** Of the values, Fetches and Stores, how many are looked at: in [0, 1]. Default: all. */
  readonly share?: number;
  /** The time between two scheduled checks, ms of the World. Default: 10 s. */
  readonly everyMs?: number;
  /** Nodes that lie on purpose. Default: none. */
  readonly isHonest?: (node: SimNode) => boolean;
  readonly ring?: Partial<RingOptions>;
  readonly responsible?: Partial<OneResponsibleOptions>;
  readonly stores?: Partial<AcknowledgedStoresOptions>;
  readonly tables?: Partial<BoundedTablesOptions>;
}

export interface InstalledCheckers {
  readonly checkers: readonly Checker[];
  /** For the counts in the report. */
  readonly stores: AcknowledgedStores;
  /** Call once, when the run is over. */
  finish(): void;
}

/**
 * Makes all checkers, lets them observe the World from now on and runs their scheduled checks. They
 * take no part in it: the trace hash stays the same.
 */
export function installCheckers(
  world: World,
  report: ReportViolation,
  options: CheckersOptions,
): InstalledCheckers {
  const { rules, share = 1, isHonest = () => true } = options;
  const stores = new AcknowledgedStores(world, report, options.stores);
  const checkers: Checker[] = [
    new NoErrors(world, report),
    new RingInvariants(world, report, options.ring),
    new OneResponsible(world, report, options.responsible),
    stores,
    new AuthorisedWrites(world, report, rules, { share }),
    new Lifetimes(world, report, rules, { share, isHonest }),
    new BoundedTables(world, report, options.tables),
    new AnswerAfterDisk(world, report, rules, { share }),
  ];
  for (const checker of checkers) installChecker(world, checker, options.everyMs);
  const finish = () => {
    for (const checker of checkers) checker.finish?.(world.nowMs);
  };
  return { checkers, stores, finish };
}

/** One checker alone. */
export function installChecker(world: World, checker: Checker, everyMs = EVERY_MS): void {
  world.observers.push(checker);
  if (checker.check === undefined) return;
  const again = () => {
    checker.check?.(world.nowMs);
    world.schedule(everyMs, again);
  };
  world.schedule(everyMs, again);
}

const EVERY_MS = 10_000;
