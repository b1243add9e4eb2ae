import type { DataModel, KindId } from '../wire/stored-data.ts';

/** Access control policies — RFC 6940 §7.3. */
export const AccessPolicy = {
  userMatch: 'USER-MATCH',
  nodeMatch: 'NODE-MATCH',
  userNodeMatch: 'USER-NODE-MATCH',
  nodeMultiple: 'NODE-MULTIPLE',
} as const;
export type AccessPolicy = (typeof AccessPolicy)[keyof typeof AccessPolicy];

/** A Kind as this overlay uses it — RFC 6940 §7.4.5 and §11.1. */
export interface KindDefinition {
  readonly kindId: KindId;
  /** The IANA name; absent for private Kinds. */
  readonly name?: string;
  readonly dataModel: DataModel;
  readonly accessPolicy: AccessPolicy;
  /** Values under one Resource-ID (entries of an array or dictionary). */
  readonly maxCount: number;
  /** Bytes of one value. */
  readonly maxSizeBytes: number;
  /** The largest i of NODE-MULTIPLE; present for that policy alone. */
  readonly maxNodeMultiple?: number;
  /** Whether Find may be used with it (RFC 6940 §7.4.4). */
  readonly findAllowed: boolean;
}

export const KindIds = {
  turnService: 0x2,
  certificateByNode: 0x3,
  xmppLocation: 0x5,
  certificateByUser: 0x10,
} as const;
