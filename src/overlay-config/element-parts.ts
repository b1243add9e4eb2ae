import type { XmlElement } from '../xml/xml-element.ts';
import { attributeValue } from '../xml/xml-element.ts';
import { ConfigurationFault, type Place, quoted } from './configuration-fault.ts';
import { checkAttributes, placeOf, trimXml } from './element-values.ts';
import { ConfigurationNamespace, isGrammarNamespace } from './namespaces.ts';

/** What an element of RFC 6940 §11.1.1 may hold: names of attributes and of children. */
export interface ElementShape {
  readonly attributes?: readonly string[];
  /** Children in the namespace config-base: whether each may stand there more than once. */
  readonly base?: Readonly<Record<string, Occurrence>>;
  /** The same for config-chord. */
  readonly chord?: Readonly<Record<string, Occurrence>>;
  readonly foreignElements?: boolean;
}
export type Occurrence = 'once' | 'often';

/** The children of an element by name, after checking them against its shape. */
export class ElementParts {
  readonly element: XmlElement;
  /** Children of other namespaces, in document order. */
  readonly foreign: readonly XmlElement[];
  private readonly children: ReadonlyMap<string, readonly XmlElement[]>;

  constructor(element: XmlElement, shape: ElementShape) {
    this.element = element;
    checkAttributes(element, shape.attributes ?? []);
    const text = trimXml(element.text);
    if (text !== '') {
      throw new ConfigurationFault('invalid', placeOf(element), 'no text', quoted(text));
    }
    const groups = new Map<string, XmlElement[]>();
    const foreign: XmlElement[] = [];
    for (const child of element.children) {
      const occurrence = occurrenceOf(child, element, shape);
      if (occurrence === undefined) {
        foreign.push(child);
        continue;
      }
      const group = groups.get(child.localName) ?? [];
      if (occurrence === 'once' && group.length > 0) {
        throw new ConfigurationFault('invalid', placeOf(child), 'it once at most', 'it again');
      }
      group.push(child);
      groups.set(child.localName, group);
    }
    this.children = groups;
    this.foreign = foreign;
  }

  /** The value of an optional element. Names of config-base and config-chord never collide. */
  optional<T>(name: string, read: (element: XmlElement) => T): T | undefined {
    const found = this.children.get(name)?.[0];
    return found === undefined ? undefined : read(found);
  }

  required<T>(name: string, read: (element: XmlElement) => T): T {
    const found = this.children.get(name)?.[0];
    if (found !== undefined) return read(found);
    throw new ConfigurationFault('invalid', placeOf(this.element), `a <${name}> in it`, 'none');
  }

  all<T>(name: string, read: (element: XmlElement) => T): T[] {
    return (this.children.get(name) ?? []).map((element) => read(element));
  }
}

/** The attribute and the place to blame for its value. */
export function requiredAttribute(element: XmlElement, name: string): [string, Place] {
  const value = attributeValue(element, name);
  if (value !== undefined) return [value, placeOf(element, name)];
  throw new ConfigurationFault('invalid', placeOf(element), `an attribute "${name}"`, 'none');
}

function occurrenceOf(
  child: XmlElement,
  parent: XmlElement,
  shape: ElementShape,
): Occurrence | undefined {
  const { namespace, localName } = child;
  const known = namespace === ConfigurationNamespace.chord ? shape.chord : shape.base;
  if (isGrammarNamespace(namespace) && known !== undefined && Object.hasOwn(known, localName)) {
    return known[localName];
  }
  const isForeign = namespace !== '' && !isGrammarNamespace(namespace);
  if (isForeign && shape.foreignElements === true) return undefined;
  const expected = `an element that RFC 6940 §11.1.1 allows in <${parent.localName}>`;
  const actual = `one of the namespace "${namespace}"`;
  throw new ConfigurationFault('invalid', placeOf(child), expected, actual);
}
