/**
 * Peers of several users with routing alone: their clients and the streams between them are played
 * by the test, which reads like a dialogue. Everything happens at once unless it is held up.
 */

import type { NodeId } from '../../../src/wire/node-id.ts';
import type { Device, DirectStreams } from '../../../src/xmpp/direct/direct-streams.ts';
import { StanzaRouter } from '../../../src/xmpp/routing/stanza-router.ts';
import { CLIENT_NAMESPACE } from '../../../src/xmpp/stanza/stanza.ts';
import {
  childElement,
  childElements,
  textOf,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { STREAM_LIMITS } from '../../../src/xmpp/stream/stream-limits.ts';
import { StreamReader } from '../../../src/xmpp/stream/stream-reader.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { XmppEvent } from '../../../src/xmpp/xmpp-event.ts';
import type { SentMessageOutcome, XmppOutput } from '../../../src/xmpp/xmpp-output.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';
import type { PlayedServer } from '../account/played-server.ts';
import { PlayedOverlay } from './played-overlay.ts';
import { PlayedSessions } from './played-sessions.ts';

/** The element that a text in the namespace of clients is. */
export function xml(text: string): XmppElement {
  const reader = new StreamReader(STREAM_LIMITS);
  const header = `<stream:stream xmlns="${CLIENT_NAMESPACE}" xmlns:stream="${STREAMS}">`;
  reader.push(Buffer.from(header + text));
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.type === 'element') return event.element;
    if (event.type === 'fault') throw new Error(event.text);
  }
  throw new Error(`no element: ${text}`);
}

export function bare(text: string): BareJid {
  const parsed = parseJid(text);
  if (parsed instanceof AddressFault) throw new Error(parsed.describe());
  return parsed.bare;
}

export function body(message: XmppElement): string | undefined {
  const found = childElement(message, 'body', CLIENT_NAMESPACE);
  return found && textOf(found);
}

/** The condition of an error stanza. */
export function condition(stanza: XmppElement): string | undefined {
  const error = childElement(stanza, 'error', CLIENT_NAMESPACE);
  return error && childElements(error)[0]?.name;
}

/** All that happens between some peers, one thing after the other. */
export class Verona {
  readonly peers: VeronaPeer[] = [];
  unixMs = Date.UTC(2026, 10, 21, 8);
  readonly overlay = new PlayedOverlay();
  server: PlayedServer | undefined;

  peer(user: string): VeronaPeer {
    const peer = new VeronaPeer(this, bare(user), this.peers.length + 1);
    this.peers.push(peer);
    this.overlay.certified.add(user);
    this.settle();
    return peer;
  }

  connect(a: VeronaPeer, b: VeronaPeer): void {
    a.streams.open(b);
    b.streams.open(a);
    a.turn(() => a.router.deviceConnected(b.device));
    b.turn(() => b.router.deviceConnected(a.device));
    this.settle();
  }

  /** What is under way is lost on both sides. */
  cut(a: VeronaPeer, b: VeronaPeer): void {
    a.lose(b);
    b.lose(a);
    this.settle();
  }

  passes(ms: number): void {
    const end = this.unixMs + ms;
    for (;;) {
      const due = this.peers
        .map((peer) => peer.environment.nextDeadline())
        .filter((deadline) => deadline !== undefined);
      const next = Math.min(end, ...due);
      if (next >= end) break;
      this.unixMs = Math.max(next, this.unixMs);
      for (const peer of this.peers) peer.turn(() => undefined);
      this.settle();
    }
    this.unixMs = end;
    for (const peer of this.peers) peer.turn(() => undefined);
    this.settle();
  }

  /** Until nothing is under way any more. */
  settle(): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = this.server?.step() ?? false;
      for (const peer of this.peers) if (peer.step()) isMoving = true;
    }
  }
}

export class VeronaPeer {
  readonly device: Device;
  readonly streams: PlayedStreams;
  readonly events: XmppEvent[] = [];
  readonly outcomes: SentMessageOutcome[] = [];
  readonly clients = new Map<number, VeronaClient>();
  readonly store = new Map<string, Uint8Array>();
  environment: XmppEnvironment;
  router: StanzaRouter;
  /** Whether writes wait for `writes` to be let through. */
  isDiskHeld = false;
  isDiskFull = false;
  readonly batches: Extract<XmppOutput, { type: 'persist' }>[] = [];
  private readonly commands: Extract<XmppOutput, { type: 'command' }>[] = [];
  private readonly world: Verona;
  private lastSession = 0;
  private readonly number: number;

