import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import {
  overlayNamesOf,
  parseConfigurationDocument,
} from '../overlay-config/configuration-document.ts';
import { unsignedDocument } from '../overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../overlay-config/configuration-fault.ts';
import type { ParsedConfiguration } from '../overlay-config/parsed-configuration.ts';
import { readXml } from '../xml/read-xml.ts';
import { elementBytes } from '../xml/xml-element.ts';
import { XmlFault } from '../xml/xml-fault.ts';
import { OperatorError, usageError } from './operator-error.ts';

/**
 * The configuration of a document in a file, `-` for stdin: that of `overlayName`, or the only one.
 * Throws OperatorError.
 */
export async function readDocumentFile(
  file: string,
  overlayName: string | undefined,
): Promise<ParsedConfiguration> {
  return parseDocument(await readInput(file), overlayName, file);
}

/** The same of bytes that came from `origin`. */
export function parseDocument(
  bytes: Uint8Array,
  overlayName: string | undefined,
  origin: string,
): ParsedConfiguration {
  const parsed = parseConfigurationDocument(bytes, overlayName ?? onlyName(bytes, origin));
  if (!(parsed instanceof ConfigurationFault)) return parsed;
  throw new OperatorError(`${origin}: ${parsed.describe()}`);
}

/** As `readDocumentFile`, for a file that may also hold a `<configuration>` alone. */
export async function readUnsignedFile(file: string): Promise<ParsedConfiguration> {
  const bytes = await readInput(file);
  const root = readXml(bytes);
  const isBare = !(root instanceof XmlFault) && root.localName === 'configuration';
  return parseDocument(
    isBare ? unsignedDocument(elementBytes(root, bytes)) : bytes,
    undefined,
    file,
  );
}

/** The certificates of a PEM file in DER, in its order. */
export async function readCertificateFile(file: string): Promise<Uint8Array[]> {
  const blocks = (await readFile(file, 'utf8')).match(CERTIFICATE_BLOCK) ?? [];
  if (blocks.length === 0) throw new OperatorError(`${file} holds no certificate in PEM`);
  try {
    return blocks.map((pem) => new Uint8Array(new X509Certificate(pem).raw));
  } catch (error) {
    throw new OperatorError(`${file} holds a certificate that cannot be read (${String(error)})`);
  }
}

export async function readKeyFile(file: string): Promise<KeyObject> {
  const pem = await readFile(file);
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new OperatorError(`${file} holds no private key in PEM (${String(error)})`);
  }
}

/** The bytes of a file, `-` for stdin. */
export async function readInput(file: string): Promise<Uint8Array> {
  if (file !== '-') return new Uint8Array(await readFile(file));
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Where it was asked for, or to stdout. */
export async function writeDocument(
  document: Uint8Array,
  output: string | undefined,
): Promise<void> {
  if (output === undefined) process.stdout.write(document);
  else await writeFile(output, document);
}

/** The name of the only configuration; any name for what is no document, whose fault says so. */
function onlyName(bytes: Uint8Array, origin: string): string {
  const names = overlayNamesOf(bytes);
  if (names.length <= 1) return names[0] ?? '';
  throw usageError(
    `${origin} holds several overlays; choose one of ${names.join(', ')} by --overlay`,
  );
}

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
