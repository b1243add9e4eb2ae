import type { PersistRecord } from '../../storage/persist-record.ts';
import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { Device, DirectStreams } from '../direct/direct-streams.ts';
import type { StanzaErrorCondition } from '../stanza/stanza.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { AddresseeQueue } from './addressee-queue.ts';
import type { DurableWrites } from './durable-writes.ts';
import { withDelay } from './message-rules.ts';
import type { OtherWay } from './other-way.ts';
import { ReachSchedule } from './reach-schedule.ts';
import { addressedTo } from './routing-context.ts';
import {
  DELAY_STAMP_AFTER_MS,
  OUTBOX_ADDRESSEES_MAX,
  OUTBOX_AGE_MAX_MS,
  OUTBOX_BYTES_MAX,
  OUTBOX_MESSAGES_MAX,
  OUTBOX_PER_ADDRESSEE_MAX,
  OUTBOX_SWEEP_MS,
  SEND_AGAIN_MS,
} from './routing-limits.ts';
import { type OutboxRecord, outboxKey, outboxRecord, removal } from './routing-records.ts';
import type { WantedAddresses } from './wanted-addresses.ts';

export interface OutboxParts {
  readonly environment: XmppEnvironment;
  readonly streams: DirectStreams;
  readonly wanted: WantedAddresses;
  readonly writes: DurableWrites;
  readonly ownAddress: BareJid;
  /** Where stanzas may go instead; it says so by `withdraw`. */
  readonly otherWay: OtherWay;
  /** It went the other way. */
  readonly handedOn: (entry: OutboxRecord) => void;
  /** A device of the addressee has it on disk, and no connected one still owes. */
  readonly delivered: (entry: OutboxRecord) => void;
  /** It is not waited for any more. */
  readonly givenUp: (entry: OutboxRecord, condition: StanzaErrorCondition, why: string) => void;
}

/**
 * Stanzas on their way to other devices, on disk until one device of the addressee has acknowledged
 * them and no connected one still owes (XEP-0415 §6.2). In order for each addressee.
 */
export class Outbox {
  private readonly parts: OutboxParts;
  private readonly reach: ReachSchedule;
  private readonly queues = new Map<BareJid, AddresseeQueue>();
  private readonly queueOf = new Map<number, AddresseeQueue>();
  private messages = 0;
  private bytes = 0;
  private lastSequence = 0;

  /** `restored` in the order of the sequences. */
  constructor(parts: OutboxParts, restored: readonly OutboxRecord[]) {
    this.parts = parts;
    this.reach = new ReachSchedule(parts.environment, parts.wanted);
    for (const entry of restored) {
      this.reserve(entry.bytes);
      this.append(entry);
      this.lastSequence = Math.max(this.lastSequence, entry.sequence);
    }
  }

  /** Looks for everybody for whom something waits. */
  start(): void {
    for (const queue of this.queues.values()) {
      for (const entry of queue.entries) this.parts.otherWay.placed(entry);
      this.attachDevices(queue);
      if (!queue.hasDevices) this.reach.wantSoon(queue.to);
    }
    this.sweepLater();
  }

  /** Why no further stanza of `bytes` for this address has room; undefined when it has. */
  refusal(to: BareJid, bytes: number): string | undefined {
    const queue = this.queues.get(to);
    if (queue === undefined && this.queues.size >= OUTBOX_ADDRESSEES_MAX) {
      return `messages wait for ${OUTBOX_ADDRESSEES_MAX} contacts already`;
    }
    if ((queue?.entries.length ?? 0) >= OUTBOX_PER_ADDRESSEE_MAX) {
      return `${OUTBOX_PER_ADDRESSEE_MAX} messages wait for ${to} already`;
    }
    if (this.messages >= OUTBOX_MESSAGES_MAX || this.bytes + bytes > OUTBOX_BYTES_MAX) {
      return 'too many messages wait for contacts that cannot be reached';
    }
    return undefined;
  }

