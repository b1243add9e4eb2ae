import type { PersistRecord } from '../../storage/persist-record.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { LocalDelivery } from './local-delivery.ts';
import { type MessageArchive, receivedKey } from './message-archive.ts';
import { messageKeeping, withDelay, withStanzaId } from './message-rules.ts';
import type { OfflineQueue } from './offline-queue.ts';
import type { Done } from './ordered-acknowledgements.ts';
import type { OwnDeviceCopies } from './own-device-copies.ts';
import { type RoutingContext, refuse } from './routing-context.ts';
import type { ArchiveRecord, OfflineRecord } from './routing-records.ts';
import type { StanzaOrigin } from './stanza-origin.ts';
import { stanzaText } from './stanza-text.ts';
import type { WritesInProgress } from './writes-in-progress.ts';

/** A message to the user, its addresses parsed. */
export interface IncomingMessage {
  /** Without ids in this peer's name. */
  readonly message: XmppElement;
  readonly from: Jid;
  /** The own bare JID, or a full one of it. */
  readonly to: Jid;
  readonly origin: StanzaOrigin;
  /** Another own device passed it on: nobody is told when it is not taken, nor is it copied. */
  readonly isCopy: boolean;
}

export interface MessageReceptionParts {
  readonly context: RoutingContext;
  readonly archive: MessageArchive;
  readonly delivery: LocalDelivery;
  readonly offline: OfflineQueue;
  readonly copies: OwnDeviceCopies;
  readonly inProgress: WritesInProgress;
}

/** Messages to the user: recognised, kept, handed to the clients, copied to the other devices. */
export class MessageReception {
  private readonly parts: MessageReceptionParts;

  constructor(parts: MessageReceptionParts) {
    this.parts = parts;
  }

  /** `done` when it is on disk, refused, or nothing to keep. */
  receive(incoming: IncomingMessage, done: Done): void {
    const { delivery, inProgress } = this.parts;
    const { message, to } = incoming;
    const outcome = delivery.outcome(message, to, this.isElsewhere(to));
    if (outcome === 'refused') {
      this.refuse(incoming, 'no client with this resource is there for such a message');
      return done();
    }
    if (outcome === 'ignored' || messageKeeping(message) === 'transient') {
      delivery.deliver(message, to, this.isElsewhere(to));
      this.copy(incoming);
      return done();
    }
    const key = receivedKey(message, incoming.from, to);
    if (key !== undefined && inProgress.isKnown(key, done)) return;
    const refusal = this.refusal(message, outcome === 'nobody');
    if (refusal !== undefined) {
      this.refuse(incoming, refusal);
      return done();
    }
    this.keep(incoming, key, outcome === 'nobody' && this.parts.offline.hasRoomFor(message), done);
  }

  /**
   * For the clients: a message that another own device got while this one was off, with its
   * stanza-id, as `entry` of the archive. What has to be written with it is added to `records`; the
   * answer is what follows when that is on disk. Who sent it was told by the other device.
   */
  prepareMissed(
    message: XmppElement,
    to: Jid,
    entry: ArchiveRecord,
    records: PersistRecord[],
  ): () => void {
    const { context, delivery, offline } = this.parts;
    const outcome = delivery.outcome(message, to, this.isElsewhere(to));
    if (outcome === 'refused' || outcome === 'ignored') return () => undefined;
    const mustWait = outcome === 'nobody' && offline.hasRoomFor(message);
    const waiting = mustWait
      ? offline.prepare(message, stanzaText(message), entry.unixMs)
      : undefined;
    if (waiting !== undefined) records.push(waiting[1]);
    const stamped = withDelay(message, context.own.bare, entry.unixMs);
    return () => this.handToClients(stamped, message, to, entry, waiting?.[0], () => undefined);
  }

  private keep(
    incoming: IncomingMessage,
    key: string | undefined,
    mustWait: boolean,
    done: Done,
  ): void {
    const { archive, context, inProgress, offline } = this.parts;
    const { unixMs } = context.environment;
    const id = archive.newId();
    const message = withStanzaId(incoming.message, context.own.bare, id);
    const text = stanzaText(message);
    const isArchived = messageKeeping(message) === 'archived';
    const stanza = isArchived ? text : undefined;
    const other = incoming.from.bare;
    const entry = archive.entryOf({ id, unixMs, with: other, duplicateKey: key, stanza });
    const records: PersistRecord[] = [archive.recordOf(entry)];
    let waiting: OfflineRecord | undefined;
    if (mustWait) {
      const [place, record] = offline.prepare(message, text, unixMs);
      waiting = place;
      records.push(record);
    }
    if (key !== undefined) inProgress.began(key);
    context.writes.write(records, () => {
      this.handOn(incoming, message, entry, waiting, done);
      if (key !== undefined) inProgress.ended(key);
    });
  }

  /** It is on disk. Clients may have come or gone since it arrived. */
  private handOn(
    incoming: IncomingMessage,
    message: XmppElement,
    entry: ArchiveRecord,
    waiting: OfflineRecord | undefined,
    done: Done,
  ): void {
    const { archive, context } = this.parts;
    context.writes.write(archive.add(entry));
    this.copy(incoming);
    this.handToClients(message, message, incoming.to, entry, waiting, done);
  }

  /** `shown` to those who are there; `message`, without a time, where it has to wait. */
  private handToClients(
    shown: XmppElement,
    message: XmppElement,
    to: Jid,
    entry: ArchiveRecord,
    waiting: OfflineRecord | undefined,
    done: Done,
  ): void {
    const { delivery, offline } = this.parts;
    const outcome = delivery.deliver(shown, to, this.isElsewhere(to));
    const nobodyIsThere = outcome !== 'delivered';
    if (waiting !== undefined) {
      if (nobodyIsThere) offline.add(waiting);
      else offline.forget(waiting);
    } else if (nobodyIsThere) {
      return offline.keep(message, entry.unixMs, done);
    }
    done();
  }

  /** What finds no place in the offline queue is still in the archive, unless it is in none. */
  private refusal(message: XmppElement, mustWait: boolean): string | undefined {
    const { context, offline } = this.parts;
    const isLost =
      mustWait && !offline.hasRoomFor(message) && messageKeeping(message) === 'unarchived';
    return isLost ? 'too many messages wait for the user already' : context.writes.refusal();
  }

  private refuse(incoming: IncomingMessage, text: string): void {
    if (incoming.isCopy) return;
    const { context } = this.parts;
    refuse(context, incoming.origin, incoming.message, 'service-unavailable', text);
  }

  private copy(incoming: IncomingMessage): void {
    if (incoming.isCopy) return;
    const { context, copies } = this.parts;
    copies.send(incoming.message, 'received', context.environment.unixMs);
  }

  private isElsewhere(to: Jid): boolean {
    return to.resourcepart !== undefined && this.parts.context.resources.get(to) !== undefined;
  }
}
