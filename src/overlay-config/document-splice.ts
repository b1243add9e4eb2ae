import { escapeXml } from '../xml/write-xml.ts';
import type { XmlElement } from '../xml/xml-element.ts';

/**
 * Changes to one element of a document, byte for byte: what no change names stays as it is,
 * comments and elements of unknown namespaces included. Offsets are those of the document.
 */
export class DocumentSplice {
  private readonly element: XmlElement;
  /** One character a byte, so that offsets are the same. */
  private readonly source: string;
  private readonly cuts: Cut[] = [];

  constructor(element: XmlElement, document: Uint8Array) {
    this.element = element;
    this.source = Buffer.from(document).toString('latin1');
  }

  /** Takes a child away, with the line that it leaves empty. */
  remove(child: XmlElement): void {
    const before = this.source.slice(0, child.startByte);
    const gap = /\n?[ \t]*$/.exec(before)?.[0].length ?? 0;
    this.cuts.push({ start: child.startByte - gap, end: child.endByte, text: '' });
  }

  replace(child: XmlElement, xml: string): void {
    this.cuts.push({ start: child.startByte, end: child.endByte, text: binary(xml) });
  }

  /** Adds a child as the last one of `parent`: the element itself, or one inside it. */
  append(xml: string, parent: XmlElement = this.element): void {
    const at = this.source.lastIndexOf('</', parent.endByte - 1);
    this.cuts.push({ start: at, end: at, text: `${binary(xml)}\n` });
  }

  /** Sets attributes of the element itself; undefined takes one away. */
  setAttributes(values: Readonly<Record<string, string | undefined>>): void {
    const { startByte } = this.element;
    const tag = START_TAG.exec(this.source.slice(startByte))?.[0] ?? '';
    const nameEnd = startByte + (/^<[^\s/>]+/.exec(tag)?.[0].length ?? 0);
    const missing = new Map(Object.entries(values));
    for (const found of tag.matchAll(ATTRIBUTE)) {
      const [text, name = ''] = found;
      if (!missing.has(name)) continue;
      const start = startByte + found.index;
      const value = missing.get(name);
      const written = value === undefined ? '' : attribute(name, value);
      this.cuts.push({ start, end: start + text.length, text: written });
      missing.delete(name);
    }
    const added = [...missing].flatMap(([name, value]) =>
      value === undefined ? [] : [attribute(name, value)],
    );
    if (added.length > 0) this.cuts.push({ start: nameEnd, end: nameEnd, text: added.join('') });
  }

  /** The bytes of the element with all changes. */
  bytes(): Uint8Array {
    const { startByte, endByte } = this.element;
    // Of the same place: as they were asked for.
    const cuts = [...this.cuts].sort((a, b) => a.start - b.start);
    let result = '';
    let at = startByte;
    for (const { start, end, text } of cuts) {
      result += this.source.slice(at, start) + text;
      at = end;
    }
    result += this.source.slice(at, endByte);
    return new Uint8Array(Buffer.from(result, 'latin1'));
  }
}

interface Cut {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function attribute(name: string, value: string): string {
  return binary(` ${name}="${escapeXml(value)}"`);
}

function binary(xml: string): string {
  return Buffer.from(xml, 'utf8').toString('latin1');
}

/** Of an element that was read already, so well-formed: values are quoted and hold no `<`. */
const START_TAG = /^<(?:[^>"']|"[^"]*"|'[^']*')*>/;
const ATTRIBUTE = /\s+([^\s=<>"'/]+)\s*=\s*(?:"[^"]*"|'[^']*')/g;
