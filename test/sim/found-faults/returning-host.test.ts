import { expect, test } from 'vitest';
import { ringFault } from '../../../sim/simulation/ring-wholeness.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { SmallWorld } from '../small-world.ts';

/**
 * Found by a host that crashed and came back within seconds: its neighbours took the links of its
 * former process for live ones, answered its Attach and did not connect. It joined knowing one
 * neighbour, shunned the others for a minute, and two peers were responsible for the same range.
 */
test.each([1, 2, 3, 5])(
  'a host that falls silent and is back after 5 s knows its neighbours at once, seed %i',
  (seed) => {
    const small = new SmallWorld({ seed });
    small.grow(12);
    small.run(60);
    const back = small.ring()[3] as SimNode;
    small.world.stop(back, 'host');
    small.run(5);
    small.start(back);
    const startedMs = small.world.nowMs;
    small.until(() => back.isJoined);
    expect(small.world.nowMs - startedMs).toBeLessThan(5_000);
    small.run(5);
    expect(ringFault(small.nodes)).toBeUndefined();
  },
);
