import { fromBase64 } from '../sasl/base64.ts';
import {
  childElement,
  childElements,
  element,
  isElement,
  textOf,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import { type CertificateChain, chainOf } from './certificate-chain.ts';
import {
  CERTIFICATE_BYTES_MAX,
  CHAIN_CERTIFICATES_MAX,
  CHAINS_PER_USER_MAX,
} from './signed-limits.ts';

/** The node in which a user publishes certificate chains — XEP-0417 §9. */
export const CERTIFICATES_NODE = 'urn:xmpp:x509:0';

/** What asks for all of them: the payload of an iq of type get to the user's bare address. */
export function publishedCertificatesRequest(): XmppElement {
  const items = element('items', PUBSUB_NAMESPACE, { node: CERTIFICATES_NODE });
  return element('pubsub', PUBSUB_NAMESPACE, {}, [items]);
}

/**
 * The chains of the answer: each item holds one `<x509-cert-chain/>`, the leaf first. What cannot
 * be read is left out; nothing of the rest is believed before it is judged.
 */
export function publishedCertificates(answer: XmppElement): CertificateChain[] {
  const pubsub = childElement(answer, 'pubsub', PUBSUB_NAMESPACE);
  const items = pubsub && childElement(pubsub, 'items', PUBSUB_NAMESPACE);
  if (items?.attributes.get('node') !== CERTIFICATES_NODE) return [];
  return childElements(items)
    .slice(0, CHAINS_PER_USER_MAX)
    .flatMap((item) => childElement(item, 'x509-cert-chain', CERTIFICATES_NODE) ?? [])
    .flatMap((chain) => chainOf(certificatesOf(chain)) ?? []);
}

function certificatesOf(chain: XmppElement): Uint8Array[] {
  const ders = childElements(chain)
    .filter((child) => isElement(child, 'x509-cert', CERTIFICATES_NODE))
    .slice(0, CHAIN_CERTIFICATES_MAX)
    .map(certificateOf);
  const read = ders.filter((der) => der !== undefined);
  return read.length === ders.length ? read : [];
}

function certificateOf(given: XmppElement): Uint8Array | undefined {
  const text = textOf(given);
  if (text.length > CERTIFICATE_CHARACTERS_MAX) return undefined;
  const der = fromBase64(text.replace(XML_SPACES, ''));
  return der === undefined || der.length > CERTIFICATE_BYTES_MAX ? undefined : der;
}

const PUBSUB_NAMESPACE = 'http://jabber.org/protocol/pubsub';
const XML_SPACES = /[ \t\r\n]+/g;
/** Base64 in indented lines. */
const CERTIFICATE_CHARACTERS_MAX = 2 * CERTIFICATE_BYTES_MAX;
