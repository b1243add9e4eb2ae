import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { CLIENT_NAMESPACE, type StanzaErrorCondition } from '../stanza/stanza.ts';
import { element } from '../stanza/xmpp-element.ts';
import type { SentMessageId } from '../xmpp-input.ts';
import type { SentMessageOutcome } from '../xmpp-output.ts';
import type { MessageRouting } from './message-routing.ts';
import { withOriginId } from './message-rules.ts';
import type { RoutingContext } from './routing-context.ts';
import type { OutboxRecord } from './routing-records.ts';

/** Messages that a program sends through the peer of its user, and what becomes of each. */
export class PeerMessages {
  private readonly context: RoutingContext;
  private readonly messages: MessageRouting;
  /** By sequence in the outbox, which bounds them. */
  private readonly waiting = new Map<number, SentMessageId>();

  constructor(context: RoutingContext, messages: MessageRouting) {
    this.context = context;
    this.messages = messages;
  }

  send(message: SentMessageId, to: string, text: string): void {
    const { addresses, environment, own } = this.context;
    const refused = (condition: StanzaErrorCondition, reason: string) =>
      this.answer(message, { type: 'refused', condition, reason });
    const address = addresses.parse(to);
    if (address instanceof AddressFault) {
      return refused('jid-malformed', `"${to}" is no address: ${address.describe()}`);
    }
    if (address.localpart === undefined || address.bare === own.bare) {
      return refused('not-acceptable', 'a message goes to another user');
    }
    const id = Buffer.from(environment.random.bytes(ID_BYTES)).toString('base64url');
    const attributes = { type: 'chat', id, from: own.bare, to: address.text };
    const body = element('body', CLIENT_NAMESPACE, {}, [text]);
    const stanza = withOriginId(element('message', CLIENT_NAMESPACE, attributes, [body]), id);
    const placed = ({ sequence }: OutboxRecord) => this.waiting.set(sequence, message);
    this.messages.fromPeer(stanza, address, { client: undefined, refused, placed });
  }

  delivered(entry: OutboxRecord): void {
    this.end(entry, { type: 'acknowledged' });
  }

  /** The user's own server has it and delivers it. */
  handedOn(entry: OutboxRecord): void {
    this.end(entry, { type: 'acknowledged', by: 'server' });
  }

  givenUp(entry: OutboxRecord, condition: StanzaErrorCondition, reason: string): void {
    this.end(entry, { type: 'refused', condition, reason });
  }

  private end(entry: OutboxRecord, outcome: SentMessageOutcome): void {
    const message = this.waiting.get(entry.sequence);
    if (message === undefined) return;
    this.waiting.delete(entry.sequence);
    this.answer(message, outcome);
  }

  private answer(message: SentMessageId, outcome: SentMessageOutcome): void {
    this.context.environment.output({ type: 'messageOutcome', message, outcome });
  }
}

const ID_BYTES = 15;
