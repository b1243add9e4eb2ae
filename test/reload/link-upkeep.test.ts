import { describe, expect, it } from 'vitest';
import { decode } from '../../src/wire/codec.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

function ringOf15(): { overlay: VirtualOverlay; peers: VirtualPeer[] } {
  const overlay = new VirtualOverlay();
  const order = [...'8c3f5a1e9b7d246'];
  const peers = order.map((digit) => overlay.join(digit));
  overlay.runFor(5_000);
  return { overlay, peers: [...peers].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)) };
}

/** Counts the Pings that `peer` sends from now on, by receiver. */
function countPings(peer: VirtualPeer): Map<VirtualPeer, number> {
  const counts = new Map<VirtualPeer, number>();
  peer.intercept = (bytes, to) => {
    const frame = decode(FramedMessage, bytes);
    if (frame instanceof MalformedMessage || frame.type !== 'data') return bytes;
    const message = decodeMessage(frame.message);
    const isPing =
      !(message instanceof MalformedMessage) && message.contents.code === MessageCode.pingReq;
    if (isPing) counts.set(to, (counts.get(to) ?? 0) + 1);
    return bytes;
  };
  return counts;
}

describe('the upkeep of links', () => {
  it('one Ping in 15 s serves both ends of the link to the next peer', () => {
    const overlay = new VirtualOverlay();
    const [a, b] = [overlay.join('2'), overlay.join('8')];
    overlay.runFor(30_000);
    const [ofA, ofB] = [countPings(a), countPings(b)];
    overlay.runFor(120_000);
    const sent = (ofA.get(b) ?? 0) + (ofB.get(a) ?? 0);
    expect(sent).toBeGreaterThanOrEqual(7);
    expect(sent).toBeLessThanOrEqual(9);
  });

  it('a silent next peer is noticed within 20 s, and the others hear of it', () => {
    const { overlay, peers } = ringOf15();
    overlay.runFor(60_000);
    const [dead, next, second] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
    dead.isSilent = true;
    const lacksIt = (peer: VirtualPeer) => () =>
      !peer.peer.status().predecessors.includes(dead.nodeId);
    expect(overlay.runUntil(lacksIt(next), 20_000)).toBe(true);
    expect(overlay.runUntil(lacksIt(second), 5_000)).toBe(true);
  });

  it('who looked for a way in closes the link that it does not need any more', () => {
    const overlay = new VirtualOverlay();
    const peers = [...'8c3f'].map((digit) => overlay.join(digit));
    const [bootstrap, admitting] = peers as [VirtualPeer, VirtualPeer];
    const client = overlay.add('a', { role: 'client' });
    overlay.start(client);
    overlay.runFor(10_000);
    const linked = () => client.peer.status().links.map(({ nodeId }) => nodeId);
    expect(linked()).toEqual([bootstrap.nodeId, admitting.nodeId]);
    overlay.runFor(120_000);
    expect(linked()).toEqual([admitting.nodeId]);
    expect(overlay.isConnected(bootstrap, client)).toBe(false);
    const { nodes } = overlay.result(
      client,
      { type: 'lookupByNodeId', nodeId: bootstrap.nodeId },
      'certificates',
    );
    expect(nodes).toHaveLength(1);
  });
});
