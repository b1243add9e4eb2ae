import type { Checker, ReportViolation, Violation } from '../../../sim/checkers/checker.ts';
import { installChecker } from '../../../sim/checkers/install-checkers.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { World } from '../../../sim/world/world.ts';
import type { PeerComponents } from '../../../src/reload/peer-components.ts';
import type { PeerStatus } from '../../../src/reload/peer-options.ts';
import type { SmallWorld } from '../small-world.ts';

/** Installs one checker; what it reports is added to the list that is returned. */
export function watch<C extends Checker>(
  small: SmallWorld,
  make: (world: World, report: ReportViolation) => C,
): { checker: C; violations: Violation[] } {
  const violations: Violation[] = [];
  const checker = make(small.world, (found) => violations.push(found));
  installChecker(small.world, checker);
  return { checker, violations };
}

/** The components of a node's Peer, to break one of them. */
export function partsOf(node: SimNode): PeerComponents {
  return (node.peer as unknown as { readonly parts: PeerComponents }).parts;
}

/** Makes `node` take `other` for suspect from now on, whatever the other acknowledges. */
export function suspectForGood(node: SimNode, other: SimNode): void {
  const { chord } = partsOf(node);
  chord.handleNodeSuspect(other.nodeId);
  replaceMethod(chord.tables, 'add', (honest) => (id: unknown) => {
    return id === other.nodeId ? false : honest(id);
  });
  replaceMethod(node.peer as object, 'status', (honest) => () => {
    const status = honest() as PeerStatus;
    const links = status.links.map((link) =>
      link.nodeId === other.nodeId ? { ...link, suspect: true } : link,
    );
    return { ...status, links };
  });
}

type Method = (...given: never[]) => unknown;

/** Puts another method in the place of `name`; `make` gets the honest one. */
export function replaceMethod(
  target: object,
  name: string,
  make: (honest: (...given: unknown[]) => unknown) => Method,
): void {
  const honest = Reflect.get(target, name) as (...given: unknown[]) => unknown;
  Reflect.set(target, name, make(honest.bind(target)));
}
