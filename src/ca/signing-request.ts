import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { contextConstructed, DerReader, DerTag, MalformedDer } from '../tls-auth/der-reader.ts';
import { derBitStringOctets, derIntegerHex, derObjectIdentifier } from '../tls-auth/der-value.ts';
import { type DistinguishedName, derName } from '../tls-auth/distinguished-name.ts';
import { derGeneralNames } from '../tls-auth/general-name.ts';
import { EMAIL_ADDRESS_OID, ExtensionOid } from '../tls-auth/object-identifier.ts';
import { toHex } from '../wire/hex.ts';

/**
 * A certificate signing request whose sender has proved to hold the key. Beside the key, only the
 * names it asks for count; whatever extensions it wishes are read past, because the authority alone
 * says what a certificate may be used for.
 */
export interface SigningRequest {
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /**
   * What the request calls its user: rfc822Names and XmppAddrs of the subjectAltName it wishes,
   * e-mail addresses of the subject, and a common name that has an `@`. Empty: it asks for none.
   */
  readonly userNames: readonly string[];
}

/** Why a request does not count; `detail` is half a sentence. */
export interface SigningRequestFault {
  readonly detail: string;
}

/**
 * Reads a PKCS #10 request (RFC 2986 §4) strictly: DER, nothing left over, a key of the permitted
 * kinds (P-256, P-384, secp256k1, RSA from 2,048 bits), signed with it.
 */
export function readSigningRequest(der: Uint8Array): SigningRequest | SigningRequestFault {
  if (der.length > SIGNING_REQUEST_BYTES_MAX) {
    return { detail: `it has ${der.length} bytes, more than ${SIGNING_REQUEST_BYTES_MAX}` };
  }
  try {
    return readStrictly(der);
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    return { detail: `at byte ${error.offset}: ${error.message}` };
  }
}

function readStrictly(der: Uint8Array): SigningRequest | SigningRequestFault {
  const outer = new DerReader(der);
  const request = outer.enter(DerTag.sequence);
  outer.expectEnd();
  const signed = request.element(DerTag.sequence);
  const algorithm = request.element(DerTag.sequence).der;
  const signature = derBitStringOctets(request.element(DerTag.bitString));
  request.expectEnd();

  const info = request.inside(signed);
  const version = derIntegerHex(info.element(DerTag.integer));
  if (version !== '00') return { detail: 'its version is not 0' };
  const subject = derName(info);
  const keyInfo = info.element(DerTag.sequence);
  const key = permittedKey(keyInfo.der, info.inside(keyInfo));
  const wishedNames = derAttributes(info);
  info.expectEnd();

  if ('detail' in key) return key;
  const hash = SIGNATURE_HASHES.get(`${key.publicKey.asymmetricKeyType} ${toHex(algorithm)}`);
  if (hash === undefined) {
    return { detail: 'it is not signed with SHA-256, SHA-384 or SHA-512 by its own kind of key' };
  }
  if (!verify(hash, signed.der, key.publicKey, signature)) {
    return { detail: 'its signature does not belong to its key' };
  }
  return {
    subjectPublicKeyInfo: keyInfo.der,
    userNames: [...namesOfSubject(subject), ...wishedNames],
  };
}

