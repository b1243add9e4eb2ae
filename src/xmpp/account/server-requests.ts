import { toHex } from '../../wire/hex.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE, STANZA_ERROR_NAMESPACE } from '../stanza/stanza.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { childElement, childElements, element, textOf } from '../stanza/xmpp-element.ts';
import { REQUEST_ID_LENGTH, SERVER_REQUESTS_MAX } from './account-limits.ts';
import type { AccountSurroundings } from './account-surroundings.ts';

/** How a request (RFC 6120 §8.2.3) ended. */
export type RequestOutcome =
  /** The whole `<iq type='result'/>`. */
  | { readonly type: 'result'; readonly stanza: XmppElement }
  | { readonly type: 'error'; readonly error: StanzaErrorContent }
  /** No answer came: it took too long, the connection ended, or too many wait already. */
  | { readonly type: 'unanswered'; readonly reason: string };

/** What an error stanza says (RFC 6120 §8.3.2). */
export interface StanzaErrorContent {
  readonly errorType: string;
  /** Of §8.3.3, or `undefined-condition` where the stanza names none. */
  readonly condition: string;
  readonly text: string | undefined;
  readonly applicationCondition: XmppElement | undefined;
}

export interface ServerRequest {
  /** Undefined: the own account, which its server answers for. */
  readonly to: string | undefined;
  readonly type: 'get' | 'set';
  readonly payload: XmppElement;
  readonly timeoutMs: number;
}

/**
 * Requests under way. An answer counts only when it comes from whom was asked, so that nobody else
 * can answer, even if he knew the id (RFC 6120 §8.1.2.1).
 */
export class ServerRequests {
  private readonly surroundings: AccountSurroundings;
  private readonly waiting = new Map<string, WaitingRequest>();

  constructor(surroundings: AccountSurroundings) {
    this.surroundings = surroundings;
  }

  /** The stanza to send, or undefined when too many wait; `then` hears once what became of it. */
  open(request: ServerRequest, then: (outcome: RequestOutcome) => void): XmppElement | undefined {
    if (this.waiting.size >= SERVER_REQUESTS_MAX) {
      const reason = `${SERVER_REQUESTS_MAX} requests wait for the server already; ask again later`;
      then({ type: 'unanswered', reason });
      return undefined;
    }
    const { to, type, payload, timeoutMs } = request;
    const id = toHex(this.surroundings.random.bytes(REQUEST_ID_LENGTH));
    this.waiting.set(id, { to, then });
    this.surroundings.setDeadline(deadlineOf(id), timeoutMs, () => {
      const who = to ?? 'the server';
      const reason = `${who} has not answered within ${timeoutMs / 1000} s`;
      this.settle(id, { type: 'unanswered', reason });
    });
    return element('iq', CLIENT_NAMESPACE, { type, id, to }, [payload]);
  }

  /** Whether the stanza answers one of them. `own` is the address that is bound. */
  take(stanza: XmppElement, own: Jid): boolean {
    const type = stanza.attributes.get('type');
    if (stanza.name !== 'iq' || (type !== 'result' && type !== 'error')) return false;
    const id = stanza.attributes.get('id') ?? '';
    const asked = this.waiting.get(id);
    if (asked === undefined || !isFrom(stanza.attributes.get('from'), asked.to, own)) return false;
    if (type === 'result') this.settle(id, { type: 'result', stanza });
    else this.settle(id, { type: 'error', error: readStanzaError(stanza) });
    return true;
  }

  /** The connection is no more. */
  failAll(reason: string): void {
    for (const id of [...this.waiting.keys()]) this.settle(id, { type: 'unanswered', reason });
  }

  private settle(id: string, outcome: RequestOutcome): void {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    this.surroundings.cancelDeadline(deadlineOf(id));
    asked?.then(outcome);
  }
}

interface WaitingRequest {
  readonly to: string | undefined;
  readonly then: (outcome: RequestOutcome) => void;
}

export function readStanzaError(stanza: XmppElement): StanzaErrorContent {
  const error = childElement(stanza, 'error');
  const children = error === undefined ? [] : childElements(error);
  const ofStanzas = children.filter(({ namespace }) => namespace === STANZA_ERROR_NAMESPACE);
  const text = ofStanzas.find(({ name }) => name === 'text');
  return {
    errorType: error?.attributes.get('type') ?? 'cancel',
    condition: ofStanzas.find(({ name }) => name !== 'text')?.name ?? 'undefined-condition',
    text: text === undefined ? undefined : textOf(text),
    applicationCondition: children.find(({ namespace }) => !KNOWN_NAMESPACES.includes(namespace)),
  };
}

/** RFC 6120 §8.1.2.1: what the server says for the account can come without `from`. */
function isFrom(from: string | undefined, asked: string | undefined, own: Jid): boolean {
  const sender = from === undefined ? own.bare : prepared(from);
  const addressee = asked === undefined ? own.bare : prepared(asked);
  if (sender === addressee) return true;
  if (addressee !== own.bare && addressee !== own.domainpart) return false;
  return asked === undefined
    ? sender === own.text || sender === own.domainpart
    : from === undefined || (addressee === own.bare && sender === own.text);
}

function prepared(text: string): string {
  const jid = parseJid(text);
  return jid instanceof AddressFault ? text : jid.text;
}

function deadlineOf(id: string): string {
  return `server request ${id}`;
}

const KNOWN_NAMESPACES: readonly string[] = [STANZA_ERROR_NAMESPACE, CLIENT_NAMESPACE];
