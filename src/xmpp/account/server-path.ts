import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import type { Blocking } from '../routing/blocking.ts';
import type { Client } from '../routing/client-table.ts';
import { giveUp } from '../routing/given-up-messages.ts';
import type { MessageArchive } from '../routing/message-archive.ts';
import type { MessageReception } from '../routing/message-reception.ts';
import type { MessageRouting } from '../routing/message-routing.ts';
import { CARBONS_NAMESPACE, withDelay } from '../routing/message-rules.ts';
import type { OfflineQueue } from '../routing/offline-queue.ts';
import { type Done, OrderedAcknowledgements } from '../routing/ordered-acknowledgements.ts';
import type { Outbox } from '../routing/outbox.ts';
import { OwnDeviceCopies } from '../routing/own-device-copies.ts';
import type { Roster } from '../routing/roster.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import { stanzaText } from '../routing/stanza-text.ts';
import { withoutMarks } from '../signed-stanzas/authenticity-mark.ts';
import { element, withAttributes, type XmppElement } from '../stanza/xmpp-element.ts';
import { SERVER_IQ_MS_MAX } from './account-limits.ts';
import type { AccountServer, AccountServerListener, AccountSessionId } from './account-server.ts';
import { markedByServer } from './came-by-server.ts';
import { ServerIqs } from './server-iqs.ts';
import { ServerMessages } from './server-messages.ts';
import type { ServerPathHooks } from './server-path-hooks.ts';
import { ServerPresence } from './server-presence.ts';
import type { SentByServer } from './server-sent.ts';
import { type PrimaryWay, ServerWay } from './server-way.ts';

/** The user's own server beside the overlay. */
export interface ServerBesideOverlay {
  readonly server: AccountServer;
  readonly primary: PrimaryWay;
  readonly hooks: ServerPathHooks;
}

/** Of routing, what stanzas of the server go to. */
export interface ServerPathParts {
  readonly archive: MessageArchive;
  readonly blocking: Blocking;
  readonly offline: OfflineQueue;
  readonly outbox: Outbox;
  readonly reception: MessageReception;
  readonly roster: Roster;
  readonly routing: MessageRouting;
}

/** All that goes over the user's own server (XEP-0415 §8), beside the direct streams. */
export class ServerPath implements AccountServerListener {
  readonly way: ServerWay;
  private readonly iqs: ServerIqs;
  private readonly context: RoutingContext;
  private readonly beside: ServerBesideOverlay;
  private readonly acknowledgements: OrderedAcknowledgements<AccountSessionId>;
  private parts: ServerPathParts | undefined;
  private presence: ServerPresence | undefined;
  private messages: ServerMessages | undefined;
  private session: AccountSessionId = 0;

  constructor(context: RoutingContext, beside: ServerBesideOverlay) {
    const { server } = beside;
    this.context = context;
    this.beside = beside;
    this.iqs = new ServerIqs(context, server);
    this.acknowledgements = new OrderedAcknowledgements((session) => server.handled(session));
    this.way = new ServerWay({
      context,
      ...beside,
      withdraw: (entries) => this.parts?.outbox.withdraw(entries),
      release: (to) => this.parts?.outbox.release(to),
      placeAgain: (sent) => this.parts && this.placeAgain(sent, this.parts),
    });
  }

  /** Once, when the other parts are there: the outbox is made with `way`. */
  begin(parts: ServerPathParts): void {
    const { context } = this;
    const { hooks, server } = this.beside;
    this.parts = parts;
    this.presence = new ServerPresence(context, server, parts.roster);
    context.features.listen(this.presence);
    this.messages = new ServerMessages({
      context,
      hooks,
      archive: parts.archive,
      copies: new OwnDeviceCopies(context),
      reception: parts.reception,
      routing: parts.routing,
      failed: (error, from) => this.failed(error, from, parts),
      answer: (error) => server.send(withAttributes(error, { from: undefined }), 0),
    });
  }

  serverOnline(isNew: boolean): void {
    this.beside.hooks.serverOnline?.();
    if (isNew) this.enableCarbons();
    this.presence?.serverOnline(isNew);
    this.way.serverOnline();
  }

  serverOffline(): void {
    this.beside.hooks.serverOffline?.();
    this.presence?.serverOffline();
    this.way.serverOffline();
  }

  acknowledgedByServer(tags: readonly number[]): void {
    this.way.acknowledged(tags);
  }

  lostByServer(tags: readonly number[]): void {
    this.way.lost(tags);
  }