/** The key, if its kind, size and encoding are ones that every peer takes. */
function permittedKey(
  der: Uint8Array,
  reader: DerReader,
): { readonly publicKey: KeyObject } | SigningRequestFault {
  const kind = PERMITTED_KEYS.get(toHex(reader.element(DerTag.sequence).der));
  const octets = derBitStringOctets(reader.element(DerTag.bitString));
  reader.expectEnd();
  if (kind === undefined) return { detail: 'its key is not P-256, P-384, secp256k1 or RSA' };
  if (kind === 'ec' && octets[0] !== UNCOMPRESSED_POINT) {
    return { detail: 'its elliptic curve point is not uncompressed' };
  }
  const publicKey = publicKeyOf(der);
  if (publicKey === undefined) return { detail: 'its key is not valid' };
  const { modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {};
  const isGoodRsa =
    modulusLength >= RSA_BITS_MIN &&
    modulusLength <= RSA_BITS_MAX &&
    publicExponent >= RSA_EXPONENT_MIN &&
    publicExponent <= RSA_EXPONENT_MAX;
  if (kind === 'rsa' && !isGoodRsa) {
    return {
      detail:
        `its RSA key has ${modulusLength} bits and exponent ${publicExponent}; expected ` +
        `${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits and ${RSA_EXPONENT_MIN} to ${RSA_EXPONENT_MAX}`,
    };
  }
  return { publicKey };
}

function publicKeyOf(der: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch {
    // OpenSSL says no: the point is not on the curve, or the RSA numbers are none.
    return undefined;
  }
}

/** `attributes [0] IMPLICIT SET OF Attribute`: the user names of an extensionRequest. */
function derAttributes(info: DerReader): string[] {
  const attributes = info.enter(contextConstructed(0));
  const names: string[] = [];
  while (!attributes.atEnd) {
    const attribute = attributes.enter(DerTag.sequence);
    const oid = derObjectIdentifier(attribute.element(DerTag.objectIdentifier));
    const values = attribute.enter(DerTag.set);
    attribute.expectEnd();
    if (oid !== EXTENSION_REQUEST_OID) continue;
    names.push(...namesOfExtensions(values.enter(DerTag.sequence)));
    values.expectEnd();
  }
  return names;
}

function namesOfExtensions(extensions: DerReader): string[] {
  const names: string[] = [];
  while (!extensions.atEnd) {
    const extension = extensions.enter(DerTag.sequence);
    const oid = derObjectIdentifier(extension.element(DerTag.objectIdentifier));
    extension.optional(DerTag.boolean);
    const octets = extension.element(DerTag.octetString);
    extension.expectEnd();
    if (oid !== ExtensionOid.subjectAltName) continue;
    const { rfc822Names, xmppAddrs } = derGeneralNames(extension.inside(octets));
    names.push(...rfc822Names, ...xmppAddrs);
  }
  return names;
}

function namesOfSubject(subject: DistinguishedName): string[] {
  const commonNames = subject.attributeTexts(COMMON_NAME_OID);
  return [
    ...subject.attributeTexts(EMAIL_ADDRESS_OID),
    ...commonNames.filter((name) => name.includes('@')),
  ];
}

/** AlgorithmIdentifiers of keys, whole: RSA with NULL, curves by name — RFC 3279, RFC 5480. */
const PERMITTED_KEYS = new Map<string, 'rsa' | 'ec'>([
  ['300d06092a864886f70d0101010500', 'rsa'],
  ['301306072a8648ce3d020106082a8648ce3d030107', 'ec'],
  ['301006072a8648ce3d020106052b81040022', 'ec'],
  ['301006072a8648ce3d020106052b8104000a', 'ec'],
]);

/** Type of key and AlgorithmIdentifier of the signature → hash — RFC 4055, RFC 5758. */
const SIGNATURE_HASHES = new Map([
  ['rsa 300d06092a864886f70d01010b0500', 'sha256'],
  ['rsa 300d06092a864886f70d01010c0500', 'sha384'],
  ['rsa 300d06092a864886f70d01010d0500', 'sha512'],
  ['ec 300a06082a8648ce3d040302', 'sha256'],
  ['ec 300a06082a8648ce3d040303', 'sha384'],
  ['ec 300a06082a8648ce3d040304', 'sha512'],
]);

/** Room for an RSA key of 8,192 bits and its signature. */
const SIGNING_REQUEST_BYTES_MAX = 8_192;
const RSA_BITS_MIN = 2_048;
/** Each verification by each peer costs time that grows with these. */
const RSA_BITS_MAX = 8_192;
const RSA_EXPONENT_MIN = 3n;
const RSA_EXPONENT_MAX = 2n ** 32n;
const UNCOMPRESSED_POINT = 0x04;
const COMMON_NAME_OID = '2.5.4.3';
/** RFC 2985 §5.4.2. */
const EXTENSION_REQUEST_OID = '1.2.840.113549.1.9.14';
