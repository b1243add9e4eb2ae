import { formatUtcTime } from '../../overlay-config/date-time.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../xmpp-address/jid.ts';
import { DELAY_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import {
  childElement,
  childElements,
  element,
  isElement,
  withChildren,
  withoutChildren,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import { ORIGIN_ID_CHARACTERS_MAX } from './routing-limits.ts';

export const STANZA_ID_NAMESPACE = 'urn:xmpp:sid:0';
export const HINTS_NAMESPACE = 'urn:xmpp:hints';
export const CARBONS_NAMESPACE = 'urn:xmpp:carbons:2';
export const FORWARD_NAMESPACE = 'urn:xmpp:forward:0';

/** RFC 6121 §5.2.2; anything else counts as normal. */
export type MessageType = 'normal' | 'chat' | 'groupchat' | 'headline' | 'error';

/**
 * How long a message lives. `transient`: only for who is there now. `unarchived`: it may wait, but
 * is in no archive. `archived`: both.
 */
export type MessageKeeping = 'transient' | 'unarchived' | 'archived';

export function messageType(message: XmppElement): MessageType {
  const type = message.attributes.get('type');
  return TYPES.find((known) => known === type) ?? 'normal';
}

/** XEP-0334 §4, and what is worth nothing later: chat states, headlines, groupchat, errors. */
export function messageKeeping(message: XmppElement): MessageKeeping {
  const type = messageType(message);
  if (type !== 'chat' && type !== 'normal') return 'transient';
  if (hasHint(message, 'no-store')) return 'transient';
  if (hasHint(message, 'no-permanent-store')) return 'unarchived';
  if (hasHint(message, 'store')) return 'archived';
  return childElements(message).every(saysNothingLater) ? 'transient' : 'archived';
}

/** XEP-0280 §6.1. Errors are not copied: what they answer is not remembered. */
export function isCarbonEligible(message: XmppElement): boolean {
  if (!isForwardable(message)) return false;
  return messageType(message) === 'chat' || childElements(message).some(isInstantMessaging);
}

/** XEP-0415 §6.2, short of what its sender wants to keep from other devices (XEP-0280 §8). */
export function isForwardable(message: XmppElement): boolean {
  const type = messageType(message);
  if (type !== 'chat' && type !== 'normal') return false;
  const isPrivate = childElement(message, 'private', CARBONS_NAMESPACE) !== undefined;
  return !isPrivate && !hasHint(message, 'no-copy');
}

/** The id that its sender gave it (XEP-0359 §3), if it can identify anything. */
export function originId(message: XmppElement): string | undefined {
  const id = childElement(message, 'origin-id', STANZA_ID_NAMESPACE)?.attributes.get('id');
  const isUsable = id !== undefined && id !== '' && id.length <= ORIGIN_ID_CHARACTERS_MAX;
  return isUsable ? id : undefined;
}

/** With this origin-id as the only one. */
export function withOriginId(message: XmppElement, id: string): XmppElement {
  const others = withoutChildren(message, (child) =>
    isElement(child, 'origin-id', STANZA_ID_NAMESPACE),
  );
  return withChildren(others, [element('origin-id', STANZA_ID_NAMESPACE, { id })]);
}

/** XEP-0359 §5: nobody else gives ids in our name, however it is spelled. */
export function withoutStanzaIdsBy(message: XmppElement, by: BareJid): XmppElement {
  return withoutClaims(message, by, 'by', (child) =>
    isElement(child, 'stanza-id', STANZA_ID_NAMESPACE),
  );
}

/** XEP-0203 §4: nobody else says when something came to us. */
export function withoutDelaysFrom(message: XmppElement, from: BareJid): XmppElement {
  return withoutClaims(message, from, 'from', (child) =>
    isElement(child, 'delay', DELAY_NAMESPACE),
  );
}

/** Without the children that name this user in their attribute, or any where there are too many. */
function withoutClaims(
  message: XmppElement,
  user: BareJid,
  attribute: string,
  isClaim: (child: XmppElement) => boolean,
): XmppElement {
  const claims = childElements(message).filter(isClaim);
  if (claims.length === 0) return message;
  const isTooMany = claims.length > CLAIMS_MAX;
  const names = ({ attributes }: XmppElement) => {
    const address = parseJid(attributes.get(attribute) ?? '');
    return !(address instanceof AddressFault) && address.bare === user;
  };
  return withoutChildren(message, (child) => isClaim(child) && (isTooMany || names(child)));
}

export function withStanzaId(message: XmppElement, by: string, id: string): XmppElement {
  return withChildren(message, [element('stanza-id', STANZA_ID_NAMESPACE, { id, by })]);
}

/** XEP-0203: `from` kept the stanza since `unixMs`. One that is there already stays alone. */
export function withDelay(stanza: XmppElement, from: string, unixMs: number): XmppElement {
  const isThere = childElements(stanza).some(
    (child) => isElement(child, 'delay', DELAY_NAMESPACE) && child.attributes.get('from') === from,
  );
  return isThere ? stanza : withChildren(stanza, [delayElement(from, unixMs)]);
}

export function delayElement(from: string | undefined, unixMs: number): XmppElement {
  return element('delay', DELAY_NAMESPACE, { from, stamp: formatUtcTime(unixMs) });
}

function hasHint(message: XmppElement, name: string): boolean {
  return childElement(message, name, HINTS_NAMESPACE) !== undefined;
}

function saysNothingLater(child: XmppElement): boolean {
  if (child.namespace === CHAT_STATES_NAMESPACE || child.namespace === HINTS_NAMESPACE) return true;
  if (child.namespace === STANZA_ID_NAMESPACE) return true;
  return isElement(child, 'thread', CLIENT_NAMESPACE);
}

function isInstantMessaging(child: XmppElement): boolean {
  return PAYLOADS.has(child.namespace) || isElement(child, 'body', CLIENT_NAMESPACE);
}

/** Stanza-ids or delays of one message: each server on its way may add one. */
const CLAIMS_MAX = 16;
const TYPES = ['normal', 'chat', 'groupchat', 'headline', 'error'] as const;
const CHAT_STATES_NAMESPACE = 'http://jabber.org/protocol/chatstates';
/** XEP-0184, XEP-0085, XEP-0333. */
const PAYLOADS: ReadonlySet<string> = new Set([
  'urn:xmpp:receipts',
  CHAT_STATES_NAMESPACE,
  'urn:xmpp:chat-markers:0',
]);
