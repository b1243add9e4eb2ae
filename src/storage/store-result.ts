import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import type { FetchKindResponse, ModelSpecifier, StoreKindData } from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { PersistRecord } from './persist-record.ts';
import type { Place } from './place.ts';

/** The counter of one Kind after a Store, for a StoreKindResponse. */
export interface KindGeneration {
  readonly kind: KindId;
  readonly generationCounter: bigint;
}

export interface CommitResult {
  /** One per Kind of the request, in its order. */
  readonly responses: readonly KindGeneration[];
  /** To be durable BEFORE the StoreAns is sent; empty when nothing changed. */
  readonly records: readonly PersistRecord[];
  /** Whether a value changed, so that copies must be sent to the replicas. */
  readonly changed: boolean;
}

/** One StoredDataSpecifier with its model_specifier decoded — RFC 6940 §7.4.2.1. */
export interface KindSpecifier {
  readonly kind: KindId;
  /** The counter that the requester saw last; 0 for none. */
  readonly generation: bigint;
  readonly specifier: ModelSpecifier;
}

export interface FetchResult {
  /** One per Kind asked for, in the order of the request. */
  readonly responses: readonly FetchKindResponse[];
  /** Those of all signers of the values, each once. */
  readonly certificates: readonly GenericCertificate[];
}

/** What to send to another peer that stores the resource from now on. */
export interface ResourceExport {
  readonly kindData: readonly StoreKindData[];
  /** Those of all signers of the values, each once. */
  readonly certificates: readonly GenericCertificate[];
}

/** What `xor values` prints about a value. */
export interface ValueSummary {
  readonly resource: ResourceId;
  readonly kind: KindId;
  readonly place: Place;
  /** False for a value that its owner removed and that has not expired yet. */
  readonly exists: boolean;
  readonly signerNodeId: NodeId;
  readonly signerUserName: string;
  readonly storageTimeUnixMs: number;
  readonly expiresUnixMs: number;
  /** Of the encoded StoredData. */
  readonly sizeBytes: number;
}

/** How full the store is. */
export interface StoreCounters {
  readonly resources: number;
  readonly values: number;
  readonly bytes: number;
  readonly certificates: number;
  readonly certificateBytes: number;
}

/** A record of the durable store that is not served, and why. */
export interface UnusableRecord {
  readonly key: string;
  readonly reason: string;
}

export interface RestoreResult {
  /** Values that are served again. */
  readonly restored: number;
  /** Values whose lifetime ended while the peer was away. */
  readonly expired: number;
  /** Records that cannot be read. */
  readonly damaged: readonly UnusableRecord[];
  /** Values whose signature, certificate, Kind or policy no longer holds. */
  readonly refused: readonly UnusableRecord[];
  /** Removes what has expired or is damaged from the durable store; refused values stay there. */
  readonly records: readonly PersistRecord[];
}