  /** Room and place for a stanza; its record goes to disk together with what belongs to it. */
  prepare(
    to: BareJid,
    stanza: XmppElement,
    text: string,
  ): { readonly entry: OutboxRecord; readonly record: PersistRecord } {
    this.lastSequence += 1;
    const { unixMs } = this.parts.environment;
    const entry = { sequence: this.lastSequence, to, unixMs, stanza, bytes: text.length };
    this.reserve(entry.bytes);
    return { entry, record: outboxRecord(entry.sequence, to, unixMs, text) };
  }

  /** Its record is on disk: now it is sent. */
  add(entry: OutboxRecord): void {
    const queue = this.append(entry);
    this.parts.otherWay.placed(entry);
    if (!this.parts.otherWay.holds(queue.to)) this.approach(queue);
  }

  /** What waits for this address and was held back may go to its devices now. */
  release(to: BareJid): void {
    const queue = this.queues.get(to);
    if (queue !== undefined) this.approach(queue);
  }

  /** These reached their addressee the other way, or whoever keeps them for it. */
  withdraw(entries: readonly OutboxRecord[]): void {
    const touched = new Set<AddresseeQueue>();
    const gone: PersistRecord[] = [];
    for (const entry of entries) {
      const queue = this.queueOf.get(entry.sequence);
      if (queue === undefined) continue;
      queue.withdraw(entry.sequence);
      gone.push(removal(outboxKey(entry.sequence)));
      touched.add(queue);
      this.parts.otherWay.gone(entry);
      this.parts.handedOn(entry);
    }
    if (gone.length > 0) this.parts.writes.write(gone);
    for (const queue of touched) this.settle(queue);
  }

  deviceConnected(device: Device): void {
    for (const queue of this.queues.values()) {
      const leadsToIt = this.parts.streams
        .devicesOf(queue.to)
        .some(({ nodeId }) => nodeId === device.nodeId);
      if (!leadsToIt) continue;
      this.reach.reached(queue.to);
      queue.connected(device);
      this.pump(queue);
    }
  }

  deviceLost(device: Device): void {
    for (const queue of this.queues.values()) {
      // Whoever comes and goes moves nobody else's next try.
      if (!queue.lost(device.nodeId)) continue;
      this.settle(queue);
      if (queue.entries.length > 0 && !queue.hasDevices) this.reach.wantLater(queue.to);
    }
  }

  delivered(device: Device, tags: readonly number[]): void {
    const touched = new Set<AddresseeQueue>();
    for (const tag of tags) {
      const queue = this.queueOf.get(tag);
      if (queue === undefined) continue;
      queue.delivered(device.nodeId, tag);
      touched.add(queue);
    }
    for (const queue of touched) {
      this.settle(queue);
      this.pumpDevice(queue, device.nodeId);
    }
  }

  /** There was no room on the way to this device: it is sent again, unless the device is lost. */
  undelivered(device: Device, tags: readonly number[]): void {
    const touched = new Set<AddresseeQueue>();
    for (const tag of tags) {
      const queue = this.queueOf.get(tag);
      if (queue === undefined) continue;
      queue.undelivered(device.nodeId, tag);
      touched.add(queue);
    }
    for (const queue of touched) {
      const key = `routing-again ${device.nodeId} ${queue.to}`;
      this.parts.environment.setDeadline(key, SEND_AGAIN_MS, () => this.pump(queue));
    }
  }

  addressTried(address: BareJid): void {
    const queue = this.queues.get(address);
    if (queue === undefined) return;
    this.attachDevices(queue);
    if (queue.hasDevices) this.pump(queue);
    else this.reach.wantLater(address);
  }

  /** Something is to be delivered to it. */
  waitsFor(address: BareJid): boolean {
    return this.queues.has(address);
  }

  private append(entry: OutboxRecord): AddresseeQueue {
    let queue = this.queues.get(entry.to);
    if (queue === undefined) {
      queue = new AddresseeQueue(entry.to);
      this.queues.set(entry.to, queue);
    }
    queue.entries.push(entry);
    this.queueOf.set(entry.sequence, queue);
    return queue;
  }

