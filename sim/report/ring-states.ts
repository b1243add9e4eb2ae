import type { RingPeer, RingSnapshot, RunRecord } from '../simulation/run-record.ts';
import { figure, momentFigure } from './figures.ts';
import { coverageOf, lanesOf } from './ring-lanes.ts';

/** What the drawing of the ring needs, as small as it can be, for the page's script as well. */
export interface RingStates {
  readonly names: readonly string[];
  /** Of the peers, in units of 1 / `RING_UNITS` of the ring. */
  readonly places: readonly number[];
  /** The most values of a peer at any time. */
  readonly valuesMax: number;
  readonly moments: readonly RingMoment[];
  /** One in so many peers is drawn. */
  readonly onePeerIn: number;
}

export interface RingMoment {
  readonly title: string;
  readonly words: string;
  /** Five numbers a peer: its index, state code, lane (-1: no range), range's length, values. */
  readonly peers: readonly number[];
}

export const RING_UNITS = 10_000;
export const NUMBERS_PER_PEER = 5;
/** State codes; `ATTACKER_CODE` is added. */
export const STATE_CODES = { joined: 0, joining: 1, down: 2 } as const;
export const ATTACKER_CODE = 4;

export function ringStatesOf({ ring }: RunRecord): RingStates {
  const snapshots = thinned(ring);
  const most = Math.max(0, ...snapshots.map(({ peers }) => peers.length));
  const onePeerIn = Math.ceil(most / PEERS_MAX);
  const indices = new Map<string, number>();
  const places: number[] = [];
  let valuesMax = 0;
  const moments = snapshots.map(({ atMinutes, peers }) => {
    const lanes = lanesOf(peers);
    const sorted = [...peers].sort((a, b) => a.place - b.place);
    const drawn = sorted.filter((peer, i) => i % onePeerIn === 0 || peer.isAttacker);
    const numbers = drawn.flatMap((peer) => {
      const index = indices.get(peer.name) ?? indices.size;
      indices.set(peer.name, index);
      places[index] = unitsOf(peer.place);
      valuesMax = Math.max(valuesMax, peer.values);
      return numbersOf(peer, index, lanes.get(peer));
    });
    return { title: momentFigure(atMinutes), words: wordsOf(peers), peers: numbers };
  });
  return { names: [...indices.keys()], places, valuesMax, moments, onePeerIn };
}

function numbersOf(peer: RingPeer, index: number, lane: number | undefined): number[] {
  const code = STATE_CODES[peer.state] + (peer.isAttacker ? ATTACKER_CODE : 0);
  const { place, rangeFrom = place } = peer;
  // From a place to itself is the whole ring.
  const length = place > rangeFrom ? place - rangeFrom : place - rangeFrom + 1;
  return [index, code, lane ?? -1, Math.max(1, unitsOf(length)), peer.values];
}

function wordsOf(peers: readonly RingPeer[]): string {
  const count = (state: RingPeer['state']) =>
    `${figure(peers.filter((peer) => peer.state === state).length)} ${state}`;
  const { unclaimed, contested } = coverageOf(peers);
  const parts = [count('joined'), count('joining'), count('down')];
  const attackers = peers.filter(({ isAttacker }) => isAttacker).length;
  if (attackers > 0) parts.push(`${figure(attackers)} attackers`);
  parts.push(`${shareWords(unclaimed)} of the ring is nobody’s`);
  parts.push(`${shareWords(contested)} is claimed more than once`);
  return parts.join(', ');
}

function shareWords(share: number): string {
  if (share < 1e-9) return '0 %';
  return share < 0.0001 ? 'less than 0.01 %' : `${figure(100 * share, 2)} %`;
}

function unitsOf(place: number): number {
  return Math.round(place * RING_UNITS);
}

/** Evenly, the first and the last among them. */
function thinned(ring: readonly RingSnapshot[]): RingSnapshot[] {
  if (ring.length <= MOMENTS_MAX) return [...ring];
  const step = (ring.length - 1) / (MOMENTS_MAX - 1);
  return Array.from({ length: MOMENTS_MAX }, (_, i) => ring[Math.round(i * step)]).filter(
    (snapshot) => snapshot !== undefined,
  );
}

const PEERS_MAX = 1_000;
const MOMENTS_MAX = 49;
