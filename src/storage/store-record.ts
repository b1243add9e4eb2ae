/**
 * What the durable store holds: one record for each value, with all that proves it, and one for
 * each generation counter. Each stands alone, so that a damaged one costs nothing but itself, and
 * begins with its format version and ends with a checksum over its key and its bytes.
 */
import { createHash } from 'node:crypto';
import {
  decode,
  encode,
  enumeration,
  opaque,
  struct,
  type TypeOf,
  uint8,
  uint32,
  uint64,
  vector,
} from '../wire/codec.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { type ResourceId, resourceId } from '../wire/resource-id.ts';
import { type KindId, kindId } from '../wire/stored-data.ts';
import { joinBytes } from './join-bytes.ts';
import type { PersistRecord } from './persist-record.ts';
import type { Place, PlaceName } from './place.ts';

const DataModelCode = { single: 1, array: 2, dictionary: 3 } as const;

/** A stored value as it is on disk. */
const ValueRecord = struct('ValueRecord', {
  resource: resourceId,
  kind: kindId,
  /** The data model that the bytes of storedData have. */
  model: enumeration(uint8, DataModelCode),
  /** The counter of its Kind when it was written; the generation record may be newer. */
  generationCounter: uint64,
  expiresUnixMs: uint64,
  /** StoredData with its length; the lifetime is the one received. */
  storedData: opaque(uint32),
  /** DER: the signer's chain, leaf first. */
  certificates: vector(uint32, opaque(uint32)),
});
export type ValueRecord = TypeOf<typeof ValueRecord>;

/** The generation counter of one Kind under one Resource-ID. */
const GenerationRecord = struct('GenerationRecord', {
  resource: resourceId,
  kind: kindId,
  generationCounter: uint64,
});
export type GenerationRecord = TypeOf<typeof GenerationRecord>;

/** A record that cannot be read, and why. */
export class DamagedRecord {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export type StoreRecord =
  | { readonly type: 'value'; readonly record: ValueRecord }
  | { readonly type: 'generation'; readonly record: GenerationRecord };

export function valueRecord(
  place: Place,
  placeName: PlaceName,
  value: Omit<ValueRecord, 'model'>,
): PersistRecord {
  const key = valueKey(value.resource, value.kind, placeName);
  const record = { ...value, model: DataModelCode[place.model] };
  return { key, value: seal(key, encode(ValueRecord, record)) };
}

export function generationRecord(record: GenerationRecord): PersistRecord {
  const key = generationKey(record.resource, record.kind);
  return { key, value: seal(key, encode(GenerationRecord, record)) };
}

/** Whether a key of the durable store is one of the records made here. */
export function isStoreKey(key: string): boolean {
  return key.startsWith(VALUE_PREFIX) || key.startsWith(GENERATION_PREFIX);
}

export function valueKey(resource: ResourceId, kind: KindId, placeName: PlaceName): string {
  return `${VALUE_PREFIX}${resource}/${kindName(kind)}/${shortName(placeName)}`;
}

export function generationKey(resource: ResourceId, kind: KindId): string {
  return `${GENERATION_PREFIX}${resource}/${kindName(kind)}`;
}

/** Reads a record back. Never throws for damaged bytes. */
export function readStoreRecord(key: string, bytes: Uint8Array): StoreRecord | DamagedRecord {
  const version = bytes[0];
  if (version !== RECORD_VERSION) {
    return new DamagedRecord(`expected format version ${RECORD_VERSION}, got ${version}`);
  }
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < 1) return new DamagedRecord(`only ${bytes.length} bytes are left`);
  const expected = checksum(key, bytes.subarray(0, end));
  if (Buffer.compare(expected, bytes.subarray(end)) !== 0) {
    return new DamagedRecord('the checksum does not match the content');
  }
  const body = bytes.subarray(1, end);
  if (key.startsWith(VALUE_PREFIX)) {
    const record = decode(ValueRecord, body);
    if (record instanceof MalformedMessage) return new DamagedRecord(record.describe());
    return { type: 'value', record };
  }
  const record = decode(GenerationRecord, body);
  if (record instanceof MalformedMessage) return new DamagedRecord(record.describe());
  return { type: 'generation', record };
}

/** The data model of the value in a record. */
export function modelOf(record: ValueRecord): Place['model'] {
  switch (record.model) {
    case DataModelCode.single:
      return 'single';
    case DataModelCode.array:
      return 'array';
    case DataModelCode.dictionary:
      return 'dictionary';
  }
}

function seal(key: string, body: Uint8Array): Uint8Array {
  const content = joinBytes([Uint8Array.of(RECORD_VERSION), body]);
  return joinBytes([content, checksum(key, content)]);
}

/** Against damage, not against an attacker: signatures are verified anew when records are read. */
function checksum(key: string, content: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(key).update(SEPARATOR).update(content).digest();
  return digest.subarray(0, CHECKSUM_BYTES);
}

function kindName(kind: KindId): string {
  return kind.toString(16).padStart(8, '0');
}

/** Keys of the durable store are short; a long dictionary key goes in as its hash. */
function shortName(placeName: PlaceName): string {
  if (placeName.length <= PLACE_NAME_CHARACTERS_MAX) return placeName;
  return `sha256-${createHash('sha256').update(placeName).digest('hex')}`;
}

const RECORD_VERSION = 1;
const CHECKSUM_BYTES = 16;
const PLACE_NAME_CHARACTERS_MAX = 128;
const SEPARATOR = '\n';
const VALUE_PREFIX = 'value/';
const GENERATION_PREFIX = 'generation/';
