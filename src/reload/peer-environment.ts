import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { Now } from '../storage/now.ts';
import type { Signer } from '../tls-auth/signer.ts';
import type { NodeId } from '../wire/node-id.ts';
import { DeadlineTable } from './deadline-table.ts';
import type { LinkId } from './input.ts';
import type { Output } from './output.ts';
import type { PeerDeadline } from './peer-deadline.ts';
import type { DropCause, PeerEvent, PeerState } from './peer-event.ts';
import { PEER_LIMITS, type PeerLimits } from './peer-limits.ts';
import type { PeerOptions } from './peer-options.ts';

/**
 * What all components of one Peer share: the time of the present input, the outputs it led to so
 * far, the deadlines, the configuration in force. Nothing here decides anything.
 */
export class PeerEnvironment {
  readonly options: PeerOptions;
  readonly limits: PeerLimits;
  readonly nodeId: NodeId;
  readonly deadlines = new DeadlineTable<PeerDeadline>();
  readonly counters = { sent: 0, received: 0, forwarded: 0, answered: 0 };
  readonly dropped = new Map<DropCause, number>();
  configuration: VerifiedConfiguration;
  /** Why this node cannot stay in the overlay. */
  leaveReason: string | undefined;
  /** Signs everything from now on; a renewed certificate brings another one. */
  signer: Signer;
  /** Set at the beginning of every `handle`. */
  now: Now = { monotonicMs: 0, unixMs: 0 };
  startedMonotonicMs = 0;
  private currentState: PeerState = 'starting';
  private outputs: Output[] = [];
  /** Place in `outputs` and parts of the one `send` per link that an input leads to. */
  private lastStorageTime = 0n;
  private readonly queued: (() => void)[] = [];
  private readonly sends = new Map<LinkId, { at: number; parts: Uint8Array[] }>();

  constructor(options: PeerOptions) {
    this.options = options;
    this.limits = { ...PEER_LIMITS, ...options.limits };
    this.nodeId = options.signer.nodeId;
    this.configuration = options.configuration;
    this.signer = options.signer;
  }

  get state(): PeerState {
    return this.currentState;
  }

  get uptimeSeconds(): number {
    return Math.floor((this.now.monotonicMs - this.startedMonotonicMs) / 1000);
  }

  enter(state: PeerState): void {
    if (state === this.currentState) return;
    this.currentState = state;
    this.event({ type: 'stateChanged', state });
  }

  emit(output: Output): void {
    this.outputs.push(output);
  }

  event(event: PeerEvent): void {
    this.outputs.push({ type: 'event', event });
  }

  /** Counts a message that is not processed and tells why. */
  drop(cause: DropCause, detail: string): void {
    this.dropped.set(cause, (this.dropped.get(cause) ?? 0) + 1);
    this.event({ type: 'messageDropped', cause, detail });
  }

  /** All bytes that one input sends over a link leave in one `send`. */
  send(link: LinkId, bytes: Uint8Array): void {
    const open = this.sends.get(link);
    if (open !== undefined) {
      open.parts.push(bytes);
      return;
    }
    this.sends.set(link, { at: this.outputs.length, parts: [bytes] });
    this.outputs.push({ type: 'send', link, bytes });
  }

  /** Runs `work` once what is being done now is finished, within the same input. */
  queue(work: () => void): void {
    this.queued.push(work);
  }

  /** Runs what was queued, and what that queues. */
  runQueued(): void {
    for (let work = this.queued.shift(); work !== undefined; work = this.queued.shift()) work();
  }

  after(key: string, deadline: PeerDeadline, delayMs: number): void {
    this.deadlines.set(key, deadline, this.now.monotonicMs + delayMs);
  }

  takeOutputs(): Output[] {
    for (const [link, { at, parts }] of this.sends) {
      if (parts.length > 1) this.outputs[at] = { type: 'send', link, bytes: concat(parts) };
    }
    this.sends.clear();
    const taken = this.outputs;
    this.outputs = [];
    return taken;
  }

  /** For a value to store: the time, but later than any before (RFC 6940 §13.5.3). */
  nextStorageTime(): bigint {
    const time = BigInt(Math.floor(this.now.unixMs));
    this.lastStorageTime = time > this.lastStorageTime ? time : this.lastStorageTime + 1n;
    return this.lastStorageTime;
  }

  /** A random number of ms in [low, high). */
  randomMs(lowMs: number, highMs: number): number {
    const bytes = this.options.random.bytes(4);
    const share = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
    return lowMs + share * (highMs - lowMs);
  }

  randomUint64(): bigint {
    const bytes = this.options.random.bytes(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const result = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
