import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import type { WorldObserver } from '../world/world-observer.ts';

/** Something that must not happen in a World, whatever the network, disks and hosts do. */
export interface Violation {
  /** The name of the checker. */
  readonly checker: string;
  /** ms of the World. */
  readonly atMs: number;
  /** `World.eventCount` at that moment: where a replay stops. */
  readonly event: number;
  /** Names of the nodes that it concerns. */
  readonly nodes: readonly string[];
  /** What was expected, what was found. */
  readonly detail: string;
  readonly kind: ViolationKind;
}

/**
 * `assertion`: a Peer is broken inside; `correctness`: a promise is broken; `convergence`: the
 * overlay did not come to rest in the time it has for that.
 */
export type ViolationKind = 'assertion' | 'correctness' | 'convergence';

export type ReportViolation = (violation: Violation) => void;

/** Watches a World for one promise. It changes nothing and draws from streams of its own alone. */
export interface Checker extends WorldObserver {
  readonly name: string;
  /** On a schedule; `nowMs` is the World's time. */
  check?(nowMs: number): void;
  /** Once, at the end of the run. */
  finish?(nowMs: number): void;
}

export function violationOf(
  world: World,
  checker: Checker,
  kind: ViolationKind,
  nodes: readonly SimNode[],
  detail: string,
): Violation {
  const names = nodes.map(({ name }) => name);
  const { nowMs: atMs, eventCount: event } = world;
  return { checker: checker.name, atMs, event, nodes: names, detail, kind };
}
