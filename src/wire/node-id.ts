import type { Codec } from './codec.ts';
import { fromHex, toHex } from './hex.ts';

declare const nodeIdBrand: unique symbol;

/**
 * NodeId — RFC 6940 §6.3.1.1, as lower-case hex (32 digits for 16 bytes). All Node-IDs of an
 * overlay have one length, so comparing two as strings compares them as numbers.
 */
export type NodeId = string & { readonly [nodeIdBrand]: true };

export const nodeId: Codec<NodeId> = {
  read: (reader) => toHex(reader.take(reader.nodeIdLength)) as NodeId,
  write: (writer, value) => writer.hex(value),
};

export function nodeIdFromBytes(bytes: Uint8Array): NodeId {
  return toHex(bytes) as NodeId;
}

export function nodeIdBytes(id: NodeId): Uint8Array {
  return fromHex(id);
}

/** "Whoever receives this": all ones (RFC 6940 §6.3.1.1). */
export function isWildcard(id: NodeId): boolean {
  return /^f+$/.test(id);
}

/** All zeros is never a node (RFC 6940 §6.3.1.1). */
export function isInvalidNodeId(id: NodeId): boolean {
  return /^0+$/.test(id);
}