  constructor(world: Verona, user: BareJid, number: number) {
    this.world = world;
    this.number = number;
    this.device = { nodeId: String(number).padStart(32, '0') as NodeId, user };
    this.streams = new PlayedStreams(this);
    this.environment = new XmppEnvironment(seededRandom(number));
    this.router = this.newRouter();
  }

  /** A client that has logged in, and sent its initial presence. */
  client(resource: string, presence = '<presence/>'): VeronaClient {
    const client = this.login(resource);
    client.sends(presence);
    client.gets();
    client.handled = 0;
    return client;
  }

  /** A client that has bound its resource, and no more. */
  login(resource: string): VeronaClient {
    this.lastSession += 1;
    const client = new VeronaClient(this, this.lastSession, `${this.device.user}/${resource}`);
    this.turn(() => this.router.sessionBinding(client.session, resource));
    this.clients.set(client.session, client);
    return client;
  }

  /** `kill -9`: only what is on disk is there afterwards. */
  crash(): void {
    for (const other of this.world.peers) {
      if (!this.streams.isOpen(other)) continue;
      this.streams.close(other);
      other.lose(this);
    }
    this.clients.clear();
    this.batches.length = 0;
    this.commands.length = 0;
    this.environment = new XmppEnvironment(seededRandom(this.number + 100));
    this.router = this.newRouter();
    this.world.settle();
  }

  turn(what: () => void): void {
    const { unixMs } = this.world;
    this.environment.now = { unixMs, monotonicMs: unixMs };
    what();
    this.environment.runDueDeadlines();
    for (const output of this.environment.takeOutputs()) {
      if (output.type === 'persist') this.batches.push(output);
      else if (output.type === 'event') this.events.push(output.event);
      else if (output.type === 'messageOutcome') this.outcomes.push(output.outcome);
      else if (output.type === 'command') this.commands.push(output);
    }
  }

  /** Whether something happened. */
  step(): boolean {
    const batch = this.isDiskHeld ? undefined : this.batches.shift();
    if (batch !== undefined) {
      this.write(batch);
      return true;
    }
    const asked = this.commands.shift();
    if (asked !== undefined) {
      const outcome = this.world.overlay.outcomeOf(asked.what);
      this.turn(() => this.environment.commandCompleted(asked.command, outcome));
      return true;
    }
    return this.streams.deliverNext();
  }

  /** The disk does all that it was asked. */
  releaseDisk(): void {
    this.isDiskHeld = false;
    this.world.settle();
  }

  lose(other: VeronaPeer): void {
    this.streams.close(other);
    this.turn(() => this.router.deviceLost(other.device));
  }

  settle(): void {
    this.world.settle();
  }

  /** What a peer sends that does not keep to the rules. */
  sendsToDevices(address: string, text: string, from: string): void {
    const stanza = xml(text);
    const attributes = new Map(stanza.attributes).set('from', from);
    for (const { nodeId } of this.deviceOf(bare(address))) {
      this.streams.send(nodeId, { ...stanza, attributes }, 0);
    }
    this.settle();
  }

  keys(prefix: string): string[] {
    return [...this.store.keys()].filter((key) => key.startsWith(prefix));
  }

  deviceOf(address: BareJid): Device[] {
    return this.world.peers
      .filter((peer) => peer.device.user === address && this.streams.isOpen(peer))
      .map((peer) => peer.device);
  }

  private write(batch: Extract<XmppOutput, { type: 'persist' }>): void {
    if (this.isDiskFull) {
      this.turn(() => this.environment.persistFailed(batch.ticket, 'the disk is full'));
      return;
    }
    for (const { key, value } of batch.records) {
      if (value === undefined) this.store.delete(key);
      else this.store.set(key, value);
    }
    this.turn(() => this.environment.persisted(batch.ticket));
  }

