import { expect, it } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { JoinReq } from '../../src/wire/topology.ts';
import { forge, framed } from '../rfc6940/forged-message.ts';
import { Wiretap } from '../rfc6940/wiretap.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/** What `to` stores at `by` in the 3 s after `by` has sent it a Join over their link. */
function copiesAfterJoin(overlay: VirtualOverlay, by: VirtualPeer, to: VirtualPeer): number {
  const none = new Uint8Array(0);
  const body = encode(JoinReq, { joiningPeerId: by.nodeId, overlaySpecificData: none });
  const tap = new Wiretap(to);
  const destination = [nodeDestination(to.nodeId)];
  overlay.inject(to, by, framed(forge(by, { to: destination, code: MessageCode.joinReq, body })));
  overlay.runFor(3_000);
  tap.stop();
  expect(tap.ofCode(MessageCode.joinAns)).toHaveLength(1);
  return tap.ofCode(MessageCode.storeReq).filter((sent) => sent.to === by).length;
}

/**
 * Found by the attack flood-joins: each Join over the same link had the whole share of the joining
 * node copied again (RFC 6940 §10.5 step 6), several times a second.
 */
it('who joins again and again over one link gets its share once in a while', () => {
  const overlay = new VirtualOverlay();
  const [by, to] = ['2', '8'].map((id) => overlay.join(id)) as [VirtualPeer, VirtualPeer];
  overlay.runFor(60_000);
  expect(copiesAfterJoin(overlay, by, to)).toBeGreaterThan(1);
  expect(copiesAfterJoin(overlay, by, to)).toBe(0);
  expect(to.peer.neighbors().predecessors).toEqual([by.nodeId]);
  overlay.runFor(30_000);
  expect(copiesAfterJoin(overlay, by, to)).toBeGreaterThan(1);
});

it('a process that began anew gets its share at once', () => {
  const overlay = new VirtualOverlay();
  const [by, to] = ['2', '8'].map((id) => overlay.join(id)) as [VirtualPeer, VirtualPeer];
  overlay.runFor(60_000);
  expect(copiesAfterJoin(overlay, by, to)).toBeGreaterThan(1);
  overlay.crash(by);
  by.records.clear();
  overlay.restart(by);
  const tap = new Wiretap(to);
  overlay.runFor(5_000);
  expect(by.peer.state).toBe('joined');
  const copies = tap.ofCode(MessageCode.storeReq).filter((sent) => sent.to === by);
  expect(copies.length).toBeGreaterThan(1);
});
