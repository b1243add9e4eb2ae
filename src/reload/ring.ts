/**
 * Arithmetic on the ring of RFC 6940 §10.1: identifiers modulo 2^128, as lower-case hex strings of
 * one length, which compare as strings the way they compare as numbers.
 */
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';

/** A place on the ring: a Node-ID or a Resource-ID of 32 hex digits. */
export type RingId = NodeId | ResourceId;

/** Whether `id` lies in (after, upTo], going clockwise; the whole ring if the two are equal. */
export function isInRange(id: string, after: string, upTo: string): boolean {
  if (after < upTo) return id > after && id <= upTo;
  return id > after || id <= upTo;
}

/** Whether `id` lies strictly between, going clockwise from `after` to `before`. */
export function isBetween(id: string, after: string, before: string): boolean {
  return id !== before && isInRange(id, after, before);
}

/** Steps clockwise from `from` to `to`. */
export function distance(from: string, to: string): bigint {
  return (BigInt(`0x${to}`) - BigInt(`0x${from}`) + RING_SIZE) & RING_MASK;
}

/** `id` + `steps` modulo 2^128. */
export function advance(id: string, steps: bigint): ResourceId {
  const place = (BigInt(`0x${id}`) + steps) & RING_MASK;
  return place.toString(16).padStart(RING_HEX_DIGITS, '0') as ResourceId;
}

/** The ID right after a node's own: who is responsible for it is that node's successor. */
export function successorPoint(id: NodeId): ResourceId {
  return advance(id, 1n);
}

/** The first ID of finger `index` (1-based): x + 2^(128-i), RFC 6940 §10.7.4.2. */
export function fingerStart(id: NodeId, index: number): ResourceId {
  return advance(id, 1n << BigInt(RING_BITS - index));
}

/** Whether `id` lies in [from, before), going clockwise; the two differ. */
export function isFromUntil(id: string, from: string, before: string): boolean {
  if (from < before) return id >= from && id < before;
  return id >= from || id < before;
}

/** Whether going clockwise from `self` one meets `a` before `b`; both differ from `self`. */
export function isNearerClockwise(self: string, a: string, b: string): boolean {
  if (a > self === b > self) return a < b;
  return a > self;
}

/** Which part of the ring lies between `from` and `to`, clockwise: in [0, 1), to about 2^-52. */
export function shareOfRing(from: string, to: string): number {
  const difference = leadingDigits(to) - leadingDigits(from);
  return (difference < 0 ? difference + LEADING_RANGE : difference) / LEADING_RANGE;
}

function leadingDigits(id: string): number {
  return Number.parseInt(id.slice(0, LEADING_HEX_DIGITS), 16);
}

/**
 * A list of IDs in numerical order, searched by halving. `sorted` has no duplicates.
 * Returns the index of the first element ≥ `id`, or the length if there is none.
 */
export function lowerBound(sorted: readonly string[], id: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Up to `count` elements clockwise from `start` (the first one ≥ start), wrapping around. */
export function clockwiseFrom<T extends string>(
  sorted: readonly T[],
  start: string,
  count: number,
): T[] {
  const result: T[] = [];
  const first = lowerBound(sorted, start);
  for (let i = 0; i < Math.min(count, sorted.length); i++) {
    result.push(sorted[(first + i) % sorted.length] as T);
  }
  return result;
}

/** Up to `count` elements counter-clockwise from `start` (the first one < start), wrapping. */
export function counterClockwiseFrom<T extends string>(
  sorted: readonly T[],
  start: string,
  count: number,
): T[] {
  const result: T[] = [];
  const first = lowerBound(sorted, start) - 1 + sorted.length;
  for (let i = 0; i < Math.min(count, sorted.length); i++) {
    result.push(sorted[(first - i + sorted.length) % sorted.length] as T);
  }
  return result;
}

export const RING_BITS = 128;
export const RING_HEX_DIGITS = RING_BITS / 4;
const RING_SIZE = 1n << BigInt(RING_BITS);
const RING_MASK = RING_SIZE - 1n;
/** As many digits as a number holds exactly. */
const LEADING_HEX_DIGITS = 13;
const LEADING_RANGE = 16 ** LEADING_HEX_DIGITS;
