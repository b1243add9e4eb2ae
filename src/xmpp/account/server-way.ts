import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { withDelay } from '../routing/message-rules.ts';
import type { OtherWay } from '../routing/other-way.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import { DELAY_STAMP_AFTER_MS } from '../routing/routing-limits.ts';
import type { OutboxRecord } from '../routing/routing-records.ts';
import { withAttributes, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  FIRST_WAY_MS,
  OVERLAY_UNREACHED_MS,
  SERVER_REFUSAL_MS,
  SERVER_WINDOW_MAX,
  WAY_ADDRESSES_MAX,
} from './account-limits.ts';
import type { AccountServer } from './account-server.ts';
import { RecentAddresses } from './recent-addresses.ts';
import type { ServerPathHooks } from './server-path-hooks.ts';
import { type SentByServer, ServerSent } from './server-sent.ts';

/** Which way a message takes first (XEP-0415 §8). */
export type PrimaryWay = 'overlay' | 'server';

export interface ServerWayParts {
  readonly context: RoutingContext;
  readonly server: AccountServer;
  readonly primary: PrimaryWay;
  readonly hooks: ServerPathHooks;
  /** The server has these: they need not wait for the overlay any more. */
  readonly withdraw: (entries: readonly OutboxRecord[]) => void;
  /** What waits for this address may go to its devices, too. */
  readonly release: (to: BareJid) => void;
  /** The server gave a message back: it waits for the overlay again. */
  readonly placeAgain: (sent: SentByServer) => void;
}

/**
 * The way of messages over the user's own server (XEP-0415 §8). All wait in the outbox; whichever
 * way first acknowledges one, withdraws it from the other. What went both ways is the same message
 * for the addressee, by its origin-id.
 *
 * Overlay first: by the server goes what was not delivered within FIRST_WAY_MS, and at once what is
 * for an address that the overlay did not reach. Server first: devices are asked when the server is
 * away, refuses, or has not taken a message within FIRST_WAY_MS.
 */
export class ServerWay implements OtherWay {
  private readonly parts: ServerWayParts;
  private readonly waiting = new Map<BareJid, WaitingMessages>();
  /** What the server has not acknowledged, by sequence. */
  private readonly underWay = new Map<number, OutboxRecord>();
  private readonly refused: RecentAddresses;
  private readonly unreached: RecentAddresses;
  private readonly sent = new ServerSent();

  constructor(parts: ServerWayParts) {
    const { environment } = parts.context;
    this.parts = parts;
    this.refused = new RecentAddresses(environment, SERVER_REFUSAL_MS, WAY_ADDRESSES_MAX);
    this.unreached = new RecentAddresses(environment, OVERLAY_UNREACHED_MS, WAY_ADDRESSES_MAX);
  }

  placed(entry: OutboxRecord): void {
    const { to } = entry;
    let waiting = this.waiting.get(to);
    if (waiting === undefined) {
      waiting = { entries: new Map(), isDue: this.isDueAtOnce(to), isReleased: false };
      this.waiting.set(to, waiting);
      this.lookLater(to, FIRST_WAY_MS);
    }
    waiting.entries.set(entry.sequence, entry);
    this.flush(waiting);
  }

  gone(entry: OutboxRecord): void {
    this.underWay.delete(entry.sequence);
    const waiting = this.waiting.get(entry.to);
    waiting?.entries.delete(entry.sequence);
    if (waiting?.entries.size !== 0) return;
    this.waiting.delete(entry.to);
    this.parts.context.environment.cancelDeadline(deadlineOf(entry.to));
  }

  holds(to: BareJid): boolean {
    const waiting = this.waiting.get(to);
    if (this.parts.primary !== 'server' || waiting === undefined || waiting.isReleased)
      return false;
    if (!this.parts.server.isOnline || this.refused.has(to)) return false;
    for (const entry of waiting.entries.values()) if (!isForServer(entry)) return false;
    return true;
  }

  /** Whether the server may still take something for this address, now or when it is back. */
  mayReach(to: BareJid): boolean {
    return !this.refused.has(to);
  }

  /**
   * A message that is worth something only now: true when the server took it instead of the
   * devices. `isLast`: no device is there.
   */
  takesNow(message: XmppElement, to: Jid, isLast: boolean): boolean {
    const { context, primary, server } = this.parts;
    if (!server.isOnline || this.refused.has(to.bare)) return false;
    if (primary === 'overlay' && !isLast) return false;
    const { unixMs } = context.environment;
    this.leave(message, (leaving) => {
      if (leaving === undefined || !server.isOnline) return;
      const id = leaving.attributes.get('id');
      this.sent.add({ to: to.bare, stanza: message, id, sequence: undefined, unixMs });
      server.send(leaving, 0);
    });
    return true;
  }

  serverOnline(): void {
    for (const waiting of [...this.waiting.values()]) this.flush(waiting);
  }

  /** Devices get what only waited for the server. */
  serverOffline(): void {
    if (this.parts.primary !== 'server') return;
    for (const to of [...this.waiting.keys()]) this.parts.release(to);
  }

