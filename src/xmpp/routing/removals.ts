import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import { REMOVALS_KEPT_MS, REMOVALS_MAX } from './routing-limits.ts';
import { isTime, jsonOf, jsonRecord, removal, type StoredRecord } from './routing-records.ts';

export const REMOVAL_PREFIX = 'removed/';

/** That something was removed, and when; kept so that no other own device brings it back. */
export interface Removal {
  /** Of what it was, as `roster`. */
  readonly kind: string;
  /** What it was, among those of its kind. */
  readonly key: string;
  readonly changedUnixMs: number;
}

/** What was removed of one kind, for REMOVALS_KEPT_MS, and of the latest REMOVALS_MAX. */
export class Removals {
  private readonly kind: string;
  /** The oldest first. */
  private readonly changed = new Map<string, number>();

  constructor(kind: string, restored: readonly Removal[]) {
    this.kind = kind;
    const own = restored.filter((one) => one.kind === kind);
    own.sort((a, b) => a.changedUnixMs - b.changedUnixMs);
    for (const { key, changedUnixMs } of own) this.changed.set(key, changedUnixMs);
  }

  /** When it was removed; undefined: it was not, or too long ago. */
  of(key: string): number | undefined {
    return this.changed.get(key);
  }

  all(): IterableIterator<[key: string, changedUnixMs: number]> {
    return this.changed.entries();
  }

  /** The records are what has to be written. */
  add(key: string, changedUnixMs: number, nowUnixMs: number): PersistRecord[] {
    this.changed.delete(key);
    this.changed.set(key, changedUnixMs);
    const record = jsonRecord(this.recordKey(key), [this.kind, key, changedUnixMs]);
    return [...this.dropOld(nowUnixMs), record];
  }

  /** It is there again. */
  forget(key: string): PersistRecord[] {
    return this.changed.delete(key) ? [removal(this.recordKey(key))] : [];
  }

  private dropOld(nowUnixMs: number): PersistRecord[] {
    const gone: PersistRecord[] = [];
    for (const [key, changedUnixMs] of this.changed) {
      const isOld = changedUnixMs < nowUnixMs - REMOVALS_KEPT_MS;
      if (!isOld && this.changed.size <= REMOVALS_MAX) break;
      this.changed.delete(key);
      gone.push(removal(this.recordKey(key)));
    }
    return gone;
  }

  /** What was removed may have a longer name than a key of the store. */
  private recordKey(key: string): string {
    const hash = createHash('sha256').update(key).digest('base64url');
    return `${REMOVAL_PREFIX}${this.kind}/${hash}`;
  }
}

/** A removal out of its record, or undefined when it is damaged. */
export function readRemoval(stored: StoredRecord): Removal | undefined {
  const value = jsonOf(stored);
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [kind, key, changedUnixMs] = value as readonly unknown[];
  if (typeof kind !== 'string' || typeof key !== 'string' || !isTime(changedUnixMs)) {
    return undefined;
  }
  return { kind, key, changedUnixMs };
}
