import { SaxesParser, type SaxesTagNS } from 'saxes';
import {
  XML_PARSER_OPTIONS,
  XMLNS_NAMESPACE,
  XmlGuard,
  type XmlViolation,
} from '../../xml/xml-guard.ts';
import { writeElement, type XmppElement, type XmppNode } from '../stanza/xmpp-element.ts';
import type { StreamErrorCondition } from './stream-error.ts';
import type { StreamLimits } from './stream-limits.ts';

/** Input that ends a stream. It is thrown inside this folder alone; readers make an event of it. */
export class StreamFault extends Error {
  readonly condition: StreamErrorCondition;

  constructor(condition: StreamErrorCondition, text: string) {
    super(text);
    this.name = 'StreamFault';
    this.condition = condition;
  }
}

export interface ElementParserListener {
  /** An XML declaration was there. */
  declared(): void;
  /** The first element of the document has begun: its attributes are there, no child yet. */
  rootOpened(root: XmppElement, defaultNamespace: string): void;
  /** A child of the first element is complete. */
  childComplete(child: XmppElement): void;
  /** The first element is complete, with the children that were not handed out. */
  rootClosed(root: XmppElement): void;
}

/**
 * Strict XML 1.0 with namespaces, in pieces, as `XmppElement`s. XML that RFC 6120 §11.1 forbids,
 * what is not namespace-well-formed (§11.3), and what exceeds a limit throws a `StreamFault`.
 */
export class ElementParser {
  /** Elements that are open now. */
  depth = 0;
  private readonly listener: Partial<ElementParserListener>;
  private readonly isStream: boolean;
  private readonly parser: SaxesParser<typeof XML_PARSER_OPTIONS>;
  private readonly guard: XmlGuard;
  private readonly limits: StreamLimits;
  private readonly open: OpenElement[] = [];
  /** What the namespaces of the first-level element take so far, each where it begins. */
  private namespaceLength = 0;
  private bytesRead = 0;

  /** In a `stream` the children of the root are handed out as they come, and none stays in it. */
  constructor(
    limits: StreamLimits,
    kind: 'stream' | 'document',
    listener: Partial<ElementParserListener>,
  ) {
    this.listener = listener;
    this.limits = limits;
    this.isStream = kind === 'stream';
    const tagLimits = { ...limits, attributeLengthMax: limits.stanzaBytesMax };
    this.guard = new XmlGuard(tagLimits, refuse);
    this.parser = new SaxesParser(XML_PARSER_OPTIONS);
    this.parser.on('error', ({ message }) => refuseError(message));
    this.parser.on('doctype', () => refuseFeature('document type declaration'));
    this.parser.on('comment', () => refuseFeature('comment'));
    this.parser.on('processinginstruction', () => refuseFeature('processing instruction'));
    this.parser.on('xmldecl', (declaration) => {
      this.guard.checkDeclaration(declaration);
      this.listener.declared?.();
    });
    this.parser.on('opentagstart', (tag) => this.beginTag(tag.name));
    this.parser.on('attribute', (attribute) => this.guard.checkAttribute(attribute));
    this.parser.on('opentag', (tag) => this.openElement(tag));
    this.parser.on('closetag', () => this.closeElement());
    this.parser.on('text', (data) => this.addText(data));
    this.parser.on('cdata', (data) => this.addText(data));
  }

  /** `bytes`: of the first-level element up to the end of `text`. Throws StreamFault. */
  write(text: string, bytes: number): void {
    this.bytesRead = bytes;
    this.parser.write(text);
  }

  /** No more comes. Throws StreamFault where the document is not complete. */
  end(): void {
    this.parser.close();
  }

  private beginTag(name: string): void {
    const depth = this.isStream ? Math.max(1, this.open.length) : this.open.length + 1;
    if (this.isStream && this.open.length <= 1) {
      this.guard.beginCount();
      this.namespaceLength = 0;
    }
    this.guard.checkTag(name, depth);
  }