  private approach(queue: AddresseeQueue): void {
    this.attachDevices(queue);
    if (!queue.hasDevices) this.reach.want(queue.to);
    this.pump(queue);
    this.settle(queue);
  }

  private attachDevices(queue: AddresseeQueue): void {
    for (const device of this.parts.streams.devicesOf(queue.to)) queue.connected(device);
  }

  private pump(queue: AddresseeQueue): void {
    for (const device of queue.connectedDevices()) this.pumpDevice(queue, device);
  }

  private pumpDevice(queue: AddresseeQueue, nodeId: NodeId): void {
    if (this.parts.otherWay.holds(queue.to)) return;
    for (;;) {
      const next = queue.takeNext(nodeId);
      if (next === undefined) return;
      const stanza = addressedTo(next.device, queue.to, this.stamped(next.entry));
      this.parts.streams.send(nodeId, stanza, next.entry.sequence);
    }
  }

  private stamped(entry: OutboxRecord): XmppElement {
    const waited = this.parts.environment.unixMs - entry.unixMs;
    if (waited < DELAY_STAMP_AFTER_MS) return entry.stanza;
    return withDelay(entry.stanza, this.parts.ownAddress, entry.unixMs);
  }

  /** Removes what is finished, from disk too. */
  private settle(queue: AddresseeQueue): void {
    const gone: PersistRecord[] = [];
    for (;;) {
      const entry = queue.takeFinished();
      if (entry === undefined) break;
      gone.push(this.forget(entry));
      this.parts.delivered(entry);
    }
    if (gone.length > 0) this.parts.writes.write(gone);
    this.dropIfEmpty(queue);
  }

  private dropIfEmpty(queue: AddresseeQueue): void {
    if (queue.entries.length > 0) return;
    this.queues.delete(queue.to);
    this.reach.reached(queue.to);
  }

  private forget(entry: OutboxRecord): PersistRecord {
    this.parts.otherWay.gone(entry);
    this.queueOf.delete(entry.sequence);
    this.messages -= 1;
    this.bytes -= entry.bytes;
    return removal(outboxKey(entry.sequence));
  }

  private reserve(bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
  }

  private sweepLater(): void {
    this.parts.environment.setDeadline('routing-outbox-sweep', OUTBOX_SWEEP_MS, () => this.sweep());
  }

  /** Nobody has this address: what waits for it is given up. */
  giveUp(to: BareJid, condition: StanzaErrorCondition, reason: string): void {
    const queue = this.queues.get(to);
    if (queue !== undefined) this.dropFrom(queue, () => true, condition, reason);
  }

  /** What no device took in time is given up; what one is just being sent is not. */
  private sweep(): void {
    const limit = this.parts.environment.unixMs - OUTBOX_AGE_MAX_MS;
    for (const queue of [...this.queues.values()]) {
      const reason = `no device of ${queue.to} could be reached in time`;
      this.dropFrom(queue, ({ unixMs }) => unixMs < limit, 'recipient-unavailable', reason);
    }
    this.sweepLater();
  }

  /** The oldest ones for which `isOver` holds, unless they are on their way. */
  private dropFrom(
    queue: AddresseeQueue,
    isOver: (entry: OutboxRecord) => boolean,
    condition: StanzaErrorCondition,
    reason: string,
  ): void {
    const gone: PersistRecord[] = [];
    const dropped: OutboxRecord[] = [];
    for (;;) {
      const oldest = queue.hasDevices ? undefined : queue.entries.first();
      if (oldest === undefined || !isOver(oldest)) break;
      queue.entries.shift();
      gone.push(this.forget(oldest));
      if (!queue.wasWithdrawn(oldest.sequence)) dropped.push(oldest);
    }
    if (gone.length === 0) return;
    this.parts.writes.write(gone);
    this.dropIfEmpty(queue);
    for (const entry of dropped) this.parts.givenUp(entry, condition, reason);
  }
}
