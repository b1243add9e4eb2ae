/**
 * The presentation language of RFC 6940 §6.3.1. A struct is one declaration that is type, encoder
 * and decoder:
 *
 *     export const StoreReq = struct('StoreReq', {
 *       resource: resourceId,       // ResourceId resource;
 *       replicaNumber: uint8,       // uint8      replica_number;
 *     });
 *     export type StoreReq = TypeOf<typeof StoreReq>;
 */
import { MalformedMessage } from './malformed-message.ts';
import { Reader } from './reader.ts';
import { type Writer, written } from './writer.ts';

export interface Codec<T> {
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
  /** Bytes, where every value takes the same number. */
  readonly size?: number;
}

export type TypeOf<C> = C extends Codec<infer T> ? T : never;

/** An unsigned integer that can stand before a vector; `width` in bytes. */
export interface LengthCodec extends Codec<number> {
  readonly width: 1 | 2 | 3 | 4;
}

/** Decodes the whole of `bytes`, or says what is wrong with them. Never throws for bad input. */
export function decode<T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  nodeIdLength?: number,
): T | MalformedMessage {
  return readWhole(bytes, nodeIdLength, (reader) => codec.read(reader));
}

/** Runs `read` over `bytes`, which it must use up, and makes its fault, if any, a value. */
export function readWhole<T>(
  bytes: Uint8Array,
  nodeIdLength: number | undefined,
  read: (reader: Reader) => T,
): T | MalformedMessage {
  const reader = new Reader(bytes, nodeIdLength);
  try {
    const value = read(reader);
    reader.expectEnd();
    return value;
  } catch (error) {
    if (error instanceof MalformedMessage) return error;
    throw error;
  }
}

/** The bytes of `value`. Throws RangeError for a value that the struct cannot hold: our bug. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return written((writer) => codec.write(writer, value));
}

export const uint8: LengthCodec = {
  width: 1,
  size: 1,
  read: (reader) => reader.uint8(),
  write: (writer, value) => writer.uint8(value),
};

export const uint16: LengthCodec = {
  width: 2,
  size: 2,
  read: (reader) => reader.uint16(),
  write: (writer, value) => writer.uint16(value),
};

export const uint24: LengthCodec = {
  width: 3,
  size: 3,
  read: (reader) => reader.uint24(),
  write: (writer, value) => writer.uint24(value),
};

export const uint32: LengthCodec = {
  width: 4,
  size: 4,
  read: (reader) => reader.uint32(),
  write: (writer, value) => writer.uint32(value),
};

export const uint64: Codec<bigint> = {
  size: 8,
  read: (reader) => reader.uint64(),
  write: (writer, value) => writer.uint64(value),
};

/** Boolean — RFC 6940 §6.3.1: 0 or 1, nothing else. */
export const boolean: Codec<boolean> = {
  size: 1,
  read(reader) {
    const at = reader.offset;
    const value = reader.uint8();
    if (value > 1) throw reader.fault(`expected a Boolean (0 or 1), got ${value}`, at);
    return value === 1;
  },
  write: (writer, value) => writer.uint8(value ? 1 : 0),
};

/** `opaque x<0..2^n-1>`: bytes behind their length. Reading gives a view of the input. */
export function opaque(length: LengthCodec): Codec<Uint8Array> {
  return {
    read: (reader) => reader.take(length.read(reader)),
    write: (writer, value) => writer.prefixed(length.width, (inner) => inner.raw(value)),
  };
}

/** `opaque x<0..2^n-1>` that holds UTF-8 text; bytes that are not UTF-8 are a fault. */
export function text(length: LengthCodec): Codec<string> {
  return {
    read(reader) {
      const bytes = reader.take(length.read(reader));
      try {
        return strictUtf8.decode(bytes);
      } catch {
        throw reader.fault('expected UTF-8 text', reader.offset - bytes.length);
      }
    },
    write: (writer, value) =>
      writer.prefixed(length.width, (inner) => inner.raw(utf8Encoder.encode(value))),
  };
}

