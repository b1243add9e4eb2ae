/**
 * Strict XML 1.0 with namespaces, out of bytes. Refused, beyond what is not well-formed: document
 * types (and so every entity but the five of XML itself), other encodings than UTF-8, other
 * versions than 1.0, and whatever exceeds a limit. Comments and processing instructions are passed
 * over.
 */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { decodeUtf8, SourceCursor } from './source-text.ts';
import type { XmlAttribute, XmlElement } from './xml-element.ts';
import { XmlFault } from './xml-fault.ts';
import { XML_PARSER_OPTIONS, XMLNS_NAMESPACE, XmlGuard } from './xml-guard.ts';
import { XML_LIMITS_DEFAULT, type XmlLimits } from './xml-limits.ts';

export interface XmlReadOptions {
  readonly limits?: Partial<XmlLimits>;
  /** Prefixes (empty: the default namespace) bound before the first element. */
  readonly namespaces?: Readonly<Record<string, string>>;
}

/** The root element of `input`, or what is wrong with it. Never throws for bad input. */
export function readXml(input: Uint8Array, options: XmlReadOptions = {}): XmlElement | XmlFault {
  const limits = { ...XML_LIMITS_DEFAULT, ...options.limits };
  try {
    if (input.length > limits.documentBytesMax) {
      const detail = `expected at most ${limits.documentBytesMax} bytes, got ${input.length}`;
      throw new XmlFault(detail, 1, 1);
    }
    const marked = BYTE_ORDER_MARK.every((byte, index) => input[index] === byte);
    const firstByte = marked ? BYTE_ORDER_MARK.length : 0;
    const text = decodeUtf8(input.subarray(firstByte));
    return new TreeReader(text, firstByte, limits, options.namespaces ?? {}).read();
  } catch (error) {
    if (error instanceof XmlFault) return error;
    throw error;
  }
}

/** An element whose end has not been seen yet. */
interface OpenElement extends Omit<XmlElement, 'endByte'> {
  readonly children: XmlElement[];
  text: string;
}

class TreeReader {
  private readonly text: string;
  private readonly guard: XmlGuard;
  private readonly cursor: SourceCursor;
  private readonly parser: SaxesParser<typeof XML_PARSER_OPTIONS>;
  private readonly open: OpenElement[] = [];
  private root: XmlElement | undefined;
  private startByte = 0;
  private startLine = 1;

  constructor(
    text: string,
    firstByte: number,
    limits: XmlLimits,
    namespaces: Readonly<Record<string, string>>,
  ) {
    this.text = text;
    this.guard = new XmlGuard(limits, (_violation, detail) => this.fail(detail));
    this.cursor = new SourceCursor(text, firstByte);
    this.parser = new SaxesParser({
      ...XML_PARSER_OPTIONS,
      additionalNamespaces: { ...namespaces },
    });
    this.parser.on('error', (error) => this.fail(error.message));
    this.parser.on('doctype', () => this.fail('a document type declaration is not allowed'));
    this.parser.on('xmldecl', (declaration) => this.guard.checkDeclaration(declaration));
    this.parser.on('processinginstruction', ({ body }) => this.checkInstruction(body));
    this.parser.on('opentagstart', (tag) => this.beginTag(tag.name));
    this.parser.on('attribute', (attribute) => this.guard.checkAttribute(attribute));
    this.parser.on('opentag', (tag) => this.openElement(tag));
    this.parser.on('closetag', () => this.closeElement());
    this.parser.on('text', (data) => this.addText(data));
    this.parser.on('cdata', (data) => this.addText(data));
  }

  read(): XmlElement {
    // One write: the parser's position is then an index of the whole text.
    this.parser.write(this.text);
    this.parser.close();
    if (this.root === undefined) throw new Error('a document without fault has a root element');
    return this.root;
  }

  /**
   * The parser lets a question mark stand right behind the target, where XML §2.6 wants a blank.
   * Behind a blank it would be allowed; nobody writes that.
   */
  private checkInstruction(body: string): void {
    if (body.startsWith('?')) this.fail('malformed processing instruction');
  }

  private beginTag(name: string): void {
    this.guard.checkTag(name, this.open.length + 1);
    // The parser has just read the character behind the name; the name itself holds no "<".
    this.cursor.moveTo(this.text.lastIndexOf('<', this.parser.position - 2));
    this.startByte = this.cursor.byte;
    this.startLine = this.cursor.line;
  }

  private openElement(tag: SaxesTagNS): void {
    const attributes: XmlAttribute[] = [];
    for (const { local, prefix, uri, value } of Object.values(tag.attributes)) {
      if (uri === XMLNS_NAMESPACE) continue;
      attributes.push({ namespace: uri, localName: local, prefix, value });
    }
    this.open.push({
      namespace: tag.uri,
      localName: tag.local,
      prefix: tag.prefix,
      attributes,
      declaredNamespaces: new Map(Object.entries(tag.ns)),
      children: [],
      text: '',
      line: this.startLine,
      startByte: this.startByte,
    });
  }

  private closeElement(): void {
    const element = this.open.pop();
    if (element === undefined) throw new Error('the parser closed an element that was not open');
    this.cursor.moveTo(this.parser.position);
    const closed: XmlElement = { ...element, endByte: this.cursor.byte };
    const parent = this.open.at(-1);
    if (parent === undefined) this.root = closed;
    else parent.children.push(closed);
  }

  private addText(data: string): void {
    const element = this.open.at(-1);
    if (element !== undefined) element.text += data;
  }

  private fail(detail: string): never {
    throw new XmlFault(detail, this.parser.line, this.parser.column);
  }
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;
