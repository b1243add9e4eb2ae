/**
 * The values that stand in elements and attributes of a configuration document (RFC 6940 §11.1.1).
 * White space around each is passed over, as RELAX NG does. Whatever is wrong throws a
 * ConfigurationFault that names the place.
 */
import { parseCertificate } from '../tls-auth/certificate.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
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
 * The base64 DER of a root certificate. It must be readable; whether it is fit to be an anchor, the
 * Authenticator judges with each path.
 */
export function readCertificate(element: XmlElement): Uint8Array {
  const der = readBase64(element);
  const certificate = parseCertificate(der);
  if (!(certificate instanceof CertificateRefusal)) return der;
  const expected = 'an X.509 certificate in DER';
  throw new ConfigurationFault('invalid', placeOf(element), expected, certificate.detail);
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

const INTEGER = /^[+-]?\d{1,15}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
