import { describe, expect, it } from 'vitest';
import { Lifetimes } from '../../../sim/checkers/lifetimes.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { KindIds } from '../../../src/overlay-config/kind-definition.ts';
import type { Command } from '../../../src/reload/command.ts';
import type { Now } from '../../../src/storage/now.ts';
import type { PersistRecord } from '../../../src/storage/persist-record.ts';
import { resourceIdOf } from '../../../src/storage/resource-name.ts';
import { ResourceStore } from '../../../src/storage/resource-store.ts';
import type { KindSpecifier } from '../../../src/storage/store-result.ts';
import { nodeIdBytes } from '../../../src/wire/node-id.ts';
import type { ResourceId } from '../../../src/wire/resource-id.ts';
import { SmallWorld, type SmallWorldOptions } from '../small-world.ts';
import { watch } from './broken-peer.ts';

/** A store whose clock stands still at `frozen`, once that is set: nothing ever ends. */
class StoppedClockStore extends ResourceStore {
  frozen: Now | undefined;

  override fetch(resource: ResourceId, specifiers: readonly KindSpecifier[], now: Now) {
    return super.fetch(resource, specifiers, this.frozen ?? now);
  }

  override expire(now: Now): PersistRecord[] {
    return this.frozen === undefined ? super.expire(now) : [];
  }

  override nextDeadline(): number | undefined {
    return this.frozen === undefined ? super.nextDeadline() : undefined;
  }
}

const watched = (options: SmallWorldOptions = {}) => {
  const small = new SmallWorld(options);
  const { rules } = small;
  return { small, ...watch(small, (world, report) => new Lifetimes(world, report, rules)) };
};

describe('lifetimes', () => {
  it('are kept in an honest life', () => {
    const { small, violations } = watched();
    small.liveHonestly();
    expect(violations).toEqual([]);
  });

  it.each([
    ['is honest', 0],
    ['has a clock that stands still', 1],
  ])('are kept by a Peer that %s: %i violations', (_, expected) => {
    const stores = new Map<SimNode, StoppedClockStore>();
    const { small, violations } = watched({
      peerOptions(node, options) {
        const store = new StoppedClockStore({ kinds: small.configuration.kinds });
        stores.set(node, store);
        return { ...options, store, publishLocation: false };
      },
    });
    const [author] = small.grow(8) as [SimNode];
    const resource = resourceIdOf(author.userName);
    const [responsible] = small.holders(resource) as [SimNode];
    const asking = small.nodes.find((node) => node !== responsible) as SimNode;
    small.command(author, storeFor(author, 60));
    if (expected > 0) {
      const store = stores.get(responsible) as StoppedClockStore;
      store.frozen = responsible.clock.now(small.world.nowMs);
    }
    const specifier = { model: 'dictionary', keys: [] } as const;
    const specifiers = [{ kind: KindIds.xmppLocation, specifier }];
    const fetch: Command = { type: 'fetch', resource, specifiers };
    small.run(50);
    expect(small.command(asking, fetch)).toMatchObject({ result: { values: { length: 1 } } });
    small.run(60);
    expect(small.command(asking, fetch)).toMatchObject({
      result: { values: { length: expected } },
    });
    expect(violations).toHaveLength(expected);
    if (expected === 0) return;
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [responsible.name] });
  });
});

/** A location of its own for so many seconds. */
function storeFor(node: SimNode, lifetimeSeconds: number): Command {
  const place = { model: 'dictionary', key: nodeIdBytes(node.nodeId) } as const;
  const value = Uint8Array.of(1, 2, 3);
  return {
    type: 'store',
    resource: resourceIdOf(node.userName),
    values: [{ kind: KindIds.xmppLocation, place, value, lifetimeSeconds }],
  };
}
