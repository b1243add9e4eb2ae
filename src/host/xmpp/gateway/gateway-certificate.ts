import {
  createHash,
  createPrivateKey,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import {
  type CertificateContent,
  serialNumberFrom,
  validityFrom,
} from '../../../ca/certificate-content.ts';
import type { SubjectAltName } from '../../../ca/subject-alt-name.ts';
import { KeyPurposeOid } from '../../../tls-auth/object-identifier.ts';
import { buildCertificate } from '../../authority/certificate-builder.ts';
import { keyPairOf } from '../../authority/signing-key.ts';
import { generatePrivateKey } from '../../enrollment/enrollment-key.ts';
import { toPem } from '../../links/link-credentials.ts';
import { writeAtomic, writeSecret } from '../../state/state-directory.ts';
import { GATEWAY_CERTIFICATE_DAYS, GATEWAY_CERTIFICATE_RENEWAL_DAYS } from './gateway-limits.ts';

/** What the gateway shows to clients. */
export interface GatewayCertificate {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificate: Uint8Array;
  /** RFC 5929 §4.1: its hash, for channel binding. */
  readonly serverEndPoint: Uint8Array;
}

/**
 * The certificate for clients in a state directory: self-signed, for servers alone, no authority,
 * and for the user's domain only. Made when there is none, when it is for another domain, and when
 * it is about to end; the file is what a client is told to trust.
 */
export async function gatewayCertificate(
  stateDirectory: string,
  domain: string,
  unixMs: number,
): Promise<GatewayCertificate> {
  const held = await heldCertificate(stateDirectory, domain, unixMs);
  if (held !== undefined) return held;
  const privateKey = await generatePrivateKey('p256');
  const key = keyPairOf(privateKey);
  const content = contentFor(domain, unixMs);
  const certificate = await buildCertificate(content, key.subjectPublicKeyInfo, key);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  // The key first: a certificate without its key is found unfit, and both are made anew.
  await writeSecret(join(stateDirectory, KEY_FILE), pem.toString());
  await writeAtomic(join(stateDirectory, CERTIFICATE_FILE), toPem(certificate));
  return withHash(privateKey, certificate);
}

async function heldCertificate(
  stateDirectory: string,
  domain: string,
  unixMs: number,
): Promise<GatewayCertificate | undefined> {
  try {
    const pem = await readFile(join(stateDirectory, CERTIFICATE_FILE), 'utf8');
    const certificate = new X509Certificate(pem);
    const keyPem = await readFile(join(stateDirectory, KEY_FILE), 'utf8');
    const privateKey = createPrivateKey(keyPem);
    const isFit =
      certificate.checkPrivateKey(privateKey) &&
      certificate.subjectAltName === altNameText(nameOf(domain)) &&
      Date.parse(certificate.validTo) - unixMs > GATEWAY_CERTIFICATE_RENEWAL_DAYS * DAY_MS;
    return isFit ? withHash(privateKey, new Uint8Array(certificate.raw)) : undefined;
  } catch {
    // There is none, or none that can be read: a new one takes its place.
    return undefined;
  }
}

function contentFor(domain: string, unixMs: number): CertificateContent {
  const commonName = domain.length > COMMON_NAME_LENGTH_MAX ? 'XMPP gateway' : domain;
  return {
    ...validityFrom(unixMs, GATEWAY_CERTIFICATE_DAYS, Number.POSITIVE_INFINITY),
    serialNumber: serialNumberFrom(randomBytes(SERIAL_NUMBER_BYTES)),
    issuerCommonName: commonName,
    subjectCommonName: commonName,
    isCa: false,
    saysNoCa: true,
    pathLength: undefined,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [KeyPurposeOid.serverAuth],
    subjectAltNames: [nameOf(domain)],
    revocationListUrl: undefined,
  };
}

/** A DNS-ID in A-labels (RFC 6125 §6.4.2), or the address where the domain is one. */
function nameOf(domain: string): SubjectAltName {
  const address = domain.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) return { type: 'ipAddress', value: address };
  return { type: 'dnsName', value: domainToASCII(domain) };
}

function altNameText({ type, value }: SubjectAltName): string {
  if (type === 'dnsName') return `DNS:${value}`;
  // Node writes IPv6 addresses in capitals and in full; a new certificate costs nothing.
  return `IP Address:${value}`;
}

function withHash(privateKey: KeyObject, certificate: Uint8Array): GatewayCertificate {
  // RFC 5929 §4.1: with the hash of its signature, which is SHA-256 for a key on P-256.
  const serverEndPoint = new Uint8Array(createHash('sha256').update(certificate).digest());
  return { privateKey, certificate, serverEndPoint };
}

const CERTIFICATE_FILE = 'gateway.pem';
const KEY_FILE = 'gateway-key.pem';
const SERIAL_NUMBER_BYTES = 20;
/** RFC 5280 appendix A.1, ub-common-name. */
const COMMON_NAME_LENGTH_MAX = 64;
const DAY_MS = 86_400_000;
