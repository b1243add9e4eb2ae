import { HINTS_NAMESPACE, messageKeeping } from '../routing/message-rules.ts';
import { sizeOf } from '../routing/message-size.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElements, element, isElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { FALLBACK_BYTES_MAX, SIGNED_NAMESPACE } from './signed-limits.ts';

/**
 * What stands beside the signature of a stanza, for those who do not know signatures: the text, so
 * that other clients of the addressee can show it, and the hints, because servers act on them.
 * Whoever checks signatures takes nothing from it.
 */
export function besideSignature(stanza: XmppElement): XmppElement[] {
  if (stanza.name !== 'message') return [];
  return [...fallback(stanza), ...hints(stanza)];
}

/** XEP-0428: these are a fallback for who does not know what they stand for. */
function fallback(stanza: XmppElement): XmppElement[] {
  if (sizeOf(stanza).bytes > FALLBACK_BYTES_MAX) return [];
  const texts = childElements(stanza).filter((child) =>
    READ_BY_PEOPLE.some((name) => isElement(child, name, CLIENT_NAMESPACE)),
  );
  if (texts.length === 0) return [];
  return [...texts, element('fallback', FALLBACK_NAMESPACE, { for: SIGNED_NAMESPACE })];
}

function hints(stanza: XmppElement): XmppElement[] {
  const given = childElements(stanza).filter(({ namespace }) => namespace === HINTS_NAMESPACE);
  if (given.length > 0) return given.slice(0, HINTS_MAX);
  return messageKeeping(stanza) === 'archived' ? [element('store', HINTS_NAMESPACE)] : [];
}

const READ_BY_PEOPLE = ['subject', 'body', 'thread'];
const FALLBACK_NAMESPACE = 'urn:xmpp:fallback:0';
const HINTS_MAX = 8;
