/** Store, Fetch, Stat and Find: RFC 6940 §7.4. */
import {
  boolean,
  type Codec,
  inField,
  opaque,
  struct,
  type TypeOf,
  uint8,
  uint16,
  uint32,
  uint64,
  vector,
} from './codec.ts';
import { nodeId } from './node-id.ts';
import { resourceId } from './resource-id.ts';
import { type DataModel, kindId } from './stored-data.ts';

/**
 * StoreKindData — RFC 6940 §7.4.1.1. `values` stays bytes (its elements are StoredData): they can
 * be read only with the Kind's data model, by `vector` of `storedData(model)`.
 */
export const StoreKindData = struct('StoreKindData', {
  kind: kindId, //             KindId     kind;
  generationCounter: uint64, // uint64     generation_counter;
  values: opaque(uint32), //   StoredData values<0..2^32-1>;
});
export type StoreKindData = TypeOf<typeof StoreKindData>;

/** StoreReq — RFC 6940 §7.4.1.1. */
export const StoreReq = struct('StoreReq', {
  resource: resourceId, //                  ResourceId    resource;
  replicaNumber: uint8, //                  uint8         replica_number;
  kindData: vector(uint32, StoreKindData), // StoreKindData kind_data<0..2^32-1>;
});
export type StoreReq = TypeOf<typeof StoreReq>;

/** StoreKindResponse — RFC 6940 §7.4.1.2. */
export const StoreKindResponse = struct('StoreKindResponse', {
  kind: kindId, //                   KindId kind;
  generationCounter: uint64, //      uint64 generation_counter;
  replicas: vector(uint16, nodeId), // NodeId replicas<0..2^16-1>;
});
export type StoreKindResponse = TypeOf<typeof StoreKindResponse>;

/** StoreAns — RFC 6940 §7.4.1.2; also the error_info of Error_Generation_Counter_Too_Low. */
export const StoreAns = struct('StoreAns', {
  kindResponses: vector(uint16, StoreKindResponse), // StoreKindResponse kind_responses<0..2^16-1>;
});
export type StoreAns = TypeOf<typeof StoreAns>;

/** StoredDataSpecifier — RFC 6940 §7.4.2.1. `modelSpecifier` is read with the data model. */
export const StoredDataSpecifier = struct('StoredDataSpecifier', {
  kind: kindId, //                   KindId kind;
  generation: uint64, //             uint64 generation;
  modelSpecifier: opaque(uint16), // uint16 length; select (model) …
});
export type StoredDataSpecifier = TypeOf<typeof StoredDataSpecifier>;

/** FetchReq — RFC 6940 §7.4.2.1; StatReq has the same layout (§7.4.3.1). */
export const FetchReq = struct('FetchReq', {
  resource: resourceId, //                        ResourceId          resource;
  specifiers: vector(uint16, StoredDataSpecifier), // StoredDataSpecifier specifiers<0..2^16-1>;
});
export type FetchReq = TypeOf<typeof FetchReq>;

/** ArrayRange — RFC 6940 §7.4.2.1; read as unsigned, though the RFC says int32 (AMB-9). */
export const ArrayRange = struct('ArrayRange', {
  first: uint32, // int32 first;
  last: uint32, //  int32 last;
});
export type ArrayRange = TypeOf<typeof ArrayRange>;

/** What of a Kind is asked for. A dictionary without keys means all of it. */
export type ModelSpecifier =
  | { readonly model: 'single' }
  | { readonly model: 'array'; readonly ranges: readonly ArrayRange[] }
  | { readonly model: 'dictionary'; readonly keys: readonly Uint8Array[] };

/** The codec of the bytes in `StoredDataSpecifier.modelSpecifier`. */
export function modelSpecifier(model: DataModel): Codec<ModelSpecifier> {
  return modelSpecifierCodecs[model];
}

/** FetchKindResponse — RFC 6940 §7.4.2.2; `values` as in StoreKindData. */
export const FetchKindResponse = struct('FetchKindResponse', {
  kind: kindId, //           KindId     kind;
  generation: uint64, //     uint64     generation;
  values: opaque(uint32), // StoredData values<0..2^32-1>;
});
export type FetchKindResponse = TypeOf<typeof FetchKindResponse>;

/** FetchAns — RFC 6940 §7.4.2.2. */
export const FetchAns = struct('FetchAns', {
  kindResponses: vector(uint32, FetchKindResponse), // FetchKindResponse kind_responses<0..2^32-1>;
});
export type FetchAns = TypeOf<typeof FetchAns>;

/** MetaData — RFC 6940 §7.4.3.2. The hash covers the value with its four-byte length. */
export const MetaData = struct('MetaData', {
  exists: boolean, //        Boolean       exists;
  valueLength: uint32, //    uint32        value_length;
  hashAlgorithm: uint8, //   HashAlgorithm hash_algorithm;
  hashValue: opaque(uint8), // opaque      hash_value<0..255>;
});
export type MetaData = TypeOf<typeof MetaData>;

/** MetaDataValue — RFC 6940 §7.4.3.2. */
export type MetaDataValue =
  | { readonly model: 'single'; readonly metaData: MetaData }
  | { readonly model: 'array'; readonly index: number; readonly metaData: MetaData }
  | { readonly model: 'dictionary'; readonly key: Uint8Array; readonly metaData: MetaData };

/**
 * StoredMetaData — RFC 6940 §7.4.3.2. Whether its leading `value_length` counts the bytes that
 * follow it, as StoredData.length does, or repeats MetaData's is not said (AMB-10): both are read,
 * the first is sent. `valueLength` is there only where a sender meant the second.
 */
