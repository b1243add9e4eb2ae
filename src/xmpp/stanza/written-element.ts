import type { XmppElement, XmppNode } from './xmpp-element.ts';

/**
 * The element of a whole XML document in the form in which `writeElement` writes it, or undefined
 * for any other text, also for one that is no XML: a parser has the word then. What it reads, a
 * parser reads as the same element. It takes a fifth of a parser's time, most of which goes by for
 * each character of a long text.
 */
export function readWrittenElement(text: string): XmppElement | undefined {
  if (OTHER_CHARACTER.test(text)) return undefined;
  const reader = new WrittenReader(text);
  return reader.read();
}

interface OpenElement extends XmppElement {
  readonly children: XmppNode[];
}

class WrittenReader {
  private readonly text: string;
  private readonly open: OpenElement[] = [];
  private at = 0;
  private elements = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): XmppElement | undefined {
    for (;;) {
      const closed = this.text.startsWith('</', this.at) ? this.endTag() : this.startTag();
      if (closed === undefined) return undefined;
      if (closed !== 'open') {
        const parent = this.open.at(-1);
        if (parent === undefined) return this.at === this.text.length ? closed : undefined;
        parent.children.push(closed);
      }
      if (!this.characterData()) return undefined;
    }
  }

  /** The element, if it is complete with its start tag. */
  private startTag(): XmppElement | 'open' | undefined {
    const [start, name] = this.match(START) ?? [];
    this.elements += 1;
    const isTooMuch = this.elements > ELEMENTS_MAX || this.open.length >= DEPTH_MAX;
    if (start === undefined || name === undefined || isTooMuch) return undefined;
    const attributes = this.attributes();
    if (attributes === undefined) return undefined;
    const declared = attributes.get('xmlns');
    const namespace = declared ?? this.open.at(-1)?.namespace ?? '';
    if (declared !== undefined && !NAMESPACE.test(declared)) return undefined;
    attributes.delete('xmlns');
    const element = { name, namespace, attributes, children: [] };
    if (this.skip('/>')) return element;
    if (!this.skip('>')) return undefined;
    this.open.push(element);
    return 'open';
  }

  private endTag(): XmppElement | undefined {
    const [, name] = this.match(END) ?? [];
    const closed = this.open.pop();
    return closed !== undefined && closed.name === name ? closed : undefined;
  }

  private attributes(): Map<string, string> | undefined {
    const attributes = new Map<string, string>();
    for (let found = this.match(ATTRIBUTE); found !== null; found = this.match(ATTRIBUTE)) {
      const [, name = '', written = ''] = found;
      const value = withoutReferences(written);
      if (value === undefined || attributes.has(name)) return undefined;
      if (attributes.size >= ATTRIBUTES_MAX) return undefined;
      attributes.set(name, value);
    }
    return attributes;
  }

  private characterData(): boolean {
    const end = this.text.indexOf('<', this.at);
    if (end === -1) return false;
    if (end === this.at) return true;
    const written = this.text.slice(this.at, end);
    const data = written.includes('>') ? undefined : withoutReferences(written);
    if (data === undefined) return false;
    this.open.at(-1)?.children.push(data);
    this.at = end;
    return true;
  }

  private match(expected: RegExp): RegExpExecArray | null {
    expected.lastIndex = this.at;
    const found = expected.exec(this.text);
    if (found !== null) this.at = expected.lastIndex;
    return found;
  }

  private skip(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }
}

/** Undefined where there is a reference that `writeElement` does not write. */
function withoutReferences(written: string): string | undefined {
  if (!written.includes('&')) return written;
  let isKnown = true;
  const text = written.replace(REFERENCE, (reference) => {
    const character = CHARACTERS[reference];
    if (character === undefined) isKnown = false;
    return character ?? '';
  });
  return isKnown ? text : undefined;
}

const START = /<([A-Za-z_][A-Za-z0-9_.-]{0,63})/y;
const END = /<\/([A-Za-z_][A-Za-z0-9_.-]{0,63})>/y;
const ATTRIBUTE = / ([A-Za-z_][A-Za-z0-9_.-]{0,63}|xml:lang)="([^"<]*)"/y;
/** No name of XML itself is declared this way. */
const NAMESPACE = /^(?!http:\/\/www\.w3\.org\/)[!-~]+$/;
const REFERENCE = /&[^&;]*;?/g;
const CHARACTERS: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#9;': '\t',
  '&#10;': '\n',
  '&#13;': '\r',
};
/** What is no Char of XML 1.0 §2.2, and white space that is written as a reference. */
const OTHER_CHARACTER = /[^\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const ELEMENTS_MAX = 256;
const DEPTH_MAX = 32;
const ATTRIBUTES_MAX = 32;
