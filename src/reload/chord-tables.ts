import type { NodeId } from '../wire/node-id.ts';
import {
  clockwiseFrom,
  counterClockwiseFrom,
  distance,
  fingerStart,
  isInFinger,
  lowerBound,
  RING_BITS,
  type RingId,
} from './ring.ts';

/**
 * The Routing Table of CHORD-RELOAD — RFC 6940 §10.2: all connected peers from which an Update
 * came, in numerical order. The Neighbor Table and the Finger Table are read off it, so that they
 * never disagree with it and "the best match from the Routing Table" (§10.7.1) needs no search.
 */
export class ChordTables {
  readonly self: NodeId;
  private readonly sorted: NodeId[] = [];

  constructor(self: NodeId) {
    this.self = self;
  }

  get size(): number {
    return this.sorted.length;
  }

  has(id: NodeId): boolean {
    return this.sorted[lowerBound(this.sorted, id)] === id;
  }

  peers(): readonly NodeId[] {
    return this.sorted;
  }

  /** Returns whether it was new. */
  add(id: NodeId): boolean {
    const at = lowerBound(this.sorted, id);
    if (this.sorted[at] === id || id === this.self) return false;
    this.sorted.splice(at, 0, id);
    return true;
  }

  /** Returns whether it was there. */
  remove(id: NodeId): boolean {
    const at = lowerBound(this.sorted, id);
    if (this.sorted[at] !== id) return false;
    this.sorted.splice(at, 1);
    return true;
  }

  /** Nearest first; shorter where the ring is small, never padded, never with the own Node-ID. */
  successors(count: number = this.neighborsWanted()): NodeId[] {
    return clockwiseFrom(this.sorted, this.self, count);
  }

  /** Nearest first. */
  predecessors(count: number = this.neighborsWanted()): NodeId[] {
    return counterClockwiseFrom(this.sorted, this.self, count);
  }

  isNeighbor(id: NodeId): boolean {
    return this.successors().includes(id) || this.predecessors().includes(id);
  }

  /** Would `id` be in the Neighbor Table if it were in the Routing Table? */
  wouldBeNeighbor(id: NodeId): boolean {
    if (id === this.self) return false;
    const wanted = this.neighborsWanted();
    if (this.sorted.length < wanted) return true;
    const lastSuccessor = this.successors(wanted).at(-1) as NodeId;
    const lastPredecessor = this.predecessors(wanted).at(-1) as NodeId;
    return (
      distance(this.self, id) <= distance(this.self, lastSuccessor) ||
      distance(id, this.self) <= distance(lastPredecessor, this.self)
    );
  }

  /**
   * How many predecessors and successors to keep: O(log N), at least the three of RFC 6940 §10.7.
   * N is guessed from how densely the nearest successors lie.
   */
  neighborsWanted(): number {
    return Math.max(NEIGHBORS_MIN, Math.min(NEIGHBORS_MAX, Math.ceil(this.sizeGuessLog2())));
  }

  /** The valid entry of finger `index` (1-based) that lies nearest to its start. */
  finger(index: number): NodeId | undefined {
    const start = fingerStart(this.self, index);
    const candidate = clockwiseFrom(this.sorted, start, 1)[0];
    if (candidate === undefined || !isInFinger(this.self, index, candidate)) return undefined;
    return candidate;
  }

  /** The Finger Table, numerically ascending, each peer once. */
  fingers(): NodeId[] {
    const found = new Set<NodeId>();
    for (let index = 1; index <= this.fingersWanted(); index++) {
      const finger = this.finger(index);
      if (finger !== undefined) found.add(finger);
    }
    return [...found].sort();
  }

  /** RFC 6940 §10.7.4.3: at least 16, more where the overlay is large. */
  fingersWanted(): number {
    const forSize = Math.ceil(this.sizeGuessLog2()) + FINGERS_BEYOND_SIZE;
    return Math.min(RING_BITS, Math.max(FINGERS_MIN, forSize));
  }

  /**
   * RFC 6940 §10.3: the largest Node-ID in (self, k), else the smallest one greater than k. A peer
   * exactly at k is chosen first: nobody is nearer.
   */
  nextHop(k: RingId): NodeId | undefined {
    const candidates = this.sorted;
    if (candidates.length === 0) return undefined;
    const at = lowerBound(candidates, k);
    const exact = candidates[at];
    if (exact === k) return exact;
    const below = candidates[(at - 1 + candidates.length) % candidates.length] as NodeId;
    if (distanceIsLess(this.self, below, k)) return below;
    return candidates[at % candidates.length];
  }

  private sizeGuessLog2(): number {
    const nearest = this.successors(SIZE_SAMPLE);
    const farthest = nearest.at(-1);
    if (farthest === undefined) return 0;
    if (this.sorted.length < SIZE_SAMPLE) return Math.log2(this.sorted.length + 1);
    const share = Number(distance(this.self, farthest)) / 2 ** RING_BITS;
    return Math.log2(Math.max(nearest.length / share, 1));
  }
}

/** Whether going clockwise from `self` one meets `a` before `b`. */
function distanceIsLess(self: string, a: string, b: string): boolean {
  if (a > self === b > self) return a < b;
  return a > self;
}

/** RFC 6940 §10.7: "at least three predecessors and three successors". */
export const NEIGHBORS_MIN = 3;
const NEIGHBORS_MAX = 16;
const SIZE_SAMPLE = 3;
/** RFC 6940 §10.7.4.3. */
const FINGERS_MIN = 16;
const FINGERS_BEYOND_SIZE = 2;
