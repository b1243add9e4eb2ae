import { describe, expect, it } from 'vitest';
import { ChordTables, NEIGHBORS_MIN } from '../../src/reload/chord-tables.ts';
import { NeighborLists } from '../../src/reload/neighbor-lists.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

function id(number: number): NodeId {
  return number.toString(16).padStart(4, '0').padEnd(32, '0') as NodeId;
}

/** The tables of the peer in the middle of a ring of `size` evenly spaced peers. */
function tablesIn(size: number): ChordTables {
  const step = 65_536 / size;
  const tables = new ChordTables(id(32_768));
  for (let index = 0; index < size; index++) tables.add(id(index * step));
  return tables;
}

describe('the Neighbor Table', () => {
  it('RFC 6940 §10.7: has log2 N successors and half as many predecessors, at least three', () => {
    const large = tablesIn(1_024);
    expect(large.successors()).toHaveLength(10);
    expect(large.predecessors()).toHaveLength(5);
    const small = tablesIn(8);
    expect(small.successors()).toHaveLength(NEIGHBORS_MIN);
    expect(small.predecessors()).toHaveLength(NEIGHBORS_MIN);
  });

  it('what is read off it follows each change of the Routing Table', () => {
    const tables = tablesIn(1_024);
    const [first, second] = tables.successors() as [NodeId, NodeId];
    expect(tables.isNeighbor(first)).toBe(true);
    tables.remove(first);
    expect(tables.isNeighbor(first)).toBe(false);
    expect(tables.successors()[0]).toBe(second);
    tables.add(first);
    expect(tables.successors()[0]).toBe(first);
  });

  it('its changes are near ones, far ones, or none', () => {
    const tables = tablesIn(1_024);
    const lists = new NeighborLists(tables);
    expect(lists.noteChange()).toBe('near');
    expect(lists.noteChange()).toBe('none');
    const [first, , third] = tables.successors() as [NodeId, NodeId, NodeId];
    const { version } = lists;
    tables.remove(third);
    expect(lists.noteChange()).toBe('far');
    expect(lists.version).toBe(version + 1);
    tables.remove(first);
    expect(lists.noteChange()).toBe('near');
    // A finger is no neighbour.
    tables.remove(id(0));
    expect(lists.noteChange()).toBe('none');
  });
});
