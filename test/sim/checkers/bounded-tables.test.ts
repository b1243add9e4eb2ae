import { describe, expect, it } from 'vitest';
import { BoundedTables, type BoundedTablesOptions } from '../../../sim/checkers/bounded-tables.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { PeerEnvironment } from '../../../src/reload/peer-environment.ts';
import { toHex } from '../../../src/wire/hex.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import { SmallWorld, type SmallWorldOptions } from '../small-world.ts';
import { partsOf, replaceMethod, watch } from './broken-peer.ts';

const watched = (options: Partial<BoundedTablesOptions> = {}, world: SmallWorldOptions = {}) => {
  const small = new SmallWorld(world);
  return { small, ...watch(small, (seen, report) => new BoundedTables(seen, report, options)) };
};

const FIVE_MINUTES = { windowMs: 300_000 };

describe('bounded tables', () => {
  it('are kept in an honest life and in the quiet after it', () => {
    const { small, checker, violations } = watched(FIVE_MINUTES);
    small.liveHonestly();
    small.run(720);
    checker.finish(small.world.nowMs);
    expect(violations).toEqual([]);
  });

  it('catch a Peer that takes more commands than the limit allows', () => {
    const { small, checker, violations } = watched(
      {},
      { peerOptions: (_, options) => ({ ...options, limits: { commandsMax: 1_000_000 } }) },
    );
    const [broken, other] = small.grow(2) as [SimNode, SimNode];
    for (let count = 0; count < 1_100; count++) {
      small.world.command(broken, { type: 'ping', nodeId: other.nodeId }, () => undefined);
    }
    checker.check(small.world.nowMs);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('"commands"');
  });

  it('catch a Peer that sets deadlines and never takes them back', () => {
    const { small, violations } = watched();
    const [broken] = small.grow(3) as [SimNode];
    const { deadlines } = Reflect.get(broken.peer as object, 'env') as PeerEnvironment;
    let leaked = 0;
    replaceMethod(broken.peer as object, 'handle', (honest) => (input: unknown, now: unknown) => {
      deadlines.set(`leak:${leaked++}`, { type: 'cachedAnswers' }, 1e12);
      return honest(input, now);
    });
    small.run(600);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('"deadlines"');
  });

  it('catch a Peer one of whose tables grows within its limit while nothing happens', () => {
    const { small, violations } = watched(FIVE_MINUTES);
    const [, broken] = small.grow(4) as [SimNode, SimNode];
    const { attaches } = partsOf(broken);
    const random = small.world.stream('leak');
    replaceMethod(broken.peer as object, 'handle', (honest) => (input: unknown, now: unknown) => {
      if (random.chance(0.2)) attaches.noteUnreachable(toHex(random.bytes(16)) as NodeId);
      return honest(input, now);
    });
    small.run(1200);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('table entries grew');
  });

  it('catch memory that grows while nothing happens', () => {
    let bytes = 100_000_000;
    const heapBytes = () => (bytes += 2_000_000);
    const { small, violations } = watched({ ...FIVE_MINUTES, heapBytes });
    small.grow(2);
    small.run(1000);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [] });
    expect(violations[0]?.detail).toContain('bytes of memory grew');
  });
});
