import type { PersistRecord } from '../../../storage/persist-record.ts';
import type { NodeId } from '../../../wire/node-id.ts';
import type { Jid } from '../../../xmpp-address/jid.ts';
import { childElements, type XmppElement } from '../../stanza/xmpp-element.ts';
import type { LocalDelivery } from '../local-delivery.ts';
import { duplicateKey, type MessageArchive, receivedKey } from '../message-archive.ts';
import type { MessageReception } from '../message-reception.ts';
import { isForwardable, withDelay, withoutStanzaIdsBy, withStanzaId } from '../message-rules.ts';
import type { RoutingContext } from '../routing-context.ts';
import type { ArchiveRecord } from '../routing-records.ts';
import { elementOfText, stanzaText } from '../stanza-text.ts';
import type { WritesInProgress } from '../writes-in-progress.ts';
import { type SyncPosition, SyncPositions } from './sync-positions.ts';
import { type SyncEntry, type SynchronizedPart, syncElement, timeOf } from './synchronized-part.ts';

export interface ArchiveSyncParts {
  readonly context: RoutingContext;
  readonly archive: MessageArchive;
  readonly delivery: LocalDelivery;
  readonly reception: MessageReception;
  readonly inProgress: WritesInProgress;
}

/** A message that another own device has kept and this one has not. */
interface Missed {
  readonly message: XmppElement;
  readonly from: Jid;
  readonly to: Jid;
  readonly key: string;
  readonly id: string;
  readonly unixMs: number;
}

/**
 * The messages that other own devices sent and got while this one was off: behind those of this
 * archive, in the order of the other one, with their times and ids, and none twice.
 */
export class ArchiveSync implements SynchronizedPart {
  readonly name = 'archive';
  private readonly parts: ArchiveSyncParts;
  private readonly positions: SyncPositions;

  constructor(parts: ArchiveSyncParts, positions: readonly SyncPosition[]) {
    this.parts = parts;
    this.positions = new SyncPositions(positions);
  }

  /** The orders of two archives differ, and what was kept from other devices does. */
  digest(): undefined {
    return undefined;
  }

  positionAt(device: NodeId): string | undefined {
    return this.positions.of(device);
  }

  *entries(): Generator<SyncEntry> {
    const { archive } = this.parts;
    for (const entry of archive.all()) {
      yield { key: entry.id, element: () => this.shown(entry) };
    }
  }

  take(device: NodeId, entries: readonly XmppElement[], last: string, then: () => void): void {
    const { positions } = this;
    const { context } = this.parts;
    // Nothing more is asked for while the disk cannot be written.
    if (context.writes.refusal() !== undefined) return;
    const before = positions.of(device);
    const after: (() => void)[] = [];
    const records: PersistRecord[] = [];
    for (const entry of entries) {
      const missed = this.missedOf(entry);
      if (missed === undefined) continue;
      // What is older than the acquaintance of both devices is for the archive alone.
      after.push(this.keep(missed, before !== undefined, records));
    }
    const position = last === '' ? (before ?? '') : last;
    if (position !== before) {
      records.push(...positions.set(device, position, context.environment.unixMs));
    }
    context.writes.write(records, () => {
      for (const handOn of after) handOn();
      then();
    });
  }

  /** Its records are among `records`; the answer is what follows when they are on disk. */
  private keep(missed: Missed, isTold: boolean, records: PersistRecord[]): () => void {
    const { archive, context, delivery, inProgress, reception } = this.parts;
    const { from, id, key, message, to, unixMs } = missed;
    const { own } = context;
    const isSent = from.bare === own.bare;
    const kept = isSent ? message : withStanzaId(message, own.bare, id);
    const entry = archive.entryOf({
      ...{ id, unixMs, duplicateKey: key, stanza: stanzaText(kept) },
      with: isSent ? to.bare : from.bare,
    });
    records.push(archive.recordOf(entry));
    inProgress.began(key);
    const handOn =
      isSent || !isTold ? undefined : reception.prepareMissed(kept, to, entry, records);
    return () => {
      context.writes.write(archive.add(entry));
      handOn?.();
      inProgress.ended(key);
      if (!isSent || !isTold) return;
      delivery.sendCarbons(withDelay(message, own.bare, unixMs), 'sent', new Set());
    };
  }

  /** Undefined: it is known here, or is no message of the user. */
  private missedOf(entry: XmppElement): Missed | undefined {
    const { archive, context, inProgress } = this.parts;
    const { addresses, environment, own } = context;
    const [given] = childElements(entry);
    const time = timeOf(entry, 'time');
    const from = addresses.parseIfValid(given?.attributes.get('from'));
    const to = addresses.parseIfValid(given?.attributes.get('to')) ?? own;
    if (given?.name !== 'message' || time === undefined || from === undefined) return undefined;
    const isSent = from.bare === own.bare;
    if (!isSent && to.bare !== own.bare) return undefined;
    const message = withoutStanzaIdsBy(given, own.bare);
    const key = isSent ? duplicateKey(message, from, to) : receivedKey(message, from, to);
    if (key === undefined || inProgress.isKnown(key, () => undefined)) return undefined;
    const wanted = entry.attributes.get('id') ?? '';
    const isUsable = wanted !== '' && archive.withId(wanted) === undefined;
    const id = isUsable ? wanted : archive.newId();
    return { message, from, to, key, id, unixMs: Math.min(time, environment.unixMs) };
  }

  private shown({ duplicateKey: key, id, stanza, unixMs }: ArchiveRecord): XmppElement | undefined {
    // What nothing identifies might come twice.
    if (key === undefined || stanza === undefined) return undefined;
    const message = elementOfText(stanza);
    if (message === undefined || !isForwardable(message)) return undefined;
    const plain = withoutStanzaIdsBy(message, this.parts.context.own.bare);
    return syncElement('message', { id, time: String(unixMs) }, [plain]);
  }
}
