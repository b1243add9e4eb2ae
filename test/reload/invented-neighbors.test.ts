import { expect, it } from 'vitest';
import { PEER_LIMITS } from '../../src/reload/peer-limits.ts';
import { advance } from '../../src/reload/ring.ts';
import { REMINDER_PAUSE_MS, TEACHER_DOUBT_MS, UPDATE_PACE_MS } from '../../src/reload/timing.ts';
import { ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { forge, framed } from '../rfc6940/forged-message.ts';
import { Wiretap } from '../rfc6940/wiretap.ts';
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

/** Ever new Node-IDs right before `victim`, told every 250 ms. */
function flood(
  overlay: VirtualOverlay,
  liar: VirtualPeer,
  victim: VirtualPeer,
  forMs: number,
): number {
  let attachesMax = 0;
  for (let round = 0; round < forMs / 250; round++) {
    const invented = [1n, 2n, 3n].map((step) =>
      beside(victim, -(step << 64n) - BigInt(overlay.nowMs)),
    );
    tell(overlay, liar, victim, invented);
    overlay.runFor(250);
    attachesMax = Math.max(attachesMax, victim.peer.loads().attaches);
  }
  return attachesMax;
}

/** Found by the attack flood-updates: each Node-ID named had an Attach of its own. */
it('few Attaches rest on the word of one peer, fewer after it has named nobody who is there', () => {
  const overlay = new VirtualOverlay();
  const [liar, victim, other] = ['2', '8', 'c'].map((id) => overlay.join(id)) as [
    VirtualPeer,
    VirtualPeer,
    VirtualPeer,
  ];
  overlay.runFor(60_000);
  expect(flood(overlay, liar, victim, 10_000)).toBe(PEER_LIMITS.taughtAttachesMax);
  flood(overlay, liar, victim, 30_000);
  expect(flood(overlay, liar, victim, 20_000)).toBe(PEER_LIMITS.doubtedAttachesMax);
  tell(overlay, other, victim, [beside(victim, -1n), beside(victim, -2n)]);
  expect(victim.peer.loads().attaches).toBe(PEER_LIMITS.doubtedAttachesMax + 2);
  overlay.runFor(60_000);
  flood(overlay, liar, victim, 1_000);
  expect(victim.peer.loads().attaches).toBe(PEER_LIMITS.doubtedAttachesMax);
  overlay.runFor(60_000 + TEACHER_DOUBT_MS);
  flood(overlay, liar, victim, 1_000);
  expect(victim.peer.loads().attaches).toBe(PEER_LIMITS.taughtAttachesMax);
});

it('a flood of Updates that do not list this peer is answered by few of its own', () => {
  const overlay = new VirtualOverlay();
  const [liar, victim] = ['2', '8'].map((id) => overlay.join(id)) as [VirtualPeer, VirtualPeer];
  overlay.runFor(60_000);
  const tap = new Wiretap(victim);
  flood(overlay, liar, victim, 10_000);
  const updates = tap.ofCode(MessageCode.updateReq);
  expect(updates.length).toBeLessThanOrEqual(10_000 / REMINDER_PAUSE_MS + 1);
});

it('of a flood of Updates most have no answer, and those of others all have one', () => {
  const overlay = new VirtualOverlay();
  const [liar, victim, other] = ['2', '8', 'c'].map((id) => overlay.join(id)) as [
    VirtualPeer,
    VirtualPeer,
    VirtualPeer,
  ];
  overlay.runFor(60_000);
  const tap = new Wiretap(victim);
  const answersTo = (peer: VirtualPeer) =>
    tap.ofCode(MessageCode.updateAns).filter(({ to }) => to === peer).length;
  flood(overlay, liar, victim, 60_000);
  const allowed = PEER_LIMITS.updatesAtOnceMax + 60_000 / UPDATE_PACE_MS;
  expect(answersTo(liar)).toBeLessThanOrEqual(allowed + 1);
  tap.clear();
  tell(overlay, other, victim, [liar.nodeId]);
  expect(answersTo(other)).toBe(1);
  overlay.runFor(10_000);
  tell(overlay, liar, victim, [other.nodeId]);
  expect(answersTo(liar)).toBe(1);
});
