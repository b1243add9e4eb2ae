import { childElements, element, textOf, type XmppElement } from '../stanza/xmpp-element.ts';

/** Of all elements of XEP-0417. */
export const X509_NAMESPACE = 'urn:xmpp:x509:0';

/** What `<x509-challenge/>` asks a client to open, for which transaction. */
export interface ChallengeValues {
  readonly transaction: string;
  readonly uri: string;
  /** Of the authority, over `transaction` and `uri`, one behind the other. */
  readonly signature: Uint8Array;
}

/** `<x509-cert/>`: a certificate in DER, as PEM without its boundaries (XEP-0417 §4.1). */
export function certificateElement(der: Uint8Array): XmppElement {
  return base64Element('x509-cert', der);
}

/** `<x509-cert-chain/>`: the leaf first, each signed by the next one (XEP-0417 §4.1). */
export function certificateChainElement(
  chain: readonly Uint8Array[],
  name: string | undefined,
): XmppElement {
  return element('x509-cert-chain', X509_NAMESPACE, { name }, chain.map(certificateElement));
}

/** `<x509-ca-list/>` with certificates in no order (XEP-0417 §5.2); without any, the request. */
export function authorityListElement(certificates: readonly Uint8Array[]): XmppElement {
  return element('x509-ca-list', X509_NAMESPACE, {}, certificates.map(certificateElement));
}

/** `<x509-challenge/>` (XEP-0417 §6.2). */
export function challengeElement({ transaction, uri, signature }: ChallengeValues): XmppElement {
  const signed = base64Element('x509-signature', signature);
  return element('x509-challenge', X509_NAMESPACE, { transaction, uri }, [signed]);
}

/** What `<x509-signature/>` in a challenge is computed over (XEP-0417 §6.2). */
export function challengeInput(transaction: string, uri: string): Uint8Array {
  return new Uint8Array(Buffer.from(transaction + uri));
}

/**
 * The octets that an element's character data says in base64, which may have white space in it as
 * PEM has. Undefined where it is something else, has child elements or is empty.
 */
export function octetsOf(given: XmppElement): Uint8Array | undefined {
  if (childElements(given).length > 0) return undefined;
  const text = textOf(given).replace(WHITE_SPACE, '');
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

function base64Element(name: string, octets: Uint8Array): XmppElement {
  const base64 = Buffer.from(octets).toString('base64');
  const lines = base64.replace(/.{64}(?=.)/g, '$&\n');
  return element(name, X509_NAMESPACE, {}, [lines]);
}

/** XML §2.3. */
const WHITE_SPACE = /[ \t\r\n]+/g;
