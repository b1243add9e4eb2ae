import {
  DISCO_INFO_NAMESPACE,
  DISCO_ITEMS_NAMESPACE,
  PING_NAMESPACE,
} from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { X509_NAMESPACE } from '../x509/x509-element.ts';

/**
 * What service discovery (XEP-0030) and ping (XEP-0199) get from an authority that is a component;
 * undefined: `iq` asks for something else. The identity `auth/cert` of XEP-0417 §5.1 is for servers
 * that take logins, so it is not there.
 */
export function discoveryAnswer(
  iq: XmppElement,
  name: string,
): XmppElement | 'no-such-node' | undefined {
  const [payload] = childElements(iq);
  if (payload === undefined || iq.attributes.get('type') !== 'get') return undefined;
  switch (`${payload.namespace} ${payload.name}`) {
    case `${DISCO_INFO_NAMESPACE} query`:
      return payload.attributes.has('node') ? 'no-such-node' : resultOf(iq, [informationOf(name)]);
    case `${DISCO_ITEMS_NAMESPACE} query`:
      return payload.attributes.has('node')
        ? 'no-such-node'
        : resultOf(iq, [element('query', DISCO_ITEMS_NAMESPACE)]);
    case `${PING_NAMESPACE} ping`:
      return resultOf(iq, []);
    default:
      return undefined;
  }
}

/** The result that answers `iq` (RFC 6120 §8.2.3). */
export function resultOf(iq: XmppElement, children: readonly XmppElement[]): XmppElement {
  const values = {
    type: 'result',
    id: iq.attributes.get('id'),
    to: iq.attributes.get('from'),
    from: iq.attributes.get('to'),
  };
  return element('iq', CLIENT_NAMESPACE, values, children);
}

function informationOf(name: string): XmppElement {
  const features = [DISCO_INFO_NAMESPACE, DISCO_ITEMS_NAMESPACE, PING_NAMESPACE, X509_NAMESPACE];
  return element('query', DISCO_INFO_NAMESPACE, {}, [
    element('identity', DISCO_INFO_NAMESPACE, { category: 'component', type: 'generic', name }),
    ...features.map((feature) => element('feature', DISCO_INFO_NAMESPACE, { var: feature })),
  ]);
}
