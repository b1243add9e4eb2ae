import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import {
  type PersonalItem,
  type PersonalNode,
  type PersonalNodes,
  payloadOf,
} from './personal-nodes.ts';
import type { Roster } from './roster.ts';
import { type RoutingContext, sendToDevices, UNTRACKED } from './routing-context.ts';
import { hasFrom } from './subscription-state.ts';

export const PUBSUB_EVENT_NAMESPACE = 'http://jabber.org/protocol/pubsub#event';

/**
 * Who hears of a change (XEP-0163 §4.3): the user's own clients, and the contacts that see the
 * user's presence. What a client does not know it passes over; capabilities are not asked for.
 */
export class PersonalEvents {
  private readonly context: RoutingContext;
  private readonly nodes: PersonalNodes;
  private readonly roster: Roster;

  constructor(context: RoutingContext, nodes: PersonalNodes, roster: Roster) {
    this.context = context;
    this.nodes = nodes;
    this.roster = roster;
  }

  /** To the clients here and, where the node is for them, to all contacts with a stream. */
  tell(node: PersonalNode, change: XmppElement): void {
    const { blocked, own } = this.context;
    this.tellClients(change);
    if (node.options.access === 'whitelist') return;
    for (const { jid, subscription } of this.roster.all()) {
      if (!hasFrom(subscription) || blocked.blocksUser(jid)) continue;
      sendToDevices(this.context, jid, eventMessage(own.bare, jid, change));
    }
  }

  /** To the clients here alone. */
  tellClients(change: XmppElement): void {
    for (const client of this.context.clients.available()) this.tellClient(client, change);
  }

  /** XEP-0163 §4.3.4: a client that has come gets the last item of each node. */
  showTo(client: Client): void {
    for (const change of this.lastItems(true)) this.tellClient(client, change);
  }

  /** The same for a device of a contact. */
  showToDevice(device: Device): void {
    const { blocked, own, streams } = this.context;
    if (device.user === own.bare || !this.roster.hasSubscriber(device.user)) return;
    if (blocked.blocksUser(device.user)) return;
    for (const change of this.lastItems(false)) {
      const message = eventMessage(own.bare, device.user, change);
      streams.send(device.nodeId, message, UNTRACKED);
    }
  }

  private *lastItems(isOwn: boolean): Generator<XmppElement> {
    for (const node of this.nodes.all()) {
      const last = node.items.at(-1);
      const isReadable = isOwn || node.options.access !== 'whitelist';
      if (last !== undefined && node.options.sendsLast && isReadable) {
        yield publishedElement(node.name, [last]);
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
