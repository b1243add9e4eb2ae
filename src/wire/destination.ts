import { type Codec, inField } from './codec.ts';
import { type NodeId, nodeId } from './node-id.ts';
import type { Reader } from './reader.ts';
import { type ResourceId, resourceId } from './resource-id.ts';
import type { Writer } from './writer.ts';

export const DestinationType = { node: 1, resource: 2, opaque: 3 } as const;

/**
 * Destination — RFC 6940 §6.3.2.2. `compressed` is the two-byte form of an opaque ID, `id` its
 * 16 bits with the top bit set. A type that we do not know (4 to 127) is kept as bytes.
 */
export type Destination =
  | { readonly type: 'node'; readonly nodeId: NodeId }
  | { readonly type: 'resource'; readonly resourceId: ResourceId }
  | { readonly type: 'opaque'; readonly id: Uint8Array }
  | { readonly type: 'compressed'; readonly id: number }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };

export const destination: Codec<Destination> = {
  read: (reader) => inField('Destination', 'type', () => readDestination(reader)),
  write: writeDestination,
};

export function nodeDestination(id: NodeId): Destination {
  return { type: 'node', nodeId: id };
}

export function resourceDestination(id: ResourceId): Destination {
  return { type: 'resource', resourceId: id };
}

function readDestination(reader: Reader): Destination {
  const at = reader.offset;
  const type = reader.uint8();
  if (type >= 0x80) return { type: 'compressed', id: type * 256 + reader.uint8() };
  const length = reader.uint8();
  return reader.bounded(length, (inner): Destination => {
    switch (type) {
      case 0:
        throw inner.fault('destination type 0 is invalid', at);
      case DestinationType.node:
        return { type: 'node', nodeId: nodeId.read(inner) };
      case DestinationType.resource:
        return { type: 'resource', resourceId: resourceId.read(inner) };
      case DestinationType.opaque:
        return { type: 'opaque', id: inner.take(inner.uint8()) };
      default:
        return { type: 'unknown', code: type, data: inner.take(inner.remaining) };
    }
  });
}

function writeDestination(writer: Writer, value: Destination): void {
  switch (value.type) {
    case 'compressed':
      writer.uint16(value.id);
      return;
    case 'node':
      writer.uint8(DestinationType.node);
      writer.prefixed(1, (inner) => nodeId.write(inner, value.nodeId));
      return;
    case 'resource':
      writer.uint8(DestinationType.resource);
      writer.prefixed(1, (inner) => resourceId.write(inner, value.resourceId));
      return;
    case 'opaque':
      writer.uint8(DestinationType.opaque);
      writer.prefixed(1, (inner) => inner.prefixed(1, (id) => id.raw(value.id)));
      return;
    case 'unknown':
      writer.uint8(value.code);
      writer.prefixed(1, (inner) => inner.raw(value.data));
  }
}
