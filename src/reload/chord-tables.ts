import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import {
  clockwiseFrom,
  counterClockwiseFrom,
  fingerStart,
  isFromUntil,
  isInRange,
  isNearerClockwise,
  lowerBound,
  RING_BITS,
  type RingId,
  shareOfRing,
} from './ring.ts';

/**
 * The Routing Table of CHORD-RELOAD — RFC 6940 §10.2: all connected peers from which an Update
 * came, in numerical order. The Neighbor Table and the Finger Table are read off it, so that they
 * never disagree with it and "the best match from the Routing Table" (§10.7.1) needs no search.
 * What was read off is kept until the Routing Table changes.
 */
export class ChordTables {
  readonly self: NodeId;
  private readonly sorted: NodeId[] = [];
  private readonly fingerStarts: ResourceId[] = [];
  private readOff: ReadOff | undefined;

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
    this.readOff = undefined;
    return true;
  }

  /** Returns whether it was there. */
  remove(id: NodeId): boolean {
    const at = lowerBound(this.sorted, id);
    if (this.sorted[at] !== id) return false;
    this.sorted.splice(at, 1);
    this.readOff = undefined;
    return true;
  }

  /** Nearest first; shorter where the ring is small, never padded, never with the own Node-ID. */
  successors(): readonly NodeId[] {
    return this.current().successors;
  }

  /** Nearest first. */
  predecessors(): readonly NodeId[] {
    return this.current().predecessors;
  }

  /** The Neighbor Table, each peer once. */
  neighbors(): ReadonlySet<NodeId> {
    return this.current().neighbors;
  }

  isNeighbor(id: NodeId): boolean {
    return this.current().neighbors.has(id);
  }

  /** In the Neighbor Table, or would be if that were `more` longer on each side. */
  isNearNeighbor(id: NodeId, more: number): boolean {
    const { neighborsWanted, predecessorsWanted } = this.current();
    return (
      clockwiseFrom(this.sorted, this.self, neighborsWanted + more).includes(id) ||
      counterClockwiseFrom(this.sorted, this.self, predecessorsWanted + more).includes(id)
    );
  }

  /** One of the next peers, which have this one in their Neighbor Table as well. */
  isNearest(id: NodeId): boolean {
    const { successors, predecessors } = this.current();
    const [next, before] = [successors, predecessors].map((list) => list.slice(0, NEIGHBORS_MIN));
    return next?.includes(id) === true || before?.includes(id) === true;
  }

  /** Would `id` be in the Neighbor Table if it were in the Routing Table? */
  wouldBeNeighbor(id: NodeId): boolean {
    if (id === this.self) return false;
    const { successors, predecessors, neighborsWanted } = this.current();
    if (this.sorted.length < neighborsWanted) return true;
    const lastSuccessor = successors.at(-1) as NodeId;
    const lastPredecessor = predecessors.at(-1) as NodeId;
    return isInRange(id, this.self, lastSuccessor) || isFromUntil(id, lastPredecessor, this.self);
  }

  /**
   * How many successors to keep: log2 N, at least the three of RFC 6940 §10.7; of predecessors it
   * is half as many, because losing all successors is what breaks a ring, and each neighbour more
   * is told of each change. N is guessed from how densely the nearest successors lie.
   */
  neighborsWanted(): number {
    return this.current().neighborsWanted;
  }

  /** The valid entry of finger `index` (1-based) that lies nearest to its start. */
  finger(index: number): NodeId | undefined {
    const { sorted } = this;
    const candidate = sorted[lowerBound(sorted, this.fingerStart(index))] ?? sorted[0];
    if (candidate === undefined || !this.isInFinger(index, candidate)) return undefined;
    return candidate;
  }

  /** The Finger Table, numerically ascending, each peer once. */
  fingers(): readonly NodeId[] {
    const current = this.current();
    current.fingers ??= this.readFingers();
    return current.fingers;
  }

  isFinger(id: NodeId): boolean {
    const current = this.current();
    current.fingerSet ??= new Set(this.fingers());
    return current.fingerSet.has(id);
  }

  /** RFC 6940 §10.7.4.3: at least 16, more where the overlay is large. */
  fingersWanted(): number {
    return this.current().fingersWanted;
  }

  /** Whether `id` is a valid entry of finger `index`: [x+2^(128-i), x+2^(128-(i-1))-1]. */
  isInFinger(index: number, id: string): boolean {
    const before = index === 1 ? this.self : this.fingerStart(index - 1);
    return isFromUntil(id, this.fingerStart(index), before);
  }

  /** The first ID of finger `index`. */
  fingerStart(index: number): ResourceId {
    this.fingerStarts[index] ??= fingerStart(this.self, index);
    return this.fingerStarts[index] as ResourceId;
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
    if (isNearerClockwise(this.self, below, k)) return below;
    return candidates[at % candidates.length];
  }

  /** Who this peer takes to be responsible for k, of those between k and itself. */
  ownerOf(k: RingId): NodeId | undefined {
    const first = this.sorted[lowerBound(this.sorted, k)] ?? this.sorted[0];
    return first !== undefined && isFromUntil(first, k, this.self) ? first : undefined;
  }

  private current(): ReadOff {
    this.readOff ??= this.read();
    return this.readOff;
  }

  private read(): ReadOff {
    const { sorted, self } = this;
    const sizeLog2 = this.sizeGuessLog2();
    const rounded = Math.ceil(sizeLog2);
    const neighborsWanted = Math.max(NEIGHBORS_MIN, Math.min(NEIGHBORS_MAX, rounded));
    const fingersMax = Math.min(RING_BITS, rounded + FINGERS_BEYOND_SIZE);
    const predecessorsWanted = Math.max(NEIGHBORS_MIN, Math.ceil(neighborsWanted / 2));
    const successors = clockwiseFrom(sorted, self, neighborsWanted);
    const predecessors = counterClockwiseFrom(sorted, self, predecessorsWanted);
    return {
      neighborsWanted,
      predecessorsWanted,
      fingersWanted: Math.max(FINGERS_MIN, fingersMax),
      successors,
      predecessors,
      neighbors: new Set([...successors, ...predecessors]),
      fingers: undefined,
      fingerSet: undefined,
    };
  }

  private readFingers(): NodeId[] {
    const found = new Set<NodeId>();
    for (let index = 1; index <= this.fingersWanted(); index++) {
      const finger = this.finger(index);
      if (finger !== undefined) found.add(finger);
    }
    return [...found].sort();
  }

  private sizeGuessLog2(): number {
    const nearest = clockwiseFrom(this.sorted, this.self, SIZE_SAMPLE);
    const farthest = nearest.at(-1);
    if (farthest === undefined) return 0;
    if (this.sorted.length < SIZE_SAMPLE) return Math.log2(this.sorted.length + 1);
    const share = Math.max(shareOfRing(this.self, farthest), SHARE_MIN);
    return Math.log2(Math.max(nearest.length / share, 1));
  }
}

interface ReadOff {
  readonly neighborsWanted: number;
  readonly predecessorsWanted: number;
  readonly fingersWanted: number;
  readonly successors: readonly NodeId[];
  readonly predecessors: readonly NodeId[];
  readonly neighbors: ReadonlySet<NodeId>;
  fingers: readonly NodeId[] | undefined;
  fingerSet: ReadonlySet<NodeId> | undefined;
}

/** RFC 6940 §10.7: "at least three predecessors and three successors". */
export const NEIGHBORS_MIN = 3;
const NEIGHBORS_MAX = 16;
const SIZE_SAMPLE = 3;
/** RFC 6940 §10.7.4.3. */
const FINGERS_MIN = 16;
const FINGERS_BEYOND_SIZE = 2;
const SHARE_MIN = 2 ** -52;
