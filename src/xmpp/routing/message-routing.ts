import { AddressFault } from '../../xmpp-address/address-fault.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { ServerWay } from '../account/server-way.ts';
import { CLIENT_NAMESPACE, type StanzaErrorCondition } from '../stanza/stanza.ts';
import { childElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { isCarbon } from './carbon.ts';
import type { Client } from './client-table.ts';
import type { LocalDelivery } from './local-delivery.ts';
import { duplicateKey, type MessageArchive } from './message-archive.ts';
import type { MessageReception } from './message-reception.ts';
import { messageKeeping, originId, withOriginId, withoutStanzaIdsBy } from './message-rules.ts';
import { sizeFault } from './message-size.ts';
import type { Done } from './ordered-acknowledgements.ts';
import type { Outbox } from './outbox.ts';
import type { OwnDeviceCopies } from './own-device-copies.ts';
import { type RoutingContext, refuse, sendToDevices } from './routing-context.ts';
import type { OutboxRecord } from './routing-records.ts';
import type { StanzaOrigin } from './stanza-origin.ts';
import { stanzaText } from './stanza-text.ts';
import type { WritesInProgress } from './writes-in-progress.ts';

export interface MessageRoutingParts {
  readonly context: RoutingContext;
  readonly archive: MessageArchive;
  readonly outbox: Outbox;
  readonly delivery: LocalDelivery;
  readonly copies: OwnDeviceCopies;
  readonly reception: MessageReception;
  readonly inProgress: WritesInProgress;
  /** The way over the user's own server, if there is one. */
  readonly way: Pick<ServerWay, 'takesNow'> | undefined;
}

/** Who sends a message, and hears what becomes of it. */
export interface MessageSender {
  readonly from: Jid;
  /** Undefined: the peer itself. */
  readonly client: Client | undefined;
  readonly refused: (condition: StanzaErrorCondition, text: string) => void;
  /** It has its place in the outbox, and is written. */
  readonly placed?: (entry: OutboxRecord) => void;
}

/** Messages from the user's own clients (RFC 6120 §10.3, RFC 6121 §8, XEP-0415 §6.2). */
export class MessageRouting {
  private readonly parts: MessageRoutingParts;

  constructor(parts: MessageRoutingParts) {
    this.parts = parts;
  }

  /** `done` when it is on disk, or refused. */
  fromClient(client: Client, given: XmppElement, done: Done): void {
    const { context, reception } = this.parts;
    const origin: StanzaOrigin = { type: 'client', client };
    const to = this.addressee(given);
    if (to instanceof AddressFault) {
      refuse(context, origin, given, 'jid-malformed', `"to" is no address: ${to.describe()}`);
      return done();
    }
    if (isCarbon(given)) {
      refuse(context, origin, given, 'not-allowed', 'copies of messages are made by the peer');
      return done();
    }
    const fault = sizeFault(given);
    if (fault !== undefined) {
      refuse(context, origin, given, 'policy-violation', `the message is too large: ${fault}`);
      return done();
    }
    const message = this.identified(given);
    if (to.bare === context.own.bare) {
      return reception.receive({ message, from: client.jid, to, origin, isCopy: false }, done);
    }
    const keeping = messageKeeping(message);
    if (keeping === 'transient') {
      this.sendNow(client, message, to);
      return done();
    }
    const sender: MessageSender = {
      from: client.jid,
      client,
      refused: (condition, text) => refuse(context, origin, message, condition, text),
    };
    this.keepAndSend(sender, message, to, keeping === 'archived', done);
  }

  /** A message that the peer itself sends in its user's name; `message` has an origin-id. */
  fromPeer(message: XmppElement, to: Jid, answers: Omit<MessageSender, 'from'>): void {
    const { context } = this.parts;
    const fault = sizeFault(message);
    if (fault !== undefined)
      return answers.refused('policy-violation', `it is too large: ${fault}`);
    this.keepAndSend({ from: context.own, ...answers }, message, to, true, () => undefined);
  }

  /** A copy of what a client of another own device sent: kept, and shown to those here. */
  sentElsewhere(message: XmppElement, from: Jid, to: Jid, unixMs: number, done: Done): void {
    const { archive, context, delivery, inProgress } = this.parts;
    const keeping = messageKeeping(message);
    const key = duplicateKey(message, from, to);
    if (keeping === 'transient' || key === undefined) {
      delivery.sendCarbons(message, 'sent', new Set());
      return done();
    }
    if (inProgress.isKnown(key, done)) return;
    const stanza = keeping === 'archived' ? stanzaText(message) : undefined;
    const entry = archive.entryOf({
      id: archive.newId(),
      unixMs,
      with: to.bare,
      duplicateKey: key,
      stanza,
    });
    inProgress.began(key);
    context.writes.write([archive.recordOf(entry)], () => {
      context.writes.write(archive.add(entry));
      done();
      inProgress.ended(key);
      delivery.sendCarbons(message, 'sent', new Set());
    });
  }

  private keepAndSend(
    sender: MessageSender,
    message: XmppElement,
    to: Jid,
    isArchived: boolean,
    done: Done,
  ): void {
    const { archive, context, inProgress, outbox } = this.parts;
    const key = duplicateKey(message, sender.from, to);
    if (key !== undefined && inProgress.isKnown(key, done)) return;
    const text = stanzaText(message);
    const refusal = outbox.refusal(to.bare, text.length) ?? context.writes.refusal();
    if (refusal !== undefined) {
      sender.refused('resource-constraint', refusal);
      return done();
    }
    const { unixMs } = context.environment;
    const waiting = outbox.prepare(to.bare, message, text);
    sender.placed?.(waiting.entry);
    const stanza = isArchived ? text : undefined;
    const entry = archive.entryOf({
      id: archive.newId(),
      unixMs,
      with: to.bare,
      duplicateKey: key,
      stanza,
    });
    if (key !== undefined) inProgress.began(key);
    context.writes.write([archive.recordOf(entry), waiting.record], () => {
      context.writes.write(archive.add(entry));
      done();
      if (key !== undefined) inProgress.ended(key);
      outbox.add(waiting.entry);
      this.copy(sender.client, message, unixMs);
    });
  }

  /** Worth something only to who is there now. */
  private sendNow(client: Client, message: XmppElement, to: Jid): void {
    const { context } = this.parts;
    const isTaken = this.parts.way?.takesNow(message, to, false) === true;
    const reached = isTaken ? 1 : sendToDevices(context, to.bare, message);
    const isLost = reached === 0 && this.parts.way?.takesNow(message, to, true) !== true;
    const hasText = childElement(message, 'body', CLIENT_NAMESPACE) !== undefined;
    if (isLost && hasText) {
      const text = `no device of ${to.bare} is connected, and this message is not to be kept`;
      refuse(context, { type: 'client', client }, message, 'recipient-unavailable', text);
    }
    this.copy(client, message, context.environment.unixMs);
  }

  /** For the user's other clients, here and at other devices. */
  private copy(client: Client | undefined, message: XmppElement, unixMs: number): void {
    const except = new Set(client === undefined ? [] : [client]);
    this.parts.delivery.sendCarbons(message, 'sent', except);
    this.parts.copies.send(message, 'sent', unixMs);
  }

  /** With an origin-id, and without ids that only this peer gives (XEP-0359 §5). */
  private identified(message: XmppElement): XmppElement {
    const { archive, context } = this.parts;
    const honest = withoutStanzaIdsBy(message, context.own.bare);
    return originId(honest) === undefined ? withOriginId(honest, archive.newId()) : honest;
  }

  /** RFC 6120 §10.3.1: without `to` it is for the own account. */
  private addressee(message: XmppElement): Jid | AddressFault {
    const { context } = this.parts;
    const to = message.attributes.get('to');
    return to === undefined ? context.own : context.addresses.parse(to);
  }
}
