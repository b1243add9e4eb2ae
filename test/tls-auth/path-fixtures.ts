import {
  TEST_UNIX_MS,
  type TestAuthority,
  type TestLeaf,
} from '../../sim/certificates/certificate-maker.ts';
import { type Certificate, parseCertificate } from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { findPath } from '../../src/tls-auth/path-building.ts';
import type { PathRequirements, ValidPath } from '../../src/tls-auth/path-validation.ts';
import { type SignatureVerifier, verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';

/** What was made by the certificate maker, read again. */
export function read(made: { readonly certificate: Uint8Array }): Certificate {
  const certificate = parseCertificate(made.certificate);
  if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
  return certificate;
}

/** Looks for a path from `leaf` over `pool` to `roots`. */
export function pathTo(
  leaf: TestLeaf | TestAuthority,
  pool: readonly TestAuthority[],
  roots: readonly TestAuthority[],
  requirements: Partial<PathRequirements> = {},
  verifySignature: SignatureVerifier = verifyWithKey,
): ValidPath | CertificateRefusal {
  const material = { pool: pool.map(read), anchors: roots.map(read), verifySignature };
  return findPath(read(leaf), material, { unixMs: TEST_UNIX_MS, ...requirements });
}

/** `valid`, or the code of the refusal. */
export function verdict(result: ValidPath | CertificateRefusal): string {
  return result instanceof CertificateRefusal ? result.code : 'valid';
}
