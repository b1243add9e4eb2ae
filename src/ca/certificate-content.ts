import type { KeyUsageBit } from '../tls-auth/certificate-extension.ts';
import { reloadUri } from '../tls-auth/node-identity.ts';
import { KeyPurposeOid } from '../tls-auth/object-identifier.ts';
import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import { isAscii } from '../tls-auth/xmpp-address.ts';
import { fromHex, toHex } from '../wire/hex.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { AccountName } from './account-name.ts';
import { type AuthorityIdentity, authorityNames } from './authority-identity.ts';
import type { SubjectAltName } from './subject-alt-name.ts';

/** All that a certificate of this authority says; who signs it and with what key comes later. */
export interface CertificateContent {
  /** Lower-case hex of a positive INTEGER. */
  readonly serialNumber: string;
  readonly issuerCommonName: string;
  /** undefined: the subject is empty, which makes the subjectAltName critical. */
  readonly subjectCommonName: string | undefined;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  readonly isCa: boolean;
  /** Whether a certificate that is none of an authority says so; without it that is meant, too. */
  readonly saysNoCa?: boolean;
  /** pathLenConstraint of an authority; undefined: there is none. */
  readonly pathLength: number | undefined;
  readonly keyUsage: readonly KeyUsageBit[];
  /** Object identifiers; empty: any purpose. */
  readonly extendedKeyUsage: readonly string[];
  readonly subjectAltNames: readonly SubjectAltName[];
  readonly revocationListUrl: string | undefined;
}

/** From when to when, ms since 1970. */
export interface Validity {
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
}

/**
 * A validity that starts a little in the past, for those whose clocks are behind, and never
 * outlives the issuer's.
 */
export function validityFrom(unixMs: number, days: number, issuerNotAfterUnixMs: number): Validity {
  const second = unixMs - (unixMs % 1000);
  return {
    notBeforeUnixMs: second - BACKDATED_MS,
    notAfterUnixMs: Math.min(second + days * DAY_MS, issuerNotAfterUnixMs),
  };
}

/**
 * The serial number that 20 random bytes make: positive, of exactly 20 octets (RFC 5280 §4.1.2.2).
 * 40 hex digits are never taken for a Node-ID, so `revoke` can tell the two apart. It says which
 * of several revocation lists is to name the certificate: from the second on (`shard` 1) the first
 * octet is 20 to 3f, the next three are the shard, and 128 random bits remain.
 */
export function serialNumberFrom(random: Uint8Array, shard = 0): string {
  const bytes = Uint8Array.from(random.subarray(0, SERIAL_NUMBER_BYTES));
  const first = bytes[0] ?? 0;
  bytes[0] = shard === 0 ? (first & 0x3f) | FIRST_SHARD : (first & 0x1f) | LATER_SHARD;
  if (shard > 0) {
    for (const [at, shift] of [16, 8, 0].entries()) bytes[at + 1] = (shard >> shift) & 0xff;
  }
  return toHex(bytes);
}

/** Which revocation list names a certificate of this serial number: 0 is the first. */
export function shardOfSerialNumber(serialNumber: string): number {
  const [first = 0, high = 0, middle = 0, low = 0] = fromHex(serialNumber.slice(0, 8));
  return first >= FIRST_SHARD ? 0 : (high << 16) | (middle << 8) | low;
}

/**
 * The revocation list for the next certificate after `issuedCount`: a list never has more entries
 * than certificates name it.
 */
export function shardOf(issuedCount: number): number {
  return Math.floor(issuedCount / REVOCATION_LIST_ENTRIES_MAX);
}

/** A root certificate by XEP-0416 §3.2; the same rules hold in both profiles. */
export function rootCertificateContent(
  commonName: string,
  serialNumber: string,
  validity: Validity,
  xmppAddress?: string,
): CertificateContent {
  return {
    ...validity,
    serialNumber,
    issuerCommonName: commonName,
    subjectCommonName: commonName,
    isCa: true,
    pathLength: undefined,
    keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
    subjectAltNames: authorityNames({ commonName, domain: undefined, xmppAddress }),
    revocationListUrl: undefined,
  };
}

/**
 * The certificate of an authority below another one by XEP-0416 §3.2. With a domain it is a
 * domain-associated one: pathLenConstraint 0 and the domain as DNS-ID. The XmppAddr of a server
 * says that it takes requests over XMPP (XEP-0417 §2.1).
 */
export function authorityCertificateContent(
  identity: AuthorityIdentity,
  issuerCommonName: string,
  serialNumber: string,
  validity: Validity,
  revocationListUrl: string,
): CertificateContent {
  return {
    ...validity,
    serialNumber,
    issuerCommonName,
    subjectCommonName: identity.commonName,
    isCa: true,
    pathLength: identity.domain === undefined ? undefined : 0,
    keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
    extendedKeyUsage: [],
    subjectAltNames: authorityNames(identity),
    revocationListUrl,
  };
}

/** What a leaf certificate is about. */
export interface LeafSubject {
  readonly overlayName: string;
  readonly userName: AccountName;
  /** Exactly one in the profile xep-0416. */
  readonly nodeIds: readonly NodeId[];
}

/**
 * A node's certificate. Profile xep-0416: XEP-0416 §3.2, with the Node-ID as common name, because
 * a JID can exceed the 64 characters of one. Profile rfc6940: RFC 6940 §11.3, "The subject
 * distinguished name in the certificate MUST be empty", and no names but Node-IDs and the user's.
 */
export function leafCertificateContent(
  profile: CertificateProfile,
  subject: LeafSubject,
  issuerCommonName: string,
  serialNumber: string,
  validity: Validity,
  revocationListUrl: string,
): CertificateContent {
  const isXep0416 = profile === 'xep-0416';
  const names: SubjectAltName[] = subject.nodeIds.map((nodeId) => ({
    type: 'uri',
    value: reloadUri(nodeId, subject.overlayName),
  }));
  if (isXep0416) names.push({ type: 'xmppAddr', value: subject.userName });
  if (isAscii(subject.userName)) names.push({ type: 'rfc822Name', value: subject.userName });
  return {
    ...validity,
    serialNumber,
    issuerCommonName,
    subjectCommonName: isXep0416 ? subject.nodeIds[0] : undefined,
    isCa: false,
    pathLength: undefined,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [],
    subjectAltNames: names,
    revocationListUrl,
  };
}

/** The certificate of the enrollment server's HTTPS — RFC 2818 §3.1. */
export function httpsCertificateContent(
  hosts: readonly SubjectAltName[],
  issuerCommonName: string,
  serialNumber: string,
  validity: Validity,
): CertificateContent {
  return {
    ...validity,
    serialNumber,
    issuerCommonName,
    subjectCommonName: HTTPS_COMMON_NAME,
    isCa: false,
    pathLength: undefined,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [KeyPurposeOid.serverAuth],
    subjectAltNames: hosts,
    revocationListUrl: undefined,
  };
}

const SERIAL_NUMBER_BYTES = 20;
/** First octets of serial numbers. */
const FIRST_SHARD = 0x40;
const LATER_SHARD = 0x20;
/** Of one list: with more certificates there are several. */
export const REVOCATION_LIST_ENTRIES_MAX = 10_000;
const DAY_MS = 86_400_000;
const BACKDATED_MS = 5 * 60_000;
const HTTPS_COMMON_NAME = 'enrollment server';
