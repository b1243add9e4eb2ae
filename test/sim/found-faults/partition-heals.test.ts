import { expect, test } from 'vitest';
import { ringFault } from '../../../sim/simulation/ring-wholeness.ts';
import { settledSimulation } from '../test-simulation.ts';

/**
 * Found with a partition of 60 peers: each peer looked for the other ring through the peers that it
 * remembered, all in its own ring, and came to the bootstrap nodes after an hour.
 */
test('a ring divided for 10 minutes is one again within 10, with all bootstrap nodes in one half', () => {
  const { overlay } = settledSimulation({ peers: 20, bootstrapNodes: 3 });
  const { world } = overlay;
  world.network.divide((node) => (node.index < 3 || node.index % 2 === 0 ? 0 : 1));
  world.runUntil(world.nowMs + 10 * 60_000);
  expect(ringFault(world.nodes)).toBeDefined();
  world.network.heal();
  expect(world.runUntilDone(() => ringFault(world.nodes) === undefined, 10 * 60_000)).toBe(true);
});
