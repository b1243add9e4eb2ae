import type { PersistRecord } from '../../storage/persist-record.ts';
import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, withAttributes, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import type { Done } from './ordered-acknowledgements.ts';
import type { Outbox } from './outbox.ts';
import { contactEntry, ROSTER_PART } from './own-devices/roster-sync.ts';
import type { TellOwnDevices } from './own-devices/synchronized-part.ts';
import type { Roster, RosterItem } from './roster.ts';
import { pushRoster, removedItemElement, rosterItemElement } from './roster-push.ts';
import { type RoutingContext, refuse, sendToDevices } from './routing-context.ts';
import type { OutboxRecord } from './routing-records.ts';
import { stanzaText } from './stanza-text.ts';
import {
  hasFrom,
  hasTo,
  inboundSubscription,
  outboundSubscription,
  type SubscriptionType,
} from './subscription-state.ts';

/** Who else must know when somebody begins or ceases to see the user's presence. */
export interface SubscriptionListener {
  subscriberAdded(contact: BareJid): void;
  subscriberRemoved(contact: BareJid): void;
  /** The user does not see the contact's presence any more. */
  subscriptionEnded(contact: BareJid): void;
}

/**
 * Presence subscriptions (RFC 6121 §3). What changes one is written together with the contact's
 * state, waits for the contact like a message, and so survives crashes of both sides.
 */
export class Subscriptions {
  private readonly context: RoutingContext;
  private readonly roster: Roster;
  private readonly outbox: Outbox;
  private readonly listener: SubscriptionListener;
  private readonly tellOwnDevices: TellOwnDevices;

  constructor(
    context: RoutingContext,
    roster: Roster,
    outbox: Outbox,
    listener: SubscriptionListener,
    tellOwnDevices: TellOwnDevices,
  ) {
    this.context = context;
    this.roster = roster;
    this.outbox = outbox;
    this.listener = listener;
    this.tellOwnDevices = tellOwnDevices;
  }

  /** RFC 6121 §3.1.2, §3.2.2, §3.3.2. */
  fromClient(
    client: Client,
    given: XmppElement,
    type: SubscriptionType,
    to: Jid,
    done: Done,
  ): void {
    const before = this.roster.stateOf(to.bare);
    const { next, isRouted } = outboundSubscription(before, type);
    const refusal = this.refusal(to.bare, isRouted);
    if (refusal !== undefined) {
      refuse(this.context, { type: 'client', client }, given, 'resource-constraint', refusal);
      return done();
    }
    const isListed = before.isListed || type === 'subscribe' || hasFrom(next.subscription);
    const after = { ...before, ...next, isListed };
    const records = this.change(before, after);
    const waiting: OutboxRecord[] = [];
    if (isRouted) {
      const { bare } = this.context.own;
      const stanza = withAttributes(given, { from: bare, to: to.bare });
      waiting.push(this.place(to.bare, stanza, records));
    }
    this.context.writes.write(records, () => {
      done();
      for (const entry of waiting) this.outbox.add(entry);
      this.tell(before, after);
      if (isVisiblyDifferent(before, after)) this.push(after);
    });
  }

  /** RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3. */
  fromDevice(device: Device, stanza: XmppElement, type: SubscriptionType, done: Done): void {
    const contact = device.user;
    const before = this.roster.stateOf(contact);
    const { next, isDelivered, answer } = inboundSubscription(before, type);
    if (!this.roster.hasRoomForRequestOf(contact) && type === 'subscribe') return done();
    const after = { ...before, ...next };
    const records = this.change(before, after);
    this.context.writes.write(records, () => {
      done();
      if (isDelivered) this.deliver(stanza);
      if (answer !== undefined) this.answer(contact, answer);
      this.tell(before, after);
      if (isVisiblyDifferent(before, after)) this.pushHere(after);
    });
  }

  /** RFC 6121 §2.5.2: the item goes, and both directions end. */
  endAll(item: RosterItem, done: Done): void {
    const records = this.roster.remove(item.jid);
    const waiting: OutboxRecord[] = [];
    const types: SubscriptionType[] = [];
    if (hasTo(item.subscription) || item.ask) types.push('unsubscribe');
    if (hasFrom(item.subscription) || item.pendingIn) types.push('unsubscribed');
    for (const type of types) {
      const stanza = this.stanzaOf(type, item.jid);
      if (this.refusal(item.jid, true) === undefined) {
        waiting.push(this.place(item.jid, stanza, records));
      }
    }
    this.context.writes.write(records, () => {
      done();
      for (const entry of waiting) this.outbox.add(entry);
      this.tell(item, this.roster.stateOf(item.jid));
    });
  }

