import { describe, expect, it } from 'vitest';
import { lookupPlaces } from '../../src/reload/redundant-lookup.ts';
import { distance } from '../../src/reload/ring.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

describe('A redundant lookup (RFC 6940 §13.5.4, §13.6.6)', () => {
  it('finds at a replica holder what the responsible peer denies', () => {
    const { overlay, asking, careful, target, deny } = smallOverlay();
    const command = { type: 'lookupByNodeId', nodeId: target.nodeId } as const;
    expect(overlay.run(asking, command).ok).toBe(true);
    deny();
    expect(overlay.run(asking, command)).toMatchObject({ failure: { code: 'not-found' } });
    const found = overlay.result(careful, command, 'certificates');
    expect(found.nodes.map(({ nodeId }) => nodeId)).toEqual([target.nodeId]);
  });

  it('goes on to the next holder where the places asked first lead to liars alone', () => {
    const { overlay, careful, target, deny } = smallOverlay();
    deny(2);
    const command = { type: 'lookupByNodeId', nodeId: target.nodeId } as const;
    expect(overlay.run(careful, command).ok).toBe(true);
    deny(3);
    expect(overlay.run(careful, command)).toMatchObject({ failure: { code: 'not-found' } });
  });

  it('says that there is none when nobody asked has any', () => {
    const { overlay, careful } = smallOverlay();
    const nodeId = '0123456789abcdef0123456789abcdef' as NodeId;
    const outcome = overlay.run(careful, { type: 'lookupByNodeId', nodeId });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'not-found' } });
  });

  it('ends once, and leaves no request behind', () => {
    const { overlay, careful, target } = smallOverlay();
    overlay.result(careful, { type: 'locate', userName: target.signer.node.userName }, 'locations');
    overlay.runFor(20_000);
    expect(careful.outcomes.size).toBe(1);
  });
});

describe('The places that a redundant lookup asks', () => {
  const self = '00000000000000000000000000000000' as NodeId;
  const at = (digit: string) => digit.padEnd(32, '0') as NodeId;
  const view = {
    peers: ['1', '2', '3', '4', 'c', 'd', 'e', 'f'].map(at),
    successors: ['1', '2', '3', '4'].map(at),
    predecessors: ['f', 'e', 'd', 'c'].map(at),
  };
  const resource = '80000000000000000000000000000000' as ResourceId;

  it('are the Resource-ID and others within two peers behind it', () => {
    const places = lookupPlaces(self, resource, 3, view);
    expect(places[0]).toBe(resource);
    const steps = places.map((place) => Number(distance(resource, place)) / 2 ** 124);
    expect(steps).toEqual([0, 0.8, 1.6]);
  });

  it('are bounded, and the Resource-ID alone for a peer that knows nobody', () => {
    expect(lookupPlaces(self, resource, 1_000, view)).toHaveLength(9);
    const nobody = { peers: [], successors: [], predecessors: [] };
    expect(lookupPlaces(self, resource, 3, nobody)).toEqual([resource]);
  });
});

/** Stores what it is asked to store, and denies it from some moment on. */
class DenyingStore extends ResourceStore {
  isDenying = false;

  override fetch(...request: Parameters<ResourceStore['fetch']>) {
    if (!this.isDenying) return super.fetch(...request);
    const [, specifiers] = request;
    const values = new Uint8Array(0);
    const responses = specifiers.map(({ kind }) => ({ kind, generation: 0n, values }));
    return { responses, certificates: [] };
  }
}

function smallOverlay() {
  const overlay = new VirtualOverlay();
  const stores = new Map<VirtualPeer, DenyingStore>();
  const join = (nodeId: string, careful = false) => {
    const store = new DenyingStore({ kinds: overlay.configuration.kinds });
    const defences = { lookupReplicas: 4, lookupPaths: 2, retryDifferentHop: true };
    const peer = overlay.join(nodeId, { store, ...(careful ? { defences } : {}) });
    stores.set(peer, store);
    return peer;
  };
  const asking = join('1a');
  const careful = join('2b', true);
  const others = ['3c', '5d', '6e', '8f', '9a', 'b2', 'c4', 'd6', 'e9', 'f3'].map((id) => join(id));
  overlay.runFor(60_000);
  const target = others[3] as VirtualPeer;
  /** The first `holders` peers behind the resource deny what they store: three have it. */
  const deny = (holders = 1) => {
    const resource = resourceOf(target);
    [...stores]
      .sort(([a], [b]) => (behind(resource, a) < behind(resource, b) ? -1 : 1))
      .slice(0, holders)
      .forEach(([, store]) => {
        store.isDenying = true;
      });
  };
  return { overlay, asking, careful, target, deny };
}

function behind(resource: ResourceId, { nodeId }: VirtualPeer): bigint {
  return distance(resource, nodeId);
}

function resourceOf(peer: VirtualPeer): ResourceId {
  return resourceIdOf(nodeIdBytes(peer.nodeId));
}
