import type { Certificate } from '../../tls-auth/certificate.ts';
import {
  keySignatureAlgorithm,
  signatureAlgorithmPair,
  signatureHashName,
  verifyWithKey,
} from '../../tls-auth/signature-verifier.ts';

/**
 * Node's name of the hash with which the key of a certificate signs for XEP-0417 §4.3: that of the
 * certificate's signatureAlgorithm. Undefined for algorithms that are not taken.
 */
export function xmppSignatureHash(certificate: Certificate): string | undefined {
  const [hash] = signatureAlgorithmPair(certificate.signatureAlgorithm) ?? [];
  return hash === undefined ? undefined : signatureHashName(hash);
}

/**
 * Whether the key of `certificate` signed `input` as XEP-0417 §4.3 says. The certificate was signed
 * by its issuer's kind of key; here it is its own kind that counts.
 */
export function isSignedBy(
  certificate: Certificate,
  input: Uint8Array,
  signature: Uint8Array,
): boolean {
  const [hash] = signatureAlgorithmPair(certificate.signatureAlgorithm) ?? [];
  const ownAlgorithm = keySignatureAlgorithm(certificate);
  if (hash === undefined || ownAlgorithm === undefined) return false;
  return verifyWithKey(certificate, hash, ownAlgorithm, input, signature);
}
