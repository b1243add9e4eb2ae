import { ErrorCode } from '../wire/error-response.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { Now } from './now.ts';
import type { PlaceName } from './place.ts';
import { ResourceOrder } from './resource-order.ts';
import { SignerPool } from './signer-pool.ts';
import type { StoreLimits } from './store-limits.ts';
import { StoreRefusal } from './store-refusal.ts';
import { type MeasuredValue, StoreUsage, usageRefusal } from './store-usage.ts';
import type { PlannedValue, StoredValue } from './stored-value.ts';

/** All values of one Kind under one Resource-ID. */
export interface KindState {
  /** RFC 6940 §7.4.1.1: at least 1. */
  generationCounter: bigint;
  readonly values: Map<PlaceName, StoredValue>;
}

/** Where everything is kept, and every sum that depends on it: no rules, only bookkeeping. */
export class ResourceTable {
  private readonly resources = new Map<ResourceId, Map<KindId, KindState>>();
  private readonly order = new Map<KindId, ResourceOrder>();
  readonly usage = new StoreUsage();
  readonly signers = new SignerPool();
  readonly expiry = new ExpiryQueue((value) => this.isStored(value));
  /** Rises with every change: a plan counts only for the revision it was made for. */
  revision = 0;

  get resourceCount(): number {
    return this.resources.size;
  }

  resourceIds(): ResourceId[] {
    return [...this.resources.keys()];
  }

  kindsOf(resource: ResourceId): ReadonlyMap<KindId, KindState> {
    return this.resources.get(resource) ?? NO_KINDS;
  }

  state(resource: ResourceId, kind: KindId): KindState | undefined {
    return this.resources.get(resource)?.get(kind);
  }

  /** The Resource-IDs with values of a Kind, from `start` on around the ring. */
  resourcesFrom(kind: KindId, start: ResourceId): Iterable<ResourceId> {
    return this.order.get(kind)?.from(start) ?? [];
  }

  *values(): Generator<StoredValue> {
    for (const kinds of this.resources.values()) {
      for (const state of kinds.values()) yield* state.values.values();
    }
  }

  isStored(value: StoredValue): boolean {
    return this.state(value.resource, value.kind)?.values.get(value.placeName) === value;
  }

  /** Why these values do not fit into this peer's limits; `replaced` are the ones that would go. */
  refusalFor(
    planned: readonly PlannedValue[],
    replaced: readonly StoredValue[],
    limits: StoreLimits,
  ): StoreRefusal | undefined {
    const added = new StoreUsage();
    for (const value of planned) added.add(measure(value, value.signer.nodeId));
    for (const value of replaced) added.subtract(measure(value, value.kept.signer.nodeId));
    const refusal = usageRefusal(this.usage, added, limits);
    if (refusal !== undefined) return refusal;
    const [first] = planned;
    if (first === undefined) return undefined;
    if (!this.resources.has(first.resource) && this.resourceCount >= limits.resourcesMax) {
      return tooLarge(`this peer stores under ${limits.resourcesMax} Resource-IDs at most`);
    }
    const missing = this.signers.missing(planned.map((value) => value.signer));
    if (missing.certificates === 0) return undefined;
    if (this.signers.certificateCount + missing.certificates > limits.certificatesMax) {
      return tooLarge(`this peer keeps ${limits.certificatesMax} certificates at most`);
    }
    if (this.signers.certificateBytes + missing.bytes > limits.certificateBytesMax) {
      return tooLarge(
        `this peer keeps ${limits.certificateBytesMax} bytes of certificates at most`,
      );
    }
    return undefined;
  }

  /** Puts a value at its place, instead of the one that is there. */
  put(planned: PlannedValue, expiry: ExpiryTimes, generationCounter: bigint, now: Now): void {
    const { signer, ...content } = planned;
    const value: StoredValue = { ...content, ...expiry, kept: this.signers.retain(signer) };
    const state = this.makeState(value.resource, value.kind);
    state.generationCounter = generationCounter;
    const replaced = state.values.get(value.placeName);
    state.values.set(value.placeName, value);
    this.usage.add(measure(value, value.kept.signer.nodeId));
    if (replaced !== undefined) this.forget(replaced);
    this.expiry.add(value, now, this.usage.total.values);
    this.revision++;
  }

  setGeneration(state: KindState, generationCounter: bigint): void {
    state.generationCounter = generationCounter;
    this.revision++;
  }

  /** Removes a value; true when it was the last of its Kind and Resource-ID. */
  drop(value: StoredValue): boolean {
    const kinds = this.resources.get(value.resource);
    const state = kinds?.get(value.kind);
    if (kinds === undefined || state === undefined || !state.values.delete(value.placeName)) {
      throw new Error(`no value ${value.placeName} of Kind ${value.kind} at ${value.resource}`);
    }
    this.forget(value);
    this.revision++;
    if (state.values.size > 0) return false;
    kinds.delete(value.kind);
    if (kinds.size === 0) this.resources.delete(value.resource);
    this.order.get(value.kind)?.delete(value.resource);
    return true;
  }

  private forget(value: StoredValue): void {
    this.usage.subtract(measure(value, value.kept.signer.nodeId));
    this.signers.release(value.kept.signer);
  }

  private makeState(resource: ResourceId, kind: KindId): KindState {
    let kinds = this.resources.get(resource);
    if (kinds === undefined) {
      kinds = new Map();
      this.resources.set(resource, kinds);
    }
    let state = kinds.get(kind);
    if (state === undefined) {
      state = { generationCounter: 0n, values: new Map() };
      kinds.set(kind, state);
      this.orderOf(kind).add(resource);
    }
    return state;
  }

  private orderOf(kind: KindId): ResourceOrder {
    let order = this.order.get(kind);
    if (order === undefined) {
      order = new ResourceOrder();
      this.order.set(kind, order);
    }
    return order;
  }
}

type ExpiryTimes = Pick<StoredValue, 'expiresMonotonicMs' | 'expiresUnixMs'>;

function measure(
  value: Pick<PlannedValue, 'kind' | 'encoded'>,
  signerNodeId: MeasuredValue['signerNodeId'],
): MeasuredValue {
  return { kind: value.kind, signerNodeId, bytes: value.encoded.length };
}

function tooLarge(detail: string): StoreRefusal {
  return new StoreRefusal(ErrorCode.Error_Data_Too_Large, detail);
}

const NO_KINDS: ReadonlyMap<KindId, KindState> = new Map();
