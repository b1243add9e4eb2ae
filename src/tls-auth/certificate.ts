import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { CertificateExtensions } from './certificate-extension.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import {
  contextConstructed,
  contextPrimitive,
  DerReader,
  DerTag,
  MalformedDer,
} from './der-reader.ts';
import { derTime } from './der-time.ts';
import { derBitStringOctets, derIntegerHex, derObjectIdentifier } from './der-value.ts';
import { type DistinguishedName, derName } from './distinguished-name.ts';
import { derExtensions } from './extension-reader.ts';

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

/** What stands in a certificate — RFC 5280 §4.1. All byte fields are views of `der`. */
export interface CertificateFields {
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
}

/** A certificate that was read, not one that is trusted. */
export interface Certificate extends CertificateFields {
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  /** Subject and issuer are the same name — RFC 5280 §6.1. */
  readonly isSelfIssued: boolean;
  /** The key, made once; undefined when it is none that this program can use. */
  publicKey(): KeyObject | undefined;
  /** `CN=juliet (sha256 03ab45cd…)`, for people. */
  describe(): string;
}

/**
 * Reads one DER certificate (RFC 5280 §4.1) of at most `certificateLengthMax` bytes. The result
 * keeps views of `der`: the caller must not change it. Never throws.
 */
export function parseCertificate(der: Uint8Array): Certificate | CertificateRefusal {
  if (der.length > certificateLengthMax) {
    const detail = `expected at most ${certificateLengthMax} bytes, got ${der.length}`;
    return new CertificateRefusal(
      'too-large',
      'a certificate',
      'limit certificateLengthMax',
      detail,
    );
  }
  try {
    return new ParsedCertificate(certificateFields(der));
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    const detail = `at byte ${error.offset}: ${error.message}`;
    const name = 'a certificate';
    return error.limit === undefined
      ? new CertificateRefusal('malformed', name, 'RFC 5280 §4.1 DER', detail)
      : new CertificateRefusal('too-large', name, `limit ${error.limit}`, detail);
  }
}

/** Bytes; those of users take about 700. */
export const certificateLengthMax = 65_536;

/** Characters of a subject that a description repeats. */
const describedLengthMax = 200;

class ParsedCertificate implements Certificate {
  readonly der: Uint8Array;
  readonly tbsCertificate: Uint8Array;
  readonly version: 1 | 2 | 3;
  readonly serialNumber: string;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signatureValue: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  readonly issuerUniqueId: Uint8Array | undefined;
  readonly subjectUniqueId: Uint8Array | undefined;
  readonly extensions: CertificateExtensions;
  private cachedKey: KeyObject | 'unusable' | undefined;
  private cachedSha256: string | undefined;
  private description: string | undefined;

  constructor(fields: CertificateFields) {
    this.der = fields.der;
    this.tbsCertificate = fields.tbsCertificate;
    this.version = fields.version;
    this.serialNumber = fields.serialNumber;
    this.signatureAlgorithm = fields.signatureAlgorithm;
    this.signatureValue = fields.signatureValue;
    this.issuer = fields.issuer;
    this.subject = fields.subject;
    this.notBeforeUnixMs = fields.notBeforeUnixMs;
    this.notAfterUnixMs = fields.notAfterUnixMs;
    this.subjectPublicKeyInfo = fields.subjectPublicKeyInfo;
    this.issuerUniqueId = fields.issuerUniqueId;
    this.subjectUniqueId = fields.subjectUniqueId;
    this.extensions = fields.extensions;
  }

  get sha256(): string {
    this.cachedSha256 ??= createHash('sha256').update(this.der).digest('hex');
    return this.cachedSha256;
  }

  get isSelfIssued(): boolean {
    return this.subject.equals(this.issuer);
  }

  publicKey(): KeyObject | undefined {
    this.cachedKey ??= keyOf(this.subjectPublicKeyInfo.der);
    return this.cachedKey === 'unusable' ? undefined : this.cachedKey;
  }

  describe(): string {
    this.description ??= this.subjectAndHash();
    return this.description;
  }

  private subjectAndHash(): string {
    const subject = this.subject.isEmpty ? 'certificate without subject' : this.subject.text;
    const isLong = subject.length > describedLengthMax;
    const shown = isLong ? `${subject.slice(0, describedLengthMax)}…` : subject;
    return `${shown} (sha256 ${this.sha256.slice(0, 16)}…)`;
  }
}

