import './reflect-metadata.ts';
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
import type { CertificateContent } from '../../ca/certificate-content.ts';
import { KEY_USAGE_BITS } from '../../tls-auth/certificate-extension.ts';
import { DerReader, DerTag } from '../../tls-auth/der-reader.ts';
import { derBitStringOctets } from '../../tls-auth/der-value.ts';
import { ExtensionOid } from '../../tls-auth/object-identifier.ts';
import { toHex } from '../../wire/hex.ts';
import { encodeGeneralNames } from '../enrollment/enrollment-names.ts';

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
      new Extension(
        ExtensionOid.subjectAltName,
        isCritical,
        encodeGeneralNames(content.subjectAltNames),
      ),
    );
  }
  if (content.revocationListUrl !== undefined) {
    extensions.push(new CRLDistributionPointsExtension([content.revocationListUrl]));
  }
  extensions.push(new SubjectKeyIdentifierExtension(toHex(keyIdentifierOf(subjectKey))));
  extensions.push(new AuthorityKeyIdentifierExtension(toHex(keyIdentifierOf(issuerKey))));
  return extensions;
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
