import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import { verifyData } from '../tls-auth/data-signature.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { FindKindData, StatKindResponse } from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';
import { authorizationFault } from './access-policy.ts';
import { exportValues } from './export-values.ts';
import { fetchValues, statValues } from './fetch-values.ts';
import { findResources } from './find-resources.ts';
import type { Now } from './now.ts';
import type { PersistRecord } from './persist-record.ts';
import { ResourceTable } from './resource-table.ts';
import { type KeyedBytes, restoreValues } from './restore-values.ts';
import { STORE_LIMITS_DEFAULT, type StoreLimits } from './store-limits.ts';
import { type PlannedKind, planStore, type StoreContext, type StorePlan } from './store-plan.ts';
import { generationKey, generationRecord, valueKey, valueRecord } from './store-record.ts';
import type { StoreRefusal } from './store-refusal.ts';
import type { StoreRequest } from './store-request.ts';
import type {
  CommitResult,
  FetchResult,
  KindSpecifier,
  ResourceExport,
  RestoreResult,
  StoreCounters,
  ValueSummary,
} from './store-result.ts';
import { expiryOf, isLive, type StoredValue } from './stored-value.ts';

export interface ResourceStoreSettings {
  readonly kinds: ReadonlyMap<KindId, KindDefinition>;
  readonly limits?: Partial<StoreLimits>;
}

/**
 * The values that this peer stores for the overlay, its own share and copies alike: RFC 6940 §7.
 * Everything is in memory; whoever changes something gets the records to make it durable.
 */
export class ResourceStore {
  private readonly table = new ResourceTable();
  private readonly limits: StoreLimits;
  private kinds: ReadonlyMap<KindId, KindDefinition>;

  constructor(settings: ResourceStoreSettings) {
    this.kinds = settings.kinds;
    this.limits = { ...STORE_LIMITS_DEFAULT, ...settings.limits };
  }

  /**
   * Kinds of a new configuration. Values of Kinds that are gone or have another data model are
   * dropped, and those whose signer the Kind's policy no longer allows.
   */
  replaceKinds(kinds: ReadonlyMap<KindId, KindDefinition>): PersistRecord[] {
    this.kinds = kinds;
    this.table.revision++;
    return this.dropWhere((value) => {
      const kind = kinds.get(value.kind);
      if (kind === undefined || kind.dataModel !== value.place.model) return true;
      const key = value.place.model === 'dictionary' ? value.place.key : undefined;
      return authorizationFault(kind, value.resource, value.kept.signer, key) !== undefined;
    });
  }

  /** All checks of a Store (RFC 6940 §7.4.1.1) but signatures and routing; changes nothing. */
  plan(request: StoreRequest, now: Now): StorePlan | StoreRefusal {
    return planStore(this.context(), request, now);
  }

  /**
   * Carries out a plan, whole. Lifetimes begin now. Throws when the store has changed since the
   * plan was made: nothing may come between the two.
   */
  commit(plan: StorePlan, now: Now): CommitResult {
    if (plan.revision !== this.table.revision) {
      throw new Error('the store has changed since the plan was made');
    }
    const expiries = plan.kinds.map((kind) =>
      kind.values.map((value) => expiryOf(value.lifetimeSeconds, now)),
    );
    // First all records, then all changes: whatever could throw does so before anything changed.
    const records = plan.kinds.flatMap((kind, kindIndex) =>
      this.recordsOfPlan(plan.resource, kind, expiries[kindIndex] ?? []),
    );
    const responses = plan.kinds.map((kind, kindIndex) => {
      this.carryOut(plan.resource, kind, expiries[kindIndex] ?? [], now);
      return { kind: kind.kind, generationCounter: kind.generationCounter };
    });
    return { responses, records, changed: plan.kinds.some((kind) => kind.values.length > 0) };
  }

  /** RFC 6940 §7.4.2. */
  fetch(
    resource: ResourceId,
    specifiers: readonly KindSpecifier[],
    now: Now,
  ): FetchResult | StoreRefusal {
    return fetchValues(this.context(), resource, specifiers, now);
  }

  /** RFC 6940 §7.4.3. */
  stat(
    resource: ResourceId,
    specifiers: readonly KindSpecifier[],
    now: Now,
  ): StatKindResponse[] | StoreRefusal {
    return statValues(this.context(), resource, specifiers, now);
  }

  /**
   * RFC 6940 §7.4.4: for each Kind the first Resource-ID at or after `resource` on the ring, up to
   * and including `last`, the end of this peer's own range (its Node-ID); undefined: the whole
   * ring is its own. A zero-length ResourceId where there is none.
   */
  find(
    resource: ResourceId,
    kinds: readonly KindId[],
    last: ResourceId | undefined,
    now: Now,
  ): FindKindData[] | StoreRefusal {
    return findResources(this.context(), resource, kinds, last, now);
  }

  /** All Resource-IDs with values. */
  resourceIds(): ResourceId[] {
    return this.table.resourceIds();
  }

  /** Everything under a Resource-ID, to copy it or hand it over; undefined: there is nothing. */
  exportResource(resource: ResourceId, now: Now): ResourceExport | undefined {
    return exportValues(this.table, resource, Number.POSITIVE_INFINITY, now)[0];
  }

  /**
   * The same in parts whose values and certificates have at most `partBytesMax` bytes; a value
   * that is larger alone is a part of its own.
   */
  exportParts(resource: ResourceId, partBytesMax: number, now: Now): ResourceExport[] {
    return exportValues(this.table, resource, partBytesMax, now);
  }

