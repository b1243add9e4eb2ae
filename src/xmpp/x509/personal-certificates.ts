import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { toHex } from '../../wire/hex.ts';
import { DATA_FORM_NAMESPACE, PUBSUB_NAMESPACE } from '../stanza/namespaces.ts';
import { childElement, childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { certificateChainElement, octetsOf, X509_NAMESPACE } from './x509-element.ts';

/** The personal node (XEP-0163) of a user's certificate chains — XEP-0417 §9. */
export const CERTIFICATES_NODE = X509_NAMESPACE;

/**
 * The id of a chain's item: "first 16 octets from a signatureValue of the first certificate in the
 * chain, represented in lowercased hexadecimal encoding" (XEP-0417 §9). Undefined: it is no
 * certificate.
 */
export function certificateItemId(leaf: Uint8Array): string | undefined {
  const certificate = parseCertificate(leaf);
  if (certificate instanceof CertificateRefusal) return undefined;
  return toHex(certificate.signatureValue.subarray(0, ITEM_ID_OCTETS));
}

/**
 * The payload that publishes a chain, which replaces what is under its id; DER, the leaf first.
 * With options, the node is for everybody, and has room for all devices of the user; a server
 * refuses them where the node is there already and is otherwise.
 */
export function publishCertificates(
  id: string,
  chain: readonly Uint8Array[],
  name: string | undefined,
  { withOptions }: { readonly withOptions: boolean },
): XmppElement {
  const item = element('item', PUBSUB_NAMESPACE, { id }, [certificateChainElement(chain, name)]);
  const publish = element('publish', PUBSUB_NAMESPACE, { node: CERTIFICATES_NODE }, [item]);
  return pubsub(publish, ...(withOptions ? [publishOptions()] : []));
}

/** The payload that takes a chain back, and tells those who listen. */
export function retractCertificates(id: string): XmppElement {
  const item = element('item', PUBSUB_NAMESPACE, { id });
  const attributes = { node: CERTIFICATES_NODE, notify: 'true' };
  return pubsub(element('retract', PUBSUB_NAMESPACE, attributes, [item]));
}

/** The payload that asks for all chains of a user. */
export function personalCertificatesRequest(): XmppElement {
  return pubsub(element('items', PUBSUB_NAMESPACE, { node: CERTIFICATES_NODE }));
}

/** An item that does not count, and why. */
export interface RefusedItem {
  /** As it stands there. */
  readonly id: string;
  /** Half a sentence. */
  readonly reason: string;
}

export interface PersonalCertificates {
  readonly nodes: readonly AuthenticatedNode[];
  readonly refused: readonly RefusedItem[];
}

/**
 * The certificates of `owner` (a bare address, prepared) in what a server answers to
 * `personalCertificatesRequest`. The server is not believed: each chain must be valid in the
 * overlay, be of the owner, and be under the id of its leaf. `answer` is the whole iq.
 */
export function certificatesFromPersonalEvents(
  answer: XmppElement,
  owner: string,
  authenticator: Authenticator,
  unixMs: number,
): PersonalCertificates {
  const envelope = childElement(answer, 'pubsub', PUBSUB_NAMESPACE);
  const items = envelope && childElement(envelope, 'items', PUBSUB_NAMESPACE);
  const isNode = items?.attributes.get('node') === CERTIFICATES_NODE;
  const listed = isNode ? childElements(items).slice(0, ITEMS_MAX) : [];
  const nodes: AuthenticatedNode[] = [];
  const refused: RefusedItem[] = [];
  for (const item of listed) {
    const id = item.attributes.get('id') ?? '';
    const judged = judgeItem(item, owner, authenticator, unixMs);
    if (typeof judged === 'string') refused.push({ id, reason: judged });
    else nodes.push(judged);
  }
  return { nodes, refused };
}

function judgeItem(
  item: XmppElement,
  owner: string,
  authenticator: Authenticator,
  unixMs: number,
): AuthenticatedNode | string {
  const chain = childElement(item, 'x509-cert-chain', X509_NAMESPACE);
  const certificates = chain === undefined ? [] : childElements(chain);
  if (certificates.length > CHAIN_CERTIFICATES_MAX) {
    return `its chain has more than ${CHAIN_CERTIFICATES_MAX} certificates`;
  }
  const [leaf, ...pool] = certificates.map(octetsOf);
  if (leaf === undefined) return 'it has no chain of certificates';
  if (certificateItemId(leaf) !== item.attributes.get('id')) {
    return 'its id is not the beginning of the signature of its first certificate';
  }
  const known = pool.filter((der) => der !== undefined);
  const node = authenticator.authenticate(leaf, known, unixMs);
  if (node instanceof CertificateRefusal) return node.describe();
  return node.userName === owner ? node : `it is a certificate of ${node.userName}`;
}

function publishOptions(): XmppElement {
  const field = (name: string, value: string, type?: string) =>
    element('field', DATA_FORM_NAMESPACE, { var: name, type }, [
      element('value', DATA_FORM_NAMESPACE, {}, [value]),
    ]);
  const form = element('x', DATA_FORM_NAMESPACE, { type: 'submit' }, [
    field('FORM_TYPE', `${PUBSUB_NAMESPACE}#publish-options`, 'hidden'),
    field('pubsub#access_model', 'open'),
    field('pubsub#max_items', 'max'),
    field('pubsub#send_last_published_item', 'never'),
  ]);
  return element('publish-options', PUBSUB_NAMESPACE, {}, [form]);
}

function pubsub(...actions: readonly XmppElement[]): XmppElement {
  return element('pubsub', PUBSUB_NAMESPACE, {}, actions);
}

const ITEM_ID_OCTETS = 16;
const ITEMS_MAX = 64;
const CHAIN_CERTIFICATES_MAX = 8;
