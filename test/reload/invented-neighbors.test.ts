import { expect, it } from 'vitest';
import { advance } from '../../src/reload/ring.ts';
import { ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { forge, framed } from '../rfc6940/forged-message.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/** An Update of `by` to `to` in which `predecessors` stand. */
function tell(
  overlay: VirtualOverlay,
  by: VirtualPeer,
  to: VirtualPeer,
  predecessors: NodeId[],
): void {
  const update: ChordUpdate = { type: 'neighbors', uptime: 1, predecessors, successors: [] };
  const message = forge(by, {
    to: [nodeDestination(to.nodeId)],
    code: MessageCode.updateReq,
    body: encode(ChordUpdate, update),
  });
  overlay.inject(to, by, framed(message));
}

const beside = (peer: VirtualPeer, step: bigint) => advance(peer.nodeId, step) as string as NodeId;

/**
 * Found by the attack lie-in-update: of 40 peers two named invented Node-IDs right before their
 * neighbours, who took themselves to be responsible for next to nothing as long as they tried to
 * attach to these. Of all lookups 2 % succeeded.
 */
it('a predecessor that nobody has proved to exist takes no range away', () => {
  const overlay = new VirtualOverlay();
  const [liar, victim] = ['2', '8'].map((id) => overlay.join(id)) as [VirtualPeer, VirtualPeer];
  overlay.runFor(2_000);
  const place = beside(victim, -1_000n);
  expect(victim.peer.isResponsible(place)).toBe(true);
  tell(overlay, liar, victim, [beside(victim, -1n)]);
  expect(victim.peer.isResponsible(place)).toBe(true);
  overlay.runFor(1_000);
  expect(victim.peer.loads().attaches).toBe(1);
  expect(victim.peer.isResponsible(place)).toBe(true);
});
