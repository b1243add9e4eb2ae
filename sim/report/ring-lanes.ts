import type { RingPeer } from '../simulation/run-record.ts';

/** A part of the ring that one peer claims, or several peers one after another. */
export interface RingRange {
  /** 0 is the outermost. */
  readonly lane: number;
  /** Where it ends, in [0, 1): the place of the last peer. */
  readonly end: number;
  /** More than 0, at most 1: the whole ring. */
  readonly length: number;
}

/**
 * The claimed ranges in concentric lanes: those that overlap get different ones, so a whole ring is
 * one closed circle, and two rings beside each other are two. Neighbours in a lane that are
 * narrower than `lengthMin` together become one range, as nobody could tell them apart.
 */
export function rangesOf(peers: readonly RingPeer[], lengthMin: number): RingRange[] {
  const ranges: RingRange[] = [];
  for (const [lane, claims] of lanesOf(claimsOf(peers)).entries()) {
    let length = 0;
    for (const [i, claim] of claims.entries()) {
      length += claim.to - claim.from;
      const next = claims[i + 1];
      const isFollowed = next !== undefined && Math.abs(next.from - claim.to) < TINY;
      if (isFollowed && length < lengthMin) continue;
      ranges.push({ lane: Math.min(lane, LANES_MAX - 1), end: claim.peer.place, length });
      length = 0;
    }
  }
  return ranges;
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

/** Each claim goes into the first lane that is free there; those across 0 have one of their own. */
function lanesOf(claims: readonly Claim[]): Claim[][] {
  const sorted = [...claims].sort((a, b) => Number(b.to > 1) - Number(a.to > 1) || a.from - b.from);
  const lanes: { end: number; readonly limit: number; readonly claims: Claim[] }[] = [];
  for (const claim of sorted) {
    const { from, to, peer } = claim;
    const isAcross = to > 1;
    const free = lanes.find(
      ({ end, limit }) => !isAcross && from >= end - TINY && to <= limit + TINY,
    );
    if (free === undefined) {
      const use = isAcross ? { end: peer.place, limit: from } : { end: to, limit: 1 };
      lanes.push({ ...use, claims: [claim] });
    } else {
      free.claims.push(claim);
      free.end = to;
    }
  }
  return lanes.map((lane) => lane.claims);
}

export const LANES_MAX = 3;

/** Places are sums of doubles. */
const TINY = 1e-9;
