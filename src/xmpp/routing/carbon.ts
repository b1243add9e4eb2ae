import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElement, childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  CARBONS_NAMESPACE,
  delayElement,
  FORWARD_NAMESPACE,
  messageType,
} from './message-rules.ts';

export type CarbonDirection = 'sent' | 'received';

/** A copy for another client of the user (XEP-0280 §7, §8); it comes from the own bare JID. */
export function carbonOf(message: XmppElement, direction: CarbonDirection, to: Jid): XmppElement {
  return wrapped(message, direction, to.bare, to.text, []);
}

/**
 * A copy for another own device (XEP-0415 §6.2), with the time at which it came here. It has the
 * form of a carbon, and only the own XmppAddr may send one.
 */
export function deviceCopyOf(
  message: XmppElement,
  direction: CarbonDirection,
  own: BareJid,
  unixMs: number,
): XmppElement {
  return wrapped(message, direction, own, own, [delayElement(own, unixMs)]);
}

/** What such a copy holds; undefined when the message is none, or is malformed. */
export function carbonContent(message: XmppElement):
  | {
      readonly direction: CarbonDirection;
      readonly message: XmppElement;
      readonly stamp: string | undefined;
    }
  | undefined {
  const direction = directionOf(message);
  if (direction === undefined) return undefined;
  const wrapper = childElement(message, direction, CARBONS_NAMESPACE);
  const forwarded = wrapper && childElement(wrapper, 'forwarded', FORWARD_NAMESPACE);
  const inner = forwarded && childElement(forwarded, 'message', CLIENT_NAMESPACE);
  if (inner === undefined || forwarded === undefined || isCarbon(inner)) return undefined;
  const delay = childElements(forwarded).find(({ name }) => name === 'delay');
  return { direction, message: inner, stamp: delay?.attributes.get('stamp') };
}

/** Whether it claims to be a copy of something. */
export function isCarbon(message: XmppElement): boolean {
  return directionOf(message) !== undefined;
}

function directionOf(message: XmppElement): CarbonDirection | undefined {
  const wrapper = childElements(message).find(
    ({ name, namespace }) =>
      namespace === CARBONS_NAMESPACE && (name === 'sent' || name === 'received'),
  );
  return wrapper?.name === 'sent' ? 'sent' : wrapper && 'received';
}

function wrapped(
  message: XmppElement,
  direction: CarbonDirection,
  from: BareJid,
  to: string,
  before: readonly XmppElement[],
): XmppElement {
  const type = messageType(message);
  const forwarded = element('forwarded', FORWARD_NAMESPACE, {}, [...before, message]);
  return element(
    'message',
    CLIENT_NAMESPACE,
    { from, to, type: type === 'normal' ? undefined : type },
    [element(direction, CARBONS_NAMESPACE, {}, [forwarded])],
  );
}
