import type { PersistRecord } from '../../storage/persist-record.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { LocalSessions } from '../client-session/local-sessions.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import { DoubleEndedQueue } from './double-ended-queue.ts';
import type { DurableWrites } from './durable-writes.ts';
import { withDelay } from './message-rules.ts';
import type { Done } from './ordered-acknowledgements.ts';
import { OFFLINE_BYTES_MAX, OFFLINE_MESSAGES_MAX } from './routing-limits.ts';
import { type OfflineRecord, offlineKey, offlineRecord, removal } from './routing-records.ts';
import { stanzaText } from './stanza-text.ts';

/**
 * What waits for one of the user's clients to log in (RFC 6121 §8.5.2.2.1): the next that can take
 * it gets it, once, with the time at which it came (XEP-0203).
 */
export class OfflineQueue {
  private readonly own: BareJid;
  private readonly writes: DurableWrites;
  private readonly waiting = new DoubleEndedQueue<OfflineRecord>();
  private bytes = 0;
  /** By the bare JID of the sender. */
  private readonly shares = new Map<string, Share>();
  private lastSequence = 0;

  constructor(own: BareJid, writes: DurableWrites, restored: readonly OfflineRecord[]) {
    this.own = own;
    this.writes = writes;
    for (const entry of restored) this.add(entry);
  }

  get length(): number {
    return this.waiting.length;
  }

  /** Nobody takes more than half of the room: others find some, too. */
  hasRoomFor(stanza: XmppElement): boolean {
    if (this.waiting.length >= OFFLINE_MESSAGES_MAX || this.bytes >= OFFLINE_BYTES_MAX)
      return false;
    const { messages, bytes } = this.shares.get(senderOf(stanza)) ?? NOTHING;
    return messages < OFFLINE_MESSAGES_MAX / 2 && bytes < OFFLINE_BYTES_MAX / 2;
  }

  /** A place for a message; its record goes to disk together with what belongs to it. */
  prepare(stanza: XmppElement, text: string, unixMs: number): [OfflineRecord, PersistRecord] {
    this.lastSequence += 1;
    const entry = { sequence: this.lastSequence, unixMs, stanza, bytes: text.length };
    return [entry, offlineRecord(entry.sequence, unixMs, text)];
  }

  /** Its record is on disk, or on its way there. */
  add(entry: OfflineRecord): void {
    this.waiting.push(entry);
    this.count(entry, 1);
    this.lastSequence = Math.max(this.lastSequence, entry.sequence);
  }

  /** Its record is on disk, but somebody has come meanwhile. */
  forget(entry: OfflineRecord): void {
    this.writes.write([removal(offlineKey(entry.sequence))]);
  }

  /** Keeps a message whose client went away without it; `done` when it is on disk. */
  keep(stanza: XmppElement, unixMs: number, done: Done = () => undefined): void {
    if (!this.hasRoomFor(stanza)) return done();
    const [entry, record] = this.prepare(stanza, stanzaText(stanza), unixMs);
    this.writes.write([record], done);
    this.add(entry);
  }

  /** Hands to a client that takes messages now as many as it can; whether nothing is left. */
  handOver(client: Client, sessions: LocalSessions): boolean {
    const gone: PersistRecord[] = [];
    while (sessions.hasRoom(client.session)) {
      const entry = this.waiting.shift();
      if (entry === undefined) break;
      this.count(entry, -1);
      gone.push(removal(offlineKey(entry.sequence)));
      sessions.send(client.session, withDelay(entry.stanza, this.own, entry.unixMs));
    }
    if (gone.length > 0) this.writes.write(gone);
    return this.waiting.length === 0;
  }

  private count({ stanza, bytes }: OfflineRecord, sign: 1 | -1): void {
    const sender = senderOf(stanza);
    const share = this.shares.get(sender) ?? NOTHING;
    const messages = share.messages + sign;
    if (messages === 0) this.shares.delete(sender);
    else this.shares.set(sender, { messages, bytes: share.bytes + sign * bytes });
    this.bytes += sign * bytes;
  }
}

interface Share {
  readonly messages: number;
  readonly bytes: number;
}

function senderOf(stanza: XmppElement): string {
  return (stanza.attributes.get('from') ?? '').split('/', 1)[0] ?? '';
}

const NOTHING: Share = { messages: 0, bytes: 0 };
