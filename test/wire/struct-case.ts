import fc from 'fast-check';
import type { Codec } from '../../src/wire/codec.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';

/** One struct of the wire: its codec with a vector written by hand and every value it can have. */
export interface StructCase {
  readonly name: string;
  /** E.g. `RFC 6940 §6.3.2.2`. */
  readonly section: string;
  readonly codec: Codec<unknown>;
  /** Lower-case hex. */
  readonly vector: string;
  /** What `vector` means. */
  readonly value: unknown;
  readonly arbitrary: fc.Arbitrary<unknown>;
}

interface CaseParts<T> {
  readonly codec: Codec<T>;
  /** Hex, with spaces wherever they help. */
  readonly vector: string;
  readonly value: T;
  readonly arbitrary: fc.Arbitrary<T>;
}

export function structCase<T>(name: string, section: string, parts: CaseParts<T>): StructCase {
  return { name, section, ...parts, vector: parts.vector.replaceAll(/\s/g, '') };
}

/** Objects with an ordinary prototype, as decoding makes them. */
export function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

export function hexBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

export function bytesUpTo(maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength });
}

export function listOf<T>(element: fc.Arbitrary<T>, maxLength = 4): fc.Arbitrary<T[]> {
  return fc.array(element, { maxLength });
}

export const anyUint8 = fc.integer({ min: 0, max: 0xff });
export const anyUint16 = fc.integer({ min: 0, max: 0xffff });
export const anyUint32 = fc.integer({ min: 0, max: 0xffffffff });
export const anyUint64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
export const anyText = fc.string({ unit: 'grapheme', maxLength: 6 });
export const anyNodeId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as NodeId);
export const anyResourceId = bytesUpTo(255).map(
  (bytes) => Buffer.from(bytes).toString('hex') as ResourceId,
);

export const NODE_1 = '0123456789abcdef0123456789abcdef' as NodeId;
export const NODE_2 = 'fedcba98765432100f1e2d3c4b5a6978' as NodeId;
/** Resource-ID of "alice@dht.example.net". */
export const RESOURCE = '46f484b017fc57733452dcf442a8a79e' as ResourceId;
