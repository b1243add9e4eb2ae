import type { NodeId } from '../../wire/node-id.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, type Jid, parseJid } from '../../xmpp-address/jid.ts';
import type { AccountServerListener } from '../account/account-server.ts';
import type { ServerBesideOverlay } from '../account/server-path.ts';
import type {
  LocalSessions,
  LocalSessionsListener,
  SessionId,
} from '../client-session/local-sessions.ts';
import type { Device, DirectStreams, DirectStreamsListener } from '../direct/direct-streams.ts';
import { withoutMarks } from '../signed-stanzas/authenticity-mark.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { SentMessageId } from '../xmpp-input.ts';
import { BlockList } from './block-list.ts';
import { ClientTable } from './client-table.ts';
import { DurableWrites } from './durable-writes.ts';
import { FeatureTable } from './feature-table.ts';
import { OrderedAcknowledgements } from './ordered-acknowledgements.ts';
import { ParsedAddresses } from './parsed-addresses.ts';
import { RemoteResources } from './remote-resources.ts';
import { restoreRouting } from './restored-routing.ts';
import { type RoutingContext, refuse } from './routing-context.ts';
import type { RoutingExtension } from './routing-extension.ts';
import { CLIENTS_MAX } from './routing-limits.ts';
import { RoutingParts } from './routing-parts.ts';
import type { StoredRecord } from './routing-records.ts';
import type { StanzaOrigin } from './stanza-origin.ts';
import { WantedAddresses } from './wanted-addresses.ts';

export interface StanzaRouterOptions {
  readonly environment: XmppEnvironment;
  /** Whose peer this is. */
  readonly user: BareJid;
  readonly nodeId: NodeId;
  readonly sessions: LocalSessions;
  readonly streams: DirectStreams;
  /** What a former run left in the store; records of others are passed over. */
  readonly records: Iterable<StoredRecord>;
  /** The user's account at an ordinary server (XEP-0415 §8), if there is one. */
  readonly beside?: ServerBesideOverlay | undefined;
  /** Features beside those of routing itself. */
  readonly extensions?: readonly RoutingExtension[];
}

/**
 * What a user's clients see as their server: it takes each stanza of a client or a device to the
 * part that it is for, and sees to it that each is acknowledged once, in order, and only when what
 * must outlive a crash is on disk.
 */
export class StanzaRouter implements LocalSessionsListener, DirectStreamsListener {
  private readonly context: RoutingContext;
  private readonly parts: RoutingParts;
  private readonly clientStanzas: OrderedAcknowledgements<SessionId>;
  private readonly deviceStanzas: OrderedAcknowledgements<NodeId>;
  /** The session whose resource is being bound anew, and what it leaves to the new one. */
  private superseded:
    | { session: SessionId | undefined; undelivered: readonly XmppElement[] }
    | undefined;

  constructor(options: StanzaRouterOptions) {
    const { environment, nodeId, sessions, streams } = options;
    const restored = restoreRouting(options.records, environment);
    this.context = {
      environment,
      own: ownAddress(options.user),
      nodeId,
      sessions,
      streams,
      server: options.beside?.server,
      clients: new ClientTable(),
      wanted: new WantedAddresses(environment, streams),
      writes: new DurableWrites(environment),
      addresses: new ParsedAddresses(),
      resources: new RemoteResources(),
      features: new FeatureTable(),
      blocked: new BlockList(() => environment.unixMs, restored),
    };
    this.parts = new RoutingParts(this.context, restored, options.beside);
    for (const extend of options.extensions ?? []) extend(this.context.features, this.context);
    this.clientStanzas = new OrderedAcknowledgements((session) => sessions.handled(session));
    this.deviceStanzas = new OrderedAcknowledgements((device) => streams.handled(device));
  }

  /** Hears of the account's server, if there is one. */
  get serverPath(): AccountServerListener | undefined {
    return this.parts.serverPath;
  }

  /** For those who write beside routing and in one batch with it. */
  get writes(): DurableWrites {
    return this.context.writes;
  }

  /** Once, when the peer starts. */
  start(): void {
    this.parts.start();
  }

  /** A program sends a text in the user's name; `messageOutcome` says what became of it. */
  sendMessage(message: SentMessageId, to: string, text: string): void {
    this.parts.peerMessages.send(message, to, text);
  }

