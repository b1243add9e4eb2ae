import fc from 'fast-check';
import {
  ArrayEntry,
  DataValue,
  DictionaryEntry,
  type StoredData,
  type StoredDataValue,
  storedData,
  storedDataValue,
} from '../../src/wire/stored-data.ts';
import { TurnServer } from '../../src/wire/turn-server.ts';
import { XmppLocation } from '../../src/wire/xmpp-location.ts';
import { anyDestination, anyIpAddressPort } from './address-cases.ts';
import { anySignature, SIGNATURE_VALUE, SIGNATURE_VECTOR } from './security-cases.ts';
import {
  anyText,
  anyUint8,
  anyUint32,
  anyUint64,
  ascii,
  bytesUpTo,
  hexBytes,
  listOf,
  NODE_1,
  record,
  structCase,
} from './struct-case.ts';

const anyDataValue = record<DataValue>({ exists: fc.boolean(), value: bytesUpTo(80) });

const anySingle: fc.Arbitrary<StoredDataValue> = record({
  model: fc.constant('single' as const),
  value: anyDataValue,
});
const anyArray: fc.Arbitrary<StoredDataValue> = record({
  model: fc.constant('array' as const),
  index: anyUint32,
  value: anyDataValue,
});
const anyDictionary: fc.Arbitrary<StoredDataValue> = record({
  model: fc.constant('dictionary' as const),
  key: bytesUpTo(40),
  value: anyDataValue,
});

function anyStoredData(value: fc.Arbitrary<StoredDataValue>): fc.Arbitrary<StoredData> {
  return record<StoredData>({
    storageTime: anyUint64,
    lifetime: anyUint32,
    value,
    signature: anySignature,
  });
}

const common = {
  storageTime: 1_700_000_000_000n,
  lifetime: 86_400,
  signature: SIGNATURE_VALUE,
};
const TIMES_VECTOR = '0000018bcfe56800 00015180';
const VALUE_VECTOR = '01 00000003 616263';
const VALUE: DataValue = { exists: true, value: ascii('abc') };

/** RFC 6940 §7 and §7.2. The signature takes 45 bytes, the times 12, the value 8. */
const storedDataCases = [
  structCase('DataValue', 'RFC 6940 §7.2', {
    codec: DataValue,
    vector: VALUE_VECTOR,
    value: VALUE,
    arbitrary: anyDataValue,
  }),
  structCase('ArrayEntry', 'RFC 6940 §7.2.2', {
    codec: ArrayEntry,
    vector: `ffffffff ${VALUE_VECTOR}`,
    value: { index: 0xffffffff, value: VALUE },
    arbitrary: record({ index: anyUint32, value: anyDataValue }),
  }),
  structCase('DictionaryEntry', 'RFC 6940 §7.2.3', {
    codec: DictionaryEntry,
    vector: `0003 6b6579 ${VALUE_VECTOR}`,
    value: { key: ascii('key'), value: VALUE },
    arbitrary: record({ key: bytesUpTo(40), value: anyDataValue }),
  }),
  structCase('StoredDataValue single', 'RFC 6940 §7', {
    codec: storedDataValue('single'),
    vector: VALUE_VECTOR,
    value: { model: 'single', value: VALUE },
    arbitrary: anySingle,
  }),
  structCase('StoredDataValue array', 'RFC 6940 §7', {
    codec: storedDataValue('array'),
    vector: `00000002 00 00000000`,
    value: { model: 'array', index: 2, value: { exists: false, value: ascii('') } },
    arbitrary: anyArray,
  }),
  structCase('StoredDataValue dictionary', 'RFC 6940 §7', {
    codec: storedDataValue('dictionary'),
    vector: `0003 6b6579 ${VALUE_VECTOR}`,
    value: { model: 'dictionary', key: ascii('key'), value: VALUE },
    arbitrary: anyDictionary,
  }),
  structCase('StoredData single', 'RFC 6940 §7', {
    codec: storedData('single'),
    vector: `00000041 ${TIMES_VECTOR} ${VALUE_VECTOR} ${SIGNATURE_VECTOR}`,
    value: { ...common, value: { model: 'single', value: VALUE } },
    arbitrary: anyStoredData(anySingle),
  }),
  structCase('StoredData array', 'RFC 6940 §7', {
    codec: storedData('array'),
    vector: `00000045 ${TIMES_VECTOR} 00000001 ${VALUE_VECTOR} ${SIGNATURE_VECTOR}`,
    value: { ...common, value: { model: 'array', index: 1, value: VALUE } },
    arbitrary: anyStoredData(anyArray),
  }),
  structCase('StoredData dictionary', 'RFC 6940 §7', {
    codec: storedData('dictionary'),
    vector: `00000046 ${TIMES_VECTOR} 0003 6b6579 ${VALUE_VECTOR} ${SIGNATURE_VECTOR}`,
    value: { ...common, value: { model: 'dictionary', key: ascii('key'), value: VALUE } },
    arbitrary: anyStoredData(anyDictionary),
  }),
];

const anyLocation: fc.Arbitrary<XmppLocation> = fc.oneof(
  record({ type: fc.constant('address' as const), address: anyText }),
  record({
    type: fc.constant('route' as const),
    priority: anyUint8,
    destinationList: listOf(anyDestination),
  }),
  record({
    type: fc.constant('unknown' as const),
    code: fc.integer({ min: 0, max: 255 }).filter((code) => code === 0 || code > 2),
    data: bytesUpTo(40),
  }),
);

/** What is stored under TURN-SERVICE and XMPP-LOCATION. */
const kindCases = [
  structCase('TurnServer', 'RFC 6940 §9', {
    codec: TurnServer,
    vector: '01 01 06 c0000209 0d96',
    value: {
      iteration: 1,
      serverAddress: { type: 'ipv4', address: hexBytes('c0000209'), port: 3478 },
    },
    arbitrary: record({ iteration: anyUint8, serverAddress: anyIpAddressPort }),
  }),
  structCase('XmppLocation address', 'XEP-0415 §4.2', {
    codec: XmppLocation,
    vector: '01 0009 0007 6140622e6e6574',
    value: { type: 'address', address: 'a@b.net' },
    arbitrary: anyLocation,
  }),
  structCase('XmppLocation route', 'XEP-0415 §4.2', {
    codec: XmppLocation,
    vector: `02 0015 05 0012 01 10 ${NODE_1}`,
    value: {
      type: 'route',
      priority: 5,
      destinationList: [{ type: 'node', nodeId: NODE_1 }],
    },
    arbitrary: anyLocation,
  }),
  structCase('XmppLocation of an unknown type', 'XEP-0415 §4.2', {
    codec: XmppLocation,
    vector: '03 0002 abcd',
    value: { type: 'unknown', code: 3, data: hexBytes('abcd') },
    arbitrary: anyLocation,
  }),
];

export const valueCases = [...storedDataCases, ...kindCases];