  private newRouter(): StanzaRouter {
    const router = new StanzaRouter({
      environment: this.environment,
      user: this.device.user,
      nodeId: this.device.nodeId,
      sessions: new PlayedSessions(this.clients, (session, undelivered) =>
        this.router.sessionEnded(session, undelivered),
      ),
      streams: this.streams,
      beside: this.world.server?.beside(this),
      records: [...this.store].map(([key, value]) => ({ key, value })),
    });
    this.router = router;
    this.turn(() => router.start());
    return router;
  }
}

export class VeronaClient {
  readonly session: number;
  readonly address: string;
  /** Stanzas that the peer said to be handled. */
  handled = 0;
  /** Stanzas that it takes before it has read those it was sent. */
  takesMax = Number.POSITIVE_INFINITY;
  undelivered: readonly XmppElement[] = [];
  private readonly peer: VeronaPeer;
  private received: XmppElement[] = [];

  constructor(peer: VeronaPeer, session: number, address: string) {
    this.peer = peer;
    this.session = session;
    this.address = address;
  }

  sends(text: string): void {
    const stanza = xml(text);
    const attributes = new Map(stanza.attributes).set('from', this.address);
    this.peer.turn(() =>
      this.peer.router.stanzaFromSession(this.session, { ...stanza, attributes }),
    );
    this.peer.settle();
  }

  /** What it got since it was last asked. */
  gets(): XmppElement[] {
    const got = this.received;
    this.received = [];
    return got;
  }

  getsMessages(): XmppElement[] {
    return this.gets().filter(({ name }) => name === 'message');
  }

  /** The bodies of the messages that it got. */
  reads(): (string | undefined)[] {
    return this.getsMessages().map(body);
  }

  /** It goes; `undelivered` was never acknowledged by it. */
  leaves(undelivered: readonly XmppElement[] = []): void {
    this.peer.clients.delete(this.session);
    this.peer.turn(() => this.peer.router.sessionEnded(this.session, undelivered));
    this.peer.settle();
  }

  get hasRoom(): boolean {
    return this.received.length < this.takesMax;
  }

  take(stanza: XmppElement): void {
    this.received.push(stanza);
  }
}

interface Sent {
  readonly stanza: XmppElement;
  readonly tag: number;
}

class PlayedStreams implements DirectStreams {
  readonly reached: BareJid[] = [];
  readonly released: BareJid[] = [];
  private readonly peer: VeronaPeer;
  private readonly links = new Map<VeronaPeer, { waiting: Sent[]; unacknowledged: number[] }>();

  constructor(peer: VeronaPeer) {
    this.peer = peer;
  }

  open(other: VeronaPeer): void {
    this.links.set(other, { waiting: [], unacknowledged: [] });
  }

  isOpen(other: VeronaPeer): boolean {
    return this.links.has(other);
  }

  close(other: VeronaPeer): void {
    this.links.delete(other);
  }

  reach(address: BareJid): void {
    this.reached.push(address);
  }

  release(address: BareJid): void {
    this.released.push(address);
  }

  devicesOf(address: BareJid): readonly Device[] {
    return this.peer.deviceOf(address);
  }

  send(device: NodeId, stanza: XmppElement, tag: number): void {
    const link = this.linkTo(device);
    link?.waiting.push({ stanza, tag });
    link?.unacknowledged.push(tag);
  }

  handled(device: NodeId): void {
    for (const other of this.links.keys()) {
      if (other.device.nodeId === device) other.streams.acknowledged(this.peer);
    }
  }

  /** The other end has dealt with the oldest stanza. */
  acknowledged(by: VeronaPeer): void {
    const tag = this.links.get(by)?.unacknowledged.shift();
    if (tag === undefined) return;
    this.peer.turn(() => this.peer.router.delivered(by.device, [tag]));
  }

  deliverNext(): boolean {
    for (const [other, link] of this.links) {
      const next = link.waiting.shift();
      if (next === undefined) continue;
      other.turn(() => other.router.stanzaFromDevice(this.peer.device, next.stanza));
      return true;
    }
    return false;
  }

  private linkTo(device: NodeId) {
    for (const [other, link] of this.links) if (other.device.nodeId === device) return link;
    return undefined;
  }
}

const STREAMS = 'http://etherx.jabber.org/streams';
