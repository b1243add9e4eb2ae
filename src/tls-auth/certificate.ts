import type { KeyObject } from 'node:crypto';
import type { CertificateExtensions } from './certificate-extension.ts';
import type { DistinguishedName } from './distinguished-name.ts';

/** AlgorithmIdentifier — RFC 5280 §4.1.1.2. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  /** DER of the parameters; undefined where there are none. */
  readonly parameters: Uint8Array | undefined;
  readonly der: Uint8Array;
}

/** SubjectPublicKeyInfo — RFC 5280 §4.1.2.7. */
export interface SubjectPublicKeyInfo {
  readonly der: Uint8Array;
  readonly algorithm: AlgorithmIdentifier;
  /** The octets of the BIT STRING. */
  readonly key: Uint8Array;
}

/**
 * A certificate that was read, not one that is trusted — RFC 5280 §4.1. All byte fields are views
 * of `der`.
 */
export interface Certificate {
  readonly der: Uint8Array;
  /** The bytes that the signature covers. */
  readonly tbsCertificate: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Content octets of the INTEGER, lower-case hex: `00f6…` is positive, `f6…` negative. */
  readonly serialNumber: string;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signatureValue: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBeforeUnixMs: number;
  /** The certificate is valid to the end of this second. */
  readonly notAfterUnixMs: number;
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  readonly issuerUniqueId: Uint8Array | undefined;
  readonly subjectUniqueId: Uint8Array | undefined;
  readonly extensions: CertificateExtensions;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  /** Subject and issuer are the same name — RFC 5280 §6.1. */
  readonly isSelfIssued: boolean;
  /** The key, made once; undefined when it is none that this program can use. */
  publicKey(): KeyObject | undefined;
  /** `CN=juliet (sha256 03ab45cd…)`, for people. */
  describe(): string;
}
