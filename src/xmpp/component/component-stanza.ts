import { escapeXml } from '../../xml/write-xml.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { STREAMS_NAMESPACE } from '../stream/stream-error.ts';

/** The content namespace of a component that connects to its server — XEP-0114 §3. */
export const COMPONENT_NAMESPACE = 'jabber:component:accept';

/** The header by which a component says which one it is: `to` is its own name (XEP-0114 §3). */
export function writeComponentHeader(jid: string): string {
  return (
    `<?xml version="1.0"?><stream:stream xmlns="${COMPONENT_NAMESPACE}" ` +
    `xmlns:stream="${STREAMS_NAMESPACE}" to="${escapeXml(jid)}">`
  );
}

/** A stanza, as the rest of this program has them, as text for the stream of a component. */
export function writeComponentStanza(stanza: XmppElement): string {
  const moved = inNamespace(stanza, CLIENT_NAMESPACE, COMPONENT_NAMESPACE);
  return writeElement(moved, COMPONENT_NAMESPACE);
}

/** A stanza from the stream of a component, as the rest of this program has them. */
export function fromComponentStream(stanza: XmppElement): XmppElement {
  return inNamespace(stanza, COMPONENT_NAMESPACE, CLIENT_NAMESPACE);
}

/** The same, with what is in one namespace in the other. */
function inNamespace(given: XmppElement, from: string, to: string): XmppElement {
  return {
    name: given.name,
    namespace: given.namespace === from ? to : given.namespace,
    attributes: given.attributes,
    children: given.children.map((node) =>
      typeof node === 'string' ? node : inNamespace(node, from, to),
    ),
  };
}
