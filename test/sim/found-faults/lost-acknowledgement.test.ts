import { expect, test } from 'vitest';
import { VirtualOverlay, type VirtualPeer } from '../../reload/virtual-overlay.ts';

/**
 * Found by `xor sim run --scenario datagrams --set peers=40 --set hours=0.3 --seed 2`: a lost
 * acknowledgement made a link suspect, nothing was sent over it any more, and after 30 s it was
 * closed. The two neighbours did not find each other until the next Updates.
 */
test('a link that is suspect for a lost acknowledgement is asked, and serves again', () => {
  const overlay = new VirtualOverlay();
  const peers = [...'2468ace'].map((id) => overlay.join(id));
  const [romeo, juliet] = peers as [VirtualPeer, VirtualPeer];
  overlay.runFor(100_000);
  const suspect = () => romeo.peer.status().links.some((link) => link.suspect);
  let lost = 0;
  juliet.intercept = (bytes) => {
    if (bytes[0] !== ACK || lost > 0) return bytes;
    lost++;
    const frames = bytes.subarray(ACK_BYTES);
    return frames.length === 0 ? undefined : frames;
  };
  const ping = { type: 'ping', nodeId: juliet.nodeId } as const;
  expect(overlay.run(romeo, ping).ok).toBe(true);
  expect(lost).toBe(1);
  expect(overlay.runUntil(suspect, 4_000)).toBe(true);
  overlay.runFor(1_000);
  expect(suspect()).toBe(false);
});

/** FramedMessage — RFC 6940 §6.6.2: the type 129, ack_sequence and the received bit mask. */
const ACK = 129;
const ACK_BYTES = 9;