  acknowledged(sequences: readonly number[]): void {
    const taken: OutboxRecord[] = [];
    for (const sequence of sequences) {
      const entry = this.underWay.get(sequence);
      if (entry === undefined) continue;
      this.underWay.delete(sequence);
      if (!this.refused.has(entry.to)) taken.push(entry);
    }
    if (taken.length > 0) this.parts.withdraw(taken);
    for (const waiting of [...this.waiting.values()]) this.flush(waiting);
  }

  /** The server may have these or not: they go again when it is back. */
  lost(sequences: readonly number[]): void {
    for (const sequence of sequences) this.underWay.delete(sequence);
  }

  /**
   * An error came by the server: whether it was for a message of this peer. What the server cannot
   * deliver waits for the overlay, as it does without a server.
   */
  bounced(from: Jid, id: string): SentByServer | undefined {
    const sent = this.sent.take(from.bare, id);
    if (sent === undefined || sent.sequence === undefined) return sent;
    this.refused.add(sent.to);
    this.lookLater(sent.to, SERVER_REFUSAL_MS);
    if (this.underWay.delete(sent.sequence)) this.parts.release(sent.to);
    else if (this.waiting.get(sent.to)?.entries.has(sent.sequence) !== true) {
      this.parts.placeAgain(sent);
    }
    return sent;
  }

  /** The overlay found and connected devices of this address, or did not. */
  addressTried(to: BareJid, connected: number): void {
    if (connected > 0) return this.unreached.delete(to);
    this.unreached.add(to);
    const waiting = this.waiting.get(to);
    if (waiting === undefined) return;
    waiting.isDue = true;
    this.flush(waiting);
  }

  deviceConnected(device: Device): void {
    this.unreached.delete(device.user);
  }

  private isDueAtOnce(to: BareJid): boolean {
    return this.parts.primary === 'server' || this.unreached.has(to);
  }

  private lookLater(to: BareJid, afterMs: number): void {
    this.parts.context.environment.setDeadline(deadlineOf(to), afterMs, () => {
      const waiting = this.waiting.get(to);
      if (waiting === undefined) return;
      waiting.isDue = true;
      if (this.parts.context.streams.devicesOf(to).length === 0) this.unreached.add(to);
      const wasHeld = this.holds(to);
      waiting.isReleased = true;
      if (wasHeld) this.parts.release(to);
      if (this.refused.has(to)) return this.lookLater(to, SERVER_REFUSAL_MS);
      this.flush(waiting);
    });
  }

  /** Sends what is due, in order, as much as may be under way. */
  private flush(waiting: WaitingMessages): void {
    const { server } = this.parts;
    if (!waiting.isDue || !server.isOnline) return;
    for (const entry of waiting.entries.values()) {
      if (this.underWay.size >= SERVER_WINDOW_MAX) return;
      if (this.refused.has(entry.to)) return;
      if (this.underWay.has(entry.sequence) || !isForServer(entry)) continue;
      this.underWay.set(entry.sequence, entry);
      this.leave(this.stamped(entry), (leaving) => this.sendNext(entry, leaving));
    }
  }

  /** Meanwhile it may have gone another way, or the server. */
  private sendNext(entry: OutboxRecord, leaving: XmppElement | undefined): void {
    const { server } = this.parts;
    const { sequence, to, stanza, unixMs } = entry;
    if (this.underWay.get(sequence) !== entry) return;
    if (leaving === undefined) return this.refuse(to, sequence);
    if (!server.isOnline) {
      this.underWay.delete(sequence);
      return;
    }
    this.sent.add({ to, stanza, id: leaving.attributes.get('id'), sequence, unixMs });
    server.send(leaving, sequence);
  }

  /** The server does not get it: it waits for the overlay. */
  private refuse(to: BareJid, sequence: number): void {
    this.refused.add(to);
    this.lookLater(to, SERVER_REFUSAL_MS);
    if (this.underWay.delete(sequence)) this.parts.release(to);
  }

  private stamped({ stanza, unixMs }: OutboxRecord): XmppElement {
    const { environment, own } = this.parts.context;
    const waitedMs = environment.unixMs - unixMs;
    return waitedMs < DELAY_STAMP_AFTER_MS ? stanza : withDelay(stanza, own.bare, unixMs);
  }

  /** RFC 6120 §8.1.2.1: the server says from whom it is. `then` without one: it cannot leave. */
  private leave(message: XmppElement, then: (leaving: XmppElement | undefined) => void): void {
    this.parts.hooks.outgoing(withAttributes(message, { from: undefined }), (outcome) => {
      if (outcome.type === 'leaves') {
        return then(withAttributes(outcome.message, { from: undefined }));
      }
      const { environment, own } = this.parts.context;
      const event = { from: own.bare, condition: 'not-acceptable', reason: outcome.reason };
      environment.event({ type: 'stanzaRefused', ...event });
      then(undefined);
    });
  }
}

interface WaitingMessages {
  /** By sequence, in order. */
  readonly entries: Map<number, OutboxRecord>;
  /** The server may have them. */
  isDue: boolean;
  /** Devices may have them although the server comes first. */
  isReleased: boolean;
}

/** Subscriptions are made between peers: the server has a roster of its own. */
function isForServer({ stanza }: OutboxRecord): boolean {
  return stanza.name === 'message';
}

function deadlineOf(to: BareJid): string {
  return `server way ${to}`;
}
