import { expect, it } from 'vitest';
import { NoErrors } from '../../../sim/checkers/no-errors.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { SmallWorld } from '../small-world.ts';
import { replaceMethod, watch } from './broken-peer.ts';

it('catches a Peer that throws, and stops the World there', () => {
  const small = new SmallWorld();
  const { violations } = watch(small, (world, report) => new NoErrors(world, report));
  const [, broken] = small.grow(3) as [SimNode, SimNode];
  replaceMethod(broken.peer as object, 'handle', () => () => {
    throw new Error('a table has no such entry');
  });
  small.world.runUntil(small.world.nowMs + 60_000);
  expect(violations).toHaveLength(1);
  expect(violations[0]).toMatchObject({ kind: 'assertion', nodes: [broken.name] });
  expect(violations[0]?.detail).toContain('a table has no such entry');
  expect(violations[0]?.event).toBe(small.world.eventCount);
});
