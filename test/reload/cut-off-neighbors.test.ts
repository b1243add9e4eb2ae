import { describe, expect, test } from 'vitest';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const DIGITS = ['10', '30', '50', '90', 'b0', 'd0'];

/** A ring in which no connection can be made between the second and the third peer. */
function ringWithGap(seed: number) {
  const overlay = new VirtualOverlay({ seed });
  const isOfGap = ({ name }: VirtualPeer) => name === '30' || name === '50';
  overlay.isCutOff = (from, to) => isOfGap(from) && isOfGap(to);
  // Those of the gap come last: the others must have room between them.
  const order = ['10', '90', 'b0', 'd0', '30', '50'];
  const peers = order.map((digits) => overlay.join(digits));
  overlay.runFor(120_000);
  return { overlay, peers };
}

function gapOf(peers: readonly VirtualPeer[]): [VirtualPeer, VirtualPeer] {
  const [before, behind] = peers.filter(({ name }) => name === '30' || name === '50');
  return [before as VirtualPeer, behind as VirtualPeer];
}

function lostLookups(overlay: VirtualOverlay, peers: readonly VirtualPeer[]): string[] {
  const answers = peers.flatMap((by) =>
    peers.map((of) => `${by.name} looks for ${of.name}: ${lookup(overlay, by, of)}`),
  );
  return answers.filter((answer) => !answer.endsWith(': found'));
}

function lookup(overlay: VirtualOverlay, by: VirtualPeer, of: VirtualPeer): string {
  const outcome = overlay.run(by, { type: 'lookupByNodeId', nodeId: of.nodeId });
  return outcome.ok ? 'found' : outcome.failure.detail;
}

describe('Two neighbours that cannot connect to each other (RFC 6940 §10.3)', () => {
  test('are responsible each for its own range, and everybody finds everything', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { overlay, peers } = ringWithGap(seed);
      expect(peers.map(({ name }) => name).sort()).toEqual(DIGITS);
      expect(lostLookups(overlay, peers)).toEqual([]);
    }
  });

  test('connect once they can, without being told of each other again (§10.7.3)', () => {
    const { overlay, peers } = ringWithGap(5);
    const [before, behind] = gapOf(peers);
    expect(overlay.isConnected(before, behind)).toBe(false);
    overlay.isCutOff = () => false;
    expect(overlay.runUntil(() => overlay.isConnected(before, behind), 30_000)).toBe(true);
    expect(lostLookups(overlay, peers)).toEqual([]);
  });

  test('do not wait for one that is gone: its range is taken', () => {
    const { overlay, peers } = ringWithGap(6);
    const [before, behind] = gapOf(peers);
    expect(behind.peer.isResponsible(before.nodeId)).toBe(false);
    overlay.crash(before);
    const isTaken = () => behind.peer.isResponsible(before.nodeId);
    expect(overlay.runUntil(isTaken, 60_000)).toBe(true);
  });
});
