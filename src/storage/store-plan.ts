/**
 * The checks of a Store — RFC 6940 §7.4.1.1 — in the order of who is to blame: the request itself,
 * its Kinds, its signers, its counters, and then what is stored already.
 */
import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import { ErrorCode } from '../wire/error-response.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { ARRAY_INDEX_END, type KindId, type StoredData } from '../wire/stored-data.ts';
import { authorizationFault } from './access-policy.ts';
import { KindDraft } from './kind-draft.ts';
import type { Now } from './now.ts';
import type { ResourceTable } from './resource-table.ts';
import type { StoreLimits } from './store-limits.ts';
import { refuseGenerationCounter, refuseUnknownKinds, StoreRefusal } from './store-refusal.ts';
import type { StoreKindRequest, StoreRequest, VerifiedValue } from './store-request.ts';
import {
  isSameElement,
  isUnsigned,
  type PlannedValue,
  plannedValue,
  type StoredValue,
} from './stored-value.ts';

declare const planned: unique symbol;

/** A Store that passed every check. Only `planStore` makes one. */
export interface StorePlan {
  readonly [planned]: true;
  readonly resource: ResourceId;
  readonly kinds: readonly PlannedKind[];
  /** The plan counts only while the table has this revision. */
  readonly revision: number;
}

export interface PlannedKind {
  readonly kind: KindId;
  /** The counter after the Store. */
  readonly generationCounter: bigint;
  /** What changes; values that are here already are left out. */
  readonly values: readonly PlannedValue[];
}

export interface StoreContext {
  readonly table: ResourceTable;
  readonly kinds: ReadonlyMap<KindId, KindDefinition>;
  readonly limits: StoreLimits;
}

export function planStore(
  context: StoreContext,
  request: StoreRequest,
  now: Now,
): StorePlan | StoreRefusal {
  if (request.leaveOutOlder === true && request.replicaNumber === 0) {
    throw new RangeError('an original Store is never a merge');
  }
  const refusal =
    formRefusal(request) ??
    unknownKindRefusal(context, request) ??
    valueRefusal(context, request) ??
    counterRefusal(context, request);
  if (refusal !== undefined) return refusal;
  const kinds: PlannedKind[] = [];
  const replaced: StoredValue[] = [];
  for (const kindRequest of request.kinds) {
    const draft = draftKind(context, request, kindRequest, now);
    if (draft instanceof StoreRefusal) return draft;
    replaced.push(...draft.replaced());
    const values = [...draft.planned.values()];
    const generationCounter = counterAfter(context, request, kindRequest, values.length > 0);
    kinds.push({ kind: kindRequest.kind, generationCounter, values });
  }
  const all = kinds.flatMap((kind) => kind.values);
  const full = context.table.refusalFor(all, replaced, context.limits);
  if (full !== undefined) return full;
  return approved({ resource: request.resource, kinds, revision: context.table.revision });
}

function approved(plan: Omit<StorePlan, typeof planned>): StorePlan {
  return plan as StorePlan;
}

/** What is wrong with the request whoever sends it; the RFC names no error for these. */
function formRefusal(request: StoreRequest): StoreRefusal | undefined {
  const seen = new Set<KindId>();
  for (const { kind, generationCounter, values } of request.kinds) {
    if (seen.has(kind)) return invalid(`Kind ${name(kind)} is twice in one StoreReq`);
    seen.add(kind);
    if (values.length === 0) return invalid(`no value of Kind ${name(kind)} to store`);
    if (request.replicaNumber !== 0 && generationCounter === 0n) {
      return invalid('a replica Store must not have the generation counter 0');
    }
  }
  return undefined;
}

function unknownKindRefusal(
  context: StoreContext,
  request: StoreRequest,
): StoreRefusal | undefined {
  const unknown = request.kinds.filter(({ kind }) => !context.kinds.has(kind));
  if (unknown.length === 0) return undefined;
  return refuseUnknownKinds(unknown.map(({ kind }) => kind));
}

