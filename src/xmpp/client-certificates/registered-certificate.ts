import { createHash } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { toHex } from '../../wire/hex.ts';

/** Where a certificate comes from: who has put it into the register. */
export const CERTIFICATE_SOURCES = ['upload', 'issued', 'overlay'] as const;
export type CertificateSource = (typeof CERTIFICATE_SOURCES)[number];

/** `disabled`: no more logins; `revoked`: no sessions either. Both are for ever. */
export const CERTIFICATE_STATES = ['active', 'disabled', 'revoked'] as const;
export type CertificateState = (typeof CERTIFICATE_STATES)[number];

/** What is said of a certificate beside what stands in it. */
export interface CertificateEntry {
  /** Unique among those that are active. */
  readonly name: string;
  readonly source: CertificateSource;
  readonly state: CertificateState;
  /** False: whoever logs in with it changes nothing in this register (no-cert-management). */
  readonly mayManage: boolean;
  readonly addedUnixMs: number;
  /** Of the last login. */
  readonly lastUsedUnixMs: number | undefined;
}

/** A client certificate of the user, in the register. */
export interface RegisteredCertificate extends CertificateEntry {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of what its issuer signed: it stays when somebody alters the signature. */
  readonly signedHash: string;
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly keyHash: string;
  readonly der: Uint8Array;
  /** DER in base64, as it is shown. */
  readonly base64: string;
  /** All XmppAddrs in it. */
  readonly addresses: readonly string[];
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
}

/** A certificate that was read, with what is said of it. */
export function registered(
  certificate: Certificate,
  entry: CertificateEntry,
): RegisteredCertificate {
  const { der, notBeforeUnixMs, notAfterUnixMs } = certificate;
  return {
    ...entry,
    fingerprint: certificate.sha256,
    signedHash: signedHashOf(certificate),
    keyHash: keyHashOf(certificate),
    der,
    base64: Buffer.from(der).toString('base64'),
    addresses: certificate.extensions.subjectAltName?.xmppAddrs ?? [],
    notBeforeUnixMs,
    notAfterUnixMs,
  };
}

/** SHA-256 of the TBSCertificate, lower-case hex. */
export function signedHashOf(certificate: Certificate): string {
  return toHex(sha256(certificate.tbsCertificate));
}

/** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
export function keyHashOf(certificate: Certificate): string {
  return toHex(sha256(certificate.subjectPublicKeyInfo.der));
}

/** SHA-256 of a certificate in DER, lower-case hex. */
export function fingerprintOf(der: Uint8Array): string {
  return toHex(sha256(der));
}

/** The certificate that the bytes are; undefined: they are none. */
export function certificateOf(der: Uint8Array): Certificate | undefined {
  const certificate = parseCertificate(der);
  return certificate instanceof CertificateRefusal ? undefined : certificate;
}

/** RFC 5280 §4.1.2.5: valid to the end of the second that is named. */
export function hasExpired(
  { notAfterUnixMs }: Pick<RegisteredCertificate, 'notAfterUnixMs'>,
  unixMs: number,
): boolean {
  return unixMs >= notAfterUnixMs + 1_000;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
