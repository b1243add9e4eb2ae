import type { Output } from '../../src/reload/output.ts';
import { lowerBound } from '../../src/reload/ring.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';

/**
 * The members of the ring, in its order: peers that run and are joined, as they say themselves, and
 * were not revoked.
 */
export class Membership {
  private readonly world: World;
  private readonly ids: NodeId[] = [];
  private readonly nodes = new Map<NodeId, SimNode>();
  /** When a member came or went, or the network was divided or healed; ms of the World. */
  changedMs = 0;
  private dividedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.world = world;
    for (const node of world.nodes) this.sync(node);
  }

  get size(): number {
    return this.ids.length;
  }

  /** Node-IDs in numerical order. */
  get ring(): readonly NodeId[] {
    return this.ids;
  }

  member(id: NodeId): SimNode | undefined {
    return this.nodes.get(id);
  }

  at(index: number): SimNode {
    const { length } = this.ids;
    return this.nodes.get(this.ids[(index + length) % length] as NodeId) as SimNode;
  }

  /** The member at or after a place of the ring: who is responsible for it (RFC 6940 §10.1). */
  responsibleFor(id: string): SimNode {
    return this.at(lowerBound(this.ids, id) % this.ids.length);
  }

  /** Whether the network is divided, or was within the last `ms`; look often enough. */
  wasDivided(ms: number): boolean {
    const { nowMs, network } = this.world;
    if (network.isDivided) {
      this.dividedUntilMs = nowMs;
      this.changedMs = nowMs;
    }
    return network.isDivided || nowMs - this.dividedUntilMs < ms;
  }

  /** How long nothing has changed, ms. */
  get stableMs(): number {
    if (this.world.network.isDivided) this.wasDivided(0);
    if (this.world.changesUnderWay > 0) this.changedMs = this.world.nowMs;
    return this.world.nowMs - this.changedMs;
  }

  /** Looks at what a Peer returned; true when a member came or went. */
  noteOutputs(node: SimNode, outputs: readonly Output[]): boolean {
    let changed = false;
    for (const output of outputs) {
      if (output.type !== 'event' || output.event.type !== 'stateChanged') continue;
      if (this.sync(node)) changed = true;
    }
    return changed;
  }

  /** Compares a node with what is known of it; true when it came or went. */
  sync(node: SimNode): boolean {
    const isMember = node.role === 'peer' && node.isJoined && !node.isRevoked;
    if (isMember === this.nodes.has(node.nodeId)) return false;
    const at = lowerBound(this.ids, node.nodeId);
    if (isMember) {
      this.ids.splice(at, 0, node.nodeId);
      this.nodes.set(node.nodeId, node);
    } else {
      this.ids.splice(at, 1);
      this.nodes.delete(node.nodeId);
    }
    this.changedMs = this.world.nowMs;
    return true;
  }
}
