import { describe, expect, test } from 'vitest';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/** Ctrl-C waits for no longer: for the last Stores, then for the answers to the Leaves. */
const LEAVE_MS_MAX = 6_000;

function ring() {
  const overlay = new VirtualOverlay();
  const peers = ['10', '50', '90', 'd0'].map((digits) => overlay.join(digits));
  return { overlay, leaving: peers[1] as VirtualPeer, others: peers.filter((_, at) => at !== 1) };
}

function leavesInTime(overlay: VirtualOverlay, leaving: VirtualPeer): boolean {
  const left = overlay.command(leaving, { type: 'leave' });
  return overlay.runUntil(() => left()?.ok === true, LEAVE_MS_MAX);
}

describe('RFC 6940 §10.9: leaving ends within seconds, whatever the neighbours do', () => {
  test('they are all silent', () => {
    const { overlay, leaving, others } = ring();
    for (const other of others) other.isSilent = true;
    expect(leavesInTime(overlay, leaving)).toBe(true);
  });

  test('they have closed all links, and the peer looks for them', () => {
    for (const isolatedForMs of [0, 100, 3_000, 60_000, 600_000]) {
      const { overlay, leaving, others } = ring();
      for (const other of others) overlay.crash(other);
      overlay.runFor(isolatedForMs);
      expect(leavesInTime(overlay, leaving)).toBe(true);
    }
  });

  test('the disk does not answer either', () => {
    const { overlay, leaving, others } = ring();
    for (const other of others) overlay.crash(other);
    leaving.diskIsStuck = true;
    expect(leavesInTime(overlay, leaving)).toBe(true);
  });

  test('it has not joined yet', () => {
    const { overlay, others } = ring();
    for (const other of others) other.isSilent = true;
    const joining = overlay.add('70');
    overlay.start(joining);
    overlay.runFor(5_000);
    expect(leavesInTime(overlay, joining)).toBe(true);
  });
});
