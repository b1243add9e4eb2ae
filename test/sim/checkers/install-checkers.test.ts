import { expect, it } from 'vitest';
import type { Violation } from '../../../sim/checkers/checker.ts';
import { installCheckers } from '../../../sim/checkers/install-checkers.ts';
import { SmallWorld } from '../small-world.ts';

it('all checkers are silent about an honest life, and take no part in it', () => {
  const watched = new SmallWorld();
  const violations: Violation[] = [];
  const { rules } = watched;
  const installed = installCheckers(watched.world, (found) => violations.push(found), { rules });
  watched.liveHonestly();
  installed.finish();
  expect(violations).toEqual([]);
  const counts = installed.stores.counts();
  expect(counts.ackedStores).toBeGreaterThanOrEqual(33);
  expect(counts.lostStores).toBe(0);

  const unwatched = new SmallWorld();
  unwatched.grow(5);
  const again = new SmallWorld();
  installCheckers(again.world, () => undefined, { rules });
  again.grow(5);
  expect(unwatched.world.trace.digest()).toBe(again.world.trace.digest());
});