/** All bytes up to the end of what encloses this field. */
export const rest: Codec<Uint8Array> = {
  read: (reader) => reader.take(reader.remaining),
  write: (writer, value) => writer.raw(value),
};

/** All elements up to the end of what encloses this field: `T x[length]`. */
export function sequence<T>(element: Codec<T>): Codec<T[]> {
  return {
    read(reader) {
      const values: T[] = [];
      while (reader.remaining > 0) {
        const before = reader.offset;
        values.push(element.read(reader));
        if (reader.offset === before) throw reader.fault('an element of zero bytes in a vector');
      }
      return values;
    },
    write(writer, values) {
      for (const value of values) element.write(writer, value);
    },
  };
}

/** `T x<0..2^n-1>`: the length prefix counts bytes, never elements. */
export function vector<T>(length: LengthCodec, element: Codec<T>): Codec<T[]> {
  return lengthPrefixed(length, sequence(element));
}

/** One value behind its length in bytes. */
export function lengthPrefixed<T>(length: LengthCodec, codec: Codec<T>): Codec<T> {
  return {
    read: (reader) => reader.bounded(length.read(reader), (inner) => codec.read(inner)),
    write: (writer, value) => writer.prefixed(length.width, (inner) => codec.write(inner, value)),
  };
}

/** A number out of a closed list; others are a fault (RFC 6940 §6.3.1). */
export function enumeration<const T extends number>(
  length: LengthCodec,
  allowed: Readonly<Record<string, T>>,
): Codec<T> {
  const values = new Set<number>(Object.values(allowed));
  return {
    size: length.width,
    read(reader) {
      const at = reader.offset;
      const value = length.read(reader);
      if (!values.has(value)) {
        throw reader.fault(`expected one of ${[...values].join(', ')}, got ${value}`, at);
      }
      return value as T;
    },
    write: (writer, value) => length.write(writer, value),
  };
}

/** A codec with a further check: `check` returns what is wrong, or undefined. */
export function checked<T>(codec: Codec<T>, check: (value: T) => string | undefined): Codec<T> {
  return {
    ...codec,
    read(reader) {
      const at = reader.offset;
      const value = codec.read(reader);
      const fault = check(value);
      if (fault !== undefined) throw reader.fault(fault, at);
      return value;
    },
  };
}

type Fields = Readonly<Record<string, Codec<unknown>>>;
type StructOf<F> = { -readonly [K in keyof F]: TypeOf<F[K]> };

export interface StructCodec<F extends object> extends Codec<StructOf<F>> {
  /** Byte offset of a field that only fixed-size fields precede. */
  offsetOf(field: keyof F & string): number;
}

/** `struct { … } name`: the fields in this order. */
export function struct<F extends Fields>(name: string, fields: F): StructCodec<F> {
  const entries = Object.entries(fields);
  let total: number | undefined = 0;
  for (const [, codec] of entries) {
    total = total === undefined || codec.size === undefined ? undefined : total + codec.size;
  }
  return {
    ...(total === undefined ? {} : { size: total }),
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [key, codec] of entries) {
        try {
          value[key] = codec.read(reader);
        } catch (error) {
          throw located(error, name, key);
        }
      }
      return value as StructOf<F>;
    },
    write(writer, value) {
      const source = value as Record<string, unknown>;
      for (const [key, codec] of entries) codec.write(writer, source[key]);
    },
    offsetOf(field) {
      let offset = 0;
      for (const [key, codec] of entries) {
        if (key === field) return offset;
        if (codec.size === undefined) break;
        offset += codec.size;
      }
      throw new RangeError(`${name}.${field} has no fixed offset`);
    },
  };
}

/** Runs `read` and names the struct and field in any fault; for codecs written by hand. */
export function inField<T>(struct: string, field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw located(error, struct, field);
  }
}

function located(error: unknown, struct: string, field: string): unknown {
  if (error instanceof MalformedMessage && error.struct === '') {
    error.struct = struct;
    error.field = field;
  }
  return error;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();
