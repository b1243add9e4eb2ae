import { expect, test } from 'vitest';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { VirtualPeer } from './virtual-overlay.ts';
import { VirtualRevocation } from './virtual-revocation.ts';

/** Of each peer; the fourth is revoked and does all to stay, the fifth is of another authority. */
const POLICIES = ['require', 'prefer', 'require', 'off', 'prefer', 'require'] as const;
const REVOKED = 3;
const OF_DOMAIN = 4;
const SEEDS = 6;
const LOOKUP_PAUSE_MS = 200;

/** Six peers at random places, as the lists of two authorities come to each in its own time. */
function ringWithLists(seed: number) {
  const source = new VirtualRevocation(seed);
  const { overlay } = source;
  const digits = () => Array.from({ length: 4 }, () => hexByte(source.share())).join('');
  const peers = POLICIES.map((policy, at) => {
    const peer = source.add({ digits: digits(), policy, isBelow: at === OF_DOMAIN });
    overlay.start(peer);
    const isReady = () => peer.peer.status().ownRecordsComplete;
    if (!overlay.runUntil(isReady, 60_000)) throw new Error(`seed ${seed}: ${at} did not join`);
    return peer;
  });
  return { source, overlay, peers };
}

function hexByte(share: number): string {
  return Math.floor(share * 256)
    .toString(16)
    .padStart(2, '0');
}

/** Found by test/host/revocation/revoked-peer.test.ts: "no answer came", five transmissions long. */
test('while a peer is revoked, each lookup between the others ends verified (RFC 6940 §6.2.1)', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { source, overlay, peers } = ringWithLists(seed);
    const revoked = peers[REVOKED] as VirtualPeer;
    const others = peers.filter((peer) => peer !== revoked);
    const lookups: { readonly name: string; readonly found: () => NodeId | undefined }[] = [];
    const lookUp = (round: number) => {
      for (const [at, peer] of others.entries()) {
        const step = 1 + (round % (others.length - 1));
        const { nodeId } = others[(at + step) % others.length] as VirtualPeer;
        const outcome = overlay.command(peer, { type: 'lookupByNodeId', nodeId });
        const found = () => {
          const ended = outcome();
          const isFound = ended?.ok === true && ended.result.type === 'certificates';
          return isFound ? ended.result.nodes[0]?.nodeId : undefined;
        };
        const name = `seed ${seed}, round ${round}: ${peer.name} finds ${nodeId}`;
        lookups.push({ name, found });
      }
      overlay.runFor(LOOKUP_PAUSE_MS);
    };
    for (let round = 0; round < 5; round++) lookUp(round);
    source.revoke(revoked);
    for (let round = 5; round < 50; round++) lookUp(round);
    overlay.runFor(5 * overlay.configuration.overlayReliabilityTimerMs);
    const lost = lookups.filter(({ found }) => found() === undefined);
    expect(lost.map(({ name }) => name)).toEqual([]);
  }
});
