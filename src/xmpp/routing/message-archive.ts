import type { RandomSource } from '../../reload/peer-options.ts';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { DoubleEndedQueue } from './double-ended-queue.ts';
import { originId } from './message-rules.ts';
import { ARCHIVE_BYTES_MAX, ARCHIVE_MESSAGES_MAX } from './routing-limits.ts';
import { type ArchiveRecord, archiveKey, archiveRecord, removal } from './routing-records.ts';

/** What makes a message the same again: who sent it to whom under which origin-id (XEP-0359). */
export function duplicateKey(message: XmppElement, from: Jid, to: Jid): string | undefined {
  const id = originId(message);
  return id === undefined ? undefined : `${from.bare}\n${to.bare}\n${id}`;
}

/** As `duplicateKey` of a received one: without an origin-id the stanza's own id has to do. */
export function receivedKey(message: XmppElement, from: Jid, to: Jid): string | undefined {
  const key = duplicateKey(message, from, to);
  const id = message.attributes.get('id');
  if (key !== undefined || id === undefined || id === '') return key;
  return `${from.bare}\n${to.bare}\n\n${id}`;
}

/**
 * The last messages of the user (XEP-0313), sent and received, by the order in which they came; and
 * by them the index that recognises duplicates. In memory as texts, on disk as records.
 */
export class MessageArchive {
  private readonly random: RandomSource;
  private readonly entries = new DoubleEndedQueue<ArchiveRecord>();
  private readonly indexById = new Map<string, number>();
  private readonly keys = new Set<string>();
  private bytes = 0;
  private lastSequence = 0;
  private randomLeft: Uint8Array = new Uint8Array(0);

  /** `restored` in the order of the sequences. */
  constructor(random: RandomSource, restored: readonly ArchiveRecord[]) {
    this.random = random;
    for (const entry of restored) this.append(entry);
  }

  get length(): number {
    return this.entries.length;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /** Whether somebody has ever written, as far as it is remembered. */
  hasFrom(address: BareJid): boolean {
    for (const { with: other, duplicateKey: key } of this.entries) {
      if (other === address && key?.startsWith(`${address}\n`) === true) return true;
    }
    return false;
  }

  /** An id that nobody can guess (XEP-0359 §5). */
  newId(): string {
    // Random bytes are fetched for many ids at once: asking for them costs more than they do.
    if (this.randomLeft.length < ID_BYTES) this.randomLeft = this.random.bytes(64 * ID_BYTES);
    const bytes = this.randomLeft.subarray(0, ID_BYTES);
    this.randomLeft = this.randomLeft.subarray(ID_BYTES);
    return Buffer.from(bytes).toString('base64url');
  }

  /** An entry for a message that is to be written, with its place in the order. */
  entryOf(message: Omit<ArchiveRecord, 'sequence'>): ArchiveRecord {
    this.lastSequence += 1;
    return { ...message, sequence: this.lastSequence };
  }

  recordOf(entry: ArchiveRecord): PersistRecord {
    return archiveRecord(entry);
  }

  /** Takes a written entry in; the records are those that have to go for it. */
  add(entry: ArchiveRecord): PersistRecord[] {
    this.append(entry);
    const gone: PersistRecord[] = [];
    while (this.entries.length > ARCHIVE_MESSAGES_MAX || this.bytes > ARCHIVE_BYTES_MAX) {
      const oldest = this.dropOldest();
      if (oldest === undefined) break;
      gone.push(removal(archiveKey(oldest.sequence)));
    }
    return gone;
  }

  /** Index of the entry with this stanza-id, for `at`. */
  indexOf(id: string): number | undefined {
    return this.indexById.get(id);
  }

  at(index: number): ArchiveRecord | undefined {
    return this.entries.at(index);
  }

  get firstIndex(): number {
    return this.entries.firstIndex;
  }

  get endIndex(): number {
    return this.entries.endIndex;
  }

  private append(entry: ArchiveRecord): void {
    this.indexById.set(entry.id, this.entries.endIndex);
    this.entries.push(entry);
    if (entry.duplicateKey !== undefined) this.keys.add(entry.duplicateKey);
    this.bytes += sizeOf(entry);
    this.lastSequence = Math.max(this.lastSequence, entry.sequence);
  }

  private dropOldest(): ArchiveRecord | undefined {
    const oldest = this.entries.shift();
    if (oldest === undefined) return undefined;
    this.indexById.delete(oldest.id);
    if (oldest.duplicateKey !== undefined) this.keys.delete(oldest.duplicateKey);
    this.bytes -= sizeOf(oldest);
    return oldest;
  }
}

function sizeOf(entry: ArchiveRecord): number {
  return ENTRY_BYTES + (entry.stanza?.length ?? 0) + (entry.duplicateKey?.length ?? 0);
}

const ID_BYTES = 15;
/** What an entry takes beside its texts, roughly. */
const ENTRY_BYTES = 200;
