import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  derAlgorithm,
  derSubjectPublicKeyInfo,
  type SubjectPublicKeyInfo,
} from '../tls-auth/certificate.ts';
import type { CertificateExtensions } from '../tls-auth/certificate-extension.ts';
import { contextConstructed, DerReader, DerTag, MalformedDer } from '../tls-auth/der-reader.ts';
import { derBitStringOctets, derIntegerHex, derObjectIdentifier } from '../tls-auth/der-value.ts';
import {
  boolean,
  explicit,
  integer,
  objectIdentifier,
  sequence,
  set,
} from '../tls-auth/der-writer.ts';
import { type DistinguishedName, derName } from '../tls-auth/distinguished-name.ts';
import { derExtensions } from '../tls-auth/extension-reader.ts';
import { keyFault } from '../tls-auth/key-strength.ts';
import { ExtensionOid, KeyOid } from '../tls-auth/object-identifier.ts';
import { signatureAlgorithmPair, signatureHashName } from '../tls-auth/signature-verifier.ts';
import { SignatureAlgorithm } from '../wire/security-block.ts';
import { encodeCommonName, encodeExtension, encodeGeneralNames } from './certificate-encoding.ts';
import type { SubjectAltName } from './subject-alt-name.ts';

/** What stands in a PKCS #10 request whose sender has proved to hold the key. */
export interface CertificationRequest {
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly subject: DistinguishedName;
  /** Those of its extensionRequest: wishes, no more. */
  readonly wishes: CertificateExtensions;
}

/** Why a request does not count; `detail` is half a sentence. */
export interface SigningRequestFault {
  readonly detail: string;
}

/** The fault of what is no PKCS #10 request in DER at all. */
export class MalformedRequest implements SigningRequestFault {
  readonly detail: string;

  constructor({ offset, message }: MalformedDer) {
    this.detail = `at byte ${offset}: ${message}`;
  }
}

/** What a request asks for. */
interface RequestWishes {
  /** Of the subjectAltName; empty: none. */
  readonly names: readonly SubjectAltName[];
  /** Whether it is for an authority. */
  readonly isCa: boolean;
}

/** CertificationRequestInfo (RFC 2986 §4.1) in DER: what the key of the request signs. */
export function encodeRequestInfo(
  commonName: string | undefined,
  subjectPublicKeyInfo: Uint8Array,
  { names, isCa }: RequestWishes,
): Uint8Array {
  const wishes: Uint8Array[] = [];
  if (isCa) wishes.push(encodeExtension(BASIC_CONSTRAINTS, true, sequence(boolean(true))));
  if (names.length > 0) {
    wishes.push(encodeExtension(SUBJECT_ALT_NAME, false, encodeGeneralNames(names)));
  }
  const attribute = sequence(EXTENSION_REQUEST, set(sequence(...wishes)));
  return sequence(
    integer(0),
    encodeCommonName(commonName),
    subjectPublicKeyInfo,
    explicit(0, attribute),
  );
}

/**
 * Reads a PKCS #10 request (RFC 2986 §4) strictly: DER, nothing left over, a key of the permitted
 * kinds (P-256, P-384, secp256k1, RSA from 2,048 bits), signed with it.
 */
export function readCertificationRequest(
  der: Uint8Array,
): CertificationRequest | SigningRequestFault {
  if (der.length > SIGNING_REQUEST_BYTES_MAX) {
    return { detail: `it has ${der.length} bytes, more than ${SIGNING_REQUEST_BYTES_MAX}` };
  }
  try {
    return readStrictly(der);
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    return new MalformedRequest(error);
  }
}

