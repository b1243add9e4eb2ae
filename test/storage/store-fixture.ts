/** A store with one Kind of each data model and policy, and shorthands for what goes in and out. */
import { AccessPolicy, type KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import { joinBytes } from '../../src/storage/join-bytes.ts';
import type { Now } from '../../src/storage/now.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import type { StoreLimits } from '../../src/storage/store-limits.ts';
import { StoreRefusal } from '../../src/storage/store-refusal.ts';
import type {
  StoreKindRequest,
  StoreRequest,
  VerifiedValue,
} from '../../src/storage/store-request.ts';
import type { CommitResult } from '../../src/storage/store-result.ts';
import { decode, uint32, vector } from '../../src/wire/codec.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { ModelSpecifier } from '../../src/wire/store.ts';
import {
  type DataModel,
  type KindId,
  type StoredData,
  storedData,
} from '../../src/wire/stored-data.ts';
import { START_UNIX_MS, type TestNode } from './signer-fixture.ts';

export const SINGLE_KIND = 0xf0000001;
export const ARRAY_KIND = 0xf0000002;
export const DICTIONARY_KIND = 0xf0000003;
export const NODE_KIND = 0xf0000004;
export const DEVICE_KIND = 0xf0000005;
export const TURN_KIND = 0xf0000006;
export const UNKNOWN_KIND = 0xf00000ff;

export const kinds: ReadonlyMap<KindId, KindDefinition> = new Map(
  [
    kind(SINGLE_KIND, 'single', AccessPolicy.userMatch, { maxCount: 1 }),
    kind(ARRAY_KIND, 'array', AccessPolicy.userMatch),
    kind(DICTIONARY_KIND, 'dictionary', AccessPolicy.userMatch),
    kind(NODE_KIND, 'array', AccessPolicy.nodeMatch),
    kind(DEVICE_KIND, 'dictionary', AccessPolicy.userNodeMatch),
    kind(TURN_KIND, 'single', AccessPolicy.nodeMultiple, {
      maxCount: 1,
      maxNodeMultiple: 20,
      findAllowed: true,
    }),
  ].map((definition) => [definition.kindId, definition]),
);

export function kind(
  kindId: KindId,
  dataModel: DataModel,
  accessPolicy: AccessPolicy,
  more: Partial<KindDefinition> = {},
): KindDefinition {
  return {
    kindId,
    dataModel,
    accessPolicy,
    maxCount: 4,
    maxSizeBytes: 100,
    findAllowed: false,
    ...more,
  };
}

export function newStore(limits: Partial<StoreLimits> = {}): ResourceStore {
  return new ResourceStore({ kinds, limits });
}

/** The moment `seconds` after the tests' start, on both clocks. */
export function after(seconds: number): Now {
  return { monotonicMs: 5000 + seconds * 1000, unixMs: START_UNIX_MS + seconds * 1000 };
}

export interface RequestParts {
  readonly replicaNumber?: number;
  readonly requestSigner?: TestNode;
  readonly generationCounter?: bigint;
  readonly leaveOutOlder?: boolean;
}

/** A Store of values of one Kind; signed by the signer of the first one unless told otherwise. */
export function request(
  resource: ResourceId,
  kindId: KindId,
  values: readonly VerifiedValue[],
  parts: RequestParts = {},
): StoreRequest {
  const replicaNumber = parts.replicaNumber ?? 0;
  const generationCounter = parts.generationCounter ?? (replicaNumber === 0 ? 0n : 1n);
  return requestOfKinds(resource, [{ kind: kindId, generationCounter, values }], parts);
}

export function requestOfKinds(
  resource: ResourceId,
  kindRequests: readonly StoreKindRequest[],
  parts: RequestParts = {},
): StoreRequest {
  const requestSigner = parts.requestSigner?.verified ?? kindRequests[0]?.values[0]?.signer;
  if (requestSigner === undefined) throw new Error('a request needs a signer');
  return {
    resource,
    replicaNumber: parts.replicaNumber ?? 0,
    requestSigner,
    kinds: kindRequests,
    ...(parts.leaveOutOlder === undefined ? {} : { leaveOutOlder: parts.leaveOutOlder }),
  };
}

/** Plans and commits what must pass. */
export function storeNow(store: ResourceStore, storeRequest: StoreRequest, now: Now): CommitResult {
  const plan = store.plan(storeRequest, now);
  if (plan instanceof StoreRefusal) throw new Error(`refused: ${plan.detail}`);
  return store.commit(plan, now);
}

/** Plans what must be refused. */
export function refusalOf(
  store: ResourceStore,
  storeRequest: StoreRequest,
  now: Now,
): StoreRefusal {
  const plan = store.plan(storeRequest, now);
  if (plan instanceof StoreRefusal) return plan;
  throw new Error('the Store was not refused');
}

/** The values of one Kind, decoded. */
export function fetchNow(
  store: ResourceStore,
  resource: ResourceId,
  kindId: KindId,
  specifier: ModelSpecifier,
  now: Now,
  generation = 0n,
): { values: StoredData[]; generation: bigint; certificateCount: number } {
  const result = store.fetch(resource, [{ kind: kindId, generation, specifier }], now);
  if (result instanceof StoreRefusal) throw new Error(`refused: ${result.detail}`);
  const [response] = result.responses;
  if (response === undefined) throw new Error('no response');
  return {
    values: decodedValues(specifier.model, response.values),
    generation: response.generation,
    certificateCount: result.certificates.length,
  };
}

export function decodedValues(model: DataModel, bytes: Uint8Array): StoredData[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  const values = decode(vector(uint32, storedData(model)), joinBytes([length, bytes]));
  if (values instanceof MalformedMessage) throw new Error(values.describe());
  return values;
}

/** What a value says, for short: its text, or undefined where it does not exist. */
export function textOf(data: StoredData | undefined): string | undefined {
  if (data === undefined) throw new Error('there is no such value');
  const { exists, value } = data.value.value;
  return exists ? new TextDecoder().decode(value) : undefined;
}

export const ALL_OF_ARRAY: ModelSpecifier = {
  model: 'array',
  ranges: [{ first: 0, last: 0xffffffff }],
};
export const ALL_OF_DICTIONARY: ModelSpecifier = { model: 'dictionary', keys: [] };
export const THE_SINGLE: ModelSpecifier = { model: 'single' };

/** Applies records as the host's store file does. */
export class RecordFile {
  readonly records = new Map<string, Uint8Array>();

  write(records: readonly { key: string; value: Uint8Array | undefined }[]): void {
    for (const { key, value } of records) {
      if (value === undefined) this.records.delete(key);
      else this.records.set(key, value);
    }
  }

  load(): { key: string; value: Uint8Array }[] {
    return Array.from(this.records, ([key, value]) => ({ key, value }));
  }
}
