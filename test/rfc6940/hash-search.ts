import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';

/** A Node-ID whose Resource-ID lies between `after` and `upTo`, both padded with zeros. */
export function nodeIdHashedInto(after: string, upTo: string): NodeId {
  for (let i = 1; i < 10_000; i++) {
    const nodeId = i.toString(16).padStart(32, '0') as NodeId;
    const place = resourceIdOf(nodeIdBytes(nodeId));
    if (place > after.padEnd(32, '0') && place < upTo.padEnd(32, '0')) return nodeId;
  }
  throw new Error('none of ten thousand hashes fits');
}