  stanzaFromServer(session: AccountSessionId, given: XmppElement): void {
    const stanza = withoutMarks(given);
    if (session !== this.session) this.acknowledgements.forget(this.session);
    this.session = session;
    const done = this.acknowledgements.began(session);
    const from = this.addressOf(stanza, 'from');
    const to = this.addressOf(stanza, 'to');
    if (from === undefined || to?.bare !== this.context.own.bare) {
      const sender = `${stanza.attributes.get('from') ?? ''} by ${this.context.own.domainpart}`;
      const reason = `it is not to ${this.context.own.bare}, or from nobody`;
      const event = { from: sender, condition: 'jid-malformed', reason };
      this.context.environment.event({ type: 'stanzaRefused', ...event });
      return done();
    }
    this.route(stanza, from, to, done);
  }

  addressTried(address: BareJid, connected: number): void {
    this.way.addressTried(address, connected);
  }

  deviceConnected(device: Device): void {
    this.way.deviceConnected(device);
    this.presence?.deviceConnected(device);
  }

  deviceLost(device: Device): void {
    this.presence?.deviceLost(device);
  }

  /** A request goes by the server before the overlay is asked. */
  takesFirst(client: Client, stanza: XmppElement, to: Jid): boolean {
    const isService = to.localpart === undefined;
    const isAtServer = this.presence?.knows(to.text) === true;
    const isPrimary = this.beside.primary === 'server' && !this.isInOverlay(to);
    return (isService || isAtServer || isPrimary) && this.iqs.request(client, stanza, to);
  }

  /** A request that the overlay could not bring there. */
  takesLast(client: Client, stanza: XmppElement, to: Jid): boolean {
    return this.iqs.request(client, stanza, to);
  }

  private isInOverlay(to: Jid): boolean {
    return this.context.resources.get(to) !== undefined;
  }

  private route(stanza: XmppElement, from: Jid, to: Jid, done: Done): void {
    if (this.parts?.blocking.refusesFrom({ type: 'server' }, stanza, from) === true) return done();
    if (stanza.name === 'message') {
      this.messages?.take(stanza, from, to, done);
      return;
    }
    if (stanza.name === 'presence') this.presence?.take(stanza, from);
    else this.iqs.take(stanza, from);
    done();
  }

  /** RFC 6120 §8.1.2.1: without `from`, and without `to`, it is the own account. */
  private addressOf(stanza: XmppElement, name: 'from' | 'to'): Jid | undefined {
    const text = stanza.attributes.get(name);
    return text === undefined ? this.context.own : this.context.addresses.parseIfValid(text);
  }

  /** XEP-0280 §4: what other clients of the account send and get. */
  private enableCarbons(): void {
    const payload = element('enable', CARBONS_NAMESPACE);
    const request = { to: undefined, type: 'set', payload, timeoutMs: SERVER_IQ_MS_MAX } as const;
    this.beside.server.request(request, (outcome) => {
      if (outcome.type !== 'error') return;
      const reason = `the server makes no copies of messages: ${outcome.error.condition}`;
      this.context.environment.event({ type: 'accountWithoutCarbons', reason });
    });
  }

  /** A message could not be delivered: it waits for the overlay, or its sender is told. */
  private failed(given: XmppElement, from: Jid, parts: ServerPathParts): void {
    const { clients, environment, own, sessions } = this.context;
    const id = given.attributes.get('id') ?? '';
    const sent = this.way.bounced(from, id);
    if (sent?.sequence !== undefined) return;
    // Nobody else makes errors appear: it is for something that was sent.
    if (sent === undefined && !parts.archive.has(`${own.bare}\n${from.bare}\n${id}`)) return;
    const error = markedByServer(given, own.domainpart);
    const client = clients.at(sent?.stanza.attributes.get('from') ?? '');
    const there = client === undefined ? clients.receiving() : [client];
    for (const { session } of there) sessions.send(session, error);
    if (there.length === 0 && sent === undefined) parts.offline.keep(error, environment.unixMs);
  }

  private placeAgain(sent: SentByServer, { offline, outbox }: ServerPathParts): void {
    const { own, writes } = this.context;
    const { to, unixMs } = sent;
    const stanza = withDelay(sent.stanza, own.bare, unixMs);
    const text = stanzaText(stanza);
    const refusal = outbox.refusal(to, text.length) ?? writes.refusal();
    if (refusal !== undefined) {
      const entry = { sequence: 0, to, unixMs, stanza, bytes: text.length };
      return giveUp(this.context, offline, entry, 'resource-constraint', refusal);
    }
    const { entry, record } = outbox.prepare(to, stanza, text);
    writes.write([record], () => outbox.add(entry));
  }
}
