import { signData } from '../tls-auth/data-signature.ts';
import { encode } from '../wire/codec.ts';
import { type Destination, resourceDestination } from '../wire/destination.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { FetchReq, modelSpecifier, type StoreKindData, StoreReq } from '../wire/store.ts';
import {
  ARRAY_INDEX_END,
  type KindId,
  type StoredDataValue,
  storedData,
} from '../wire/stored-data.ts';
import type { FetchSpecifier, ValueToStore } from './command.ts';
import type { RequestToSend } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { RequestOwner } from './request-owner.ts';

/** A FetchReq (or StatReq, which has the same layout) to the peer responsible for `resource`. */
export function fetchRequest(
  resource: ResourceId,
  specifiers: readonly FetchSpecifier[],
  owner: RequestOwner,
  code: number = MessageCode.fetchReq,
  destinationList: readonly Destination[] = [resourceDestination(resource)],
): RequestToSend {
  const body = encode(FetchReq, {
    resource,
    specifiers: specifiers.map(({ kind, specifier, generation }) => ({
      kind,
      generation: generation ?? 0n,
      modelSpecifier: encode(modelSpecifier(specifier.model), specifier),
    })),
  });
  return { destinationList, code, body, owner };
}

/** All values of a Kind; nothing for a Kind that the configuration does not have. */
export function everythingOf(env: PeerEnvironment, kind: KindId): FetchSpecifier[] {
  const model = env.configuration.kinds.get(kind)?.dataModel;
  switch (model) {
    case undefined:
      return [];
    case 'single':
      return [{ kind, specifier: { model } }];
    case 'array':
      return [{ kind, specifier: { model, ranges: [{ first: 0, last: ARRAY_INDEX_END }] } }];
    case 'dictionary':
      return [{ kind, specifier: { model, keys: [] } }];
  }
}

/**
 * A StoreReq of values of this node's own, each signed (RFC 6940 §7.1). Throws RangeError for a
 * value whose place does not fit the Kind's data model: check that before.
 */
export function storeRequest(
  env: PeerEnvironment,
  resource: ResourceId,
  values: readonly ValueToStore[],
  owner: RequestOwner,
  generations: ReadonlyMap<KindId, bigint> = new Map(),
): RequestToSend {
  const byKind = new Map<KindId, ValueToStore[]>();
  for (const value of values) byKind.set(value.kind, [...(byKind.get(value.kind) ?? []), value]);
  const kindData: StoreKindData[] = [...byKind].map(([kind, ofKind]) => ({
    kind,
    generationCounter: generations.get(kind) ?? 0n,
    values: concat(ofKind.map((value) => signedValue(env, resource, value))),
  }));
  const body = encode(StoreReq, { resource, replicaNumber: 0, kindData });
  return {
    destinationList: [resourceDestination(resource)],
    code: MessageCode.storeReq,
    body,
    owner,
  };
}

function signedValue(env: PeerEnvironment, resource: ResourceId, value: ValueToStore): Uint8Array {
  const exists = value.value !== undefined;
  const dataValue = { exists, value: value.value ?? new Uint8Array(0) };
  const stored: StoredDataValue = { ...value.place, value: dataValue };
  const storageTime = env.nextStorageTime();
  const { signer } = env;
  const signature = signData(signer, resource, value.kind, storageTime, stored);
  const lifetime = Math.min(Math.max(Math.floor(value.lifetimeSeconds), 0), LIFETIME_SECONDS_MAX);
  return encode(storedData(value.place.model), {
    storageTime,
    lifetime,
    value: stored,
    signature,
  });
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const LIFETIME_SECONDS_MAX = 0xffffffff;