export interface StoredMetaData {
  valueLength?: number; //  uint32        value_length;
  storageTime: bigint; //   uint64        storage_time;  (ms since 1970)
  lifetime: number; //      uint32        lifetime;      (seconds)
  value: MetaDataValue; //  MetaDataValue metadata;
}

/** The codec of StoredMetaData for a Kind's data model, its leading `value_length` included. */
export function storedMetaData(model: DataModel): Codec<StoredMetaData> {
  return storedMetaDataCodecs[model];
}

/** StatKindResponse — RFC 6940 §7.4.3.2; `values` are StoredMetaData of the Kind's model. */
export const StatKindResponse = struct('StatKindResponse', {
  kind: kindId, //           KindId         kind;
  generation: uint64, //     uint64         generation;
  values: opaque(uint32), // StoredMetaData values<0..2^32-1>;
});
export type StatKindResponse = TypeOf<typeof StatKindResponse>;

/** StatAns — RFC 6940 §7.4.3.2. */
export const StatAns = struct('StatAns', {
  kindResponses: vector(uint32, StatKindResponse), // StatKindResponse kind_responses<0..2^32-1>;
});
export type StatAns = TypeOf<typeof StatAns>;

/** FindReq — RFC 6940 §7.4.4.1. */
export const FindReq = struct('FindReq', {
  resource: resourceId, //         ResourceId resource;
  kinds: vector(uint8, kindId), // KindId     kinds<0..2^8-1>;
});
export type FindReq = TypeOf<typeof FindReq>;

/** FindKindData — RFC 6940 §7.4.4.2. */
export const FindKindData = struct('FindKindData', {
  kind: kindId, //        KindId     kind;
  closest: resourceId, // ResourceId closest;
});
export type FindKindData = TypeOf<typeof FindKindData>;

/** FindAns — RFC 6940 §7.4.4.2. */
export const FindAns = struct('FindAns', {
  results: vector(uint16, FindKindData), // FindKindData results<0..2^16-1>;
});
export type FindAns = TypeOf<typeof FindAns>;

const rangeList = vector(uint16, ArrayRange);
const keyList = vector(uint16, opaque(uint16));

const modelSpecifierCodecs: Record<DataModel, Codec<ModelSpecifier>> = {
  single: {
    read: () => ({ model: 'single' }),
    write: () => undefined,
  },
  array: {
    read: (reader) =>
      inField('StoredDataSpecifier', 'indices', () => ({
        model: 'array',
        ranges: rangeList.read(reader),
      })),
    write(writer, value) {
      if (value.model !== 'array') throw new RangeError('expected array ranges');
      rangeList.write(writer, [...value.ranges]);
    },
  },
  dictionary: {
    read: (reader) =>
      inField('StoredDataSpecifier', 'keys', () => ({
        model: 'dictionary',
        keys: keyList.read(reader),
      })),
    write(writer, value) {
      if (value.model !== 'dictionary') throw new RangeError('expected dictionary keys');
      keyList.write(writer, [...value.keys]);
    },
  },
};

const dictionaryKey = opaque(uint16);

const metaDataValueCodecs: Record<DataModel, Codec<MetaDataValue>> = {
  single: {
    read: (reader) => ({ model: 'single', metaData: MetaData.read(reader) }),
    write: (writer, value) => MetaData.write(writer, value.metaData),
  },
  array: {
    read: (reader) => {
      const index = inField('ArrayEntryMeta', 'index', () => reader.uint32());
      return { model: 'array', index, metaData: MetaData.read(reader) };
    },
    write(writer, value) {
      if (value.model !== 'array') throw new RangeError('expected array metadata');
      writer.uint32(value.index);
      MetaData.write(writer, value.metaData);
    },
  },
  dictionary: {
    read: (reader) => {
      const key = inField('DictionaryEntryMeta', 'key', () => dictionaryKey.read(reader));
      return { model: 'dictionary', key, metaData: MetaData.read(reader) };
    },
    write(writer, value) {
      if (value.model !== 'dictionary') throw new RangeError('expected dictionary metadata');
      dictionaryKey.write(writer, value.key);
      MetaData.write(writer, value.metaData);
    },
  },
};

const storedMetaDataCodecs: Record<DataModel, Codec<StoredMetaData>> = {
  single: storedMetaDataCodec('single'),
  array: storedMetaDataCodec('array'),
  dictionary: storedMetaDataCodec('dictionary'),
};

function storedMetaDataCodec(model: DataModel): Codec<StoredMetaData> {
  const body = struct('StoredMetaData', {
    storageTime: uint64,
    lifetime: uint32,
    value: metaDataValueCodecs[model],
  });
  return {
    read(reader) {
      const at = reader.offset;
      const valueLength = inField('StoredMetaData', 'valueLength', () => reader.uint32());
      const start = reader.offset;
      const value = body.read(reader);
      if (valueLength === reader.offset - start) return value;
      if (valueLength === value.value.metaData.valueLength) return { valueLength, ...value };
      return inField('StoredMetaData', 'valueLength', () => {
        throw reader.fault(`expected ${reader.offset - start} bytes, got ${valueLength}`, at);
      });
    },
    write(writer, value) {
      if (value.valueLength === undefined) {
        writer.prefixed(4, (inner) => body.write(inner, value));
        return;
      }
      writer.uint32(value.valueLength);
      body.write(writer, value);
    },
  };
}
