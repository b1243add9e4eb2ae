import { childElements, type XmppElement } from '../stanza/xmpp-element.ts';
import { isCarbon } from './carbon.ts';
import type { Client } from './client-table.ts';
import type { IqRouting } from './iq-routing.ts';
import type { LocalDelivery } from './local-delivery.ts';
import type { MessageArchive } from './message-archive.ts';
import { messageKeeping, STANZA_ID_NAMESPACE, withDelay } from './message-rules.ts';
import type { OfflineQueue } from './offline-queue.ts';
import type { RoutingContext } from './routing-context.ts';
import { HAND_OVER_PAUSE_MS } from './routing-limits.ts';

/**
 * What was sent to a client that ended and never acknowledged it (XEP-0198 §4): messages go to the
 * new session of the same resource, to another client, or wait for the next one; requests are
 * answered with an error.
 */
export class UndeliveredStanzas {
  private readonly context: RoutingContext;
  private readonly archive: MessageArchive;
  private readonly delivery: LocalDelivery;
  private readonly offline: OfflineQueue;
  private readonly iqs: IqRouting;

  constructor(
    context: RoutingContext,
    archive: MessageArchive,
    delivery: LocalDelivery,
    offline: OfflineQueue,
    iqs: IqRouting,
  ) {
    this.context = context;
    this.archive = archive;
    this.delivery = delivery;
    this.offline = offline;
    this.iqs = iqs;
  }

  /** Of a session whose client has come back without resuming it: they are for the new one. */
  inherit(client: Client, stanzas: readonly XmppElement[]): void {
    client.inherited = stanzas.filter((stanza) => this.isToKeep(stanza));
    this.handOn(stanzas.filter(({ name }) => name !== 'message'));
  }

  /** A client takes messages now: those of its former session come first. */
  giveInherited(client: Client): void {
    const { environment, own, sessions } = this.context;
    const messages = [...client.inherited];
    while (sessions.hasRoom(client.session)) {
      const message = messages.shift();
      if (message === undefined) break;
      const stamped = withDelay(message, own.bare, this.arrivalOf(message));
      sessions.send(client.session, stamped);
    }
    client.inherited = messages;
    if (messages.length === 0) return;
    const key = `routing-inherited ${client.session}`;
    environment.setDeadline(key, HAND_OVER_PAUSE_MS, () => {
      if (this.context.clients.get(client.session) === client) this.giveInherited(client);
    });
  }

  handOn(stanzas: readonly XmppElement[]): void {
    for (const stanza of stanzas) {
      if (stanza.name === 'message') this.handOnMessage(stanza);
      else if (stanza.name === 'iq') this.iqs.undelivered(stanza);
    }
  }

  private handOnMessage(message: XmppElement): void {
    if (!this.isToKeep(message)) return;
    const to = this.context.addresses.parseIfValid(message.attributes.get('to'));
    if (to === undefined || to.bare !== this.context.own.bare) return;
    const unixMs = this.arrivalOf(message);
    if (to.resourcepart === undefined && this.othersHaveIt(unixMs)) return;
    const outcome = this.delivery.deliver(message, to, false);
    if (outcome !== 'delivered') this.offline.keep(message, unixMs);
  }

  private isToKeep(stanza: XmppElement): boolean {
    if (stanza.name !== 'message' || isCarbon(stanza)) return false;
    return messageKeeping(stanza) !== 'transient';
  }

  /** What came to the bare JID went to all who took messages then. */
  private othersHaveIt(unixMs: number): boolean {
    return this.context.clients
      .receiving()
      .some(({ receivesSinceUnixMs }) => (receivesSinceUnixMs ?? unixMs) < unixMs);
  }

  /** When it came here, as the archive has it. */
  private arrivalOf(message: XmppElement): number {
    const id = childElements(message).find(
      ({ name, namespace, attributes }) =>
        name === 'stanza-id' &&
        namespace === STANZA_ID_NAMESPACE &&
        attributes.get('by') === this.context.own.bare,
    );
    const entry = this.archive.withId(id?.attributes.get('id') ?? '');
    return entry?.unixMs ?? this.context.environment.unixMs;
  }
}
