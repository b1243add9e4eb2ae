import fc from 'fast-check';
import {
  ArrayRange,
  FetchAns,
  FetchKindResponse,
  FetchReq,
  FindAns,
  FindKindData,
  FindReq,
  MetaData,
  modelSpecifier,
  StatAns,
  StatKindResponse,
  StoreAns,
  StoredDataSpecifier,
  type StoredMetaData,
  StoreKindData,
  StoreKindResponse,
  StoreReq,
  storedMetaData,
} from '../../src/wire/store.ts';
import {
  anyNodeId,
  anyResourceId,
  anyUint8,
  anyUint32,
  anyUint64,
  ascii,
  bytesUpTo,
  hexBytes,
  listOf,
  NODE_1,
  NODE_2,
  RESOURCE,
  record,
  structCase,
} from './struct-case.ts';

const anyStoreKindData = record<StoreKindData>({
  kind: anyUint32,
  generationCounter: anyUint64,
  values: bytesUpTo(80),
});
const anyStoreKindResponse = record<StoreKindResponse>({
  kind: anyUint32,
  generationCounter: anyUint64,
  replicas: listOf(anyNodeId),
});
const anySpecifier = record<StoredDataSpecifier>({
  kind: anyUint32,
  generation: anyUint64,
  modelSpecifier: bytesUpTo(40),
});
const anyKindValues = record({ kind: anyUint32, generation: anyUint64, values: bytesUpTo(80) });
const anyMetaData = record<MetaData>({
  exists: fc.boolean(),
  valueLength: anyUint32,
  hashAlgorithm: anyUint8,
  hashValue: bytesUpTo(64),
});
const anyRange = record<ArrayRange>({ first: anyUint32, last: anyUint32 });
const anyFindKindData = record<FindKindData>({ kind: anyUint32, closest: anyResourceId });

const KIND_DATA_VECTOR = '00000002 0000000000000005 00000003 616263';
const KIND_DATA = { kind: 2, values: ascii('abc') };
const META_VECTOR = '01 00000014 04 04 61626364';
const META: MetaData = {
  exists: true,
  valueLength: 20,
  hashAlgorithm: 4,
  hashValue: ascii('abcd'),
};

/** RFC 6940 §7.4.1 and §7.4.2. */
const storeAndFetchCases = [
  structCase('StoreKindData', 'RFC 6940 §7.4.1.1', {
    codec: StoreKindData,
    vector: KIND_DATA_VECTOR,
    value: { ...KIND_DATA, generationCounter: 5n },
    arbitrary: anyStoreKindData,
  }),
  structCase('StoreReq', 'RFC 6940 §7.4.1.1', {
    codec: StoreReq,
    vector: `10 ${RESOURCE} 01 00000013 ${KIND_DATA_VECTOR}`,
    value: {
      resource: RESOURCE,
      replicaNumber: 1,
      kindData: [{ ...KIND_DATA, generationCounter: 5n }],
    },
    arbitrary: record({
      resource: anyResourceId,
      replicaNumber: anyUint8,
      kindData: listOf(anyStoreKindData),
    }),
  }),
  structCase('StoreKindResponse', 'RFC 6940 §7.4.1.2', {
    codec: StoreKindResponse,
    vector: `00000010 0000000000000006 0020 ${NODE_1} ${NODE_2}`,
    value: { kind: 16, generationCounter: 6n, replicas: [NODE_1, NODE_2] },
    arbitrary: anyStoreKindResponse,
  }),
  structCase('StoreAns', 'RFC 6940 §7.4.1.2', {
    codec: StoreAns,
    vector: '000e 00000010 ffffffffffffffff 0000',
    value: {
      kindResponses: [{ kind: 16, generationCounter: 0xffffffffffffffffn, replicas: [] }],
    },
    arbitrary: record({ kindResponses: listOf(anyStoreKindResponse) }),
  }),
  structCase('StoredDataSpecifier', 'RFC 6940 §7.4.2.1', {
    codec: StoredDataSpecifier,
    vector: '00000005 0000000000000000 0002 0000',
    value: { kind: 5, generation: 0n, modelSpecifier: hexBytes('0000') },
    arbitrary: anySpecifier,
  }),
  structCase('FetchReq and StatReq', 'RFC 6940 §7.4.2.1 and §7.4.3.1', {
    codec: FetchReq,
    vector: `10 ${RESOURCE} 000e 00000002 0000000000000007 0000`,
    value: {
      resource: RESOURCE,
      specifiers: [{ kind: 2, generation: 7n, modelSpecifier: hexBytes('') }],
    },
    arbitrary: record({ resource: anyResourceId, specifiers: listOf(anySpecifier) }),
  }),
  structCase('ArrayRange', 'RFC 6940 §7.4.2.1', {
    codec: ArrayRange,
    vector: '00000000 ffffffff',
    value: { first: 0, last: 0xffffffff },
    arbitrary: anyRange,
  }),
  structCase('model specifier of a single value', 'RFC 6940 §7.4.2.1', {
    codec: modelSpecifier('single'),
    vector: '',
    value: { model: 'single' },
    arbitrary: fc.constant({ model: 'single' as const }),
  }),
  structCase('model specifier of an array', 'RFC 6940 §7.4.2.1', {
    codec: modelSpecifier('array'),
    vector: '0010 00000000 00000002 00000004 ffffffff',
    value: {
      model: 'array',
      ranges: [
        { first: 0, last: 2 },
        { first: 4, last: 0xffffffff },
      ],
    },
    arbitrary: record({ model: fc.constant('array' as const), ranges: listOf(anyRange) }),
  }),
  structCase('model specifier of a dictionary', 'RFC 6940 §7.4.2.1', {
    codec: modelSpecifier('dictionary'),
    vector: '0007 0003 616263 0000',
    value: { model: 'dictionary', keys: [ascii('abc'), ascii('')] },
    arbitrary: record({ model: fc.constant('dictionary' as const), keys: listOf(bytesUpTo(40)) }),
  }),
  structCase('FetchKindResponse', 'RFC 6940 §7.4.2.2', {
    codec: FetchKindResponse,
    vector: KIND_DATA_VECTOR,
    value: { ...KIND_DATA, generation: 5n },
    arbitrary: anyKindValues,
  }),
  structCase('FetchAns', 'RFC 6940 §7.4.2.2', {
    codec: FetchAns,
    vector: `00000013 ${KIND_DATA_VECTOR}`,
    value: { kindResponses: [{ ...KIND_DATA, generation: 5n }] },
    arbitrary: record({ kindResponses: listOf(anyKindValues) }),
  }),
];

