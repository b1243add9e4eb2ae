import { encodeSigned } from '../../ca/certificate-encoding.ts';
import type { RevocationListContent } from '../../ca/revocation-list-content.ts';
import { encodeTbsCertList } from '../../ca/revocation-list-encoding.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Makes the certificate revocation list (RFC 5280 §5) that says `content`, signed by the issuer's
 * key. Returns DER.
 */
export async function buildRevocationList(
  content: RevocationListContent,
  issuerKey: SigningKey,
): Promise<Uint8Array> {
  const { subjectPublicKeyInfo: issuer } = issuerKey;
  const signed = encodeTbsCertList(content, issuer);
  return encodeSigned(signed, issuer, await issuerKey.sign(signed));
}
