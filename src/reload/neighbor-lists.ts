import type { NodeId } from '../wire/node-id.ts';
import type { ChordTables } from './chord-tables.ts';

/** The lists of the Neighbor Table as they were when they were last looked at. */
export class NeighborLists {
  /** Counts the changes: who was told this version knows the lists. */
  version = 1;
  private readonly tables: ChordTables;
  private predecessors: readonly NodeId[] = [];
  private successors: readonly NodeId[] = [];

  constructor(tables: ChordTables) {
    this.tables = tables;
  }

  /** How they have changed since this was last called; `near`: in the next two on either side. */
  noteChange(): 'none' | 'near' | 'far' {
    const { predecessors, successors } = this;
    this.predecessors = this.tables.predecessors();
    this.successors = this.tables.successors();
    const isSame = (count: number) =>
      isSameUpTo(count, predecessors, this.predecessors) &&
      isSameUpTo(count, successors, this.successors);
    if (isSame(Number.POSITIVE_INFINITY)) return 'none';
    this.version++;
    return isSame(NEAR) ? 'far' : 'near';
  }
}

function isSameUpTo(count: number, one: readonly NodeId[], other: readonly NodeId[]): boolean {
  if (one === other) return true;
  const end = Math.min(count, Math.max(one.length, other.length));
  for (let index = 0; index < end; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** The replica set lies among these (RFC 6940 §10.4). */
const NEAR = 2;
