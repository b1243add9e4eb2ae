import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, withAttributes, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import type { OfflineQueue } from './offline-queue.ts';
import type { Roster } from './roster.ts';
import { type RoutingContext, sendToDevices, UNTRACKED } from './routing-context.ts';
import { DIRECTED_PRESENCES_MAX, HAND_OVER_PAUSE_MS, REACH_STAGGER_MS } from './routing-limits.ts';
import { hasFrom, hasTo } from './subscription-state.ts';

/** The presence of the user's own clients (RFC 6121 §4.2 to §4.6), told to who may see it. */
export class Availability {
  private readonly context: RoutingContext;
  private readonly roster: Roster;
  private readonly offline: OfflineQueue;

  constructor(context: RoutingContext, roster: Roster, offline: OfflineQueue) {
    this.context = context;
    this.roster = roster;
    this.offline = offline;
  }

  /** RFC 6121 §4.2 the first time, §4.4 later. */
  available(client: Client, stanza: XmppElement, priority: number): void {
    const isInitial = client.presence === undefined;
    client.presence = stanza;
    client.priority = priority;
    this.broadcast(stanza);
    if (isInitial) {
      this.showOthersTo(client);
      this.reachContacts();
    }
    this.context.features.tell((listener) => listener.clientAvailable?.(client, isInitial));
    this.setReceiving(client, priority >= 0);
  }

  /** RFC 6121 §4.5. */
  unavailable(client: Client, stanza: XmppElement): void {
    if (client.presence === undefined && client.directed.size === 0) return;
    const wasAvailable = client.presence !== undefined;
    client.presence = undefined;
    client.receivesSinceUnixMs = undefined;
    if (wasAvailable) this.broadcast(stanza);
    for (const address of client.directed) this.sendTo(address, stanza);
    client.directed.clear();
    this.context.features.tell((listener) => listener.clientUnavailable?.(client));
  }

  /** The session is over: whoever saw the client is told (RFC 6121 §4.5.2). */
  ended(client: Client): void {
    const attributes = { type: 'unavailable', from: client.jid.text };
    this.unavailable(client, element('presence', CLIENT_NAMESPACE, attributes));
  }

  /** RFC 6121 §4.6.3: who does not see the client anyway is told when it goes. */
  noteDirected(client: Client, stanza: XmppElement, to: Jid): void {
    const isUnavailable = stanza.attributes.get('type') === 'unavailable';
    if (isUnavailable) client.directed.delete(to.text);
    else if (!this.roster.hasSubscriber(to.bare) && to.bare !== this.context.own.bare) {
      if (client.directed.size < DIRECTED_PRESENCES_MAX) client.directed.add(to.text);
    }
  }

  /**
   * RFC 6121 §4.3.2: the clients here; the other own devices answer for theirs.
   *
   * Intentional divergence from RFC 6121 §4.3.2: whoever may not see the presence is not answered
   * by `unsubscribed`. Another own device may know of a subscription that this one does not know
   * yet, and the answer would end it.
   */
  answerProbe(device: Device): void {
    const { clients, own, streams } = this.context;
    if (!this.maySee(device.user)) return;
    const available = clients.available();
    for (const { presence } of available) {
      if (presence === undefined) continue;
      streams.send(device.nodeId, withAttributes(presence, { to: device.user }), UNTRACKED);
    }
    if (available.length > 0) return;
    const attributes = { type: 'unavailable', from: own.bare, to: device.user };
    streams.send(device.nodeId, element('presence', CLIENT_NAMESPACE, attributes), UNTRACKED);
  }

  /** Whether somebody may see the user's presence, and what else is for contacts. */
  maySee(address: BareJid): boolean {
    return address === this.context.own.bare || this.roster.hasSubscriber(address);
  }

  /** A contact was allowed to see the user, or is no more (RFC 6121 §3.1.5, §3.2.2). */
  subscriberChanged(contact: BareJid, isSubscriber: boolean): void {
    for (const { jid, presence } of this.context.clients.available()) {
      if (presence === undefined) continue;
      const gone = element('presence', CLIENT_NAMESPACE, { type: 'unavailable', from: jid.text });
      this.sendTo(contact, isSubscriber ? presence : gone);
    }
  }

  private setReceiving(client: Client, receives: boolean): void {
    if (!receives) {
      client.receivesSinceUnixMs = undefined;
    } else if (client.receivesSinceUnixMs === undefined) {
      client.receivesSinceUnixMs = this.context.environment.unixMs;
      this.handOver(client);
      this.context.features.tell((listener) => listener.clientReceives?.(client));
    }
  }

  /** What waits may be more than a client can be sent at once. */
  private handOver(client: Client): void {
    const { environment, sessions } = this.context;
    if (client.receivesSinceUnixMs === undefined) return;
    if (this.offline.handOver(client, sessions)) return;
    const key = `routing-offline ${client.session}`;
    environment.setDeadline(key, HAND_OVER_PAUSE_MS, () => this.handOver(client));
  }

  /** To the own clients, itself included, the own devices, and the subscribers. */
  private broadcast(stanza: XmppElement): void {
    const { blocked, clients, own, sessions } = this.context;
    for (const other of clients.available()) {
      sessions.send(other.session, withAttributes(stanza, { to: other.jid.text }));
    }
    this.sendTo(own.bare, stanza);
    for (const { jid, subscription } of this.roster.all()) {
      if (hasFrom(subscription) && !blocked.blocksUser(jid)) this.sendTo(jid, stanza);
    }
  }

  /** RFC 6121 §4.2.2, §4.3: what is known of the others. */
  private showOthersTo(client: Client): void {
    const { clients, own, resources, sessions } = this.context;
    const shown: XmppElement[] = [];
    for (const { presence } of clients.available()) {
      if (presence !== undefined && presence !== client.presence) shown.push(presence);
    }
    const contacts = [...this.roster.all()].filter(({ subscription }) => hasTo(subscription));
    for (const address of [own.bare, ...contacts.map(({ jid }) => jid)]) {
      for (const { presence } of resources.of(address)) shown.push(presence);
    }
    for (const presence of shown) {
      sessions.send(client.session, withAttributes(presence, { to: client.jid.text }));
    }
  }

  /** Those whom the user's presence concerns, one after another. */
  private reachContacts(): void {
    const { environment, streams, wanted } = this.context;
    let waiting = 0;
    for (const { jid, subscription } of this.roster.all()) {
      if (subscription === 'none' || streams.devicesOf(jid).length > 0) continue;
      waiting += 1;
      const key = `routing-contact ${jid}`;
      environment.setDeadline(key, waiting * REACH_STAGGER_MS, () => wanted.reach(jid));
    }
  }

  private sendTo(address: string, stanza: XmppElement): void {
    const to = this.context.addresses.parseIfValid(address);
    if (to === undefined) return;
    sendToDevices(this.context, to.bare, withAttributes(stanza, { to: address }));
  }
}
