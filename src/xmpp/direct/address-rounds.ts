import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import {
  type LocatedDevice,
  type LocatedDevices,
  locateDevices,
} from '../location/device-lookup.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { randomShare } from './device-connection.ts';
import {
  LOOKUP_AGAIN_MS,
  RECONNECT_MS_MAX,
  RECONNECT_MS_MIN,
  ROUND_FRESH_MS,
} from './direct-limits.ts';

/** How devices of one address are connected to (XEP-0415 §6.1). */
export type AttachOrder = 'parallel' | 'sequential';

/** What rounds need of those who connect. */
export interface RoundOwner {
  readonly env: XmppEnvironment;
  readonly ownNodeId: NodeId;
  readonly ownUser: BareJid;
  readonly attachOrder: AttachOrder;
  /** Connects to a device; `settled` follows, perhaps at once. False: a limit is reached. */
  seek(device: LocatedDevice): boolean;
  /** There is an open stream to this very device of this very user. */
  isConnected(device: LocatedDevice): boolean;
  /** A round is over. */
  roundOver(address: BareJid, found: number, connected: number, reason: string | undefined): void;
}

/**
 * The rounds of finding and connecting the devices of one address that is wanted: at once when it
 * is asked for, again with doubling pauses while a device is missing, and now and then while none
 * is.
 */
export class AddressRounds {
  readonly address: BareJid;
  /** As of the last lookup that was answered. */
  devices: readonly LocatedDevice[] = [];
  private readonly owner: RoundOwner;
  /** Devices of the present round that are not settled; undefined: no round is under way. */
  private pending: Map<NodeId, LocatedDevice> | undefined;
  /** With sequential connecting: those whose turn has not come. */
  private queue: LocatedDevice[] = [];
  private reasons: string[] = [];
  private failures = 0;
  private completeAtMs: number | undefined;
  private isAnswered = false;
  private isOver = false;

  constructor(address: BareJid, owner: RoundOwner) {
    this.address = address;
    this.owner = owner;
  }

  /** Begins a round unless one is under way; what was complete a moment ago counts again. */
  begin(): void {
    if (this.pending !== undefined) return;
    const { env } = this.owner;
    this.pending = new Map();
    this.reasons = [];
    if (this.isFresh()) {
      env.setDeadline(this.deadline, 0, () => this.end());
      return;
    }
    env.cancelDeadline(this.deadline);
    locateDevices(env, this.owner.ownNodeId, this.address, (found) => this.take(found));
  }

  /** A try to connect to this device ended. */
  settle(nodeId: NodeId, failure: string | undefined): void {
    const device = this.pending?.get(nodeId);
    if (this.pending === undefined || device === undefined) return;
    this.pending.delete(nodeId);
    if (failure !== undefined) this.reasons.push(failure);
    else if (!this.owner.isConnected(device)) {
      this.reasons.push(`node ${nodeId} is no device of ${device.user}`);
    }
    this.seekNext();
    if (this.pending.size === 0 && this.queue.length === 0) this.end();
  }

  /** A device that this address leads to has no stream any more: it is looked for again. */
  missed(): void {
    this.completeAtMs = undefined;
    if (this.pending === undefined) this.again(RECONNECT_MS_MIN);
  }

  stop(): void {
    this.isOver = true;
    this.pending = undefined;
    this.owner.env.cancelDeadline(this.deadline);
  }

  private take({ devices, reason, isAnswered }: LocatedDevices): void {
    if (this.isOver) return;
    if (reason !== undefined) this.reasons.push(reason);
    // Where nothing can be looked up now, what is known is tried.
    if (isAnswered) this.devices = devices;
    this.isAnswered = isAnswered;
    this.queue = [...this.devices];
    this.pending = new Map();
    this.seekNext();
    if (this.pending.size === 0 && this.queue.length === 0) this.end();
  }

  private seekNext(): void {
    const { attachOrder } = this.owner;
    while (this.pending !== undefined && this.queue.length > 0) {
      if (attachOrder === 'sequential' && this.pending.size > 0) return;
      const device = this.queue.shift();
      if (device === undefined) return;
      if (this.owner.isConnected(device)) continue;
      this.pending.set(device.nodeId, device);
      if (this.owner.seek(device)) continue;
      this.pending.delete(device.nodeId);
      this.reasons.push('too many devices are connected');
    }
  }

  private end(): void {
    if (this.pending === undefined || this.isOver) return;
    this.pending = undefined;
    const found = this.devices.length;
    const connected = this.devices.filter((device) => this.owner.isConnected(device)).length;
    // To be the only device of the own user is nothing to be mended: another one will connect.
    const isAlone = this.address === this.owner.ownUser && this.isAnswered;
    const isComplete = connected === found && (found > 0 || isAlone);
    const pauseMs = RECONNECT_MS_MIN * 2 ** this.failures;
    this.failures = isComplete && found > 0 ? 0 : Math.min(this.failures + 1, DOUBLINGS_MAX);
    if (isComplete) {
      this.completeAtMs ??= this.owner.env.now.monotonicMs;
      // Just after joining the overlay may not say yet who else there is (RFC 6940 §10.5).
      this.again(found > 0 ? LOOKUP_AGAIN_MS : Math.min(pauseMs, LOOKUP_AGAIN_MS));
    } else {
      this.completeAtMs = undefined;
      this.again(Math.min(pauseMs, RECONNECT_MS_MAX));
    }
    const reason = connected > 0 ? undefined : this.reasons.join('; ') || NOTHING_FOUND;
    this.owner.roundOver(this.address, found, connected, reason);
  }

  private again(pauseMs: number): void {
    const { env } = this.owner;
    env.setDeadline(this.deadline, pauseMs * (0.5 + randomShare(env)), () => {
      this.completeAtMs = undefined;
      this.begin();
    });
  }

  private isFresh(): boolean {
    if (this.completeAtMs === undefined) return false;
    const ageMs = this.owner.env.now.monotonicMs - this.completeAtMs;
    const isComplete = this.devices.every((device) => this.owner.isConnected(device));
    return ageMs < ROUND_FRESH_MS && isComplete;
  }

  private get deadline(): string {
    return `direct round ${this.address}`;
  }
}

const NOTHING_FOUND = 'no other device of this address is in the overlay';
const DOUBLINGS_MAX = 12;
