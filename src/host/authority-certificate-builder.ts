import './authority-reflect-metadata.ts';
import { createHash, type KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsagesExtension,
  Name,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import * as asn1 from 'asn1js';
import type { CertificateContent, SubjectAltName } from '../ca/certificate-content.ts';
import { KEY_USAGE_BITS } from '../tls-auth/certificate-extension.ts';
import { DerReader, DerTag } from '../tls-auth/der-reader.ts';
import { derBitStringOctets } from '../tls-auth/der-value.ts';
import { ExtensionOid, XMPP_ADDR_OID } from '../tls-auth/object-identifier.ts';
import { toHex } from '../wire/hex.ts';
import { toIpAddressPort } from './socket-address.ts';

/**
 * Makes the certificate that says `content` about the key `subjectPublicKeyInfo` (DER), signed by
 * the issuer's key (P-256, P-384 or RSA). Returns DER.
 */
export async function buildCertificate(
  content: CertificateContent,
  subjectPublicKeyInfo: Uint8Array,
  issuerKey: { readonly privateKey: KeyObject; readonly subjectPublicKeyInfo: Uint8Array },
): Promise<Uint8Array> {
  const signing = await signingKeyOf(issuerKey.privateKey);
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: content.serialNumber,
      issuer: distinguishedName(content.issuerCommonName),
      subject: distinguishedName(content.subjectCommonName),
      notBefore: new Date(content.notBeforeUnixMs),
      notAfter: new Date(content.notAfterUnixMs),
      publicKey: Uint8Array.from(subjectPublicKeyInfo),
      signingKey: signing.key,
      signingAlgorithm: signing.algorithm,
      extensions: extensionsOf(content, subjectPublicKeyInfo, issuerKey.subjectPublicKeyInfo),
    },
    webcrypto,
  );
  return new Uint8Array(certificate.rawData);
}

/**
 * subjectKeyIdentifier of a key: the leftmost 160 bits of the SHA-256 of its octets (RFC 7093 §2,
 * method 1).
 */
export function keyIdentifierOf(subjectPublicKeyInfo: Uint8Array): Uint8Array {
  const reader = new DerReader(subjectPublicKeyInfo).enter(DerTag.sequence);
  reader.element(DerTag.sequence);
  const octets = derBitStringOctets(reader.element(DerTag.bitString));
  return new Uint8Array(createHash('sha256').update(octets).digest().subarray(0, 20));
}

function extensionsOf(
  content: CertificateContent,
  subjectKey: Uint8Array,
  issuerKey: Uint8Array,
): Extension[] {
  const extensions: Extension[] = [];
  if (content.isCa) extensions.push(new BasicConstraintsExtension(true, undefined, true));
  // KeyUsageFlags number the bits of the BIT STRING from the lowest.
  const usages = content.keyUsage.map((usage) => 1 << KEY_USAGE_BITS.indexOf(usage));
  extensions.push(
    new KeyUsagesExtension(
      usages.reduce((sum, bit) => sum | bit, 0),
      true,
    ),
  );
  if (content.extendedKeyUsage.length > 0) {
    extensions.push(new ExtendedKeyUsageExtension([...content.extendedKeyUsage]));
  }
  if (content.subjectAltNames.length > 0) {
    const isCritical = content.subjectCommonName === undefined;
    extensions.push(
      new Extension(ExtensionOid.subjectAltName, isCritical, generalNames(content.subjectAltNames)),
    );
  }
  if (content.revocationListUrl !== undefined) {
    extensions.push(new CRLDistributionPointsExtension([content.revocationListUrl]));
  }
  extensions.push(new SubjectKeyIdentifierExtension(toHex(keyIdentifierOf(subjectKey))));
  extensions.push(new AuthorityKeyIdentifierExtension(toHex(keyIdentifierOf(issuerKey))));
  return extensions;
}

/** GeneralNames — RFC 5280 §4.2.1.6. DER. */
function generalNames(names: readonly SubjectAltName[]): ArrayBuffer {
  return new asn1.Sequence({ value: names.map(generalName) }).toBER();
}

function generalName(name: SubjectAltName): asn1.BaseBlock {
  switch (name.type) {
    case 'xmppAddr':
      // otherName id-on-xmppAddr, a UTF8String — RFC 6120 §13.7.1.4.
      return contextConstructed(0, [
        new asn1.ObjectIdentifier({ value: XMPP_ADDR_OID }),
        contextConstructed(0, [new asn1.Utf8String({ value: name.value })]),
      ]);
    case 'rfc822Name':
      return contextPrimitive(1, Buffer.from(name.value, 'latin1'));
    case 'dnsName':
      return contextPrimitive(2, Buffer.from(name.value, 'latin1'));
    case 'uri':
      return contextPrimitive(6, Buffer.from(name.value, 'latin1'));
    case 'ipAddress':
      return contextPrimitive(7, ipAddressBytes(name.value));
  }
}

function contextConstructed(tagNumber: number, value: asn1.BaseBlock[]): asn1.Constructed {
  return new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value });
}

function contextPrimitive(tagNumber: number, value: Uint8Array): asn1.Primitive {
  return new asn1.Primitive({
    idBlock: { tagClass: 3, tagNumber },
    valueHex: Uint8Array.from(value).buffer,
  });
}

function ipAddressBytes(text: string): Uint8Array {
  const address = toIpAddressPort({ host: text, port: 0 });
  if (address === undefined || address.type === 'unknown') {
    throw new RangeError(`"${text}" is not an IP address`);
  }
  return address.address;
}

/** A name with one attribute, or none. Issuer and subject match because both are made here. */
export function distinguishedName(commonName: string | undefined): Name {
  return new Name(commonName === undefined ? [] : [{ CN: [{ utf8String: commonName }] }]);
}

async function signingKeyOf(privateKey: KeyObject) {
  const algorithm = signingAlgorithmOf(privateKey);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  return { key, algorithm };
}

function signingAlgorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    case 'secp384r1':
      return { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' };
    default:
      throw new RangeError('an authority signs with P-256, P-384 or RSA');
  }
}