  /** The records of everything under a Resource-ID, to write them again after a failure. */
  recordsOf(resource: ResourceId): PersistRecord[] {
    const records: PersistRecord[] = [];
    for (const [kind, { generationCounter, values }] of this.table.kindsOf(resource)) {
      for (const value of values.values()) {
        const chain = value.kept.signer.node.chain;
        records.push(recordOf(value, value.expiresUnixMs, chain, generationCounter));
      }
      records.push(generationRecord({ resource, kind, generationCounter }));
    }
    return records;
  }

  /** Drops everything under a Resource-ID. */
  remove(resource: ResourceId): PersistRecord[] {
    const values = [...this.table.kindsOf(resource).values()].flatMap((state) => [
      ...state.values.values(),
    ]);
    return values.flatMap((value) => this.drop(value));
  }

  /** Drops the values whose lifetime, or whose signer's certificate, has ended. */
  expire(now: Now): PersistRecord[] {
    const records: PersistRecord[] = [];
    const early: StoredValue[] = [];
    for (;;) {
      const value = this.table.expiry.takeDue(now);
      if (value === undefined) break;
      if (isLive(value, now)) early.push(value);
      else records.push(...this.drop(value));
    }
    const { values } = this.table.usage.total;
    for (const value of early) this.table.expiry.add(value, now, values);
    return records;
  }

  /** When `expire` has something to do: monotonic ms. */
  nextDeadline(): number | undefined {
    return this.table.expiry.nextDeadline();
  }

  /** Drops every value signed by such a node: revoked certificates, bad-nodes. */
  removeSignedBy(predicate: (node: AuthenticatedNode) => boolean): PersistRecord[] {
    const answers = new Map<AuthenticatedNode, boolean>();
    return this.dropWhere(({ kept }) => {
      const { node } = kept.signer;
      const answer = answers.get(node) ?? predicate(node);
      answers.set(node, answer);
      return answer;
    });
  }

  /** Every value in one line; those that wait to be expired, too. */
  summary(): ValueSummary[] {
    return Array.from(this.table.values(), (value) => ({
      resource: value.resource,
      kind: value.kind,
      place: value.place,
      exists: value.exists,
      signerNodeId: value.kept.signer.nodeId,
      signerUserName: value.kept.signer.node.userName,
      storageTimeUnixMs: Number(value.storageTime),
      expiresUnixMs: value.expiresUnixMs,
      sizeBytes: value.encoded.length,
    }));
  }

  counters(): StoreCounters {
    const { usage, signers, resourceCount } = this.table;
    return {
      resources: resourceCount,
      values: usage.total.values,
      bytes: usage.total.bytes,
      certificates: signers.certificateCount,
      certificateBytes: signers.certificateBytes,
    };
  }

  /** Fills an empty store. Every signature and certificate is verified anew. */
  restore(records: Iterable<KeyedBytes>, authenticator: Authenticator, now: Now): RestoreResult {
    if (this.table.resourceCount > 0) throw new Error('only an empty store can be restored');
    return restoreValues(
      this.context(),
      records,
      (resource, kind, data, certificates, unixMs) =>
        verifyData(authenticator, resource, kind, data, certificates, unixMs),
      now,
    );
  }

  private context(): StoreContext {
    return { table: this.table, kinds: this.kinds, limits: this.limits };
  }

  private recordsOfPlan(
    resource: ResourceId,
    { kind, generationCounter, values }: PlannedKind,
    expiries: readonly ExpiryTimes[],
  ): PersistRecord[] {
    const stored = this.table.state(resource, kind);
    const records = values.map((value, index) =>
      recordOf(
        value,
        expiries[index]?.expiresUnixMs ?? 0,
        value.signer.node.chain,
        generationCounter,
      ),
    );
    const isKept = stored !== undefined || values.length > 0;
    if (isKept && stored?.generationCounter !== generationCounter) {
      records.push(generationRecord({ resource, kind, generationCounter }));
    }
    return records;
  }

  private carryOut(
    resource: ResourceId,
    { kind, generationCounter, values }: PlannedKind,
    expiries: readonly ExpiryTimes[],
    now: Now,
  ): void {
    for (const [index, value] of values.entries()) {
      const expiry = expiries[index];
      if (expiry !== undefined) this.table.put(value, expiry, generationCounter, now);
    }
    const state = this.table.state(resource, kind);
    if (state !== undefined) this.table.setGeneration(state, generationCounter);
  }

  private dropWhere(isUnwanted: (value: StoredValue) => boolean): PersistRecord[] {
    const unwanted = Array.from(this.table.values()).filter(isUnwanted);
    return unwanted.flatMap((value) => this.drop(value));
  }

  private drop(value: StoredValue): PersistRecord[] {
    const { resource, kind, placeName } = value;
    const isLast = this.table.drop(value);
    const gone: PersistRecord = { key: valueKey(resource, kind, placeName), value: undefined };
    return isLast ? [gone, { key: generationKey(resource, kind), value: undefined }] : [gone];
  }
}

type ExpiryTimes = Pick<StoredValue, 'expiresMonotonicMs' | 'expiresUnixMs'>;

function recordOf(
  value: Pick<StoredValue, 'resource' | 'kind' | 'place' | 'placeName' | 'encoded'>,
  expiresUnixMs: number,
  chain: readonly Uint8Array[],
  generationCounter: bigint,
): PersistRecord {
  return valueRecord(value.place, value.placeName, {
    resource: value.resource,
    kind: value.kind,
    generationCounter,
    expiresUnixMs: BigInt(Math.floor(expiresUnixMs)),
    storedData: value.encoded,
    certificates: [...chain],
  });
}
