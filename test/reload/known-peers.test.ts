import { expect, it } from 'vitest';
import type { KnownPeer } from '../../src/reload/input.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/** The list that a peer has given its host to keep; it changes while the peer runs. */
function remembered(of: VirtualPeer): readonly KnownPeer[] {
  const kept: KnownPeer[] = [];
  const { peer } = of;
  const handle = peer.handle.bind(peer);
  peer.handle = (input, now) => {
    const outputs = handle(input, now);
    for (const output of outputs) {
      if (output.type === 'rememberPeers') kept.splice(0, kept.length, ...output.peers);
    }
    return outputs;
  };
  return kept;
}

function nodeIdsOf(peers: readonly KnownPeer[]): (string | undefined)[] {
  return peers.map(({ nodeId }) => nodeId).sort();
}

/**
 * Found by a restart over TLS: a peer that was killed right after it had joined knew the one
 * neighbour whose Update had come, and not the other one, which alone was still there.
 */
it('RFC 6940 §11.4: who has just joined remembers every neighbour that it is connected to', () => {
  const overlay = new VirtualOverlay();
  const others = ['2', '8'].map((id) => overlay.join(id));
  const joining = overlay.add('5');
  const kept = remembered(joining);
  overlay.start(joining);
  overlay.runUntil(() => joining.peer.state === 'joined', 60_000);
  expect(joining.peer.neighbors().successors).toHaveLength(1);
  expect(nodeIdsOf(kept)).toEqual(others.map(({ nodeId }) => nodeId));
});

it('RFC 6940 §11.4: peers that are gone are remembered after those that are there', () => {
  const overlay = new VirtualOverlay();
  const [a, b, c] = ['2', '5', '8'].map((id) => overlay.join(id)) as [
    VirtualPeer,
    VirtualPeer,
    VirtualPeer,
  ];
  const kept = remembered(c);
  overlay.crash(a);
  overlay.runFor(1_000);
  expect(kept.map(({ nodeId }) => nodeId)).toEqual([b.nodeId, a.nodeId]);
});
