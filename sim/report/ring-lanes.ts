import type { RingPeer } from '../simulation/run-record.ts';

/**
 * Which of the concentric lanes each peer's range is drawn in: ranges that overlap get different
 * lanes, so a whole ring is one closed circle, and two rings beside each other are two.
 */
export function lanesOf(peers: readonly RingPeer[]): Map<RingPeer, number> {
  const claims = claimsOf(peers);
  // Those across the place 0 first: they leave the least room.
  claims.sort((a, b) => Number(b.to > 1) - Number(a.to > 1) || a.from - b.from);
  const lanes: { end: number; limit: number }[] = [];
  const found = new Map<RingPeer, number>();
  for (const { peer, from, to } of claims) {
    const isAcross = to > 1;
    const lane = lanes.findIndex(
      ({ end, limit }) => !isAcross && from >= end - TINY && to <= limit + TINY,
    );
    const used = lanes[lane];
    if (used !== undefined) used.end = to;
    else lanes.push(isAcross ? { end: peer.place, limit: from } : { end: to, limit: 1 });
    found.set(peer, Math.min(used === undefined ? lanes.length - 1 : lane, LANES_MAX - 1));
  }
  return found;
}

/** How much of the ring nobody and how much several claim, as shares. */
export function coverageOf(peers: readonly RingPeer[]): { unclaimed: number; contested: number } {
  const steps: { at: number; change: number }[] = [];
  for (const { peer, from, to } of claimsOf(peers)) {
    steps.push({ at: from, change: 1 }, { at: Math.min(1, to), change: -1 });
    if (to > 1) steps.push({ at: 0, change: 1 }, { at: peer.place, change: -1 });
  }
  steps.sort((a, b) => a.at - b.at);
  let [at, claims, unclaimed, contested] = [0, 0, 0, 0];
  for (const step of [...steps, { at: 1, change: 0 }]) {
    if (claims === 0) unclaimed += step.at - at;
    if (claims > 1) contested += step.at - at;
    at = step.at;
    claims += step.change;
  }
  return { unclaimed, contested };
}

interface Claim {
  readonly peer: RingPeer;
  readonly from: number;
  /** More than `from`, at most by 1: beyond 1 it goes on at the place 0. */
  readonly to: number;
}

function claimsOf(peers: readonly RingPeer[]): Claim[] {
  return peers.flatMap((peer) => {
    const { rangeFrom: from, place, state } = peer;
    if (from === undefined || state === 'down') return [];
    return [{ peer, from, to: place > from ? place : place + 1 }];
  });
}

export const LANES_MAX = 3;

/** Places are sums of doubles. */
const TINY = 1e-9;