function readStrictly(der: Uint8Array): CertificationRequest | SigningRequestFault {
  const outer = new DerReader(der);
  const request = outer.enter(DerTag.sequence);
  outer.expectEnd();
  const signed = request.element(DerTag.sequence);
  const algorithm = derAlgorithm(request);
  const signature = derBitStringOctets(request.element(DerTag.bitString));
  request.expectEnd();

  const info = request.inside(signed);
  const version = derIntegerHex(info.element(DerTag.integer));
  if (version !== '00') return { detail: 'its version is not 0' };
  const subject = derName(info);
  const keyInfo = derSubjectPublicKeyInfo(info);
  const wishes = derAttributes(info);
  info.expectEnd();

  const key = permittedKey(keyInfo);
  if ('detail' in key) return key;
  const [hash, signatureAlgorithm] = signatureAlgorithmPair(algorithm) ?? [];
  const hashName = hash === undefined ? undefined : signatureHashName(hash);
  const { rsa, ecdsa } = SignatureAlgorithm;
  const ownAlgorithm = keyInfo.algorithm.oid === KeyOid.rsa ? rsa : ecdsa;
  if (hashName === undefined || signatureAlgorithm !== ownAlgorithm) {
    return { detail: 'it is not signed with SHA-256, SHA-384 or SHA-512 by its own kind of key' };
  }
  if (!verify(hashName, signed.der, key.publicKey, signature)) {
    return { detail: 'its signature does not belong to its key' };
  }
  return { subjectPublicKeyInfo: keyInfo.der, subject, wishes };
}

/** The key, if its kind, size and encoding are ones that every peer takes. */
function permittedKey(
  info: SubjectPublicKeyInfo,
): { readonly publicKey: KeyObject } | SigningRequestFault {
  const fault = keyFault(info);
  if (fault !== undefined) return { detail: `its key does not do: ${fault}` };
  if (info.algorithm.oid === KeyOid.ec && info.key[0] !== UNCOMPRESSED_POINT) {
    return { detail: 'its elliptic curve point is not uncompressed' };
  }
  const publicKey = publicKeyOf(info.der);
  if (publicKey === undefined) return { detail: 'its key is not valid' };
  if (!isUsualEncoding(info, publicKey)) {
    return { detail: 'its key is not in the usual encoding' };
  }
  return { publicKey };
}

/**
 * A second encoding of one key would pass for another key, for instance after a revocation. DER
 * leaves none to an uncompressed point on a named curve, which OpenSSL took: comparing is for RSA.
 */
function isUsualEncoding(info: SubjectPublicKeyInfo, publicKey: KeyObject): boolean {
  if (info.algorithm.oid === KeyOid.ec) return true;
  return publicKey.export({ type: 'spki', format: 'der' }).equals(info.der);
}

function publicKeyOf(der: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch {
    // OpenSSL says no: the point is not on the curve, or the RSA numbers are none.
    return undefined;
  }
}

/** `attributes [0] IMPLICIT SET OF Attribute`: the extensions of the one extensionRequest. */
function derAttributes(info: DerReader): CertificateExtensions {
  const attributes = info.enter(contextConstructed(0));
  let wishes: CertificateExtensions | undefined;
  while (!attributes.atEnd) {
    const attribute = attributes.enter(DerTag.sequence);
    const oid = derObjectIdentifier(attribute.element(DerTag.objectIdentifier));
    const values = attribute.enter(DerTag.set);
    attribute.expectEnd();
    if (oid !== EXTENSION_REQUEST_OID) continue;
    if (wishes !== undefined) throw attribute.fault('a second extensionRequest');
    wishes = derExtensions(values);
    values.expectEnd();
  }
  return wishes ?? { all: [] };
}

/** Room for an RSA key of 8,192 bits and its signature. */
const SIGNING_REQUEST_BYTES_MAX = 8_192;
const UNCOMPRESSED_POINT = 0x04;
/** RFC 2985 §5.4.2. */
const EXTENSION_REQUEST_OID = '1.2.840.113549.1.9.14';
const EXTENSION_REQUEST = objectIdentifier(EXTENSION_REQUEST_OID);
const BASIC_CONSTRAINTS = objectIdentifier(ExtensionOid.basicConstraints);
const SUBJECT_ALT_NAME = objectIdentifier(ExtensionOid.subjectAltName);