  private openElement(tag: SaxesTagNS): void {
    const opened: OpenElement = {
      name: tag.local,
      namespace: tag.uri,
      attributes: attributesOf(tag),
      children: [],
    };
    this.countNamespaces(opened);
    this.open.push(opened);
    this.depth = this.open.length;
    if (this.depth === 1) this.listener.rootOpened?.(opened, tag.ns[''] ?? '');
  }

  /** One long namespace, declared once and used by many elements, would be written as often. */
  private countNamespaces(opened: XmppElement): void {
    if (opened.namespace !== this.open.at(-1)?.namespace) {
      this.namespaceLength += opened.namespace.length;
    }
    for (const key of opened.attributes.keys()) this.namespaceLength += key.length;
    if (this.namespaceLength > this.limits.writtenBytesMax) {
      throw new StreamFault('policy-violation', 'expected fewer and shorter namespaces');
    }
  }

  /** Throws where the first-level element, read from `bytes`, is too much to be written again. */
  private checkWritten(complete: XmppElement, bytes: number): void {
    const { writtenBytesMax } = this.limits;
    if ((bytes + this.namespaceLength) * REFERENCE_LENGTH_MAX <= writtenBytesMax) return;
    if (Buffer.byteLength(writeElement(complete)) > writtenBytesMax) {
      const text = `expected at most ${writtenBytesMax} bytes when it is written again`;
      throw new StreamFault('policy-violation', text);
    }
  }

  private closeElement(): void {
    const closed = this.open.pop();
    if (closed === undefined) throw new Error('the parser closed an element that was not open');
    this.depth = this.open.length;
    const parent = this.open.at(-1);
    if (parent === undefined) {
      if (!this.isStream) this.checkWritten(closed, this.bytesRead);
      this.listener.rootClosed?.(closed);
    } else if (this.isStream && this.depth === 1) {
      this.checkWritten(closed, this.bytesRead);
      this.listener.childComplete?.(closed);
    } else parent.children.push(closed);
  }

  private addText(data: string): void {
    const parent = this.open.at(-1);
    // White space behind the root; of anything else the parser complains.
    if (parent === undefined) return;
    if (this.isStream && this.depth === 1) {
      throw new StreamFault('bad-format', 'expected an element, got character data');
    }
    const last = parent.children.at(-1);
    if (typeof last === 'string') parent.children[parent.children.length - 1] = last + data;
    else if (data !== '') parent.children.push(data);
  }
}

interface OpenElement extends XmppElement {
  readonly children: XmppNode[];
}

function attributesOf(tag: SaxesTagNS): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const { local, prefix, uri, value } of Object.values(tag.attributes)) {
    if (uri === XMLNS_NAMESPACE) continue;
    attributes.set(attributeKey(local, prefix, uri), value);
  }
  return attributes;
}

function attributeKey(local: string, prefix: string, namespace: string): string {
  if (prefix === '') return local;
  return namespace === XML_NAMESPACE ? `xml:${local}` : `{${namespace}}${local}`;
}

function refuse(violation: XmlViolation, detail: string): never {
  throw new StreamFault(CONDITIONS[violation], detail);
}

function refuseError(message: string): never {
  // RFC 6120 §11.1: references to entities are restricted XML, even where they are well-formed.
  const condition = message.startsWith('undefined entity') ? 'restricted-xml' : 'not-well-formed';
  throw new StreamFault(condition, message);
}

function refuseFeature(what: string): never {
  throw new StreamFault('restricted-xml', `expected no ${what} in a stream`);
}

const CONDITIONS: Readonly<Record<XmlViolation, StreamErrorCondition>> = {
  malformed: 'not-well-formed',
  encoding: 'unsupported-encoding',
  limit: 'policy-violation',
};
/** `&quot;`. */
const REFERENCE_LENGTH_MAX = 6;
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