  sessionBinding(
    session: SessionId,
    wanted: string | undefined,
  ): string | 'conflict' | 'resource-constraint' {
    const { clients, environment, own, sessions } = this.context;
    const random = Buffer.from(environment.random.bytes(RESOURCE_BYTES)).toString('base64url');
    const resource = wanted === undefined ? random : this.resourceFor(wanted, random);
    // RFC 6120 §7.7.2.2: the client that comes takes the resource over.
    const former = clients.at(`${own.bare}/${resource}`);
    this.superseded = { session: former?.session, undelivered: [] };
    if (former !== undefined) {
      sessions.end(former.session, 'conflict', 'another client has taken the resource over');
    }
    const { undelivered } = this.superseded;
    this.superseded = undefined;
    if (clients.size >= CLIENTS_MAX) {
      this.parts.undelivered.handOn(undelivered);
      return 'resource-constraint';
    }
    this.parts.undelivered.inherit(clients.add(session, `${own.bare}/${resource}`), undelivered);
    return resource;
  }

  /** RFC 6120 §7.7.2.2: what a client of another own device has is not given away twice. */
  private resourceFor(wanted: string, random: string): string {
    const { addresses, own, resources } = this.context;
    const full = addresses.parseIfValid(`${own.bare}/${wanted}`);
    if (full === undefined || resources.get(full) === undefined) return wanted;
    const other = `${wanted}-${random}`;
    return Buffer.byteLength(other) <= RESOURCEPART_BYTES_MAX ? other : random;
  }

  stanzaFromSession(session: SessionId, given: XmppElement): void {
    const stanza = withoutMarks(given);
    const done = this.clientStanzas.began(session);
    const client = this.context.clients.get(session);
    if (client === undefined) return done();
    if (this.parts.blocking.refusesTo({ type: 'client', client }, stanza)) return done();
    if (stanza.name === 'message') this.parts.messages.fromClient(client, stanza, done);
    else if (stanza.name === 'presence') this.parts.presence.fromClient(client, stanza, done);
    else this.parts.iqs.fromClient(client, stanza, done);
  }

  sessionEnded(session: SessionId, undelivered: readonly XmppElement[]): void {
    this.clientStanzas.forget(session);
    const client = this.context.clients.remove(session);
    if (client !== undefined) this.parts.clientEnded(client);
    if (this.superseded?.session === session) this.superseded.undelivered = undelivered;
    else this.parts.undelivered.handOn(undelivered);
  }

  deviceConnected(device: Device): void {
    this.parts.deviceConnected(device);
  }

  deviceLost(device: Device): void {
    this.deviceStanzas.forget(device.nodeId);
    this.parts.deviceLost(device);
  }

  delivered(device: Device, tags: readonly number[]): void {
    this.parts.outbox.delivered(device, tags);
  }

  undelivered(device: Device, tags: readonly number[]): void {
    this.parts.outbox.undelivered(device, tags);
  }

  stanzaFromDevice(device: Device, given: XmppElement): void {
    const done = this.deviceStanzas.began(device.nodeId);
    const { addresses, own } = this.context;
    const isOwn = device.user === own.bare;
    // The user's own devices check what comes to them by servers, and are believed.
    const stanza = isOwn ? given : withoutMarks(given);
    const from = addresses.parseIfValid(stanza.attributes.get('from'));
    const to = addresses.parseIfValid(stanza.attributes.get('to'));
    if (from === undefined || to === undefined || to.bare !== own.bare) {
      const text = `a stanza that comes here is to ${own.bare}`;
      refuse(this.context, { type: 'device', device, isOwn }, stanza, 'item-not-found', text);
      return done();
    }
    const origin: StanzaOrigin = { type: 'device', device, isOwn };
    if (this.parts.blocking.refusesFrom(origin, stanza, from)) return done();
    if (stanza.name === 'message') this.parts.deviceMessages.take(device, stanza, from, to, done);
    else if (stanza.name === 'iq') this.parts.iqs.fromDevice(device, stanza, from, to, done);
    else this.parts.presence.fromDevice(device, stanza, from, to, done);
  }

  addressTried(
    address: BareJid,
    found: number,
    connected: number,
    reason: string | undefined,
  ): void {
    this.parts.addressTried(address, found, connected, reason);
  }
}

function ownAddress(user: BareJid): Jid {
  const parsed = parseJid(user);
  if (parsed instanceof AddressFault) throw new Error(`a prepared address is one: ${user}`);
  return parsed;
}

const RESOURCE_BYTES = 9;
/** RFC 7622 §3.4. */
const RESOURCEPART_BYTES_MAX = 1_023;
