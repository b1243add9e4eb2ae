import type { PersistRecord } from '../../storage/persist-record.ts';
import { isTime, jsonOf, jsonRecord, type StoredRecord } from '../routing/routing-records.ts';
import {
  ABSENCES_JOIN_MS,
  ABSENCES_MAX,
  FRESH_WITHIN_MS,
  LAST_HEARD_WRITE_MS,
  LONGEST_WAIT_MS,
} from './signed-limits.ts';
import type { OwnPast } from './stanza-time.ts';

type Absence = readonly [fromUnixMs: number, toUnixMs: number];

interface PastRecord {
  readonly sinceUnixMs: number;
  readonly lastHeardUnixMs: number;
  readonly absences: readonly Absence[];
}

/**
 * When this peer was not connected to its server, by its own knowledge: only then may a server have
 * had to keep a stanza. An absence begins when the server was last heard, which after a crash is
 * known to the minute.
 */
export class Absences implements OwnPast {
  private since: number | undefined;
  private absences: readonly Absence[];
  private lastHeard: number;
  private written: number;
  private isConnected = false;

  /** `record`: that of ABSENCES_KEY, if there is one. */
  constructor(record: StoredRecord | undefined) {
    const past = record === undefined ? undefined : pastOf(record);
    this.since = past?.sinceUnixMs;
    this.absences = past?.absences ?? [];
    this.lastHeard = past?.lastHeardUnixMs ?? 0;
    this.written = this.lastHeard;
  }

  /** Infinity before `begin` of the first run: nothing has been taken then, and nothing can be. */
  get guardedSinceUnixMs(): number {
    return this.since ?? Number.POSITIVE_INFINITY;
  }

  wasAwayAt(unixMs: number): boolean {
    const [from, to] = [unixMs - FRESH_WITHIN_MS, unixMs + FRESH_WITHIN_MS];
    return this.absences.some(([begin, end]) => begin <= to && end >= from);
  }

  /** Once, when the peer starts. */
  begin(unixMs: number): PersistRecord[] {
    if (this.since !== undefined) return [];
    this.since = unixMs;
    this.lastHeard = unixMs;
    return [this.record()];
  }

  connected(unixMs: number): PersistRecord[] {
    this.isConnected = true;
    this.add([Math.min(this.lastHeard, unixMs), unixMs], unixMs);
    this.lastHeard = unixMs;
    return [this.record()];
  }

  /** The server was heard, with whatever. */
  heard(unixMs: number): PersistRecord[] {
    if (!this.isConnected) return [];
    this.lastHeard = Math.max(this.lastHeard, unixMs);
    return this.lastHeard - this.written < LAST_HEARD_WRITE_MS ? [] : [this.record()];
  }

  lost(): PersistRecord[] {
    this.isConnected = false;
    return [this.record()];
  }

  private add(absence: Absence, unixMs: number): void {
    const kept = this.absences.filter(([, end]) => end >= unixMs - LONGEST_WAIT_MS);
    const last = kept.at(-1);
    const joins = last !== undefined && absence[0] - last[1] <= ABSENCES_JOIN_MS;
    const joined = joins
      ? [...kept.slice(0, -1), [last[0], absence[1]] as const]
      : [...kept, absence];
    this.absences = joined.slice(-ABSENCES_MAX);
  }

  private record(): PersistRecord {
    this.written = this.lastHeard;
    const { absences, lastHeard, since = 0 } = this;
    return jsonRecord(ABSENCES_KEY, [since, lastHeard, absences]);
  }
}

export const ABSENCES_KEY = 'signed-absences';

/** Undefined for a damaged one: then the past begins anew, and nothing older counts. */
function pastOf(record: StoredRecord): PastRecord | undefined {
  const value = jsonOf(record);
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [sinceUnixMs, lastHeardUnixMs, absences] = value as readonly unknown[];
  if (!isTime(sinceUnixMs) || !isTime(lastHeardUnixMs) || !Array.isArray(absences))
    return undefined;
  if (!absences.every(isAbsence)) return undefined;
  return { sinceUnixMs, lastHeardUnixMs, absences: absences.slice(-ABSENCES_MAX) };
}

function isAbsence(value: unknown): value is Absence {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to] = value as readonly unknown[];
  return isTime(from) && isTime(to) && from <= to;
}
