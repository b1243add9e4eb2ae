import { AddressFault } from '../../xmpp-address/address-fault.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import { ROSTER_NAMESPACE } from '../stanza/namespaces.ts';
import {
  childElements,
  element,
  isElement,
  textOf,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import type { Roster } from './roster.ts';
import { rosterItemElement } from './roster-push.ts';
import { contactTextFault } from './roster-text.ts';
import type { RoutingContext } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';
import type { Subscriptions } from './subscriptions.ts';

/** RFC 6121 §2: the roster as clients read and change it. */
export class RosterService {
  private readonly context: RoutingContext;
  private readonly roster: Roster;
  private readonly subscriptions: Subscriptions;

  constructor(context: RoutingContext, roster: Roster, subscriptions: Subscriptions) {
    this.context = context;
    this.roster = roster;
    this.subscriptions = subscriptions;
  }

  register(registry: FeatureRegistry): void {
    registry.disco('server', [ROSTER_NAMESPACE]);
    registry.iq(ROSTER_NAMESPACE, (request, answer) => {
      const { origin, type } = request;
      if (origin.type !== 'client' || request.target !== 'account') {
        answer.error('service-unavailable', 'a roster is for the clients of its user');
      } else if (type === 'get') this.get(origin.client, request, answer);
      else this.set(request, answer);
    });
  }

  /** RFC 6121 §2.1.3, §2.6.2. */
  private get(client: Client, { payload }: IqRequest, answer: IqAnswer): void {
    client.wantsRoster = true;
    const { version } = this.roster;
    if (payload.attributes.get('ver') === version) return answer.result();
    const items = this.roster.listed().map(rosterItemElement);
    answer.result([element('query', ROSTER_NAMESPACE, { ver: version }, items)]);
  }

  /** RFC 6121 §2.1.5. */
  private set(request: IqRequest, answer: IqAnswer): void {
    const item = this.itemOf(request.payload);
    if (item === undefined) {
      return answer.error('bad-request', 'a roster set has one item with an address');
    }
    const { attributes } = item;
    const jid = this.context.addresses.parseIfValid(attributes.get('jid'));
    if (jid === undefined || jid.resourcepart !== undefined) {
      return answer.error('bad-request', 'a contact is a bare JID');
    }
    const name = attributes.get('name');
    const groups = groupsOf(item);
    const fault = contactTextFault(name, groups);
    if (fault !== undefined) return answer.error('not-acceptable', fault);
    if (jid.bare === this.context.own.bare) {
      return answer.error('not-allowed', 'nobody is in the own roster');
    }
    if (attributes.get('subscription') === 'remove') return this.remove(jid, answer);
    if (!this.roster.hasRoomFor(jid.bare)) {
      return answer.error('resource-constraint', 'the roster has no room for another contact');
    }
    const known = this.roster.stateOf(jid.bare);
    const changed = { ...known, name: name === '' ? undefined : name, groups, isListed: true };
    const records = this.roster.set(changed);
    this.context.writes.write(records, () => {
      answer.result();
      this.subscriptions.push(changed);
    });
  }

  /** RFC 6121 §2.5: the subscriptions end with the item. */
  private remove(jid: Jid, answer: IqAnswer): void {
    const known = this.roster.get(jid.bare);
    if (known === undefined || !known.isListed) {
      return answer.error('item-not-found', `${jid.bare} is not in the roster`);
    }
    this.subscriptions.endAll(known, () => {
      answer.result();
      this.subscriptions.pushRemoval(jid.bare);
    });
  }

  private itemOf(query: XmppElement): XmppElement | undefined {
    const items = childElements(query).filter((one) => isElement(one, 'item', ROSTER_NAMESPACE));
    const [item] = items;
    if (query.name !== 'query' || items.length !== 1 || item === undefined) return undefined;
    const address = this.context.addresses.parse(item.attributes.get('jid') ?? '');
    return address instanceof AddressFault ? undefined : item;
  }
}

function groupsOf(item: XmppElement): string[] {
  const groups = childElements(item).filter((one) => isElement(one, 'group', ROSTER_NAMESPACE));
  return [...new Set(groups.map(textOf))];
}
