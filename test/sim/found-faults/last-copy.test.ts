import { expect, test } from 'vitest';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { resourceIdOf } from '../../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../../src/storage/resource-store.ts';
import { SmallWorld } from '../small-world.ts';

/**
 * Found by reading what makes a peer drop a copy: that three nearer peers are known was enough,
 * whether or not one of them had ever got it.
 */
test.each([1, 2, 3])(
  'who is no replica any more keeps its copy until a nearer peer has it, seed %i',
  (seed) => {
    const stores = new Map<SimNode, ResourceStore>();
    const small = new SmallWorld({
      seed,
      peerOptions: (node, options) => {
        stores.set(node, options.store);
        return options;
      },
    });
    const first = small.grow(6);
    const resources = first.map(({ userName }) => resourceIdOf(userName));
    small.grow(8);
    const lastCopies = resources.filter((resource) => {
      const ring = small.ring();
      const at = ring.indexOf(small.holders(resource)[0] as SimNode);
      const byDistance = [...ring.slice(at), ...ring.slice(0, at)];
      const holds = (node: SimNode) => stores.get(node)?.resourceIds().includes(resource) === true;
      const farthest = byDistance.findLastIndex(holds);
      if (farthest < 3) return false;
      // As if no handing over and no copying to the newcomers had worked.
      for (const node of byDistance.slice(0, farthest)) stores.get(node)?.remove(resource);
      return true;
    });
    expect(lastCopies.length).toBeGreaterThan(0);
    small.run(240);
    for (const resource of lastCopies) {
      const [owner] = small.holders(resource) as [SimNode];
      expect(stores.get(owner)?.resourceIds()).toContain(resource);
    }
  },
);
