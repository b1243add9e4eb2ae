import type { XmppEnvironment } from '../xmpp-environment.ts';
import { BLOCKED_PREFIX, type BlockedAddress, readBlockedAddress } from './block-list.ts';
import { POSITION_PREFIX, readPosition, type SyncPosition } from './own-devices/sync-positions.ts';
import { PEP_PREFIX, type PersonalNode, readPersonalNode } from './personal-nodes.ts';
import { REMOVAL_PREFIX, type Removal, readRemoval } from './removals.ts';
import { ROSTER_PREFIX, type RosterItem } from './roster.ts';
import { readRosterRecord } from './roster-records.ts';
import {
  ARCHIVE_PREFIX,
  type ArchiveRecord,
  OFFLINE_PREFIX,
  type OfflineRecord,
  OUTBOX_PREFIX,
  type OutboxRecord,
  readArchiveRecord,
  readOfflineRecord,
  readOutboxRecord,
  type StoredRecord,
} from './routing-records.ts';

/** What a former run has left on disk, in the order of the sequences. */
export interface RestoredRouting {
  readonly archive: readonly ArchiveRecord[];
  readonly outbox: readonly OutboxRecord[];
  readonly offline: readonly OfflineRecord[];
  readonly roster: readonly RosterItem[];
  readonly nodes: readonly PersonalNode[];
  readonly blocked: readonly BlockedAddress[];
  readonly removals: readonly Removal[];
  readonly positions: readonly SyncPosition[];
  /** Keys of records that cannot be read. */
  readonly damaged: readonly string[];
}

/** Reads the records; one that is damaged is left out, and told of. Others' are passed over. */
export function restoreRouting(
  records: Iterable<StoredRecord>,
  environment: XmppEnvironment,
): RestoredRouting {
  const archive: ArchiveRecord[] = [];
  const outbox: OutboxRecord[] = [];
  const offline: OfflineRecord[] = [];
  const roster: RosterItem[] = [];
  const blocked: BlockedAddress[] = [];
  const removals: Removal[] = [];
  const positions: SyncPosition[] = [];
  const nodes: PersonalNode[] = [];
  const damaged: string[] = [];
  const readers: readonly [prefix: string, read: (record: StoredRecord) => boolean][] = [
    [ARCHIVE_PREFIX, (record) => append(archive, readArchiveRecord(record))],
    [OUTBOX_PREFIX, (record) => append(outbox, readOutboxRecord(record))],
    [OFFLINE_PREFIX, (record) => append(offline, readOfflineRecord(record))],
    [ROSTER_PREFIX, (record) => append(roster, readRosterRecord(record))],
    [PEP_PREFIX, (record) => append(nodes, readPersonalNode(record))],
    [BLOCKED_PREFIX, (record) => append(blocked, readBlockedAddress(record))],
    [REMOVAL_PREFIX, (record) => append(removals, readRemoval(record))],
    [POSITION_PREFIX, (record) => append(positions, readPosition(record))],
  ];
  for (const record of records) {
    const reader = readers.find(([prefix]) => record.key.startsWith(prefix));
    if (reader === undefined || reader[1](record)) continue;
    damaged.push(record.key);
    environment.event({ type: 'recordDropped', key: record.key });
  }
  archive.sort(bySequence);
  outbox.sort(bySequence);
  offline.sort(bySequence);
  return { archive, outbox, offline, roster, nodes, blocked, removals, positions, damaged };
}

function append<Value>(list: Value[], value: Value | undefined): boolean {
  if (value === undefined) return false;
  list.push(value);
  return true;
}

function bySequence(a: { sequence: number }, b: { sequence: number }): number {
  return a.sequence - b.sequence;
}
