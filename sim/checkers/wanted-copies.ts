import { lowerBound } from '../../src/reload/ring.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { resourceInKey } from './durable-value.ts';
import type { Membership } from './membership.ts';

/**
 * How many durable copies a value should have: one each at the responsible peer and its two
 * successors (RFC 6940 §10.4), as far as there are so many and their disks take it. A full disk
 * cannot hold a copy, and no other peer may step in for it: a replica Store to a fourth one is
 * refused (§7.4.1.1). What could not be written is written a minute after there is room again.
 */
export class WantedCopies {
  private readonly world: World;
  private readonly members: Membership;
  private readonly fullAtMs = new Map<SimNode, number>();

  constructor(world: World, members: Membership) {
    this.world = world;
    this.members = members;
  }

  /** Notes which disks are full; called every few seconds. */
  look(): void {
    for (const node of this.world.nodes) if (node.disk.isFull) this.note(node);
  }

  /** Of the value that is stored under this key. */
  of(key: string): number {
    const { members } = this;
    if (members.size === 0) return 1;
    const first = lowerBound(members.ring, resourceInKey(key));
    let wanted = 0;
    for (let step = 0; step < Math.min(COPIES, members.size); step++) {
      if (!this.wasFull(members.at(first + step))) wanted++;
    }
    return Math.max(1, wanted);
  }

  private wasFull(node: SimNode): boolean {
    if (node.disk.isFull) this.note(node);
    const atMs = this.fullAtMs.get(node) ?? Number.NEGATIVE_INFINITY;
    return this.world.nowMs - atMs <= WRITTEN_AGAIN_MS;
  }

  private note(node: SimNode): void {
    this.fullAtMs.set(node, this.world.nowMs);
  }
}

/** RFC 6940 §10.4: the responsible peer and its two successors. */
export const COPIES = 3;
/** A peer tries again every minute; the look at its disk, and the write, take some seconds. */
const WRITTEN_AGAIN_MS = 75_000;
