import { describe, expect, it } from 'vitest';
import { AuthorisedWrites } from '../../../sim/checkers/authorised-writes.ts';
import { cheapSignatures, realSignatures } from '../../../sim/identity/signature-scheme.ts';
import { WORLD_START_UNIX_MS } from '../../../sim/world/sim-clock.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { KindIds } from '../../../src/overlay-config/kind-definition.ts';
import type { Output } from '../../../src/reload/output.ts';
import type { PersistRecord } from '../../../src/storage/persist-record.ts';
import { placeName } from '../../../src/storage/place.ts';
import { resourceIdOf } from '../../../src/storage/resource-name.ts';
import { valueRecord } from '../../../src/storage/store-record.ts';
import { signData } from '../../../src/tls-auth/data-signature.ts';
import { encode } from '../../../src/wire/codec.ts';
import { nodeIdBytes } from '../../../src/wire/node-id.ts';
import { type StoredData, storedData } from '../../../src/wire/stored-data.ts';
import { SmallWorld } from '../small-world.ts';
import { watch } from './broken-peer.ts';

const watched = (scheme = cheapSignatures) => {
  const small = new SmallWorld({ scheme });
  const { rules } = small;
  return { small, ...watch(small, (world, report) => new AuthorisedWrites(world, report, rules)) };
};

/** A location under the name of `victim`, at the key of `keyOf`, signed by `signer`. */
function location(signer: SimNode, victim: SimNode, keyOf: SimNode): PersistRecord {
  const resource = resourceIdOf(victim.userName);
  const kind = KindIds.xmppLocation;
  const place = { model: 'dictionary', key: nodeIdBytes(keyOf.nodeId) } as const;
  const value = { ...place, value: { exists: true, value: Uint8Array.of(1) } };
  const storageTime = BigInt(WORLD_START_UNIX_MS);
  const signature = signData(signer.signer, resource, kind, storageTime, value);
  const data: StoredData = { storageTime, lifetime: 3600, value, signature };
  return valueRecord(place, placeName(place), {
    resource,
    kind,
    generationCounter: 1n,
    expiresUnixMs: storageTime + 3_600_000n,
    storedData: encode(storedData('dictionary'), data),
    certificates: [...signer.signer.node.chain],
  });
}

/** From now on this node writes a record that is none of its Peer. */
function smuggle(small: SmallWorld, node: SimNode, record: PersistRecord): void {
  let isDone = false;
  node.behavior = {
    bendOutputs(outputs) {
      if (isDone) return outputs;
      isDone = true;
      const extra: Output = { type: 'persist', ticket: 1_000_000, records: [record] };
      return [...outputs, extra];
    },
  };
  small.world.handle(node, { type: 'tick' });
  small.run(1);
}

describe('authorised writes', () => {
  it.each([cheapSignatures, realSignatures])('are all there are in an honest life', (scheme) => {
    const { small, violations } = watched(scheme);
    small.liveHonestly();
    expect(violations).toEqual([]);
  });

  it('may be written by a Peer under its own name', () => {
    const { small, violations } = watched();
    const [node] = small.grow(2) as [SimNode];
    smuggle(small, node, location(node, node, node));
    expect(violations).toEqual([]);
  });

  it("catch a Peer that keeps a value under another user's name", () => {
    const { small, violations } = watched();
    const [broken, victim] = small.grow(2) as [SimNode, SimNode];
    smuggle(small, broken, location(broken, victim, broken));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('may not write there');
  });

  it('catch a Peer that keeps a value of the right user at the key of another node', () => {
    const { small, violations } = watched();
    const [broken, other] = small.grow(2) as [SimNode, SimNode];
    smuggle(small, broken, location(broken, broken, other));
    expect(violations).toHaveLength(1);
  });

  it('catch a Peer that keeps a value whose signature is not true', () => {
    const { small, violations } = watched();
    const [broken, victim] = small.grow(2) as [SimNode, SimNode];
    const forger = { ...victim, signer: { ...victim.signer, sign: broken.signer.sign } };
    smuggle(small, broken, location(forger as SimNode, victim, victim));
    expect(violations).toHaveLength(1);
    expect(violations[0]?.detail).toContain('signature-invalid');
  });

  it('catch a Peer that finds the certificate of another node than asked for', () => {
    const { small, violations } = watched();
    const [broken, asked, other] = small.grow(3) as [SimNode, SimNode, SimNode];
    const honest = broken.peer?.handle.bind(broken.peer) as (...given: unknown[]) => Output[];
    Reflect.set(broken.peer as object, 'handle', (input: unknown, now: unknown) =>
      honest(input, now).map((output) => {
        if (output.type !== 'completed') return output;
        const nodes = [other.signer.node];
        return { ...output, outcome: { ok: true, result: { type: 'certificates', nodes } } };
      }),
    );
    small.command(broken, { type: 'lookupByNodeId', nodeId: asked.nodeId });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
  });
});
