import { escapeXml } from '../../xml/write-xml.ts';

/**
 * An element of an XMPP stream, as a value that never changes. Prefixes are gone: every name has
 * its namespace.
 */
export interface XmppElement {
  /** The local name. */
  readonly name: string;
  readonly namespace: string;
  /**
   * By local name. An attribute of a namespace is under `{namespace}name`, but `xml:lang` and its
   * like, whose prefix XML itself binds, under `xml:name`. Namespace declarations are not here.
   */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmppNode[];
}

/** An element, or character data with entities replaced. */
export type XmppNode = XmppElement | string;

export type AttributeValues = Readonly<Record<string, string | undefined>>;

/** An element out of its parts; attributes that are undefined are left out. */
export function element(
  name: string,
  namespace: string,
  attributes: AttributeValues = {},
  children: readonly XmppNode[] = [],
): XmppElement {
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) values.set(key, value);
  }
  return { name, namespace, attributes: values, children };
}

/** The same element with these attributes set, or removed where the value is undefined. */
export function withAttributes(given: XmppElement, changes: AttributeValues): XmppElement {
  const attributes = new Map(given.attributes);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) attributes.delete(key);
    else attributes.set(key, value);
  }
  return { ...given, attributes };
}

/** The same element with these children behind its own. */
export function withChildren(given: XmppElement, added: readonly XmppNode[]): XmppElement {
  return { ...given, children: [...given.children, ...added] };
}

/** The same element without the children for which `isUnwanted` holds. */
export function withoutChildren(
  given: XmppElement,
  isUnwanted: (child: XmppElement) => boolean,
): XmppElement {
  const children = given.children.filter((node) => typeof node === 'string' || !isUnwanted(node));
  return { ...given, children };
}

export function isElement(node: XmppNode, name: string, namespace: string): node is XmppElement {
  return typeof node !== 'string' && node.name === name && node.namespace === namespace;
}

/** The children that are elements. */
export function childElements(parent: XmppElement): readonly XmppElement[] {
  return parent.children.filter((node): node is XmppElement => typeof node !== 'string');
}

/** The first child element of this name and namespace. */
export function childElement(
  parent: XmppElement,
  name: string,
  namespace: string = parent.namespace,
): XmppElement | undefined {
  return childElements(parent).find(
    (child) => child.name === name && child.namespace === namespace,
  );
}

/** The character data directly inside. */
export function textOf(given: XmppElement): string {
  return given.children.filter((node) => typeof node === 'string').join('');
}

/**
 * The XML text of an element. `outerNamespace` is the default namespace where it will stand, so
 * that it is not declared again. Throws RangeError for characters that XML cannot carry; elements
 * that were read from XML have none.
 */
export function writeElement(given: XmppElement, outerNamespace?: string): string {
  // It cannot be a default namespace; its prefix is bound by XML itself (Namespaces in XML §3).
  const isOfXml = given.namespace === XML_NAMESPACE;
  const name = isOfXml ? `xml:${given.name}` : given.name;
  const declared = isOfXml ? '' : declaration(given, outerNamespace);
  const innerNamespace = isOfXml ? outerNamespace : given.namespace;
  const inside = given.children
    .map((node) =>
      typeof node === 'string' ? escapeXml(node) : writeElement(node, innerNamespace),
    )
    .join('');
  const start = `${name}${declared}${attributesText(given)}`;
  return inside === '' ? `<${start}/>` : `<${start}>${inside}</${name}>`;
}

function declaration(given: XmppElement, outerNamespace: string | undefined): string {
  if (given.namespace === (outerNamespace ?? '')) return '';
  return ` xmlns="${escapeXml(given.namespace)}"`;
}

function attributesText(given: XmppElement): string {
  let text = '';
  let prefixes = 0;
  for (const [key, value] of given.attributes) {
    const clark = CLARK_NAME.exec(key);
    if (clark === null) {
      text += ` ${key}="${escapeXml(value)}"`;
      continue;
    }
    const [, namespace = '', name = ''] = clark;
    prefixes += 1;
    const prefix = `ns${prefixes}`;
    text += ` xmlns:${prefix}="${escapeXml(namespace)}" ${prefix}:${name}="${escapeXml(value)}"`;
  }
  return text;
}

/** `{namespace}name`; there may be a brace in a namespace, but never in a name. */
const CLARK_NAME = /^\{(.*)\}([^}]+)$/s;
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
