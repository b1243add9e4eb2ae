import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { Certificate } from '../../tls-auth/certificate.ts';
import {
  isTime,
  jsonOf,
  jsonRecord,
  removal,
  type StoredRecord,
} from '../routing/routing-records.ts';
import {
  FRESH_WITHIN_MS,
  GUARDED_CERTIFICATES_MAX,
  LONGEST_WAIT_MS,
  RECENT_TIMESTAMPS_MAX,
} from './signed-limits.ts';
import { formatTimestamp } from './signed-timestamp.ts';
import { StanzaRefusal } from './stanza-refusal.ts';

interface Guarded {
  /** The greatest timestamp that was accepted, ms since 1970. */
  readonly highest: number;
  /** The last ones, in ascending order. */
  readonly recent: readonly number[];
}

/**
 * What was accepted, so that nothing counts twice. A signer's timestamps only grow (XEP-0285 §5)
 * and servers keep the order between two users (RFC 6120 §10.1), so one number for each key refuses
 * everything that comes again or too late, without an end. It may be forgotten once it is older
 * than any stanza that is accepted. When there is no room, unknown keys are refused: nothing is
 * ever forgotten too early.
 *
 * It goes by the key (`guardedKeyOf`) because a signature is as true under every certificate of its
 * key, and there can be several: a renewed one, or one whose own ECDSA signature somebody altered.
 */
export class ReplayGuard {
  private readonly guarded = new Map<string, Guarded>();
  /** Keys whose record was damaged: nothing signed before this run's first look counts. */
  private readonly damaged = new Set<string>();

  /** `records`: those of GUARD_PREFIX that a former run left. */
  constructor(records: Iterable<StoredRecord>) {
    for (const record of records) {
      const key = record.key.slice(GUARD_PREFIX.length);
      const guarded = guardedOf(record);
      if (guarded === undefined) this.damaged.add(key);
      else this.guarded.set(key, guarded);
    }
  }

  get size(): number {
    return this.guarded.size + this.damaged.size;
  }

  /** Why a stanza of this key and timestamp is not taken; undefined when it is. */
  refusal(key: string, timestampUnixMs: number, unixMs: number): StanzaRefusal | undefined {
    this.closeDamaged(unixMs);
    const guarded = this.guarded.get(key);
    if (guarded === undefined) {
      if (this.size < GUARDED_CERTIFICATES_MAX || this.oldest(unixMs) !== undefined) {
        return undefined;
      }
      const detail = `${GUARDED_CERTIFICATES_MAX} keys signed in the last two weeks`;
      return new StanzaRefusal('replay-guard-full', detail);
    }
    if (timestampUnixMs > guarded.highest) return undefined;
    const time = formatTimestamp(timestampUnixMs);
    if (guarded.recent.includes(timestampUnixMs)) {
      return new StanzaRefusal('replayed', `the stanza signed at ${time} has been here before`);
    }
    const last = formatTimestamp(guarded.highest);
    const detail = `signed at ${time}, but one signed at ${last} came first; send it again`;
    return new StanzaRefusal('out-of-order', detail);
  }

  /** It is taken, having been refused by nothing. The records go to disk together with it. */
  accept(key: string, timestampUnixMs: number, unixMs: number): PersistRecord[] {
    const records: PersistRecord[] = [];
    const earlier = this.guarded.get(key);
    if (earlier === undefined && this.size >= GUARDED_CERTIFICATES_MAX) {
      const oldest = this.oldest(unixMs);
      if (oldest === undefined) throw new Error('there is no room: `refusal` was not asked');
      this.guarded.delete(oldest);
      records.push(removal(guardKey(oldest)));
    }
    const recent = [...(earlier?.recent ?? []), timestampUnixMs].slice(-RECENT_TIMESTAMPS_MAX);
    this.guarded.set(key, { highest: timestampUnixMs, recent });
    records.push(jsonRecord(guardKey(key), recent));
    return records;
  }

  /** One that guards against nothing any more: all that it refuses is too old in any case. */
  private oldest(unixMs: number): string | undefined {
    const limit = unixMs - LONGEST_WAIT_MS - FRESH_WITHIN_MS;
    for (const [key, { highest }] of this.guarded) {
      if (highest < limit) return key;
    }
    return undefined;
  }

  /** What they guarded is not known, so it is taken to be everything up to now. */
  private closeDamaged(unixMs: number): void {
    for (const key of this.damaged) {
      this.guarded.set(key, { highest: unixMs + FRESH_WITHIN_MS, recent: [] });
    }
    this.damaged.clear();
  }
}

export const GUARD_PREFIX = 'signed-guard/';

/** What the guard knows a signer by: SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
export function guardedKeyOf({ subjectPublicKeyInfo }: Certificate): string {
  return createHash('sha256').update(subjectPublicKeyInfo.der).digest('hex');
}

function guardKey(key: string): string {
  return GUARD_PREFIX + key;
}

function guardedOf(record: StoredRecord): Guarded | undefined {
  const value = jsonOf(record);
  if (!Array.isArray(value) || !value.every(isTime)) return undefined;
  const recent = (value as readonly number[]).slice(-RECENT_TIMESTAMPS_MAX);
  const highest = recent.at(-1);
  const grows = recent.every((time, at) => at === 0 || time > (recent[at - 1] ?? 0));
  return highest === undefined || !grows ? undefined : { highest, recent };
}
