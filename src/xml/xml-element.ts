/** An element as it was read: names resolved, entities replaced, its place in the input kept. */
export interface XmlElement {
  /** The namespace name; empty without one. */
  readonly namespace: string;
  readonly localName: string;
  /** As written; empty for the default namespace. */
  readonly prefix: string;
  /** Without the namespace declarations. */
  readonly attributes: readonly XmlAttribute[];
  /** Prefix (empty: the default namespace) to namespace name, as declared on this very element. */
  readonly declaredNamespaces: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The character data directly inside, that of children left out, not trimmed. */
  readonly text: string;
  /** Line of the first `<`, from 1. */
  readonly line: number;
  /** Offset in the input of the first `<` of the element. */
  readonly startByte: number;
  /** Offset in the input behind the last `>` of the element. */
  readonly endByte: number;
}

/** An attribute; without a prefix its namespace is empty, whatever the default namespace is. */
export interface XmlAttribute {
  readonly namespace: string;
  readonly localName: string;
  readonly prefix: string;
  readonly value: string;
}

/** The value of the attribute without a namespace, or undefined. */
export function attributeValue(element: XmlElement, localName: string): string | undefined {
  const found = element.attributes.find(
    (attribute) => attribute.namespace === '' && attribute.localName === localName,
  );
  return found?.value;
}

/** The element's bytes in the input it was read from: what a signature over the element covers. */
export function elementBytes(element: XmlElement, input: Uint8Array): Uint8Array {
  return input.subarray(element.startByte, element.endByte);
}

/**
 * The prefixes that names inside `element` use without a declaration inside it, each with the
 * namespace that `resolved` names show. The bytes of the element do not say what these mean.
 */
export function outerNamespaces(element: XmlElement): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  collectOuter(element, new Set([XML_PREFIX]), found);
  return found;
}

function collectOuter(
  element: XmlElement,
  declaredOutside: ReadonlySet<string>,
  found: Map<string, string>,
): void {
  const declared = new Set([...declaredOutside, ...element.declaredNamespaces.keys()]);
  if (!declared.has(element.prefix)) found.set(element.prefix, element.namespace);
  for (const { prefix, namespace } of element.attributes) {
    if (prefix !== '' && !declared.has(prefix)) found.set(prefix, namespace);
  }
  for (const child of element.children) collectOuter(child, declared, found);
}

/** Bound by XML itself. */
const XML_PREFIX = 'xml';
