import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { FindKindData, StatKindResponse } from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { Now } from './now.ts';
import type { PersistRecord } from './persist-record.ts';
import type { StoreLimits } from './store-limits.ts';
import type { StorePlan } from './store-plan.ts';
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

export interface ResourceStoreSettings {
  readonly kinds: ReadonlyMap<KindId, KindDefinition>;
  readonly limits?: Partial<StoreLimits>;
}

/**
 * The values that this peer stores for the overlay, its own share and copies alike: RFC 6940 §7.
 * Everything is in memory; whoever changes something gets the records to make it durable.
 */
export declare class ResourceStore {
  constructor(settings: ResourceStoreSettings);

  /** Kinds of a new configuration. Values of Kinds that are gone or changed are dropped. */
  replaceKinds(kinds: ReadonlyMap<KindId, KindDefinition>): PersistRecord[];

  /** All checks of a Store (RFC 6940 §7.4.1.1) but signatures and routing; changes nothing. */
  plan(request: StoreRequest, now: Now): StorePlan | StoreRefusal;

  /** Carries out a plan, whole. Throws when the store has changed since: plan, then commit. */
  commit(plan: StorePlan, now: Now): CommitResult;

  /** RFC 6940 §7.4.2. */
  fetch(
    resource: ResourceId,
    specifiers: readonly KindSpecifier[],
    now: Now,
  ): FetchResult | StoreRefusal;

  /** RFC 6940 §7.4.3. */
  stat(
    resource: ResourceId,
    specifiers: readonly KindSpecifier[],
    now: Now,
  ): StatKindResponse[] | StoreRefusal;

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
  ): FindKindData[] | StoreRefusal;

  /** All Resource-IDs with values. */
  resourceIds(): ResourceId[];

  /** Everything under a Resource-ID, to copy it or hand it over; undefined: there is nothing. */
  exportResource(resource: ResourceId, now: Now): ResourceExport | undefined;

  /**
   * The same in parts whose values and certificates have at most `partBytesMax` bytes; a value
   * that is larger alone is a part of its own.
   */
  exportParts(resource: ResourceId, partBytesMax: number, now: Now): ResourceExport[];

  /** The records of everything under a Resource-ID, to write them again after a failure. */
  recordsOf(resource: ResourceId): PersistRecord[];

  remove(resource: ResourceId): PersistRecord[];

  /** Drops the values whose lifetime, or whose signer's certificate, has ended. */
  expire(now: Now): PersistRecord[];

  /** When `expire` has something to do: monotonic ms. */
  nextDeadline(): number | undefined;

  /** Drops every value signed by such a node: revoked certificates, bad-nodes. */
  removeSignedBy(predicate: (node: AuthenticatedNode) => boolean): PersistRecord[];

  summary(): ValueSummary[];
  counters(): StoreCounters;

  /** Rebuilds an empty store. Every signature and certificate is verified anew. */
  restore(
    records: Iterable<{ readonly key: string; readonly value: Uint8Array }>,
    authenticator: Authenticator,
    now: Now,
  ): RestoreResult;
}
