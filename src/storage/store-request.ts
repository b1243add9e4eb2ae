import type { VerifiedSigner } from '../tls-auth/verified-signer.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId, StoredData } from '../wire/stored-data.ts';

/**
 * A StoreReq (RFC 6940 §7.4.1.1) whose signatures were verified and whose routing was checked: that
 * this peer is responsible (replica number 0), or that it expects to be a replica and the sender is
 * in the replica set (otherwise). All other checks of that section are `ResourceStore.plan`'s.
 */
export interface StoreRequest {
  readonly resource: ResourceId;
  /** 0: a node stores its own data. From 1: a copy, or data handed over. */
  readonly replicaNumber: number;
  /** Who signed the StoreReq. */
  readonly requestSigner: VerifiedSigner;
  readonly kinds: readonly StoreKindRequest[];
  /**
   * The default merge of RFC 6940 §7.4.1.1 for replicas and for data fetched to heal a partition:
   * a value that is not newer than the stored one is left out, instead of refusing everything, and
   * the generation counter never falls. Only for replica numbers from 1.
   */
  readonly leaveOutOlder?: boolean;
}

export interface StoreKindRequest {
  readonly kind: KindId;
  /** Original stores: 0, or what the counter must be. Replica stores: what it becomes. */
  readonly generationCounter: bigint;
  /** At least one; processed in this order. */
  readonly values: readonly VerifiedValue[];
}

/** A StoredData whose signature was verified by `verifyData`, and who made it. */
export interface VerifiedValue {
  readonly data: StoredData;
  /** Its `node.chain` is kept with the value and sent along with it. */
  readonly signer: VerifiedSigner;
}
