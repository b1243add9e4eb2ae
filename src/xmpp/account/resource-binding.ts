import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { BIND_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElement, element, textOf, type XmppElement } from '../stanza/xmpp-element.ts';

/** Asks for a resource (RFC 6120 §7), for this one where the account names one. */
export function bindRequest(id: string, { resourcepart }: Jid): XmppElement {
  const wanted =
    resourcepart === undefined ? [] : [element('resource', BIND_NAMESPACE, {}, [resourcepart])];
  const bind = element('bind', BIND_NAMESPACE, {}, wanted);
  return element('iq', CLIENT_NAMESPACE, { type: 'set', id }, [bind]);
}

/** The full address in the answer; undefined when there is none. */
export function boundAddress(answer: XmppElement): Jid | undefined {
  if (answer.attributes.get('type') !== 'result') return undefined;
  const bind = childElement(answer, 'bind', BIND_NAMESPACE);
  const jid = bind === undefined ? undefined : childElement(bind, 'jid');
  const parsed = jid === undefined ? undefined : parseJid(textOf(jid));
  if (parsed === undefined || parsed instanceof AddressFault) return undefined;
  return parsed.resourcepart === undefined ? undefined : parsed;
}
