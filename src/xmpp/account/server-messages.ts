import { parseUtcTime } from '../../overlay-config/date-time.ts';
import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import { carbonContent, isCarbon } from '../routing/carbon.ts';
import { duplicateKey, type MessageArchive } from '../routing/message-archive.ts';
import type { MessageReception } from '../routing/message-reception.ts';
import type { MessageRouting } from '../routing/message-routing.ts';
import { messageType, withoutStanzaIdsBy } from '../routing/message-rules.ts';
import { sizeFault, sizeOf } from '../routing/message-size.ts';
import type { Done } from '../routing/ordered-acknowledgements.ts';
import type { OwnDeviceCopies } from '../routing/own-device-copies.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import { mayBeAnsweredByError, stanzaError } from '../stanza/stanza.ts';
import { withAttributes, type XmppElement } from '../stanza/xmpp-element.ts';
import { SERVER_JUDGED_BYTES_MAX } from './account-limits.ts';
import { markedByServer } from './came-by-server.ts';
import type { ServerPathHooks } from './server-path-hooks.ts';

export interface ServerMessagesParts {
  readonly context: RoutingContext;
  readonly hooks: ServerPathHooks;
  readonly archive: MessageArchive;
  readonly copies: OwnDeviceCopies;
  readonly reception: MessageReception;
  readonly routing: MessageRouting;
  /** An error came for what was sent. */
  readonly failed: (error: XmppElement, from: Jid) => void;
  /** Sends the error that tells a sender why nobody gets a message. */
  readonly answer: (error: XmppElement) => void;
}

/**
 * Messages that come by the account's server. Their `from` is that server's word, so each is marked
 * (`CAME_BY_SERVER`), and none of them has the rights of an own device. What came by the overlay,
 * too, is recognised by its origin-id.
 */
export class ServerMessages {
  private readonly parts: ServerMessagesParts;
  /** Senders of whom a message is being judged, and what of theirs waits for that. */
  private readonly judged = new Map<BareJid, Judgement[]>();
  private judgedBytes = 0;

  constructor(parts: ServerMessagesParts) {
    this.parts = parts;
  }

  /** `done` when it is on disk, or nobody gets it. */
  take(given: XmppElement, from: Jid, to: Jid, done: Done): void {
    if (messageType(given) === 'error') {
      this.parts.failed(given, from);
      return done();
    }
    if (isCarbon(given)) return this.carbon(given, from, done);
    // Rooms are joined by no client of this peer.
    if (messageType(given) === 'groupchat') return done();
    const taken = (message: XmppElement) => this.receive(message, from, to, false, done);
    this.judge(given, from, { taken, answer: this.parts.answer }, done);
  }

  /** XEP-0280 §11: only the own account makes copies. */
  private carbon(wrapper: XmppElement, from: Jid, done: Done): void {
    const { addresses, own } = this.parts.context;
    const content = from.text === own.bare ? carbonContent(wrapper) : undefined;
    const inner = content?.message;
    const sender = addresses.parseIfValid(inner?.attributes.get('from'));
    const to = addresses.parseIfValid(inner?.attributes.get('to'));
    const isSent = content?.direction === 'sent';
    const isOfUser = (isSent ? sender?.bare : to?.bare) === own.bare;
    if (content === undefined || inner === undefined || sender === undefined || to === undefined) {
      return this.drop(from, 'it is no copy of the own account', done);
    }
    if (!isOfUser) return this.drop(from, 'a copy is of a message from or to the user', done);
    if (messageType(inner) === 'groupchat' || messageType(inner) === 'error') return done();
    if (!isSent && this.parts.context.blocked.blocks(sender)) return done();
    const taken = isSent
      ? (message: XmppElement) => this.sentElsewhere(message, sender, to, content.stamp, done)
      : (message: XmppElement) => this.receive(message, sender, to, true, done);
    // The client that got it has answered, or the one that sent it was.
    this.judge(inner, sender, { taken, answer: () => undefined }, done);
  }

  /** One after the other for each sender, since a judgement may take its time. */
  private judge(given: XmppElement, from: Jid, { taken, answer }: Judged, done: Done): void {
    const { context, hooks } = this.parts;
    const fault = sizeFault(given);
    if (fault !== undefined) return this.drop(from, `it is too large: ${fault}`, done);
    const { bytes } = sizeOf(given);
    if (this.judgedBytes + bytes > SERVER_JUDGED_BYTES_MAX) {
      const text = 'too many messages wait to be checked; send it again later';
      if (mayBeAnsweredByError(given)) answer(stanzaError(given, 'resource-constraint', text));
      return this.drop(from, text, done, 'resource-constraint');
    }
    this.judgedBytes += bytes;
    const honest = withoutStanzaIdsBy(given, context.own.bare);
    const marked = markedByServer(honest, context.own.domainpart);
    const judgement: Judgement = (over) =>
      hooks.incoming(marked, from, (outcome) => {
        this.judgedBytes -= bytes;
        if (outcome.type === 'taken') taken(outcome.message);
        else {
          if (outcome.answer !== undefined) answer(outcome.answer);
          this.drop(from, outcome.reason, done, outcome.condition);
        }
        over();
      });
    const waiting = this.judged.get(from.bare);
    if (waiting !== undefined) {
      waiting.push(judgement);
      return;
    }
    this.judged.set(from.bare, [judgement]);
    this.judgeNext(from.bare);
  }

  /** Up to the first one that takes its time; a loop, since many may have waited for it. */
  private judgeNext(from: BareJid): void {
    const waiting = this.judged.get(from) ?? [];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      let state: 'judged' | 'over' | 'later' = 'judged';
      next(() => {
        if (state === 'later') this.judgeNext(from);
        else state = 'over';
      });
      if (state === 'judged') {
        state = 'later';
        return;
      }
    }
    this.judged.delete(from);
  }

  /** The resource that the server knows is the peer's own: it is for all clients of the user. */
  private receive(message: XmppElement, from: Jid, to: Jid, isCopy: boolean, done: Done): void {
    const { context, reception } = this.parts;
    const isForClient = context.clients.at(to.text) !== undefined;
    const addressee = isForClient ? to : context.own;
    const addressed = withAttributes(message, { to: addressee.text });
    const origin = { type: 'server', isCopy } as const;
    // Devices without this account get it from here.
    const incoming = { message: addressed, from, to: addressee, origin, isCopy: false };
    reception.receive(incoming, done);
  }

  private sentElsewhere(
    message: XmppElement,
    from: Jid,
    to: Jid,
    stamp: string | undefined,
    done: Done,
  ): void {
    const { unixMs } = this.parts.context.environment;
    const stampMs = stamp === undefined ? undefined : parseUtcTime(stamp);
    const sentMs = Math.min(stampMs ?? unixMs, unixMs);
    const { archive, copies, routing } = this.parts;
    const key = duplicateKey(message, from, to);
    // Devices without this account get it from here.
    if (key === undefined || !archive.has(key)) copies.send(message, 'sent', sentMs);
    routing.sentElsewhere(message, from, to, sentMs, done);
  }

  private drop(from: Jid, reason: string, done: Done, condition = 'not-acceptable'): void {
    const { environment, own } = this.parts.context;
    const sender = `${from.text} by ${own.domainpart}`;
    environment.event({ type: 'stanzaRefused', from: sender, condition, reason });
    done();
  }
}

/** Calls `over` once, at once or later. */
type Judgement = (over: () => void) => void;

/** What follows from a judgement. */
interface Judged {
  readonly taken: (message: XmppElement) => void;
  readonly answer: (error: XmppElement) => void;
}
