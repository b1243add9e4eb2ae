import { describe, expect, it } from 'vitest';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

function ringIsTrue(peers: readonly VirtualPeer[]): void {
  const live = peers.filter(({ isUp, isSilent }) => isUp && !isSilent);
  const sorted = [...live].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  for (const [index, peer] of sorted.entries()) {
    const status = peer.peer.status();
    const { length } = sorted;
    expect(status.successors[0]).toBe(sorted[(index + 1) % length]?.nodeId);
    expect(status.predecessors[0]).toBe(sorted[(index - 1 + length) % length]?.nodeId);
  }
}

function allFind(
  overlay: VirtualOverlay,
  from: readonly VirtualPeer[],
  targets: readonly VirtualPeer[],
): void {
  for (const peer of from) {
    for (const { nodeId } of targets) {
      const { nodes } = overlay.result(peer, { type: 'lookupByNodeId', nodeId }, 'certificates');
      expect(nodes.map((node) => node.nodeId)).toEqual([nodeId]);
    }
  }
}

function ringOf(digits: string): { overlay: VirtualOverlay; peers: VirtualPeer[] } {
  const overlay = new VirtualOverlay();
  const peers = [...digits].map((digit) => overlay.join(digit));
  overlay.runFor(5_000);
  return { overlay, peers };
}

describe('a ring under churn', () => {
  it('RFC 6940 §10.7.1: a crashed peer is replaced and nothing is lost', () => {
    const { overlay, peers } = ringOf('8c3f5a1e');
    const [, dead] = peers as [VirtualPeer, VirtualPeer];
    overlay.crash(dead);
    overlay.runFor(2_000);
    ringIsTrue(peers);
    allFind(
      overlay,
      peers.filter(({ isUp }) => isUp),
      peers,
    );
  });

  it('two neighbouring peers crash at once and nothing is lost', () => {
    const { overlay, peers } = ringOf('8c3f5a1e');
    const sorted = [...peers].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    for (const dead of sorted.slice(2, 4)) overlay.crash(dead);
    overlay.runFor(2_000);
    ringIsTrue(peers);
    allFind(
      overlay,
      peers.filter(({ isUp }) => isUp),
      peers,
    );
  });

  it('a silent host is noticed within 45 s', () => {
    const { overlay, peers } = ringOf('8c3f5a1e');
    const [, dead] = peers as [VirtualPeer, VirtualPeer];
    overlay.runFor(20_000);
    dead.isSilent = true;
    overlay.runFor(45_000);
    ringIsTrue(peers);
    allFind(
      overlay,
      peers.filter((peer) => peer !== dead),
      peers,
    );
  });

  it('replicas are made again, so that losses one after another lose nothing', () => {
    const { overlay, peers } = ringOf('8c3f5a1e');
    const dying = peers.slice(2, 6);
    for (const dead of dying) {
      overlay.crash(dead);
      overlay.runFor(60_000);
      ringIsTrue(peers);
    }
    allFind(
      overlay,
      peers.filter(({ isUp }) => isUp),
      peers,
    );
  });

  it('RFC 6940 §6.4.2.2: peers leave and rejoin one after another while all lookups verify', () => {
    const { overlay, peers } = ringOf('8c3f5a1e');
    for (const leaver of peers) {
      expect(overlay.run(leaver, { type: 'leave' }).ok).toBe(true);
      leaver.isUp = false;
      overlay.runFor(1_000);
      const rest = peers.filter(({ isUp }) => isUp);
      ringIsTrue(peers);
      allFind(overlay, rest, peers);
      overlay.restart(leaver);
      const joined = () => leaver.peer.status().ownRecordsComplete;
      expect(overlay.runUntil(joined, 30_000)).toBe(true);
      overlay.runFor(1_000);
      ringIsTrue(peers);
      allFind(overlay, peers, peers);
    }
  });

  it('many join at once', () => {
    const overlay = new VirtualOverlay();
    const first = overlay.join('8');
    const others = [...'c3f5a1e9b7d24'].map((digit) => overlay.add(digit));
    for (const peer of others) overlay.start(peer);
    const peers = [first, ...others];
    const done = () => peers.every((peer) => peer.peer.status().ownRecordsComplete);
    expect(overlay.runUntil(done, 60_000)).toBe(true);
    overlay.runFor(10_000);
    ringIsTrue(peers);
    allFind(overlay, peers, peers);
  });
});
