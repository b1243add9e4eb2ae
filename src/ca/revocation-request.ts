import { parseCertificate } from '../tls-auth/certificate.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import {
  keySignatureAlgorithm,
  signatureAlgorithmPair,
  verifyWithKey,
} from '../tls-auth/signature-verifier.ts';
import type { AccountName } from './account-name.ts';
import type { CertificateRegister, RegisteredCertificate } from './certificate-register.ts';
import type { XmppRefusal } from './xmpp-refusal.ts';

/** What came as `<x509-revoke/>` (XEP-0417 §7); undefined: it is not base64. */
export interface ArrivedRevocation {
  readonly userName: AccountName;
  /** DER. */
  readonly certificate: Uint8Array | undefined;
  readonly signature: Uint8Array | undefined;
}

/**
 * The certificate that is to be revoked: one of this authority and of the sender, whose key signed
 * the tbsCertificate. The hash is that of the certificate's signatureAlgorithm, the signature is of
 * the kind of its own key. The register must be the present one.
 */
export function readRevocation(
  register: CertificateRegister,
  { userName, certificate, signature }: ArrivedRevocation,
): RegisteredCertificate | XmppRefusal {
  if (certificate === undefined || signature === undefined) {
    const text = 'One <x509-cert/> and one <x509-signature/> in base64 must be there.';
    return { condition: 'bad-request', text };
  }
  const parsed = parseCertificate(certificate);
  if (parsed instanceof CertificateRefusal) {
    return { condition: 'bad-request', text: `The certificate cannot be read: ${parsed.detail}.` };
  }
  const held = register.certificate(parsed.serialNumber);
  if (held?.fingerprintSha256 !== parsed.sha256) {
    const text = 'This authority has not issued that certificate; ask the one that has.';
    return { condition: 'item-not-found', text };
  }
  if (held.userName !== userName) {
    const text = 'That certificate is not yours; only its owner can revoke it here.';
    return { condition: 'not-allowed', text };
  }
  const [hash] = signatureAlgorithmPair(parsed.signatureAlgorithm) ?? [];
  const ownAlgorithm = keySignatureAlgorithm(parsed);
  const isSigned =
    hash !== undefined &&
    ownAlgorithm !== undefined &&
    verifyWithKey(parsed, hash, ownAlgorithm, parsed.tbsCertificate, signature);
  if (isSigned) return held;
  const text = 'The signature is not one of the certificate’s key over its tbsCertificate.';
  return { condition: 'not-acceptable', text };
}
