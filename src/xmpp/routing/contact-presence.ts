import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, withAttributes, type XmppElement } from '../stanza/xmpp-element.ts';
import type { RemoteResource } from './remote-resources.ts';
import type { Roster } from './roster.ts';
import { type RoutingContext, refuse, UNTRACKED } from './routing-context.ts';

/**
 * The presence of others (RFC 6121 §4.3 to §4.6): of contacts and of the user's clients at other
 * own devices. Several devices of one user each speak for their own clients.
 */
export class ContactPresence {
  private readonly context: RoutingContext;
  private readonly roster: Roster;

  constructor(context: RoutingContext, roster: Roster) {
    this.context = context;
    this.roster = roster;
  }

  available(device: Device, stanza: XmppElement, from: Jid, to: Jid): void {
    if (this.isWanted(from.bare) && from.resourcepart !== undefined) {
      const resource = { jid: from, device: device.nodeId, presence: stanza };
      // Of a client that is not remembered nobody would say later that it is gone.
      if (this.context.resources.set(resource)) {
        this.show(stanza);
        this.context.features.tell((listener) => listener.contactAvailable?.(resource));
      } else this.refuse(device, stanza);
    } else {
      this.showDirected(stanza, to);
    }
  }

  /** From a bare JID: no client is there at this device. */
  unavailable(device: Device, stanza: XmppElement, from: Jid, to: Jid): void {
    if (!this.isWanted(from.bare)) return this.showDirected(stanza, to);
    if (from.resourcepart === undefined) return this.allGone(device, from.bare);
    const wasKnown = this.context.resources.remove({ jid: from, device: device.nodeId });
    const other = this.presenceElsewhere(from);
    if (other === undefined) this.showGone(from, stanza);
    else if (wasKnown) this.show(other);
  }

  /** RFC 6121 §4.3: asks a device that has just come for its user's presence. */
  deviceConnected(device: Device): void {
    if (this.context.blocked.blocksUser(device.user) || !this.isWanted(device.user)) return;
    const attributes = { type: 'probe', from: this.context.own.bare, to: device.user };
    const probe = element('presence', CLIENT_NAMESPACE, attributes);
    this.context.streams.send(device.nodeId, probe, UNTRACKED);
  }

  /** Nobody can be reached there any more. */
  deviceLost(device: Device): void {
    for (const resource of this.context.resources.at(device.nodeId)) this.gone(resource);
  }

  /** The user does not see the contact any more. */
  subscriptionEnded(contact: BareJid): void {
    // Of a resource that several devices have, the next one comes to light.
    for (let left = this.context.resources.of(contact); left.length > 0; ) {
      for (const resource of left) this.gone(resource);
      left = this.context.resources.of(contact);
    }
  }

  private allGone(device: Device, user: BareJid): void {
    for (const resource of this.context.resources.at(device.nodeId)) {
      if (resource.jid.bare === user) this.gone(resource);
    }
  }

  private gone(resource: RemoteResource): void {
    this.context.resources.remove(resource);
    const other = this.presenceElsewhere(resource.jid);
    if (other !== undefined) return this.show(other);
    const attributes = {
      type: 'unavailable',
      from: resource.jid.text,
      to: this.context.own.bare,
    };
    this.showGone(resource.jid, element('presence', CLIENT_NAMESPACE, attributes));
  }

  private showGone(jid: Jid, stanza: XmppElement): void {
    this.show(stanza);
    this.context.features.tell((listener) => listener.contactUnavailable?.(jid));
  }

  private refuse(device: Device, stanza: XmppElement): void {
    const isOwn = device.user === this.context.own.bare;
    const text = 'there is no room for the presence of so many clients, or so much of it';
    refuse(this.context, { type: 'device', device, isOwn }, stanza, 'resource-constraint', text);
  }

  /** Of a client with the same full JID: at another device, or, of the own user, at this one. */
  private presenceElsewhere(jid: Jid): XmppElement | undefined {
    const { clients, resources } = this.context;
    return clients.at(jid.text)?.presence ?? resources.get(jid)?.presence;
  }

  private isWanted(user: BareJid): boolean {
    return user === this.context.own.bare || this.roster.isSubscribedTo(user);
  }

  private show(stanza: XmppElement): void {
    const { clients, sessions } = this.context;
    for (const client of clients.available()) {
      sessions.send(client.session, withAttributes(stanza, { to: client.jid.text }));
    }
  }

  /** RFC 6121 §4.6: from somebody else, for one client. */
  private showDirected(stanza: XmppElement, to: Jid): void {
    const client = this.context.clients.at(to.text);
    if (client !== undefined) this.context.sessions.send(client.session, stanza);
  }
}
