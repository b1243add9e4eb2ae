import { AddressFault } from '../../xmpp-address/address-fault.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElement, textOf, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Availability } from './availability.ts';
import type { Client } from './client-table.ts';
import type { ContactPresence } from './contact-presence.ts';
import type { Done } from './ordered-acknowledgements.ts';
import { type RoutingContext, refuse, sendToDevices } from './routing-context.ts';
import type { StanzaOrigin } from './stanza-origin.ts';
import type { SubscriptionType } from './subscription-state.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Presence stanzas (RFC 6121 §3, §4), each to the part that it is for. */
export class PresenceRouting {
  private readonly context: RoutingContext;
  private readonly subscriptions: Subscriptions;
  private readonly availability: Availability;
  private readonly contacts: ContactPresence;

  constructor(
    context: RoutingContext,
    subscriptions: Subscriptions,
    availability: Availability,
    contacts: ContactPresence,
  ) {
    this.context = context;
    this.subscriptions = subscriptions;
    this.availability = availability;
    this.contacts = contacts;
  }

  fromClient(client: Client, stanza: XmppElement, done: Done): void {
    const origin: StanzaOrigin = { type: 'client', client };
    const given = stanza.attributes.get('to');
    const to = given === undefined ? undefined : this.context.addresses.parse(given);
    if (to instanceof AddressFault) {
      refuse(this.context, origin, stanza, 'jid-malformed', `"to" is no address: ${to.describe()}`);
      return done();
    }
    const type = stanza.attributes.get('type');
    if (isSubscription(type) && to !== undefined) {
      if (to.bare === this.context.own.bare) return done();
      return this.subscriptions.fromClient(client, stanza, type, to, done);
    }
    if (type === undefined || type === 'unavailable') this.presence(client, stanza, to);
    else if (type === 'error' && to !== undefined) this.directed(stanza, to);
    else if (type !== 'probe') {
      refuse(this.context, origin, stanza, 'bad-request', `presence has no type "${type}"`);
    }
    done();
  }

  fromDevice(device: Device, stanza: XmppElement, from: Jid, to: Jid, done: Done): void {
    const type = stanza.attributes.get('type');
    const isOwn = device.user === this.context.own.bare;
    if (isSubscription(type)) {
      if (isOwn) return done();
      return this.subscriptions.fromDevice(device, stanza, type, done);
    }
    if (type === 'probe') this.availability.answerProbe(device);
    else if (type === undefined) this.contacts.available(device, stanza, from, to);
    else if (type === 'unavailable') this.contacts.unavailable(device, stanza, from, to);
    else if (type === 'error') this.directed(stanza, to);
    done();
  }

  private presence(client: Client, stanza: XmppElement, to: Jid | undefined): void {
    if (to !== undefined) {
      this.availability.noteDirected(client, stanza, to);
      return this.directed(stanza, to);
    }
    const priority = priorityOf(stanza);
    if (priority === undefined) {
      const text = 'a priority is an integer from -128 to 127';
      refuse(this.context, { type: 'client', client }, stanza, 'bad-request', text);
    } else if (stanza.attributes.get('type') === 'unavailable') {
      this.availability.unavailable(client, stanza);
    } else {
      this.availability.available(client, stanza, priority);
    }
  }

  /** RFC 6121 §4.6, §8.5: to one resource, or to all of one account. */
  private directed(stanza: XmppElement, to: Jid): void {
    const { clients, own, resources, sessions, streams } = this.context;
    if (to.bare !== own.bare) {
      sendToDevices(this.context, to.bare, stanza);
      return;
    }
    const local = clients.at(to.text);
    const remote = resources.get(to);
    if (local !== undefined) sessions.send(local.session, stanza);
    else if (remote !== undefined) streams.send(remote.device, stanza, 0);
    else if (to.resourcepart === undefined) {
      for (const client of clients.available()) sessions.send(client.session, stanza);
    }
  }
}

/** RFC 6121 §4.7.2.3: 0 where it says nothing; undefined where it is malformed. */
function priorityOf(presence: XmppElement): number | undefined {
  const given = childElement(presence, 'priority', CLIENT_NAMESPACE);
  if (given === undefined) return 0;
  const text = textOf(given).trim();
  const value = Number(text);
  return /^[+-]?\d{1,3}$/.test(text) && value >= -128 && value <= 127 ? value : undefined;
}

function isSubscription(type: string | undefined): type is SubscriptionType {
  return SUBSCRIPTION_TYPES.some((one) => one === type);
}

const SUBSCRIPTION_TYPES: readonly SubscriptionType[] = [
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
];
