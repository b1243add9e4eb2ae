import { expect, it, vi } from 'vitest';
import type { PeerComponents } from '../../src/reload/peer-components.ts';
import { advance } from '../../src/reload/ring.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const partsOf = ({ peer }: VirtualPeer) => (peer as unknown as { parts: PeerComponents }).parts;

// Found by reading: this peer left itself out when it looked for the nearest one, so that the copy
// of a peer behind it counted as its owner's, and was looked after no further.
it('a copy from a peer that is farther from the Resource-ID than this one is passed on', () => {
  const overlay = new VirtualOverlay();
  const [near, far] = ['4', 'c'].map((id) => overlay.join(id)) as [VirtualPeer, VirtualPeer];
  overlay.runFor(5_000);
  const held: readonly string[] = near.options.store.resourceIds();
  const found = held.find((id) => id > far.nodeId || id < near.nodeId);
  const resource = near.options.store.resourceIds().find((id) => id === found);
  if (resource === undefined) throw new Error('expected a resource of the nearer peer');
  near.options.store.remove(resource);
  const { attaches, reactions } = partsOf(near);
  // The owner is between: known, but not connected yet.
  const owner = advance(resource, 1n) as string as NodeId;
  vi.spyOn(attaches, 'pendingNeighbors').mockReturnValue([owner]);
  const passedOn = vi.spyOn(reactions, 'handlePassedOn');
  partsOf(far).replication.copy(resource, near.nodeId);
  overlay.runFor(100);
  expect(near.options.store.resourceIds()).toContain(resource);
  expect(passedOn).toHaveBeenCalledWith(resource);
});
