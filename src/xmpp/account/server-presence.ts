import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import type { Client } from '../routing/client-table.ts';
import type { Roster } from '../routing/roster.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import type { RoutingListener } from '../routing/routing-feature.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, withAttributes, writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { SERVER_AWAY_MS, SERVER_PRESENCES_MAX } from './account-limits.ts';
import type { AccountServer } from './account-server.ts';
import { markedByServer } from './came-by-server.ts';

/**
 * Presence at the account's server. The user is available there while a client is, with that
 * client's state; without a client the server keeps messages for the next one. Of others, clients
 * see contacts whom the user sees in the overlay, unless the overlay itself reaches them.
 */
export class ServerPresence implements RoutingListener {
  private readonly context: RoutingContext;
  private readonly server: AccountServer;
  private readonly roster: Roster;
  /** As the server tells it, by full address. */
  private readonly others = new Map<string, { readonly jid: Jid; readonly stanza: XmppElement }>();
  private shownToServer: string | undefined;

  constructor(context: RoutingContext, server: AccountServer, roster: Roster) {
    this.context = context;
    this.server = server;
    this.roster = roster;
  }

  /** The server knows nothing yet of a new session. */
  serverOnline(isNew: boolean): void {
    this.context.environment.cancelDeadline(AWAY_DEADLINE);
    if (isNew) {
      this.forgetOthers();
      this.shownToServer = undefined;
    }
    this.show();
  }

  /** Others are not told gone at once: the session may be resumed. */
  serverOffline(): void {
    const { environment } = this.context;
    environment.setDeadline(AWAY_DEADLINE, SERVER_AWAY_MS, () => this.forgetOthers());
  }

  /** What the server says of somebody; subscriptions are made in the overlay only. */
  take(stanza: XmppElement, from: Jid): void {
    const type = stanza.attributes.get('type');
    const { own } = this.context;
    const isOther = from.text !== this.server.bound?.text && from.resourcepart !== undefined;
    const isSeen = from.bare === own.bare || this.roster.isSubscribedTo(from.bare);
    if (!isOther || !isSeen) return;
    if (type === undefined && this.others.size < SERVER_PRESENCES_MAX) {
      const marked = markedByServer(stanza, own.domainpart);
      this.others.set(from.text, { jid: from, stanza: marked });
      if (this.isShown(from)) this.toAll(marked);
    } else if (type === 'unavailable' && this.others.delete(from.text) && this.isShown(from)) {
      this.toAll(stanza);
    }
  }

  /** Somebody of whom only the server tells. */
  knows(address: string): boolean {
    return this.others.has(address);
  }

  clientAvailable(client: Client, isInitial: boolean): void {
    this.show();
    if (!isInitial) return;
    for (const { jid, stanza } of this.others.values()) {
      if (this.isShown(jid)) this.to(client, stanza);
    }
  }

  clientUnavailable(): void {
    this.show();
  }

  /** From here on the contact speaks for itself. */
  deviceConnected(device: Device): void {
    if (this.context.streams.devicesOf(device.user).length > 1) return;
    for (const { jid } of this.of(device)) this.toAll(gone(jid));
  }

  deviceLost(device: Device): void {
    if (this.context.streams.devicesOf(device.user).length > 0) return;
    for (const { stanza } of this.of(device)) this.toAll(stanza);
  }

  /** Once for each change. */
  private show(): void {
    if (!this.server.isOnline) return;
    const presence = this.ownPresence();
    const text = presence === undefined ? undefined : writeElement(presence);
    if (text === this.shownToServer) return;
    this.shownToServer = text;
    this.server.send(presence ?? element('presence', CLIENT_NAMESPACE, { type: 'unavailable' }), 0);
  }

  /** Of the client with the highest priority: state, text and priority, and nothing else of it. */
  private ownPresence(): XmppElement | undefined {
    let best: Client | undefined;
    for (const client of this.context.clients.available()) {
      if (best === undefined || client.priority > best.priority) best = client;
    }
    if (best?.presence === undefined) return undefined;
    const told = best.presence.children.filter(
      (node) =>
        typeof node !== 'string' &&
        node.namespace === CLIENT_NAMESPACE &&
        TOLD_TO_SERVER.includes(node.name),
    );
    return element('presence', CLIENT_NAMESPACE, {}, told);
  }

  private forgetOthers(): void {
    const shown = [...this.others.values()].filter(({ jid }) => this.isShown(jid));
    this.others.clear();
    for (const { jid } of shown) this.toAll(gone(jid));
  }

  private of({ user }: Device): { readonly jid: Jid; readonly stanza: XmppElement }[] {
    return [...this.others.values()].filter(({ jid }) => jid.bare === user);
  }

  /** The user's other clients are at the server, whatever devices there are. */
  private isShown(jid: Jid): boolean {
    const { own, streams } = this.context;
    return jid.bare === own.bare || streams.devicesOf(jid.bare).length === 0;
  }

  private toAll(stanza: XmppElement): void {
    for (const client of this.context.clients.available()) this.to(client, stanza);
  }

  private to(client: Client, stanza: XmppElement): void {
    this.context.sessions.send(client.session, withAttributes(stanza, { to: client.jid.text }));
  }
}

function gone(jid: Jid): XmppElement {
  return element('presence', CLIENT_NAMESPACE, { type: 'unavailable', from: jid.text });
}

const AWAY_DEADLINE = 'account away';
const TOLD_TO_SERVER: readonly string[] = ['show', 'status', 'priority'];
