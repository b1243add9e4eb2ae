import type { NodeId } from '../../src/wire/node-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';

/**
 * Who is suspected wrongly. An acknowledgement that is late makes a neighbour suspect (RFC 6940
 * §6.6.5): until it comes the neighbour is in no table, and the next peer stands in for it. With
 * lost packets that happens to live neighbours, and no peer can tell. So a fault between two peers
 * counts only where the link between them is not suspect, or is for longer than a Peer may wait.
 */
export class Suspicions {
  private readonly world: World;
  /** When it was first excused, by who suspects whom; ms of the World. */
  private readonly since = new Map<string, number>();

  constructor(world: World) {
    this.world = world;
  }

  /** Whether `node` may do without `other` for now; asked at each check. */
  excuses(node: SimNode, other: NodeId): boolean {
    const links = node.peer?.status().links.filter(({ nodeId }) => nodeId === other) ?? [];
    if (!links.some(({ suspect }) => suspect)) return false;
    const pair = `${node.name} ${other}`;
    const sinceMs = this.since.get(pair) ?? this.world.nowMs;
    this.since.set(pair, sinceMs);
    return this.world.nowMs - sinceMs <= EXCUSED_MS_MAX;
  }

  /** Nothing was wrong at this check: whoever is suspected later is suspected anew. */
  settle(): void {
    this.since.clear();
  }
}

/** A suspect link is closed after 30 s (§6.6.5); the rest is until the next check. */
const EXCUSED_MS_MAX = 60_000;