function storedMetaDataOf(
  withMetaData: (metaData: fc.Arbitrary<MetaData>) => fc.Arbitrary<StoredMetaData['value']>,
): fc.Arbitrary<StoredMetaData> {
  return record<StoredMetaData>({
    storageTime: anyUint64,
    lifetime: anyUint32,
    value: withMetaData(anyMetaData),
  });
}

/** RFC 6940 §7.4.3 and §7.4.4. */
const statAndFindCases = [
  structCase('MetaData', 'RFC 6940 §7.4.3.2', {
    codec: MetaData,
    vector: META_VECTOR,
    value: META,
    arbitrary: anyMetaData,
  }),
  structCase('StoredMetaData of a single value', 'RFC 6940 §7.4.3.2', {
    codec: storedMetaData('single'),
    vector: `00000017 0000018bcfe56800 0000003c ${META_VECTOR}`,
    value: {
      storageTime: 1_700_000_000_000n,
      lifetime: 60,
      value: { model: 'single', metaData: META },
    },
    arbitrary: storedMetaDataOf((metaData) =>
      record({ model: fc.constant('single' as const), metaData }),
    ),
  }),
  structCase('StoredMetaData whose value_length is that of the value', 'RFC 6940 §7.4.3.2', {
    codec: storedMetaData('single'),
    vector: `00000014 0000018bcfe56800 0000003c ${META_VECTOR}`,
    value: {
      valueLength: 20,
      storageTime: 1_700_000_000_000n,
      lifetime: 60,
      value: { model: 'single', metaData: META },
    },
    arbitrary: storedMetaDataOf((metaData) =>
      record({ model: fc.constant('single' as const), metaData }),
    ),
  }),
  structCase('StoredMetaData of an array entry', 'RFC 6940 §7.4.3.2', {
    codec: storedMetaData('array'),
    vector: `0000001b 0000018bcfe56800 0000003c 00000007 ${META_VECTOR}`,
    value: {
      storageTime: 1_700_000_000_000n,
      lifetime: 60,
      value: { model: 'array', index: 7, metaData: META },
    },
    arbitrary: storedMetaDataOf((metaData) =>
      record({ model: fc.constant('array' as const), index: anyUint32, metaData }),
    ),
  }),
  structCase('StoredMetaData of a dictionary entry', 'RFC 6940 §7.4.3.2', {
    codec: storedMetaData('dictionary'),
    vector: `0000001c 0000018bcfe56800 0000003c 0003 6b6579 ${META_VECTOR}`,
    value: {
      storageTime: 1_700_000_000_000n,
      lifetime: 60,
      value: { model: 'dictionary', key: ascii('key'), metaData: META },
    },
    arbitrary: storedMetaDataOf((metaData) =>
      record({ model: fc.constant('dictionary' as const), key: bytesUpTo(40), metaData }),
    ),
  }),
  structCase('StatKindResponse', 'RFC 6940 §7.4.3.2', {
    codec: StatKindResponse,
    vector: KIND_DATA_VECTOR,
    value: { ...KIND_DATA, generation: 5n },
    arbitrary: anyKindValues,
  }),
  structCase('StatAns', 'RFC 6940 §7.4.3.2', {
    codec: StatAns,
    vector: `00000013 ${KIND_DATA_VECTOR}`,
    value: { kindResponses: [{ ...KIND_DATA, generation: 5n }] },
    arbitrary: record({ kindResponses: listOf(anyKindValues) }),
  }),
  structCase('FindReq', 'RFC 6940 §7.4.4.1', {
    codec: FindReq,
    vector: `10 ${RESOURCE} 08 00000002 00000010`,
    value: { resource: RESOURCE, kinds: [2, 16] },
    arbitrary: record({ resource: anyResourceId, kinds: listOf(anyUint32, 63) }),
  }),
  structCase('FindKindData', 'RFC 6940 §7.4.4.2', {
    codec: FindKindData,
    vector: `00000002 10 ${RESOURCE}`,
    value: { kind: 2, closest: RESOURCE },
    arbitrary: anyFindKindData,
  }),
  structCase('FindAns', 'RFC 6940 §7.4.4.2', {
    codec: FindAns,
    vector: `0015 00000002 10 ${RESOURCE}`,
    value: { results: [{ kind: 2, closest: RESOURCE }] },
    arbitrary: record({ results: listOf(anyFindKindData) }),
  }),
];

export const storageCases = [...storeAndFetchCases, ...statAndFindCases];
