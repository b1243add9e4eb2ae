import type { CertificateContent } from '../../ca/certificate-content.ts';
import { encodeSigned, encodeTbsCertificate } from '../../ca/certificate-encoding.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Makes the certificate that says `content` about the key `subjectPublicKeyInfo` (DER), signed by
 * the issuer's key. Returns DER.
 */
export async function buildCertificate(
  content: CertificateContent,
  subjectPublicKeyInfo: Uint8Array,
  issuerKey: SigningKey,
): Promise<Uint8Array> {
  const { subjectPublicKeyInfo: issuer } = issuerKey;
  const signed = encodeTbsCertificate(content, subjectPublicKeyInfo, issuer);
  return encodeSigned(signed, issuer, await issuerKey.sign(signed));
}
