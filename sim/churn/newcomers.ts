import type { NewNode, SimOverlay } from '../simulation/sim-overlay.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';

/**
 * Makes nodes as the scenario has them: so many clients behind a NAT, so many nodes with a slow or
 * a full disk. A peer is never behind a NAT: without ICE its neighbours must be able to connect to
 * it (RFC 6940 §6.5.1), or no ring is whole.
 */
export class Newcomers {
  private readonly overlay: SimOverlay;
  private readonly common: NewNode;
  private readonly random: SimRandom;

  /** `common`: what holds for all of them. */
  constructor(overlay: SimOverlay, common: NewNode = {}) {
    this.overlay = overlay;
    this.common = common;
    this.random = overlay.world.stream('newcomers');
  }

  /** A node with a new identity; it does not run yet. `special`: what holds for it alone. */
  make(role: 'peer' | 'client', special: NewNode = {}): SimNode {
    const { network, disk } = this.overlay.scenario;
    const isBehindNat = this.random.chance(network.natShare) && role === 'client';
    const node = this.overlay.newNode({ isBehindNat, ...this.common, ...special, role });
    if (this.random.chance(disk.slowShare)) node.disk.slowness = SLOWNESS;
    if (this.random.chance(disk.fullShare)) node.disk.isFull = true;
    return node;
  }

  /** Makes a node and starts it. */
  start(role: 'peer' | 'client', special: NewNode = {}): SimNode {
    const node = this.make(role, special);
    this.overlay.start(node);
    return node;
  }
}

/** As `DiskPlan.slowShare` says. */
const SLOWNESS = 100;
