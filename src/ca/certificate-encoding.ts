import { createHash } from 'node:crypto';
import { parseIpAddress } from '../overlay-config/ip-address-text.ts';
import { derSubjectPublicKeyInfo } from '../tls-auth/certificate.ts';
import { KEY_USAGE_BITS } from '../tls-auth/certificate-extension.ts';
import { DerReader, DerTag } from '../tls-auth/der-reader.ts';
import {
  bitString,
  boolean,
  der,
  explicit,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from '../tls-auth/der-writer.ts';
import { ExtensionOid, XMPP_ADDR_OID } from '../tls-auth/object-identifier.ts';
import { fromHex } from '../wire/hex.ts';
import type { CertificateContent } from './certificate-content.ts';
import { signatureSchemeOf } from './signature-scheme.ts';
import type { SubjectAltName } from './subject-alt-name.ts';

/**
 * TBSCertificate (RFC 5280 §4.1.2) in DER: what the issuer signs. Both keys are
 * SubjectPublicKeyInfo in DER. It has the extensions that `content` asks for and no other.
 */
export function encodeTbsCertificate(
  content: CertificateContent,
  subjectKey: Uint8Array,
  issuerKey: Uint8Array,
): Uint8Array {
  return sequence(
    VERSION_3,
    der(DerTag.integer, fromHex(content.serialNumber)),
    signatureSchemeOf(issuerKey).identifier,
    encodeCommonName(content.issuerCommonName),
    sequence(time(content.notBeforeUnixMs), time(content.notAfterUnixMs)),
    encodeCommonName(content.subjectCommonName),
    subjectKey,
    explicit(3, sequence(...extensionsOf(content, subjectKey, issuerKey))),
  );
}

/** The SEQUENCE of what was signed, how, and the signature — RFC 5280 §4.1, §5.1. */
export function encodeSigned(
  signed: Uint8Array,
  issuerKey: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  return sequence(signed, signatureSchemeOf(issuerKey).identifier, bitString(signature));
}

/** A name with one attribute, or none. Issuer and subject match because both are made here. */
export function encodeCommonName(commonName: string | undefined): Uint8Array {
  if (commonName === undefined) return sequence();
  return sequence(set(sequence(COMMON_NAME, utf8String(commonName))));
}

/** authorityKeyIdentifier — RFC 5280 §4.2.1.1. */
export function encodeAuthorityKeyIdentifier(issuerKey: Uint8Array): Uint8Array {
  return encodeExtension(
    AUTHORITY_KEY_IDENTIFIER,
    false,
    sequence(implicit(0, keyIdentifierOf(issuerKey))),
  );
}

/** Extension — RFC 5280 §4.1; `oid` is the OBJECT IDENTIFIER in DER. */
export function encodeExtension(oid: Uint8Array, isCritical: boolean, value: Uint8Array) {
  return isCritical
    ? sequence(oid, boolean(true), octetString(value))
    : sequence(oid, octetString(value));
}

/** GeneralNames — RFC 5280 §4.2.1.6. */
export function encodeGeneralNames(names: readonly SubjectAltName[]): Uint8Array {
  return sequence(...names.map(generalName));
}

/** DistributionPointName with a full name — RFC 5280 §4.2.1.13, §5.2.5. */
export function encodeDistributionPointName(url: string): Uint8Array {
  return explicit(0, explicit(0, generalName({ type: 'uri', value: url })));
}

function extensionsOf(
  content: CertificateContent,
  subjectKey: Uint8Array,
  issuerKey: Uint8Array,
): Uint8Array[] {
  const extensions: Uint8Array[] = [];
  if (content.isCa) {
    const pathLength = content.pathLength === undefined ? [] : [integer(content.pathLength)];
    const constraints = sequence(boolean(true), ...pathLength);
    extensions.push(encodeExtension(BASIC_CONSTRAINTS, true, constraints));
  } else if (content.saysNoCa === true) {
    extensions.push(encodeExtension(BASIC_CONSTRAINTS, true, sequence()));
  }
  const usages = namedBits(content.keyUsage.map((usage) => KEY_USAGE_BITS.indexOf(usage)));
  extensions.push(encodeExtension(KEY_USAGE, true, usages));
  if (content.extendedKeyUsage.length > 0) {
    const purposes = sequence(...content.extendedKeyUsage.map(objectIdentifier));
    extensions.push(encodeExtension(EXTENDED_KEY_USAGE, false, purposes));
  }
  if (content.subjectAltNames.length > 0) {
    // RFC 5280 §4.2.1.6: critical where the subject is empty.
    const isCritical = content.subjectCommonName === undefined;
    const names = encodeGeneralNames(content.subjectAltNames);
    extensions.push(encodeExtension(SUBJECT_ALT_NAME, isCritical, names));
  }
  if (content.revocationListUrl !== undefined) {
    const points = sequence(sequence(encodeDistributionPointName(content.revocationListUrl)));
    extensions.push(encodeExtension(CRL_DISTRIBUTION_POINTS, false, points));
  }
  const identifier = octetString(keyIdentifierOf(subjectKey));
  extensions.push(encodeExtension(SUBJECT_KEY_IDENTIFIER, false, identifier));
  extensions.push(encodeAuthorityKeyIdentifier(issuerKey));
  return extensions;
}

/**
 * subjectKeyIdentifier of a key: the leftmost 160 bits of the SHA-256 of its octets (RFC 7093 §2,
 * method 1).
 */
function keyIdentifierOf(subjectPublicKeyInfo: Uint8Array): Uint8Array {
  const { key } = derSubjectPublicKeyInfo(new DerReader(subjectPublicKeyInfo));
  return new Uint8Array(createHash('sha256').update(key).digest().subarray(0, 20));
}

/** GeneralName — RFC 5280 §4.2.1.6. */
function generalName(name: SubjectAltName): Uint8Array {
  switch (name.type) {
    case 'xmppAddr':
      // otherName id-on-xmppAddr, a UTF8String — RFC 6120 §13.7.1.4.
      return explicit(0, XMPP_ADDR, explicit(0, utf8String(name.value)));
    case 'rfc822Name':
      return implicit(1, asciiOf(name));
    case 'dnsName':
      return implicit(2, asciiOf(name));
    case 'uri':
      return implicit(6, asciiOf(name));
    case 'ipAddress': {
      const address = parseIpAddress(name.value);
      if (address === undefined) throw new RangeError(`"${name.value}" is not an IP address`);
      return implicit(7, address);
    }
  }
}

/** IA5String. */
function asciiOf({ type, value }: SubjectAltName): Uint8Array {
  if (/[^\p{ASCII}]/u.test(value)) throw new RangeError(`the ${type} "${value}" is not ASCII`);
  return Buffer.from(value, 'latin1');
}

const VERSION_3 = explicit(0, integer(2));
const COMMON_NAME = objectIdentifier('2.5.4.3');
const XMPP_ADDR = objectIdentifier(XMPP_ADDR_OID);
const BASIC_CONSTRAINTS = objectIdentifier(ExtensionOid.basicConstraints);
const KEY_USAGE = objectIdentifier(ExtensionOid.keyUsage);
const EXTENDED_KEY_USAGE = objectIdentifier(ExtensionOid.extendedKeyUsage);
const SUBJECT_ALT_NAME = objectIdentifier(ExtensionOid.subjectAltName);
const CRL_DISTRIBUTION_POINTS = objectIdentifier(ExtensionOid.crlDistributionPoints);
const SUBJECT_KEY_IDENTIFIER = objectIdentifier(ExtensionOid.subjectKeyIdentifier);
const AUTHORITY_KEY_IDENTIFIER = objectIdentifier(ExtensionOid.authorityKeyIdentifier);
