import type { XmlLimits } from './xml-limits.ts';

/** What is wrong with XML that the parser alone would let through. */
export type XmlViolation = 'malformed' | 'encoding' | 'limit';

export type XmlTagLimits = Omit<XmlLimits, 'documentBytesMax'>;

/**
 * What has to be refused beyond what saxes refuses by itself, shared by all who read with it: its
 * handlers ask here first. `refuse` gets the violation and says it to whoever reads.
 */
export class XmlGuard {
  private readonly limits: XmlTagLimits;
  private readonly refuse: (violation: XmlViolation, detail: string) => never;
  private elements = 0;
  private attributes = 0;

  constructor(limits: XmlTagLimits, refuse: (violation: XmlViolation, detail: string) => never) {
    this.limits = limits;
    this.refuse = refuse;
  }

  /** Elements are counted anew from here. */
  beginCount(): void {
    this.elements = 0;
  }

  checkDeclaration(declaration: { version?: string; encoding?: string }): void {
    const { version, encoding } = declaration;
    if (version !== '1.0') this.refuse('malformed', `expected XML version 1.0, got ${version}`);
    if (encoding !== undefined && encoding.toUpperCase() !== 'UTF-8') {
      this.refuse('encoding', `expected the encoding UTF-8, got ${encoding}`);
    }
  }

  /** `depth` is that of the element which begins; the first is at depth 1. */
  checkTag(name: string, depth: number): void {
    const { elementsMax, depthMax } = this.limits;
    this.checkName(name);
    this.elements += 1;
    if (this.elements > elementsMax) {
      this.refuse('limit', `expected at most ${elementsMax} elements`);
    }
    if (depth > depthMax) {
      this.refuse('limit', `expected at most ${depthMax} elements within each other`);
    }
    this.attributes = 0;
  }

  checkAttribute(attribute: { name: string; prefix: string; value: string }): void {
    const { name, prefix, value } = attribute;
    const { attributesMax, attributeLengthMax } = this.limits;
    this.checkName(name);
    this.attributes += 1;
    if (this.attributes > attributesMax) {
      this.refuse('limit', `expected at most ${attributesMax} attributes in an element`);
    }
    if (value.length > attributeLengthMax) {
      this.refuse('limit', `expected an attribute of at most ${attributeLengthMax} characters`);
    }
    // The parser would trim it, and so bind another namespace than other readers do.
    if ((name === 'xmlns' || prefix === 'xmlns') && value !== value.trim()) {
      this.refuse('malformed', 'expected a namespace name without white space around it');
    }
  }

  /** Namespaces in XML §4: prefix and local part are each an NCName. */
  private checkName(name: string): void {
    const { nameLengthMax } = this.limits;
    if (name.length > nameLengthMax) {
      this.refuse('limit', `expected a name of at most ${nameLengthMax} characters`);
    }
    if (name.split(':').some((part) => NOT_NAME_START.test(part))) {
      this.refuse('malformed', `malformed name: ${name}`);
    }
  }
}

/** XML 1.1 would allow more characters and line ends; a document that asks for it is refused. */
export const XML_PARSER_OPTIONS = {
  xmlns: true,
  position: false,
  forceXMLVersion: true,
  defaultXMLVersion: '1.0',
} as const;

/** Namespace declarations are in it as far as the parser is concerned. */
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
/** NameChar without NameStartChar (XML §2.3): allowed in a name, not at its start. */
const NOT_NAME_START = /^(?:[-.\d\u00b7]|[\u0300-\u036f]|\u203f|\u2040)/;
