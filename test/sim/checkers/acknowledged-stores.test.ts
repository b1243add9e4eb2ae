import { describe, expect, it } from 'vitest';
import { AcknowledgedStores } from '../../../sim/checkers/acknowledged-stores.ts';
import { expectedLosses, expectedLossesAtOnce } from '../../../sim/checkers/loss-arithmetic.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { KindIds } from '../../../src/overlay-config/kind-definition.ts';
import type { Command } from '../../../src/reload/command.ts';
import { resourceIdOf } from '../../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../../src/storage/resource-store.ts';
import { nodeIdBytes } from '../../../src/wire/node-id.ts';
import { SmallWorld } from '../small-world.ts';
import { partsOf, replaceMethod, watch } from './broken-peer.ts';

const watched = () => {
  const small = new SmallWorld();
  return { small, ...watch(small, (world, report) => new AcknowledgedStores(world, report)) };
};

/** A location of its own, which is stored anew. */
function storeLocation(node: SimNode): Command {
  const place = { model: 'dictionary', key: nodeIdBytes(node.nodeId) } as const;
  const value = Uint8Array.of(1, 2, 3);
  return {
    type: 'store',
    resource: resourceIdOf(node.userName),
    values: [{ kind: KindIds.xmppLocation, place, value, lifetimeSeconds: 3600 }],
  };
}

/** A node, and who holds its location: others than itself. */
function storeAt(small: SmallWorld): { author: SimNode; holders: SimNode[] } {
  for (const author of small.ring()) {
    const holders = small.holders(resourceIdOf(author.userName));
    if (!holders.includes(author)) return { author, holders };
  }
  throw new Error('everybody holds the own records');
}

describe('acknowledged Stores', () => {
  it('survive an honest life', () => {
    const { small, checker, violations } = watched();
    small.liveHonestly();
    expect(violations).toEqual([]);
    const { ackedStores, lostStores, aliveByReplicaCount } = checker.counts();
    expect(lostStores).toBe(0);
    // Each of eleven nodes has a certificate under Node-ID and name, and a location.
    expect(ackedStores).toBeGreaterThanOrEqual(3 * 11);
    expect(aliveByReplicaCount.slice(0, 3)).toEqual([0, 0, 0]);
  });

  it.each([
    ['honest', 0],
    ['broken: it never replicates', 1],
  ])('survive the responsible peer if it is %s', (_, lost) => {
    const { small, checker, violations } = watched();
    small.grow(10);
    const { author, holders } = storeAt(small);
    const [responsible] = holders as [SimNode];
    if (lost > 0) replaceMethod(partsOf(responsible).replication, 'enqueue', () => () => undefined);
    expect(small.command(author, storeLocation(author)).ok).toBe(true);
    small.run(100);
    small.world.stop(responsible, 'process', true);
    small.run(10);
    expect(violations).toHaveLength(lost);
    expect(checker.counts()).toMatchObject({ lostStores: lost, excusedLosses: 0 });
    if (lost === 0) return;
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [responsible.name] });
    expect(violations[0]?.detail).toContain('copies were missing');
  });

  it('are lost with excuse when all holders vanish at once; a restart may bring them back', () => {
    const { small, checker, violations } = watched();
    small.grow(12);
    // Copies that are not needed go within a minute.
    small.run(130);
    const { holders } = storeAt(small);
    for (const node of holders) small.world.stop(node, 'host');
    const { lostStores, excusedLosses, expectedExcusedLosses } = checker.counts();
    expect(lostStores).toBeGreaterThan(0);
    expect(excusedLosses).toBe(lostStores);
    // 36 values, and 3 of 12 peers at once: 36 · 6 / 1320, and what comes of single deaths.
    expect(expectedExcusedLosses).toBeCloseTo((36 * 6) / 1320, 2);
    for (const node of holders) small.start(node);
    expect(checker.counts().returnedStores).toBe(lostStores);
    expect(violations).toEqual([]);
  });

  it.each([
    ['full', 1, 0],
    ['broken', 0, 1],
  ])(
    'lack a copy for long with excuse only if the disk of a holder is full: %s',
    (how, excused, found) => {
      const { small, checker, violations } = watched();
      small.grow(12);
      small.run(130);
      const { author, holders } = storeAt(small);
      const [first, second, third] = holders as [SimNode, SimNode, SimNode];
      if (how === 'full') third.disk.isFull = true;
      else replaceMethod(third.disk, 'write', () => () => undefined);
      expect(small.command(author, storeLocation(author)).ok).toBe(true);
      small.run(100);
      const { lostStores } = checker.counts();
      small.world.stop(first, 'process');
      small.world.stop(second, 'process');
      const key = resourceIdOf(author.userName);
      expect(violations.filter(({ detail }) => detail.includes(key)).length > 0 ? 1 : 0).toBe(
        found,
      );
      expect(checker.counts().lostStores).toBeGreaterThan(lostStores);
      expect(checker.counts().excusedLosses > 0 ? 1 : 0).toBe(excused);
    },
  );

  it('catch a Peer that drops the last copy', () => {
    const { small, violations } = watched();
    const [only] = small.grow(1) as [SimNode];
    const resource = resourceIdOf(only.userName);
    const { storage } = partsOf(only);
    const store = Reflect.get(storage, 'store') as ResourceStore;
    replaceMethod(only.peer as object, 'handle', (honest) => (input: unknown, now: unknown) => {
      storage.write(store.remove(resource));
      return honest(input, now);
    });
    small.world.handle(only, { type: 'tick' });
    small.run(1);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [only.name] });
    expect(violations[0]?.detail).toContain('dropped it before its lifetime was over');
  });

  it('catch an acknowledgement of what no disk ever had', () => {
    const { small, violations } = watched();
    const [liar] = small.grow(3) as [SimNode];
    const resource = resourceIdOf('nobody');
    const stored = { type: 'ownDataStored', kind: KindIds.xmppLocation, resource } as const;
    replaceMethod(liar.peer as object, 'handle', (honest) => (input: unknown, now: unknown) => [
      ...(honest(input, now) as unknown[]),
      { type: 'event', event: stored },
    ]);
    small.world.handle(liar, { type: 'tick' });
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [liar.name] });
    expect(violations[0]?.detail).toContain('no disk ever had it');
  });
});

describe('the expected number of losses', () => {
  it('is 6 λ³ R² for each value and hour, and λ r for each Store', () => {
    const conditions = {
      valueHours: 24_000,
      stores: 72_000,
      deathsPerPeerHour: Math.LN2,
      repairHours: 50 / 3600,
      firstReplicationHours: 0.25 / 3600,
    };
    // 24,000 · 6 · 0.333 · 0.000193 = 9.25 and 72,000 · 0.693 · 0.0000694 = 3.47.
    expect(expectedLosses(conditions)).toBeCloseTo(12.72, 1);
  });

  it('is C(gone, 3) / C(peers, 3) for those that vanish at once', () => {
    expect(expectedLossesAtOnce(1000, 200, 1000)).toBeCloseTo(7.9, 1);
    expect(expectedLossesAtOnce(1000, 2, 1000)).toBe(0);
  });
});
