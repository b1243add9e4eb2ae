import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import { type AskClient, EntityCapabilities } from './entity-capabilities.ts';
import type { PeerRequests } from './peer-requests.ts';
import {
  type PersonalItem,
  type PersonalNode,
  type PersonalNodes,
  payloadOf,
} from './personal-nodes.ts';
import type { RemoteResource } from './remote-resources.ts';
import type { Roster } from './roster.ts';
import { type RoutingContext, sendToDevices, UNTRACKED } from './routing-context.ts';
import { hasFrom } from './subscription-state.ts';

export const PUBSUB_EVENT_NAMESPACE = 'http://jabber.org/protocol/pubsub#event';

/**
 * Who hears of a change (XEP-0163 §4): of the user's own clients, and of those of contacts that see
 * the user's presence, all that want to hear of the node. A contact whose presence the user does
 * not see gets it at the bare JID.
 */
export class PersonalEvents {
  private readonly context: RoutingContext;
  private readonly nodes: PersonalNodes;
  private readonly roster: Roster;
  private readonly requests: PeerRequests;
  private readonly capabilities = new EntityCapabilities();

  constructor(
    context: RoutingContext,
    nodes: PersonalNodes,
    roster: Roster,
    requests: PeerRequests,
  ) {
    this.requests = requests;
    this.context = context;
    this.nodes = nodes;
    this.roster = roster;
  }

  /** To the clients here and, where the node is for them, to all contacts with a stream. */
  tell(node: PersonalNode, change: XmppElement): void {
    const { blocked, own } = this.context;
    this.tellClients(node.name, change);
    if (node.options.access === 'whitelist') return;
    for (const { jid, subscription } of this.roster.all()) {
      if (!hasFrom(subscription) || blocked.blocksUser(jid)) continue;
      if (this.roster.isSubscribedTo(jid)) this.tellContact(jid, node.name, change);
      else sendToDevices(this.context, jid, eventMessage(own.bare, jid, change));
    }
  }

  /** To the clients here alone. */
  tellClients(node: string, change: XmppElement): void {
    for (const client of this.context.clients.available()) {
      if (this.capabilities.wants(client.jid, node)) this.tellClient(client, change);
    }
  }

  /** XEP-0163 §4.3.4: a client that has come gets the last item of each node that it wants. */
  clientAvailable(client: Client): void {
    const { presence } = client;
    if (presence === undefined) return;
    const ask: AskClient = (query, answered) => this.requests.askClient(client, query, answered);
    this.capabilities.note(client.jid, presence, ask, () => {
      for (const [node, change] of this.lastItems(true)) {
        if (this.capabilities.wants(client.jid, node)) this.tellClient(client, change);
      }
    });
  }

  /** The same for a client of a contact that sees the user's presence. */
  contactAvailable({ device, jid, presence }: RemoteResource): void {
    const { blocked, own } = this.context;
    if (jid.bare === own.bare || !this.roster.hasSubscriber(jid.bare)) return;
    if (blocked.blocks(jid)) return;
    const at = { nodeId: device, user: jid.bare };
    const ask: AskClient = (query, answered) =>
      this.requests.ask(at, 'get', query, answered, jid.text);
    this.capabilities.note(jid, presence, ask, () => {
      for (const [node, change] of this.lastItems(false)) {
        if (this.capabilities.wants(jid, node)) this.tellAt(device, jid.text, change);
      }
    });
  }

  unavailable(jid: Jid): void {
    this.capabilities.forget(jid);
  }

  /** A device of a contact whose presence the user does not see. */
  showToDevice(device: Device): void {
    const { blocked, own } = this.context;
    if (device.user === own.bare || !this.roster.hasSubscriber(device.user)) return;
    if (blocked.blocksUser(device.user) || this.roster.isSubscribedTo(device.user)) return;
    for (const [, change] of this.lastItems(false)) {
      this.tellAt(device.nodeId, device.user, change);
    }
  }

  private tellContact(contact: BareJid, node: string, change: XmppElement): void {
    for (const { device, jid } of this.context.resources.of(contact)) {
      if (this.capabilities.wants(jid, node)) this.tellAt(device, jid.text, change);
    }
  }

  private tellAt(device: NodeId, to: string, change: XmppElement): void {
    const { own, streams } = this.context;
    streams.send(device, eventMessage(own.bare, to, change), UNTRACKED);
  }

  /** By their nodes. */
  private *lastItems(isOwn: boolean): Generator<[node: string, change: XmppElement]> {
    for (const node of this.nodes.all()) {
      const last = node.items.at(-1);
      const isReadable = isOwn || node.options.access !== 'whitelist';
      if (last !== undefined && node.options.sendsLast && isReadable) {
        yield [node.name, publishedElement(node.name, [last])];
      }
    }
  }

  private tellClient(client: Client, change: XmppElement): void {
    const message = eventMessage(this.context.own.bare, client.jid.text, change);
    this.context.sessions.send(client.session, message);
  }
}

/** What is new at a node. */
export function publishedElement(node: string, items: readonly PersonalItem[]): XmppElement {
  const children = items.map((item) => {
    const payload = payloadOf(item);
    const inside = payload === undefined ? [] : [payload];
    return element('item', PUBSUB_EVENT_NAMESPACE, { id: item.id }, inside);
  });
  return element('items', PUBSUB_EVENT_NAMESPACE, { node }, children);
}

export function retractedElement(node: string, id: string): XmppElement {
  const retract = element('retract', PUBSUB_EVENT_NAMESPACE, { id });
  return element('items', PUBSUB_EVENT_NAMESPACE, { node }, [retract]);
}

export function deletedElement(node: string): XmppElement {
  return element('delete', PUBSUB_EVENT_NAMESPACE, { node });
}

function eventMessage(from: string, to: string, change: XmppElement): XmppElement {
  const event = element('event', PUBSUB_EVENT_NAMESPACE, {}, [change]);
  return element('message', CLIENT_NAMESPACE, { type: 'headline', from, to }, [event]);
}
