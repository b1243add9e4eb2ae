import type { Codec } from './codec.ts';
import { toHex } from './hex.ts';

declare const resourceIdBrand: unique symbol;

/** ResourceId — RFC 6940 §6.3.1.1, as lower-case hex; 0 to 255 bytes, 16 in CHORD-RELOAD. */
export type ResourceId = string & { readonly [resourceIdBrand]: true };

/** On the wire behind a length of one byte: "FOO" is `03 46 4f 4f`. */
export const resourceId: Codec<ResourceId> = {
  read: (reader) => toHex(reader.take(reader.uint8())) as ResourceId,
  write: (writer, value) => writer.prefixed(1, (inner) => inner.hex(value)),
};

export function resourceIdFromBytes(bytes: Uint8Array): ResourceId {
  return toHex(bytes) as ResourceId;
}