/** Each value by itself: its signature, its signers' rights, its size. */
function valueRefusal(context: StoreContext, request: StoreRequest): StoreRefusal | undefined {
  for (const { kind, values } of request.kinds) {
    const definition = context.kinds.get(kind);
    if (definition === undefined) continue;
    for (const value of values) {
      const refusal =
        contentRefusal(definition, value.data) ??
        signerRefusal(definition, request, value) ??
        sizeRefusal(definition, value.data, context.limits);
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

function contentRefusal(kind: KindDefinition, data: StoredData): StoreRefusal | undefined {
  if (data.value.model !== kind.dataModel) {
    return invalid(`expected a value of data model ${kind.dataModel}, got ${data.value.model}`);
  }
  if (isUnsigned(data.signature)) {
    return new StoreRefusal(ErrorCode.Error_Forbidden, 'a stored value must be signed');
  }
  const { exists, value } = data.value.value;
  if (exists || value.length === 0) return undefined;
  // RFC 6940 §7.4.1.3: exists = False comes with value = {}.
  return invalid(`a value that does not exist has ${value.length} bytes`);
}

function signerRefusal(
  kind: KindDefinition,
  request: StoreRequest,
  { data, signer }: VerifiedValue,
): StoreRefusal | undefined {
  const key = data.value.model === 'dictionary' ? data.value.key : undefined;
  const valueFault = authorizationFault(kind, request.resource, signer, key);
  if (valueFault !== undefined) {
    return new StoreRefusal(ErrorCode.Error_Forbidden, `signer of the value: ${valueFault}`);
  }
  if (request.replicaNumber !== 0) return undefined;
  const requestFault = authorizationFault(kind, request.resource, request.requestSigner, key);
  if (requestFault === undefined) return undefined;
  return new StoreRefusal(ErrorCode.Error_Forbidden, `signer of the StoreReq: ${requestFault}`);
}

function sizeRefusal(
  kind: KindDefinition,
  data: StoredData,
  limits: StoreLimits,
): StoreRefusal | undefined {
  const size = data.value.value.value.length;
  if (size > kind.maxSizeBytes) {
    return tooLarge(
      `a value of Kind ${name(kind.kindId)} has ${kind.maxSizeBytes} bytes at most, got ${size}`,
    );
  }
  if (data.value.model !== 'dictionary') return undefined;
  if (data.value.key.length <= limits.dictionaryKeyBytesMax) return undefined;
  return tooLarge(`a dictionary key has ${limits.dictionaryKeyBytesMax} bytes at most`);
}

/**
 * An original Store may name the counter that it expects, like an HTTP ETag. A counter that is too
 * high is refused with the same error as one that is too low, for which the RFC names none: the
 * StoreAns in it tells the sender the counters in force.
 */
function counterRefusal(context: StoreContext, request: StoreRequest): StoreRefusal | undefined {
  if (request.replicaNumber !== 0) return undefined;
  const current = request.kinds.map(({ kind }) => ({
    kind,
    generationCounter: context.table.state(request.resource, kind)?.generationCounter ?? 0n,
  }));
  for (const [index, { kind, generationCounter }] of request.kinds.entries()) {
    const stored = current[index]?.generationCounter ?? 0n;
    if (generationCounter === 0n || generationCounter === stored) continue;
    const detail = `the generation counter of Kind ${name(kind)} is ${stored}`;
    return refuseGenerationCounter(`${detail}, not ${generationCounter}`, current);
  }
  return undefined;
}

/** Puts the values of one Kind in their places, one after the other. */
function draftKind(
  context: StoreContext,
  request: StoreRequest,
  kindRequest: StoreKindRequest,
  now: Now,
): KindDraft | StoreRefusal {
  const definition = context.kinds.get(kindRequest.kind);
  if (definition === undefined) throw new Error('unknown Kinds were refused before');
  const state = context.table.state(request.resource, kindRequest.kind);
  const draft = new KindDraft(state, now);
  for (const { data, signer } of kindRequest.values) {
    const isReplica = request.replicaNumber !== 0;
    const appended = appendedData(draft, definition, data);
    if (appended === undefined) {
      return tooLarge(`the array holds ${definition.maxCount} values at most`);
    }
    const value = plannedValue(request.resource, kindRequest.kind, appended, signer);
    if (isReplica && appended !== data && draft.holdsElement(value)) continue;
    const refusal = placeRefusal(draft, definition, value);
    if (refusal === undefined) {
      draft.put(value);
      continue;
    }
    const stored = draft.at(value.placeName);
    const isHere = isReplica && stored !== undefined && isSameElement(stored, value);
    if (isHere) continue;
    const isOlder = refusal.errorCode === ErrorCode.Error_Data_Too_Old;
    if (isOlder && request.leaveOutOlder === true) continue;
    return refusal;
  }
  return draft;
}

/** `data`, or the same with the index that an append gets; undefined: the array is full. */
function appendedData(
  draft: KindDraft,
  definition: KindDefinition,
  data: StoredData,
): StoredData | undefined {
  if (data.value.model !== 'array' || data.value.index !== ARRAY_INDEX_END) return data;
  const index = draft.appendIndex(definition.maxCount);
  return index === undefined ? undefined : { ...data, value: { ...data.value, index } };
}

/** Whether a value may stand at its place: newer than what it replaces, and within max-count. */
function placeRefusal(
  draft: KindDraft,
  definition: KindDefinition,
  value: PlannedValue,
): StoreRefusal | undefined {
  const { maxCount } = definition;
  if (value.place.model === 'array' && value.place.index >= maxCount) {
    return tooLarge(`expected an index below ${maxCount}, got ${value.place.index}`);
  }
  const current = draft.at(value.placeName);
  if (current === undefined) {
    if (draft.count() < maxCount) return undefined;
    return tooLarge(`Kind ${name(definition.kindId)} has ${maxCount} values at most`);
  }
  if (value.storageTime > current.storageTime) return undefined;
  return new StoreRefusal(
    ErrorCode.Error_Data_Too_Old,
    `expected a storage time above ${current.storageTime}, got ${value.storageTime}`,
  );
}

/** The generation counter after the Store: RFC 6940 §7.4.1.1. */
function counterAfter(
  context: StoreContext,
  request: StoreRequest,
  { kind, generationCounter }: StoreKindRequest,
  isChanged: boolean,
): bigint {
  const current = context.table.state(request.resource, kind)?.generationCounter ?? 0n;
  if (request.replicaNumber !== 0 && request.leaveOutOlder !== true) return generationCounter;
  // A merge may take the other side's counter only where that shows everybody that it is news.
  if (request.replicaNumber !== 0 && generationCounter > current) return generationCounter;
  return isChanged ? nextCounter(current) : current;
}

/** A replica Store can have set the counter as high as it gets; 0 would mean "ignore". */
function nextCounter(current: bigint): bigint {
  return current === GENERATION_COUNTER_MAX ? 1n : current + 1n;
}

function invalid(detail: string): StoreRefusal {
  return new StoreRefusal(ErrorCode.Error_Invalid_Message, detail);
}

function tooLarge(detail: string): StoreRefusal {
  return new StoreRefusal(ErrorCode.Error_Data_Too_Large, detail);
}

function name(kind: KindId): string {
  return `0x${kind.toString(16)}`;
}

const GENERATION_COUNTER_MAX = 0xffffffffffffffffn;
