import { type Codec, encode } from '../wire/codec.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { Reader } from '../wire/reader.ts';

/** How bytes inside a struct are read further. `Parent` is the object that holds them. */
export interface Nesting<Parent> {
  /** Field names from the outermost inwards; `*` stands for each element of a vector. */
  readonly path: readonly string[];
  /** What the bytes hold, by the fields beside them; undefined leaves them bytes. */
  innerOf(parent: Parent): Inner | undefined;
}

export interface Inner {
  readonly codec: Codec<unknown>;
  /** Bytes that do not fit are a fault, or stay bytes. */
  readonly otherwise: 'fault' | 'bytes';
}

/**
 * `codec` with an opaque field of it read, and written, as what it holds. The layers of a Peer keep
 * such bytes closed up to the one that knows what they are; whoever prints a message wants them
 * open. Offsets in faults count from the start of the whole input.
 */
export function nested<Parent>(codec: Codec<unknown>, nesting: Nesting<Parent>): Codec<unknown> {
  return {
    read(reader) {
      return changedAt(codec.read(reader), nesting.path, (held, parent) => {
        const inner = nesting.innerOf(parent as Parent);
        return inner === undefined ? held : readInside(reader, held as Uint8Array, inner);
      });
    },
    write(writer, value) {
      const closed = changedAt(value, nesting.path, (held, parent) => {
        const inner = nesting.innerOf(parent as Parent);
        const isClosed = inner === undefined || held instanceof Uint8Array;
        return isClosed ? held : encode(inner.codec, held);
      });
      codec.write(writer, closed);
    },
  };
}

function readInside(reader: Reader, bytes: Uint8Array, inner: Inner): unknown {
  const inside = new Reader(reader.bytes, reader.nodeIdLength);
  inside.offset = bytes.byteOffset - reader.bytes.byteOffset;
  inside.end = inside.offset + bytes.length;
  try {
    const value = inner.codec.read(inside);
    inside.expectEnd();
    return value;
  } catch (error) {
    if (error instanceof MalformedMessage && inner.otherwise === 'bytes') return bytes;
    throw error;
  }
}

/** A copy of `value` in which what lies at `path` is what `change` makes of it. */
function changedAt(
  value: unknown,
  path: readonly string[],
  change: (held: unknown, parent: unknown) => unknown,
): unknown {
  const [key, ...rest] = path;
  if (key === '*') return (value as unknown[]).map((one) => changedAt(one, rest, change));
  if (key === undefined) throw new RangeError('a path ends in the name of a field');
  const outer = value as Record<string, unknown>;
  const held = outer[key];
  return {
    ...outer,
    [key]: rest.length === 0 ? change(held, outer) : changedAt(held, rest, change),
  };
}
