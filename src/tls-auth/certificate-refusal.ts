import type { RevocationReason } from './revoked-entries.ts';

/** Why a certificate or a path of them does not count; docs/x509.md explains each. */
export const CERTIFICATE_REFUSAL_CODES = [
  'malformed',
  'too-large',
  'signature-algorithm',
  'weak-key',
  'signature-invalid',
  'not-yet-valid',
  'expired',
  'no-path',
  'work-limit',
  'path-too-long',
  'not-a-ca',
  'path-length',
  'key-usage',
  'unknown-critical-extension',
  'name-constraints',
  'no-valid-policy',
  'pkix-profile',
  'purpose',
  'peer-name',
  'certificate-profile',
  'domain',
  'node-id',
  'self-signed',
  'bad-node',
  'revoked',
  'revocation-undetermined',
] as const;
export type CertificateRefusalCode = (typeof CERTIFICATE_REFUSAL_CODES)[number];

/** What a list says of a certificate that it revokes. */
export interface Revocation {
  readonly sinceUnixMs: number;
  readonly reason: RevocationReason;
}

/**
 * The answer "no" about a certificate: a value, never thrown. It names the certificate, the rule
 * that it breaks (by document and section) and what was expected and found.
 */
export class CertificateRefusal {
  readonly code: CertificateRefusalCode;
  /** Which certificate: its subject and the start of its SHA-256, or its place. */
  readonly certificate: string;
  /** Document, section and short name of the rule, e.g. `RFC 5280 §4.2.1.9 basicConstraints`. */
  readonly rule: string;
  readonly detail: string;
  /** For the code `revoked`: since when, and why. */
  readonly revocation: Revocation | undefined;

  constructor(
    code: CertificateRefusalCode,
    certificate: string,
    rule: string,
    detail: string,
    revocation?: Revocation,
  ) {
    this.code = code;
    this.certificate = certificate;
    this.rule = rule;
    this.detail = detail;
    this.revocation = revocation;
  }

  /** `expired: CN=juliet (sha256 03ab…): notAfter was … (RFC 5280 §4.1.2.5 validity)` */
  describe(): string {
    return `${this.code}: ${this.certificate}: ${this.detail} (${this.rule})`;
  }
}

/** The refusal of what describes itself: a certificate, or a list. */
export function refuse(
  code: CertificateRefusalCode,
  about: { describe(): string },
  rule: string,
  detail: string,
): CertificateRefusal {
  return new CertificateRefusal(code, about.describe(), rule, detail);
}
