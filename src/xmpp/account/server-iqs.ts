import type { Jid } from '../../xmpp-address/jid.ts';
import type { Client } from '../routing/client-table.ts';
import { type RoutingContext, refuse } from '../routing/routing-context.ts';
import { withoutMarks } from '../signed-stanzas/authenticity-mark.ts';
import { PING_NAMESPACE, ROSTER_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE, STANZA_ERROR_TYPES, stanzaError } from '../stanza/stanza.ts';
import {
  childElement,
  childElements,
  element,
  withAttributes,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import { SERVER_IQ_MS_MAX } from './account-limits.ts';
import type { AccountServer } from './account-server.ts';
import type { StanzaErrorContent } from './server-requests.ts';

/**
 * Requests (RFC 6120 §8.2.3) over the account's server: of own clients to services, and to users
 * whom the overlay does not reach. The other end sees the account, not which client asks. Of others
 * only what every entity answers is answered.
 */
export class ServerIqs {
  private readonly context: RoutingContext;
  private readonly server: AccountServer;

  constructor(context: RoutingContext, server: AccountServer) {
    this.context = context;
    this.server = server;
  }

  /** False when the server is away: then nobody has the request. */
  request(client: Client, stanza: XmppElement, to: Jid): boolean {
    const [payload] = childElements(stanza);
    if (!this.server.isOnline || payload === undefined) return false;
    const type = stanza.attributes.get('type') === 'set' ? 'set' : 'get';
    const request = { to: to.text, type, payload, timeoutMs: SERVER_IQ_MS_MAX } as const;
    this.server.request(request, (outcome) => {
      const addresses = { from: stanza.attributes.get('to'), to: client.jid.text };
      const id = stanza.attributes.get('id');
      if (outcome.type === 'result') {
        this.answer(client, withAttributes(outcome.stanza, { ...addresses, id }));
      } else if (outcome.type === 'error') {
        this.answer(client, errorAnswer({ ...addresses, id }, outcome.error));
      } else if (this.isThere(client)) {
        const origin = { type: 'client', client } as const;
        refuse(this.context, origin, stanza, 'remote-server-timeout', outcome.reason);
      }
    });
    return true;
  }

  /** A request or an answer that came; nobody waits for such an answer. */
  take(stanza: XmppElement, from: Jid): void {
    const type = stanza.attributes.get('type');
    if (type !== 'get' && type !== 'set') return;
    const { own } = this.context;
    const isPing = type === 'get' && childElement(stanza, 'ping', PING_NAMESPACE) !== undefined;
    // RFC 6121 §2.1.6: of the roster at the server, of which this peer makes no use.
    const isOfAccount = from.bare === own.bare || from.text === own.domainpart;
    const isPush = isOfAccount && childElement(stanza, 'query', ROSTER_NAMESPACE) !== undefined;
    if (isPing || isPush) {
      const { attributes } = stanza;
      const answer = { type: 'result', id: attributes.get('id'), to: attributes.get('from') };
      return this.server.send(element('iq', CLIENT_NAMESPACE, answer), 0);
    }
    const text = 'Requests are answered in the overlay only.';
    const error = stanzaError(stanza, 'service-unavailable', text);
    this.server.send(withAttributes(error, { from: undefined }), 0);
  }

  private answer(client: Client, stanza: XmppElement): void {
    if (this.isThere(client)) this.context.sessions.send(client.session, withoutMarks(stanza));
  }

  private isThere(client: Client): boolean {
    return this.context.clients.get(client.session) === client;
  }
}

function errorAnswer(
  attributes: Readonly<Record<string, string | undefined>>,
  { condition, errorType, text, applicationCondition }: StanzaErrorContent,
): XmppElement {
  const isKnown = condition in STANZA_ERROR_TYPES;
  const known = isKnown ? (condition as keyof typeof STANZA_ERROR_TYPES) : 'undefined-condition';
  const error = stanzaError(
    element('iq', CLIENT_NAMESPACE),
    known,
    text ?? 'The other end gave no reason.',
    applicationCondition === undefined ? [] : [applicationCondition],
  );
  const children = error.children.map((child) =>
    typeof child === 'string' ? child : withAttributes(child, { type: errorType }),
  );
  return withAttributes({ ...error, children }, attributes);
}
