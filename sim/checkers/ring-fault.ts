import type { SimNode } from '../world/sim-node.ts';
import type { Membership } from './membership.ts';

/** Which of Zave's invariants does not hold, and where. */
export interface RingFault {
  readonly invariant: string;
  readonly nodes: readonly SimNode[];
  readonly detail: string;
}

/**
 * Follows the best successors of all members: is there one ring, in order, that every appendage
 * leads to? Costs O(N). Names what is wrong first, or returns undefined.
 */
export function ringFault(members: Membership): RingFault | undefined {
  if (members.size < 2) return undefined;
  const next = bestSuccessors(members);
  const alone = next.indexOf(NOBODY);
  if (alone >= 0) {
    const node = members.at(alone);
    const { length } = node.peer?.neighbors().successors ?? [];
    return {
      invariant: 'connected appendages',
      nodes: [node],
      detail: `none of the ${length} successors of ${node.name} is a member`,
    };
  }
  const rings = ringsOf(next);
  const [first = [], second] = rings;
  if (second !== undefined) {
    const shown = rings.slice(0, 2).map((ring) => `${namesOf(members, ring)}`);
    return {
      invariant: 'at most one ring',
      nodes: [members.at(first[0] ?? 0), members.at(second[0] ?? 0)],
      detail: `${rings.length} rings of ${members.size} members: ${shown.join(' and ')}`,
    };
  }
  if (first.length === 0) {
    return { invariant: 'at least one ring', nodes: [], detail: 'nobody comes back to itself' };
  }
  const turns = first.filter((from) => (next[from] as number) <= from).length;
  if (turns === 1) return undefined;
  return {
    invariant: 'ordered ring',
    nodes: first.slice(0, NODES_SHOWN_MAX).map((at) => members.at(at)),
    detail: `the ring goes round ${turns} times: ${namesOf(members, first)}`,
  };
}

/** By index in the order of the ring. */
function bestSuccessors(members: Membership): Int32Array {
  const indexOf = new Map(members.ring.map((id, index) => [id, index]));
  return Int32Array.from(members.ring, (id) => {
    for (const successor of members.member(id)?.peer?.neighbors().successors ?? []) {
      const index = indexOf.get(successor);
      if (index !== undefined) return index;
    }
    return NOBODY;
  });
}

/** The cycles of a graph in which exactly one edge leaves each node. */
function ringsOf(next: Int32Array): number[][] {
  const walkOf = new Int32Array(next.length);
  const rings: number[][] = [];
  for (let start = 0; start < next.length; start++) {
    let at = start;
    while (walkOf[at] === 0) {
      walkOf[at] = start + 1;
      at = next[at] as number;
    }
    if (walkOf[at] !== start + 1) continue;
    const ring = [at];
    for (let on = next[at] as number; on !== at; on = next[on] as number) ring.push(on);
    rings.push(ring);
  }
  return rings;
}

function namesOf(members: Membership, ring: readonly number[]): string {
  const names = ring.slice(0, NODES_SHOWN_MAX).map((at) => members.at(at).name);
  return names.join(' → ') + (ring.length > NODES_SHOWN_MAX ? ' → …' : '');
}

const NOBODY = -1;
const NODES_SHOWN_MAX = 12;
