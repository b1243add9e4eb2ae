/**
 * The values that stand in elements and attributes of a configuration document (RFC 6940 §11.1.1).
 * White space around each is passed over, as RELAX NG does. Whatever is wrong throws a
 * ConfigurationFault that names the place.
 */
import { parseNodeId } from '../tls-auth/node-identity.ts';
import { decode } from '../wire/codec.ts';
import type { NodeId } from '../wire/node-id.ts';
import { isInvalidNodeId, isWildcard } from '../wire/node-id.ts';
import { SecurityBlock } from '../wire/security-block.ts';
import type { XmlElement } from '../xml/xml-element.ts';
import { ConfigurationFault, type Place, quoted } from './configuration-fault.ts';
import { isGrammarNamespace } from './namespaces.ts';
import type { ElementSignature } from './parsed-configuration.ts';

export function placeOf(element: XmlElement, attribute?: string): Place {
  const name = attribute === undefined ? element.localName : `${element.localName}/@${attribute}`;
  return { element: name, line: element.line };
}

/** The text of an element that holds nothing else, without white space around it. */
export function readText(element: XmlElement, ...attributes: readonly string[]): string {
  checkAttributes(element, attributes);
  const child = element.children[0];
  if (child !== undefined) {
    throw new ConfigurationFault('invalid', placeOf(child), 'text', `<${child.localName}>`);
  }
  return trimXml(element.text);
}

/** As `readText`, and not empty. */
export function readSomeText(element: XmlElement): string {
  const text = readText(element);
  if (text === '') throw new ConfigurationFault('invalid', placeOf(element), 'text', 'nothing');
  return text;
}

/** xsd:boolean: `true`, `false`, `1` or `0`. */
export function readBoolean(element: XmlElement, ...attributes: readonly string[]): boolean {
  const text = readText(element, ...attributes);
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new ConfigurationFault('invalid', placeOf(element), 'true, false, 1 or 0', quoted(text));
}

/** A reader of decimal integers from `min` to `max`. */
export function integerFrom(min: number, max: number): (element: XmlElement) => number {
  return (element) => parseInteger(readText(element), min, max, placeOf(element));
}

/** A decimal integer as XML Schema writes it: a sign and leading zeros are allowed. */
export function parseInteger(text: string, min: number, max: number, place: Place): number {
  const trimmed = trimXml(text);
  const value = INTEGER.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ConfigurationFault('invalid', place, `an integer ${min} to ${max}`, quoted(trimmed));
}

/** A reader of one of `allowed`; other values are what we do not support. */
export function oneOf<const T extends string>(allowed: readonly T[]): (element: XmlElement) => T {
  return (element) => {
    const text = readText(element);
    const found = allowed.find((value) => value === text);
    if (found !== undefined) return found;
    const expected = allowed.length === 1 ? `${allowed[0]}` : `one of ${allowed.join(', ')}`;
    throw new ConfigurationFault('unsupported', placeOf(element), expected, quoted(text));
  };
}

/** Base64 of RFC 4648 §4 with white space anywhere and the padding in place. */
export function readBase64(element: XmlElement, ...attributes: readonly string[]): Uint8Array {
  const text = readText(element, ...attributes).replace(/[ \t\r\n]/g, '');
  if (text === '' || text.length % 4 !== 0 || !BASE64.test(text)) {
    throw new ConfigurationFault('invalid', placeOf(element), 'base64 (RFC 4648)', quoted(text));
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/**
 * The base64 DER of a root certificate. Whether it is fit to be an anchor is for the Authenticator
 * to judge; here it must be one whole DER SEQUENCE.
 */
export function readCertificate(element: XmlElement): Uint8Array {
  const der = readBase64(element);
  if (sequenceLength(der) === der.length) return der;
  const actual = `${der.length} bytes that are no DER SEQUENCE of this length`;
  throw new ConfigurationFault('invalid', placeOf(element), 'a DER certificate', actual);
}

/**
 * A SecurityBlock in base64; one that cannot be read is kept as such. The grammar's attribute
 * `algorithm` repeats what the SecurityBlock says, and is not looked at.
 */
export function readSignature(element: XmlElement): ElementSignature {
  return { line: element.line, block: decode(SecurityBlock, readBase64(element, 'algorithm')) };
}

/**
 * "A single Node-ID in hexadecimal" (RFC 6940 §11.1): kind-signer, bad-node and the like. Here all
 * hex digits may be decimal ones; the other forms that people write are read as in a certificate.
 */
export function nodeIdOfLength(nodeIdLength: number): (element: XmlElement) => NodeId {
  return (element) => {
    const text = readText(element);
    const isHex = text.length === 2 * nodeIdLength && /^[0-9a-fA-F]+$/.test(text);
    const id = isHex ? (text.toLowerCase() as NodeId) : parseNodeId(text, nodeIdLength);
    if (id !== undefined && !isInvalidNodeId(id) && !isWildcard(id)) return id;
    const expected = `a Node-ID of ${2 * nodeIdLength} hex digits`;
    throw new ConfigurationFault('invalid', placeOf(element), expected, quoted(text));
  };
}

/** Attributes of other namespaces are for others; those without one must be `allowed`. */
export function checkAttributes(element: XmlElement, allowed: readonly string[]): void {
  for (const { namespace, localName } of element.attributes) {
    const isForeign = namespace !== '' && !isGrammarNamespace(namespace);
    if (isForeign || (namespace === '' && allowed.includes(localName))) continue;
    const expected = allowed.length === 0 ? 'no attribute' : `attributes ${allowed.join(', ')}`;
    throw new ConfigurationFault('invalid', placeOf(element), expected, `"${localName}"`);
  }
}

/** Without the white space of XML §2.3 at both ends; other blanks belong to the value. */
export function trimXml(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isXmlSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isXmlSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isXmlSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0d;
}

/** The length that the header of a DER SEQUENCE announces, header included. */
function sequenceLength(der: Uint8Array): number | undefined {
  const [tag, first = 0] = der;
  if (tag !== DER_SEQUENCE) return undefined;
  if (first < 0x80) return 2 + first;
  const lengthBytes = der.subarray(2, 2 + (first & 0x7f));
  if (lengthBytes.length > DER_LENGTH_BYTES_MAX) return undefined;
  return lengthBytes.reduce((value, byte) => value * 256 + byte, 0) + 2 + lengthBytes.length;
}

const INTEGER = /^[+-]?\d{1,15}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const DER_SEQUENCE = 0x30;
const DER_LENGTH_BYTES_MAX = 3;
