import {
  boolean,
  type Codec,
  inField,
  opaque,
  struct,
  type TypeOf,
  uint16,
  uint32,
  uint64,
} from './codec.ts';
import { Signature } from './security-block.ts';

/** DataModel — RFC 6940 §7.2; which one a Kind has is not on the wire. */
export type DataModel = 'single' | 'array' | 'dictionary';

/** KindId — RFC 6940 §7.4.1.1. */
export type KindId = number;
export const kindId: Codec<KindId> = uint32;

/** DataValue — RFC 6940 §7.2. */
export const DataValue = struct('DataValue', {
  exists: boolean, //       Boolean exists;
  value: opaque(uint32), // opaque  value<0..2^32-1>;
});
export type DataValue = TypeOf<typeof DataValue>;

/** ArrayEntry — RFC 6940 §7.2.2. */
export const ArrayEntry = struct('ArrayEntry', {
  index: uint32, //    uint32    index;
  value: DataValue, // DataValue value;
});

/** DictionaryEntry — RFC 6940 §7.2.3. */
export const DictionaryEntry = struct('DictionaryEntry', {
  key: opaque(uint16), // DictionaryKey key;  (opaque<0..2^16-1>)
  value: DataValue, //    DataValue     value;
});

/** StoredDataValue — RFC 6940 §7: which of the three a Kind has follows from its data model. */
export type StoredDataValue =
  | { readonly model: 'single'; readonly value: DataValue }
  | { readonly model: 'array'; readonly index: number; readonly value: DataValue }
  | { readonly model: 'dictionary'; readonly key: Uint8Array; readonly value: DataValue };

export function storedDataValue(model: DataModel): Codec<StoredDataValue> {
  return storedDataValueCodecs[model];
}

/**
 * StoredData — RFC 6940 §7. `storageTime` is in ms since 1970-01-01 UTC, `lifetime` in seconds from
 * the receipt of the StoreReq.
 */
export interface StoredData {
  storageTime: bigint; //       uint64          storage_time;
  lifetime: number; //          uint32          lifetime;
  value: StoredDataValue; //    StoredDataValue value;
  signature: Signature; //      Signature       signature;
}

/** The codec of StoredData for a Kind's data model; the leading `uint32 length` is included. */
export function storedData(model: DataModel): Codec<StoredData> {
  return storedDataCodecs[model];
}

/** The index by which a Store appends to an array; also "last" in a Fetch (RFC 6940 §7.2.2). */
export const ARRAY_INDEX_END = 0xffffffff;

const single: Codec<StoredDataValue> = {
  read: (reader) => ({ model: 'single', value: DataValue.read(reader) }),
  write: (writer, value) => DataValue.write(writer, value.value),
};

const array: Codec<StoredDataValue> = {
  read: (reader) => ({ model: 'array', ...ArrayEntry.read(reader) }),
  write(writer, value) {
    if (value.model !== 'array') throw new RangeError(`expected an array entry: ${value.model}`);
    ArrayEntry.write(writer, value);
  },
};

const dictionary: Codec<StoredDataValue> = {
  read: (reader) => ({ model: 'dictionary', ...DictionaryEntry.read(reader) }),
  write(writer, value) {
    if (value.model !== 'dictionary') throw new RangeError(`expected a dictionary entry`);
    DictionaryEntry.write(writer, value);
  },
};

const storedDataValueCodecs = { single, array, dictionary };

const storedDataCodecs = {
  single: storedDataCodec(single),
  array: storedDataCodec(array),
  dictionary: storedDataCodec(dictionary),
};

function storedDataCodec(valueCodec: Codec<StoredDataValue>): Codec<StoredData> {
  const body = struct('StoredData', {
    storageTime: uint64,
    lifetime: uint32,
    value: valueCodec,
    signature: Signature,
  });
  return {
    read(reader) {
      const length = inField('StoredData', 'length', () => reader.uint32());
      return inField('StoredData', 'length', () =>
        reader.bounded(length, (inner) => body.read(inner)),
      );
    },
    write: (writer, value) => writer.prefixed(4, (inner) => body.write(inner, value)),
  };
}
