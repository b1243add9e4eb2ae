/**
 * One change of the durable store. `value` undefined removes the key. The host writes all records
 * of one ticket in one atomic batch and knows nothing of their meaning.
 */
export interface PersistRecord {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}
