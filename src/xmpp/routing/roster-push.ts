import type { BareJid } from '../../xmpp-address/jid.ts';
import { ROSTER_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import type { RosterItem } from './roster.ts';
import type { RoutingContext } from './routing-context.ts';

/** RFC 6121 §2.1.2, as clients see it. */
export function rosterItemElement(item: RosterItem): XmppElement {
  const groups = item.groups.map((name) => element('group', ROSTER_NAMESPACE, {}, [name]));
  const attributes = {
    jid: item.jid,
    name: item.name,
    subscription: item.subscription,
    ask: item.ask ? 'subscribe' : undefined,
  };
  return element('item', ROSTER_NAMESPACE, attributes, groups);
}

export function removedItemElement(jid: BareJid): XmppElement {
  return element('item', ROSTER_NAMESPACE, { jid, subscription: 'remove' });
}

/** RFC 6121 §2.1.6: to all clients that asked for the roster. */
export function pushRoster(context: RoutingContext, item: XmppElement, version: string): void {
  for (const client of context.clients.all()) {
    if (!client.wantsRoster) continue;
    const to = client.jid.text;
    context.sessions.send(client.session, pushIq(context, item, { to, ver: version }));
  }
}

function pushIq(
  context: RoutingContext,
  item: XmppElement,
  values: { readonly to: string; readonly ver: string },
): XmppElement {
  const id = Buffer.from(context.environment.random.bytes(ID_BYTES)).toString('base64url');
  const { to, ver } = values;
  const query = element('query', ROSTER_NAMESPACE, { ver }, [item]);
  return element('iq', CLIENT_NAMESPACE, { type: 'set', id, to }, [query]);
}

const ID_BYTES = 9;
