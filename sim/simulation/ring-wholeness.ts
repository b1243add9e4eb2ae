import type { SimNode } from '../world/sim-node.ts';

/**
 * Whether these running peers are one ring: all have joined, and each one's nearest successor and
 * predecessor are the right ones. Returns what is wrong first, or undefined.
 */
export function ringFault(peers: readonly SimNode[]): string | undefined {
  const outside = peers.find((node) => !node.isJoined);
  if (outside !== undefined) return `${outside.name} has not joined`;
  const ring = [...peers].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  if (ring.length < 2) return undefined;
  for (const [at, node] of ring.entries()) {
    const next = ring[(at + 1) % ring.length] as SimNode;
    const before = ring[(at - 1 + ring.length) % ring.length] as SimNode;
    const { predecessors = [], successors = [] } = node.peer?.neighbors() ?? {};
    if (successors[0] !== next.nodeId) return `${node.name} does not have ${next.name} next`;
    if (predecessors[0] !== before.nodeId) {
      return `${node.name} does not have ${before.name} before it`;
    }
  }
  return undefined;
}
