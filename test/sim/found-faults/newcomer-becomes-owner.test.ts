import { expect, test } from 'vitest';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { isInRange, successorPoint } from '../../../src/reload/ring.ts';
import { resourceIdOf } from '../../../src/storage/resource-name.ts';
import { type NodeId, nodeIdBytes } from '../../../src/wire/node-id.ts';
import { settledSimulation } from '../test-simulation.ts';

/**
 * Found by `xor sim run --scenario churn-5m --set hours=0.34 --seed 7 --signatures cheap`: the
 * first holder of copies died, a node joined in its place, and within the hold-down the owner died
 * as well. The newcomer became responsible and had nothing; the second holder saw no reason to give
 * it what it had, and died with it.
 */
test.each([1, 2, 3])(
  'a newcomer that becomes the owner gets what the other holder has, seed %i',
  (seed) => {
    const { overlay } = settledSimulation({ peers: 14 }, { seed });
    const { world } = overlay;
    const ring = [...world.nodes].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    const places = world.nodes.map(({ nodeId }) => resourceIdOf(nodeIdBytes(nodeId)));
    const at = ring.findIndex((node, index) => {
      const before = ring.at(index - 1) as SimNode;
      return places.some((place) => isInRange(place, before.nodeId, node.nodeId));
    });
    const owner = ring[at] as SimNode;
    const before = ring.at(at - 1) as SimNode;
    const holder = ring[(at + 1) % ring.length] as SimNode;
    const resource = places.find((place) => isInRange(place, before.nodeId, owner.nodeId));
    world.stop(holder, 'process', true);
    world.runUntil(world.nowMs + 1_000);
    const nodeId = successorPoint(owner.nodeId) as string as NodeId;
    const newcomer = overlay.newNode({ nodeId });
    overlay.start(newcomer);
    expect(world.runUntilDone(() => newcomer.isJoined, 15_000, 100)).toBe(true);
    world.stop(owner, 'process', true);
    world.runUntil(world.nowMs + 20_000);
    expect(newcomer.peer?.isResponsible(resource as NonNullable<typeof resource>)).toBe(true);
    const kept = [...newcomer.disk.records.keys()];
    expect(kept.filter((key) => key.startsWith(`value/${resource}/`))).not.toEqual([]);
  },
);
