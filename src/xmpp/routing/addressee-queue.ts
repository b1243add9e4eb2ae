import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { DoubleEndedQueue } from './double-ended-queue.ts';
import { DEVICE_WINDOW_CHARACTERS_MAX, DEVICE_WINDOW_MAX } from './routing-limits.ts';
import type { OutboxRecord } from './routing-records.ts';

/** How far one connected device of the addressee has come. */
interface DeviceProgress {
  readonly device: Device;
  /** Index in `entries` of what it gets next. */
  next: number;
  /** Sequence of the last message that it acknowledged. */
  acknowledged: number;
  /** Sizes of what was sent and is not acknowledged, in order. */
  readonly underWay: DoubleEndedQueue<number>;
  underWayCharacters: number;
  /** Sequence of the first that found no room on its way, and so has to be sent again. */
  missed: number | undefined;
}

/** The messages that wait for one address, in order, and which of its devices has which. */
export class AddresseeQueue {
  readonly to: BareJid;
  readonly entries = new DoubleEndedQueue<OutboxRecord>();
  private readonly devices = new Map<NodeId, DeviceProgress>();
  /** Sequence up to which at least one device has all. */
  private acknowledged = 0;
  /** Sequences of what reached the addressee another way. */
  private readonly withdrawn = new Set<number>();

  constructor(to: BareJid) {
    this.to = to;
  }

  get hasDevices(): boolean {
    return this.devices.size > 0;
  }

  /** A device has a stream now: it gets everything that is still here. */
  connected(device: Device): void {
    if (this.devices.has(device.nodeId)) return;
    const next = this.entries.firstIndex;
    const underWay = new DoubleEndedQueue<number>();
    this.devices.set(device.nodeId, {
      device,
      next,
      acknowledged: 0,
      underWay,
      underWayCharacters: 0,
      missed: undefined,
    });
  }

  /** Whether it was one of its devices. */
  lost(device: NodeId): boolean {
    return this.devices.delete(device);
  }

  connectedDevices(): IterableIterator<NodeId> {
    return this.devices.keys();
  }

  /** What the device may be sent now. */
  takeNext(nodeId: NodeId): { entry: OutboxRecord; device: Device } | undefined {
    const progress = this.devices.get(nodeId);
    if (progress === undefined || isFull(progress)) return undefined;
    // Once what was sent has arrived there is room again, and all that follows is sent anew.
    if (progress.missed !== undefined && progress.underWay.length > 0) return undefined;
    progress.missed = undefined;
    progress.next = Math.max(progress.next, this.entries.firstIndex);
    while (this.withdrawn.has(this.entries.at(progress.next)?.sequence ?? 0)) progress.next += 1;
    const entry = this.entries.at(progress.next);
    if (entry === undefined) return undefined;
    progress.next += 1;
    progress.underWay.push(entry.bytes);
    progress.underWayCharacters += entry.bytes;
    return { entry, device: progress.device };
  }

  /** The device has this message, and so all before it. */
  delivered(device: NodeId, sequence: number): void {
    const progress = this.devices.get(device);
    if (progress === undefined) return;
    progress.underWayCharacters -= progress.underWay.shift() ?? 0;
    if (progress.missed !== undefined && sequence >= progress.missed) return;
    progress.acknowledged = Math.max(progress.acknowledged, sequence);
    this.acknowledged = Math.max(this.acknowledged, sequence);
  }

  /** The device was not sent this message: an acknowledgement of later ones says nothing of it. */
  undelivered(device: NodeId, sequence: number): void {
    const progress = this.devices.get(device);
    if (progress === undefined) return;
    progress.underWayCharacters -= progress.underWay.shift() ?? 0;
    if (progress.missed !== undefined && progress.missed <= sequence) return;
    progress.missed = sequence;
    const index = this.indexOf(sequence);
    if (index !== undefined) progress.next = Math.min(progress.next, index);
  }

  /** It reached the addressee another way: no device needs it any more. */
  withdraw(sequence: number): void {
    this.withdrawn.add(sequence);
  }

  /** Whether it was withdrawn; that is forgotten with the answer. */
  wasWithdrawn(sequence: number): boolean {
    return this.withdrawn.delete(sequence);
  }

  /** The next message that one device at least has, and that none that is connected still owes. */
  takeFinished(): OutboxRecord | undefined {
    const oldest = this.entries.first();
    if (oldest !== undefined && this.wasWithdrawn(oldest.sequence)) return this.entries.shift();
    if (oldest === undefined || oldest.sequence > this.acknowledged) return undefined;
    for (const { acknowledged } of this.devices.values()) {
      if (oldest.sequence > acknowledged) return undefined;
    }
    return this.entries.shift();
  }

  private indexOf(sequence: number): number | undefined {
    for (let index = this.entries.firstIndex; index < this.entries.endIndex; index++) {
      if (this.entries.at(index)?.sequence === sequence) return index;
    }
    return undefined;
  }
}

function isFull({ underWay, underWayCharacters }: DeviceProgress): boolean {
  return underWay.length >= DEVICE_WINDOW_MAX || underWayCharacters >= DEVICE_WINDOW_CHARACTERS_MAX;
}
