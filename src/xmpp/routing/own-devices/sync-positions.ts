import type { PersistRecord } from '../../../storage/persist-record.ts';
import type { NodeId } from '../../../wire/node-id.ts';
import { SYNC_POSITIONS_MAX } from '../routing-limits.ts';
import { isTime, jsonOf, jsonRecord, removal, type StoredRecord } from '../routing-records.ts';

export const POSITION_PREFIX = 'sync/';

/** How far the archive of another own device was read. */
export interface SyncPosition {
  readonly device: string;
  /** The stanza-id there of the last message; empty: it had none. */
  readonly id: string;
  readonly unixMs: number;
}

/** How far the archives of the other own devices were read; of the SYNC_POSITIONS_MAX last ones. */
export class SyncPositions {
  /** The longest unused first. */
  private readonly positions = new Map<string, string>();

  constructor(restored: readonly SyncPosition[]) {
    const sorted = [...restored].sort((a, b) => a.unixMs - b.unixMs);
    for (const { device, id } of sorted) this.positions.set(device, id);
  }

  /** Undefined: it was never read. */
  of(device: NodeId): string | undefined {
    return this.positions.get(device);
  }

  set(device: NodeId, id: string, unixMs: number): PersistRecord[] {
    this.positions.delete(device);
    this.positions.set(device, id);
    const records = [jsonRecord(POSITION_PREFIX + device, [id, unixMs])];
    const [oldest] = this.positions.keys();
    if (this.positions.size > SYNC_POSITIONS_MAX && oldest !== undefined) {
      this.positions.delete(oldest);
      records.push(removal(POSITION_PREFIX + oldest));
    }
    return records;
  }
}

/** A position out of its record, or undefined when it is damaged. */
export function readPosition(stored: StoredRecord): SyncPosition | undefined {
  const value = jsonOf(stored);
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [id, unixMs] = value as readonly unknown[];
  if (typeof id !== 'string' || !isTime(unixMs)) return undefined;
  return { device: stored.key.slice(POSITION_PREFIX.length), id, unixMs };
}
