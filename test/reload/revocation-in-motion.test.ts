import { expect, test } from 'vitest';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { VirtualPeer } from './virtual-overlay.ts';
import { VirtualRevocation } from './virtual-revocation.ts';

/** Of each peer; the fourth is revoked and does all to stay, the fifth is of another authority. */
const POLICIES = ['require', 'prefer', 'require', 'off', 'prefer', 'require'] as const;
const REVOKED = 3;
const OF_DOMAIN = 4;
const LOOKUP_PAUSE_MS = 200;

/** How fast lists come, and whether links wait for them in the hosts. */
interface ListTimes {
  readonly seeds: number;
  readonly fetchMsMax: number;
  readonly linksWait: boolean;
}

/** Six peers at random places, as the lists of two authorities come to each in its own time. */
function ringWithLists(seed: number, { fetchMsMax, linksWait }: ListTimes) {
  const source = new VirtualRevocation(seed);
  source.fetchMsMax = fetchMsMax;
  const { overlay } = source;
  const digits = () => Array.from({ length: 4 }, () => hexByte(source.share())).join('');
  const peers = POLICIES.map((policy, at) => {
    const peer = source.add({ digits: digits(), policy, isBelow: at === OF_DOMAIN });
    if (!linksWait) peer.whenListsSettled = undefined;
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
test.each<readonly [string, ListTimes]>([
  ['lists come at once', { seeds: 4, fetchMsMax: 300, linksWait: true }],
  ['lists come late, links do not wait', { seeds: 2, fetchMsMax: 8_000, linksWait: false }],
])(
  'RFC 6940 §6.2.1: lookups end verified while another peer is revoked; %s',
  (_, times) => {
    for (let seed = 1; seed <= times.seeds; seed++) {
      const { source, overlay, peers } = ringWithLists(seed, times);
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
  },
  120_000,
);