  /** RFC 6121 §3.1.3: those who ask and are not answered, for a client that has just come. */
  requestsFor(client: Client): void {
    for (const item of this.roster.all()) {
      if (!item.pendingIn) continue;
      const { bare } = this.context.own;
      const attributes = { type: 'subscribe', from: item.jid, to: bare };
      const stanza = element('presence', CLIENT_NAMESPACE, attributes);
      this.context.sessions.send(client.session, stanza);
    }
  }

  /** A contact as another own device has it: it changed there later. */
  adopt(item: RosterItem): void {
    const before = this.roster.stateOf(item.jid);
    const { bare } = this.context.own;
    this.context.writes.write(this.roster.adopt(item), () => {
      this.tell(before, item);
      if (isVisiblyDifferent(before, item) || before.isListed || item.isListed) {
        this.pushToClients(item.isListed ? rosterItemElement(item) : removedItemElement(item.jid));
      }
      if (before.pendingIn || !item.pendingIn) return;
      const attributes = { type: 'subscribe', from: item.jid, to: bare };
      this.deliver(element('presence', CLIENT_NAMESPACE, attributes));
    });
  }

  /** Another own device removed a contact, and told the contact of it. */
  adoptRemoval(jid: BareJid, changedUnixMs: number): void {
    const before = this.roster.get(jid);
    this.context.writes.write(this.roster.adoptRemoval(jid, changedUnixMs), () => {
      if (before === undefined) return;
      this.tell(before, this.roster.stateOf(jid));
      if (before.isListed) this.pushToClients(removedItemElement(jid));
    });
  }

  /** For the user's clients here and, in their rosters, the other own devices. */
  push(item: RosterItem): void {
    this.pushToClients(rosterItemElement(item));
    this.passOn(item.jid);
  }

  pushRemoval(jid: BareJid): void {
    this.pushToClients(removedItemElement(jid));
    this.passOn(jid);
  }

  private passOn(jid: BareJid): void {
    const entry = contactEntry(this.roster, jid);
    if (entry !== undefined) this.tellOwnDevices(ROSTER_PART, [entry]);
  }

  private pushToClients(item: XmppElement): void {
    pushRoster(this.context, item, this.roster.version);
  }

  /** The contact's stanza came to the other own devices too. */
  private pushHere(item: RosterItem): void {
    this.pushToClients(rosterItemElement(item));
  }

  private change(before: RosterItem, after: RosterItem): PersistRecord[] {
    if (isSameState(before, after)) return [];
    const isEmpty = !after.isListed && !after.pendingIn;
    return isEmpty ? this.roster.remove(after.jid) : this.roster.set(after);
  }

  private place(to: BareJid, stanza: XmppElement, records: PersistRecord[]): OutboxRecord {
    const { entry, record } = this.outbox.prepare(to, stanza, stanzaText(stanza));
    records.push(record);
    return entry;
  }

  private refusal(contact: BareJid, isRouted: boolean): string | undefined {
    if (!this.roster.hasRoomFor(contact)) return 'the roster has no room for another contact';
    return isRouted ? this.outbox.refusal(contact, STANZA_BYTES) : undefined;
  }

  private deliver(stanza: XmppElement): void {
    for (const client of this.context.clients.available()) {
      this.context.sessions.send(client.session, stanza);
    }
  }

  private answer(contact: BareJid, type: SubscriptionType): void {
    sendToDevices(this.context, contact, this.stanzaOf(type, contact));
  }

  private stanzaOf(type: SubscriptionType, to: BareJid): XmppElement {
    return element('presence', CLIENT_NAMESPACE, { type, from: this.context.own.bare, to });
  }

  private tell(before: RosterItem, after: RosterItem): void {
    const contact = after.jid;
    const [had, has] = [hasFrom(before.subscription), hasFrom(after.subscription)];
    if (!had && has) this.listener.subscriberAdded(contact);
    if (had && !has) this.listener.subscriberRemoved(contact);
    if (hasTo(before.subscription) && !hasTo(after.subscription)) {
      this.listener.subscriptionEnded(contact);
    }
  }
}

function isSameState(before: RosterItem, after: RosterItem): boolean {
  const isSame = before.pendingIn === after.pendingIn && before.isListed === after.isListed;
  return isSame && before.ask === after.ask && before.subscription === after.subscription;
}

/** Clients see neither pending requests nor contacts that are not listed. */
function isVisiblyDifferent(before: RosterItem, after: RosterItem): boolean {
  if (!before.isListed && !after.isListed) return false;
  return !isSameState({ ...before, pendingIn: false }, { ...after, pendingIn: false });
}

/** What a stanza without much in it takes, roughly; the stream limits its real size. */
const STANZA_BYTES = 1_024;
