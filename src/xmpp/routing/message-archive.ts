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
 * by them the index that recognises duplicates. In memory as texts, on disk as records. Where there
 * is no room for all, a contact that has more than half of it pushes out its own messages only.
 */
export class MessageArchive {
  private readonly random: RandomSource;
  /** By sequence, in their order. */
  private readonly entries = new Map<number, ArchiveRecord>();
  private readonly sequenceById = new Map<string, number>();
  private readonly shares = new Map<string, Share>();
  private readonly keys = new Set<string>();
  private bytes = 0;
  /** Who had more than half of the bytes, and of the messages, when the last one of it came. */
  private heaviest = '';
  private busiest = '';
  /** None has a smaller one. */
  private firstSequence = 0;
  private lastSequence = 0;
  private randomLeft: Uint8Array = new Uint8Array(0);

  /** `restored` in the order of the sequences. */
  constructor(random: RandomSource, restored: readonly ArchiveRecord[]) {
    this.random = random;
    for (const entry of restored) this.append(entry);
  }

  get length(): number {
    return this.entries.size;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /** Whether somebody has ever written, as far as it is remembered. */
  hasFrom(address: BareJid): boolean {
    for (const { with: other, duplicateKey: key } of this.entries.values()) {
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
    for (;;) {
      const isTooLarge = this.bytes > ARCHIVE_BYTES_MAX;
      if (!isTooLarge && this.entries.size <= ARCHIVE_MESSAGES_MAX) break;
      const most = isTooLarge ? this.heaviest : this.busiest;
      const address = this.hasMost(most, isTooLarge) ? most : this.oldest().with;
      gone.push(removal(archiveKey(this.dropOldestOf(address).sequence)));
    }
    return gone;
  }

  /** The entry with this stanza-id. */
  withId(id: string): ArchiveRecord | undefined {
    return this.entries.get(this.sequenceById.get(id) ?? -1);
  }

  /** In their order. */
  all(): IterableIterator<ArchiveRecord> {
    return this.entries.values();
  }

  private append(entry: ArchiveRecord): void {
    const { sequence } = entry;
    if (this.entries.size === 0) this.firstSequence = sequence;
    this.sequenceById.set(entry.id, sequence);
    this.entries.set(sequence, entry);
    if (entry.duplicateKey !== undefined) this.keys.add(entry.duplicateKey);
    const bytes = sizeOf(entry);
    const share = this.shares.get(entry.with) ?? { bytes: 0, sequences: new DoubleEndedQueue() };
    share.sequences.push(sequence);
    share.bytes += bytes;
    this.shares.set(entry.with, share);
    this.bytes += bytes;
    if (this.hasMost(entry.with, true)) this.heaviest = entry.with;
    if (this.hasMost(entry.with, false)) this.busiest = entry.with;
    this.lastSequence = Math.max(this.lastSequence, sequence);
  }

  /** Whether more than half, of the bytes or of the messages, is from or to this address. */
  private hasMost(address: string, byBytes: boolean): boolean {
    const share = this.shares.get(address);
    if (share === undefined) return false;
    if (byBytes) return share.bytes * 2 > this.bytes;
    return share.sequences.length * 2 > this.entries.size;
  }

  private oldest(): ArchiveRecord {
    for (; this.firstSequence <= this.lastSequence; this.firstSequence += 1) {
      const entry = this.entries.get(this.firstSequence);
      if (entry !== undefined) return entry;
    }
    throw new Error('an archive that is too large has an oldest entry');
  }

  private dropOldestOf(address: string): ArchiveRecord {
    const share = this.shares.get(address);
    const sequence = share?.sequences.shift();
    const oldest = sequence === undefined ? undefined : this.entries.get(sequence);
    if (share === undefined || oldest === undefined) throw new Error(`nothing of ${address}`);
    this.entries.delete(oldest.sequence);
    this.sequenceById.delete(oldest.id);
    if (oldest.duplicateKey !== undefined) this.keys.delete(oldest.duplicateKey);
    this.bytes -= sizeOf(oldest);
    share.bytes -= sizeOf(oldest);
    if (share.sequences.length === 0) this.shares.delete(address);
    return oldest;
  }
}

/** What of the archive is from and to one address. */
interface Share {
  bytes: number;
  readonly sequences: DoubleEndedQueue<number>;
}

function sizeOf(entry: ArchiveRecord): number {
  return ENTRY_BYTES + (entry.stanza?.length ?? 0) + (entry.duplicateKey?.length ?? 0);
}

const ID_BYTES = 15;
/** What an entry takes beside its texts, roughly. */
const ENTRY_BYTES = 200;