function keyOf(subjectPublicKeyInfo: Uint8Array): KeyObject | 'unusable' {
  try {
    const key = Buffer.from(subjectPublicKeyInfo);
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    // OpenSSL does not know the algorithm, or the point is not on its curve.
    return 'unusable';
  }
}

/** Certificate — RFC 5280 §4.1. */
function certificateFields(der: Uint8Array): CertificateFields {
  const outer = new DerReader(der);
  const certificate = outer.enter(DerTag.sequence);
  outer.expectEnd();
  const tbs = certificate.element(DerTag.sequence);
  const signatureAlgorithm = derAlgorithm(certificate);
  const signatureValue = derBitStringOctets(certificate.element(DerTag.bitString));
  certificate.expectEnd();
  const fields = tbsFields(certificate.inside(tbs));
  if (Buffer.compare(fields.innerAlgorithm.der, signatureAlgorithm.der) !== 0) {
    throw certificate.fault('the two signature algorithms differ (RFC 5280 §4.1.1.2)');
  }
  const { innerAlgorithm: _, ...rest } = fields;
  return { der, tbsCertificate: tbs.der, signatureAlgorithm, signatureValue, ...rest };
}

/** TBSCertificate — RFC 5280 §4.1.2. */
function tbsFields(reader: DerReader) {
  const version = derVersion(reader);
  const serialNumber = derIntegerHex(reader.element(DerTag.integer));
  const innerAlgorithm = derAlgorithm(reader);
  const issuer = derName(reader);
  const validity = reader.enter(DerTag.sequence);
  const notBeforeUnixMs = derTime(validity);
  const notAfterUnixMs = derTime(validity);
  validity.expectEnd();
  const subject = derName(reader);
  const subjectPublicKeyInfo = derSubjectPublicKeyInfo(reader);
  const issuerUniqueId = reader.optional(contextPrimitive(1))?.contents;
  const subjectUniqueId = reader.optional(contextPrimitive(2))?.contents;
  if (version === 1 && (issuerUniqueId ?? subjectUniqueId) !== undefined) {
    throw reader.fault('unique identifiers in version 1 (RFC 5280 §4.1.2.8)');
  }
  const wrapper = reader.enterOptional(contextConstructed(3));
  if (wrapper !== undefined && version !== 3) {
    throw reader.fault(`extensions in version ${version} (RFC 5280 §4.1.2.9)`);
  }
  const extensions = wrapper === undefined ? { all: [] } : derExtensions(wrapper);
  wrapper?.expectEnd();
  reader.expectEnd();
  return {
    version,
    serialNumber,
    innerAlgorithm,
    issuer,
    notBeforeUnixMs,
    notAfterUnixMs,
    subject,
    subjectPublicKeyInfo,
    issuerUniqueId,
    subjectUniqueId,
    extensions,
  };
}

/** `[0] EXPLICIT Version DEFAULT v1`; DER never writes the default — RFC 5280 §4.1.2.1. */
function derVersion(reader: DerReader): 1 | 2 | 3 {
  const wrapper = reader.enterOptional(contextConstructed(0));
  if (wrapper === undefined) return 1;
  const number = derIntegerHex(wrapper.element(DerTag.integer));
  wrapper.expectEnd();
  if (number === '01') return 2;
  if (number === '02') return 3;
  throw reader.fault('expected version 1, 2 or 3 (RFC 5280 §4.1.2.1)');
}

/** AlgorithmIdentifier — RFC 5280 §4.1.1.2. */
export function derAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const element = reader.element(DerTag.sequence);
  const inner = reader.inside(element);
  const oid = derObjectIdentifier(inner.element(DerTag.objectIdentifier));
  const parameters = inner.atEnd ? undefined : inner.any().der;
  inner.expectEnd();
  return { oid, parameters, der: element.der };
}

/** SubjectPublicKeyInfo — RFC 5280 §4.1.2.7. */
export function derSubjectPublicKeyInfo(reader: DerReader): SubjectPublicKeyInfo {
  const element = reader.element(DerTag.sequence);
  const inner = reader.inside(element);
  const algorithm = derAlgorithm(inner);
  const key = derBitStringOctets(inner.element(DerTag.bitString));
  inner.expectEnd();
  return { der: element.der, algorithm, key };
}
