import type { PersistRecord } from '../../src/storage/persist-record.ts';
import {
  DamagedRecord,
  modelOf,
  readStoreRecord,
  type ValueRecord,
} from '../../src/storage/store-record.ts';
import { decode } from '../../src/wire/codec.ts';
import { toHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { type StoredData, storedData } from '../../src/wire/stored-data.ts';
import type { SimNode } from '../world/sim-node.ts';

/** A value as it is on a disk, read back. */
export interface DurableValue {
  readonly record: ValueRecord;
  readonly data: StoredData;
  /** Names the certificate of its author among those of a run. */
  readonly author: string;
}

/** Reads a record; undefined for a removal and for what is no value, a sentence if unreadable. */
export function durableValueOf(record: PersistRecord): DurableValue | string | undefined {
  if (record.value === undefined || !record.key.startsWith(VALUE_PREFIX)) return undefined;
  const known = alreadyRead.get(record.value);
  if (known !== undefined) return known;
  const read = readValue(record.key, record.value);
  alreadyRead.set(record.value, read);
  return read;
}

/** The author's names of all values that this node signs: one for each certificate it has had. */
export function authorNames(node: SimNode): readonly string[] {
  return node.signers.map((signer) => certificateName(signer.node.chain[0]));
}

export function isValueKey(key: string): boolean {
  return key.startsWith(VALUE_PREFIX);
}

/** What the keys of all values of a Resource-ID and Kind begin with: that of `key` itself. */
export function placesPrefixOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** The Resource-ID in the key of a value. */
export function resourceInKey(key: string): string {
  return key.slice(VALUE_PREFIX.length, key.indexOf('/', VALUE_PREFIX.length));
}

function readValue(key: string, bytes: Uint8Array): DurableValue | string {
  const read = readStoreRecord(key, bytes);
  if (read instanceof DamagedRecord) return read.reason;
  if (read.type !== 'value') return 'not a value';
  const data = decode(storedData(modelOf(read.record)), read.record.storedData);
  if (data instanceof MalformedMessage) return data.describe();
  return { record: read.record, data, author: certificateName(read.record.certificates[0]) };
}

/** The end of a certificate is of its signature: no two have the same. */
function certificateName(der: Uint8Array | undefined): string {
  return der === undefined ? '' : toHex(der, Math.max(0, der.length - CERTIFICATE_NAME_BYTES));
}

const VALUE_PREFIX = 'value/';
const CERTIFICATE_NAME_BYTES = 16;
/** Several checkers look at each record, one after the other. */
const alreadyRead = new WeakMap<Uint8Array, DurableValue | string>();
