import type { PersistRecord } from '../../storage/persist-record.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import {
  childElement,
  childElements,
  element,
  isElement,
  textOf,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import { fitting } from './message-size.ts';
import type { PeerRequests } from './peer-requests.ts';
import type { Roster, RosterItem } from './roster.ts';
import { ROSTER_NAMESPACE, removedItemElement, rosterItemElement } from './roster-push.ts';
import type { RoutingContext } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';
import { ROSTER_GROUPS_MAX, ROSTER_TEXT_BYTES_MAX } from './routing-limits.ts';
import { hasFrom, type Subscription } from './subscription-state.ts';
import type { Subscriptions } from './subscriptions.ts';

/** RFC 6121 §2: the roster as clients read and change it, and as own devices pass changes on. */
export class RosterService {
  private readonly context: RoutingContext;
  private readonly roster: Roster;
  private readonly subscriptions: Subscriptions;
  private readonly requests: PeerRequests;

  constructor(
    context: RoutingContext,
    roster: Roster,
    subscriptions: Subscriptions,
    requests: PeerRequests,
  ) {
    this.context = context;
    this.requests = requests;
    this.roster = roster;
    this.subscriptions = subscriptions;
  }

  register(registry: FeatureRegistry): void {
    registry.disco('server', [ROSTER_NAMESPACE]);
    registry.listen({
      deviceConnected: (device) => {
        if (device.user === this.context.own.bare) this.mergeFrom(device);
      },
    });
    registry.iq(ROSTER_NAMESPACE, (request, answer) => {
      const { origin, type } = request;
      const isOwn = origin.type === 'client' || origin.isOwn;
      if (!isOwn || request.target !== 'account') {
        answer.error('service-unavailable', 'a roster is for the clients of its user');
      } else if (type === 'get') this.get(request, answer);
      else this.set(request, answer);
    });
  }

  /** Another own device has come: contacts that are known there alone are taken over. */
  private mergeFrom(device: Device): void {
    const query = element('query', ROSTER_NAMESPACE);
    this.requests.ask(device, 'get', query, (answer) => {
      const roster = childElement(answer, 'query', ROSTER_NAMESPACE);
      const records: PersistRecord[] = [];
      for (const item of roster === undefined ? [] : childElements(roster)) {
        const jid = this.context.addresses.parseIfValid(item.attributes.get('jid'));
        const contact = jid && this.itemFrom(jid, item);
        if (contact === undefined || this.roster.stateOf(contact.jid).isListed) continue;
        records.push(...this.roster.set(contact));
        this.subscriptions.pushToClients(rosterItemElement(contact));
      }
      this.context.writes.write(records);
    });
  }

  /** RFC 6121 §2.1.3, §2.6.2. */
  private get(request: IqRequest, answer: IqAnswer): void {
    const { origin, payload } = request;
    if (origin.type === 'client') origin.client.wantsRoster = true;
    const { version } = this.roster;
    if (payload.attributes.get('ver') === version) return answer.result();
    const items = this.roster.listed().map(rosterItemElement);
    const query = (shown: readonly XmppElement[]) =>
      element('query', ROSTER_NAMESPACE, { ver: version }, shown);
    // Between devices an answer has to pass through a stream of ours.
    answer.result([origin.type === 'client' ? query(items) : fitting(items, query)]);
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
    const fault = textFault(name, groups);
    if (fault !== undefined) return answer.error('not-acceptable', fault);
    if (jid.bare === this.context.own.bare) {
      return answer.error('not-allowed', 'nobody is in the own roster');
    }
    if (request.origin.type === 'device') return this.adopt(jid, item, answer);
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

  /** What another own device changed; it tells the other devices itself. */
  private adopt(jid: Jid, item: XmppElement, answer: IqAnswer): void {
    const subscription = item.attributes.get('subscription');
    if (subscription === 'remove') {
      const records = this.roster.remove(jid.bare);
      return this.context.writes.write(records, () => {
        answer.result();
        this.subscriptions.pushToClients(removedItemElement(jid.bare));
      });
    }
    const changed = this.itemFrom(jid, item);
    if (changed === undefined) {
      return answer.error('bad-request', 'the item has no state that can be taken over');
    }
    this.context.writes.write(this.roster.set(changed), () => {
      answer.result();
      this.subscriptions.pushToClients(rosterItemElement(changed));
    });
  }

  /** The contact as another own device has it. */
  private itemFrom(jid: Jid, item: XmppElement): RosterItem | undefined {
    const subscription = item.attributes.get('subscription');
    const groups = groupsOf(item);
    const name = item.attributes.get('name');
    if (!isSubscription(subscription) || textFault(name, groups) !== undefined) return undefined;
    if (jid.resourcepart !== undefined || !this.roster.hasRoomFor(jid.bare)) return undefined;
    const ask = item.attributes.get('ask') === 'subscribe';
    const pendingIn = this.roster.stateOf(jid.bare).pendingIn && !hasFrom(subscription);
    return { jid: jid.bare, name, groups, subscription, ask, pendingIn, isListed: true };
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

/** RFC 6121 §2.1.5, §2.3.3. */
function textFault(name: string | undefined, groups: readonly string[]): string | undefined {
  if (groups.length > ROSTER_GROUPS_MAX)
    return `a contact is in ${ROSTER_GROUPS_MAX} groups at most`;
  if (groups.includes('')) return 'a group has a name';
  const isLong = [name ?? '', ...groups].some(
    (text) => Buffer.byteLength(text) > ROSTER_TEXT_BYTES_MAX,
  );
  return isLong ? `a name has ${ROSTER_TEXT_BYTES_MAX} bytes at most` : undefined;
}

function isSubscription(text: string | undefined): text is Subscription {
  return text === 'none' || text === 'to' || text === 'from' || text === 'both';
}
