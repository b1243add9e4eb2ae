import type { RingPeer, RingSnapshot, RunRecord } from '../simulation/run-record.ts';
import { figure, momentFigure } from './figures.ts';
import { coverageOf, rangesOf } from './ring-lanes.ts';

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
  /** The most peers that are drawn at any time. */
  readonly drawnMost: number;
}

export interface RingMoment {
  readonly title: string;
  readonly words: string;
  /** Three numbers for each range: lane, end, length. */
  readonly ranges: readonly number[];
  /** Three numbers for each peer: its index, state code, values. */
  readonly peers: readonly number[];
}

export const RING_UNITS = 10_000;
/** State codes; `ATTACKER_CODE` is added. */
export const STATE_CODES = { joined: 0, joining: 1, down: 2 } as const;
export const ATTACKER_CODE = 4;

export function ringStatesOf({ ring }: RunRecord): RingStates {
  const snapshots = thinned(ring, MOMENTS_MAX);
  const most = Math.max(0, ...snapshots.map(({ peers }) => peers.length));
  const onePeerIn = Math.max(1, Math.ceil(most / PEERS_MAX));
  const indices = new Map<string, number>();
  const places: number[] = [];
  let valuesMax = 0;
  const moments = snapshots.map(({ atMinutes, peers }) => {
    const sorted = [...peers].sort((a, b) => a.place - b.place);
    const drawn = sorted.filter((_, i) => i % onePeerIn === 0);
    const numbers = drawn.flatMap((peer) => {
      const index = indices.get(peer.name) ?? indices.size;
      indices.set(peer.name, index);
      places[index] = unitsOf(peer.place);
      valuesMax = Math.max(valuesMax, peer.values);
      return [index, STATE_CODES[peer.state] + (peer.isAttacker ? ATTACKER_CODE : 0), peer.values];
    });
    const ranges = rangesOf(peers, RANGE_MIN).flatMap(({ lane, end, length }) => [
      lane,
      unitsOf(end),
      // From the end of the range before, rounded, so that no gap appears between them.
      Math.max(1, unitsOf(end) - unitsOf(end - length)),
    ]);
    return { title: momentFigure(atMinutes), words: wordsOf(peers), ranges, peers: numbers };
  });
  const drawnMost = Math.ceil(most / onePeerIn);
  return { names: [...indices.keys()], places, valuesMax, moments, onePeerIn, drawnMost };
}

/** At most so many, evenly, the first and the last among them. */
export function thinned(ring: readonly RingSnapshot[], momentsMax: number): RingSnapshot[] {
  if (ring.length <= momentsMax) return [...ring];
  if (momentsMax < 2) return ring.slice(-1);
  const step = (ring.length - 1) / (momentsMax - 1);
  return Array.from({ length: momentsMax }, (_, i) => ring[Math.round(i * step)]).filter(
    (snapshot) => snapshot !== undefined,
  );
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

const PEERS_MAX = 1_000;
const MOMENTS_MAX = 49;
/** Narrower ranges are drawn together with their neighbours. */
const RANGE_MIN = 1 / 1_000;
