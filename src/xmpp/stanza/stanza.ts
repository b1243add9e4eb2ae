import { element, type XmppElement, type XmppNode } from './xmpp-element.ts';

/** What a stream carries once it is open: RFC 6120 §8. Its namespace is `jabber:client`. */
export type StanzaName = 'message' | 'presence' | 'iq';

/** The namespace of stanzas on local sessions and on direct streams alike. */
export const CLIENT_NAMESPACE = 'jabber:client';
export const STANZA_ERROR_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-stanzas';

export function isStanza(given: XmppElement): boolean {
  return given.namespace === CLIENT_NAMESPACE && STANZA_NAMES.includes(given.name);
}

/** RFC 6120 §8.3.3, each with the error type that the RFC recommends. */
export const STANZA_ERROR_TYPES = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
} as const;

export type StanzaErrorCondition = keyof typeof STANZA_ERROR_TYPES;

/**
 * The error stanza that answers `stanza` (RFC 6120 §8.3.1): same name and id, `to` and `from`
 * turned round. `text` is one sentence for people. Errors and iq results are never answered by an
 * error; the caller sees to that (`mayBeAnsweredByError`).
 */
export function stanzaError(
  stanza: XmppElement,
  condition: StanzaErrorCondition,
  text: string,
  applicationCondition: readonly XmppNode[] = [],
): XmppElement {
  const error = element('error', CLIENT_NAMESPACE, { type: STANZA_ERROR_TYPES[condition] }, [
    element(condition, STANZA_ERROR_NAMESPACE),
    element('text', STANZA_ERROR_NAMESPACE, { 'xml:lang': 'en' }, [text]),
    ...applicationCondition,
  ]);
  const { attributes } = stanza;
  return element(
    stanza.name,
    CLIENT_NAMESPACE,
    {
      type: 'error',
      id: attributes.get('id'),
      to: attributes.get('from'),
      from: attributes.get('to'),
    },
    [error],
  );
}

/** RFC 6120 §8.3.1: errors are not answered by errors, nor are results. */
export function mayBeAnsweredByError(stanza: XmppElement): boolean {
  const type = stanza.attributes.get('type');
  return type !== 'error' && type !== 'result';
}

const STANZA_NAMES: readonly string[] = ['message', 'presence', 'iq'] satisfies StanzaName[];
