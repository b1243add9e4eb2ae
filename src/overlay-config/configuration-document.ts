/** The overlay configuration document — RFC 6940 §11.1. */
import { readXml } from '../xml/read-xml.ts';
import {
  attributeValue,
  elementBytes,
  outerNamespaces,
  type XmlElement,
} from '../xml/xml-element.ts';
import { XmlFault } from '../xml/xml-fault.ts';
import { readConfigurationElement } from './configuration-element.ts';
import { ConfigurationFault, quoted } from './configuration-fault.ts';
import { SEQUENCE_MAX } from './configuration-sequence.ts';
import { parseUtcTime } from './date-time.ts';
import { ElementParts, requiredAttribute } from './element-parts.ts';
import { parseInteger, placeOf, readSignature, trimXml } from './element-values.ts';
import { ConfigurationNamespace } from './namespaces.ts';
import type {
  ElementSignature,
  ParsedConfiguration,
  SignedConfiguration,
} from './parsed-configuration.ts';

/**
 * The configuration of `overlayName` in a document, which may hold those of other overlays too
 * (they are not looked into), or what is wrong. Never throws for bad input. `bytes` are copied.
 */
export function parseConfigurationDocument(
  bytes: Uint8Array,
  overlayName: string,
): ParsedConfiguration | ConfigurationFault {
  const document = bytes.slice();
  const root = readXml(document, { limits: { documentBytesMax: DOCUMENT_BYTES_MAX } });
  if (root instanceof XmlFault) {
    const place = { element: 'overlay', line: root.line };
    const expected = 'a well-formed XML document in UTF-8';
    const actual = `at column ${root.column}: ${root.detail}`;
    return new ConfigurationFault('malformed', place, expected, actual);
  }
  try {
    return readDocument(root, document, overlayName);
  } catch (error) {
    if (error instanceof ConfigurationFault) return error;
    throw error;
  }
}

/** The instance-names of a document in its order; for messages and tools. */
export function overlayNamesOf(bytes: Uint8Array): readonly string[] {
  const root = readXml(bytes, { limits: { documentBytesMax: DOCUMENT_BYTES_MAX } });
  if (root instanceof XmlFault) return [];
  return root.children
    .filter(isConfiguration)
    .map((child) => attributeValue(child, 'instance-name') ?? '');
}

/** Bytes; a ConfigUpdate could carry 16 MiB, an overlay's messages seldom more than 64 KiB. */
export const DOCUMENT_BYTES_MAX = 1_048_576;

function readDocument(
  root: XmlElement,
  document: Uint8Array,
  overlayName: string,
): ParsedConfiguration {
  if (root.localName !== 'overlay' || root.namespace !== ConfigurationNamespace.base) {
    const expected = `<overlay> of the namespace "${ConfigurationNamespace.base}"`;
    const actual = `<${root.localName}> of "${root.namespace}"`;
    throw new ConfigurationFault('malformed', placeOf(root), expected, actual);
  }
  new ElementParts(root, { base: { configuration: 'often', signature: 'often' } });
  const element = elementOf(root, overlayName);
  const signed = readSigned(element, signaturesOf(root, element), document);
  try {
    return { ...signed, ...readConfigurationElement(element, signed, document) };
  } catch (error) {
    if (error instanceof ConfigurationFault && error.code === 'unsupported') error.signed = signed;
    throw error;
  }
}

/** The one configuration element that has this instance-name. */
function elementOf(root: XmlElement, overlayName: string): XmlElement {
  const named = root.children
    .filter(isConfiguration)
    .filter((child) => attributeValue(child, 'instance-name') === overlayName);
  const [only, second] = named;
  const expected = `one <configuration> with instance-name ${quoted(overlayName)}`;
  if (only === undefined) {
    const names = root.children.filter(isConfiguration).map(instanceNameText).join(', ');
    const actual = names === '' ? 'none' : `those of ${names}`;
    throw new ConfigurationFault('invalid', placeOf(root), expected, actual);
  }
  if (second !== undefined) {
    throw new ConfigurationFault('invalid', placeOf(second), expected, 'a second one');
  }
  return only;
}

/**
 * The grammar lets signatures stand anywhere among the configurations, the prose behind the one
 * that they sign: they are paired in document order. A signature before every configuration signs
 * nothing.
 */
function signaturesOf(root: XmlElement, configuration: XmlElement): ElementSignature[] {
  const behind = root.children.slice(root.children.indexOf(configuration) + 1);
  const next = behind.findIndex(isConfiguration);
  const own = next < 0 ? behind : behind.slice(0, next);
  const excess = own[SIGNATURES_MAX];
  if (excess !== undefined) {
    const expected = `at most ${SIGNATURES_MAX} signatures of a configuration`;
    throw new ConfigurationFault('invalid', placeOf(excess), expected, `${own.length}`);
  }
  return own.map(readSignature);
}

function readSigned(
  element: XmlElement,
  signatures: readonly ElementSignature[],
  document: Uint8Array,
): SignedConfiguration {
  const [sequence, sequencePlace] = requiredAttribute(element, 'sequence');
  return {
    document,
    signedBytes: elementBytes(element, document),
    signatures,
    instanceName: requiredAttribute(element, 'instance-name')[0],
    sequence: parseInteger(sequence, 0, SEQUENCE_MAX, sequencePlace),
    expirationUnixMs: readExpiration(element),
    outerNamespaces: outerNamespaces(element),
  };
}

/** "All times MUST conform to … RFC 3339 and be specified using UTC." */
function readExpiration(element: XmlElement): number | undefined {
  const text = attributeValue(element, 'expiration');
  if (text === undefined) return undefined;
  const unixMs = parseUtcTime(trimXml(text));
  if (unixMs !== undefined) return unixMs;
  const place = placeOf(element, 'expiration');
  throw new ConfigurationFault('invalid', place, 'an RFC 3339 time in UTC', quoted(text));
}

function isConfiguration(element: XmlElement): boolean {
  return element.localName === 'configuration' && element.namespace === ConfigurationNamespace.base;
}

function instanceNameText(element: XmlElement): string {
  return quoted(attributeValue(element, 'instance-name') ?? '');
}

/** Each can cost a path validation. */
const SIGNATURES_MAX = 8;
