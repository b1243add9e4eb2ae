import type { KeyObject } from 'node:crypto';
import * as asn1 from 'asn1js';
import { SignatureOid } from '../../tls-auth/object-identifier.ts';

/** The pieces of ASN.1 that requests, certificates and revocation lists are put together from. */

export function sequence(value: asn1.BaseBlock[]): asn1.Sequence {
  return new asn1.Sequence({ value });
}

/** `[tagNumber]`, EXPLICIT or IMPLICIT on something constructed. */
export function contextConstructed(tagNumber: number, value: asn1.BaseBlock[]): asn1.Constructed {
  return new asn1.Constructed({ idBlock: { tagClass: CONTEXT_SPECIFIC, tagNumber }, value });
}

/** `[tagNumber] IMPLICIT` on something primitive. */
export function contextPrimitive(tagNumber: number, contents: Uint8Array): asn1.Primitive {
  return new asn1.Primitive({
    idBlock: { tagClass: CONTEXT_SPECIFIC, tagNumber },
    valueHex: ownBuffer(contents),
  });
}

/** Extension that is not critical — RFC 5280 §4.1. */
export function extension(oid: string, value: ArrayBuffer): asn1.Sequence {
  return sequence([
    new asn1.ObjectIdentifier({ value: oid }),
    new asn1.OctetString({ valueHex: value }),
  ]);
}

/** INTEGER of any size from its content octets. */
export function integerOf(contents: Uint8Array): asn1.Integer {
  return new asn1.Integer({ valueHex: ownBuffer(contents) });
}

export function bitStringOf(octets: Uint8Array): asn1.BitString {
  return new asn1.BitString({ valueHex: ownBuffer(octets) });
}

/** DER that was encoded elsewhere, for a place inside something else. */
export function encoded(der: Uint8Array): asn1.BaseBlock {
  return asn1.fromBER(ownBuffer(der)).result;
}

/** How a key signs: the AlgorithmIdentifier (RFC 4055 §5, RFC 5758 §3.2) and Node's hash name. */
export function signatureAlgorithmOf(key: KeyObject): {
  readonly identifier: asn1.Sequence;
  readonly hash: string;
} {
  if (key.asymmetricKeyType === 'rsa') {
    const oid = new asn1.ObjectIdentifier({ value: SignatureOid.rsaWithSha256 });
    return { identifier: sequence([oid, new asn1.Null()]), hash: 'sha256' };
  }
  const isP384 = key.asymmetricKeyDetails?.namedCurve === 'secp384r1';
  const value = isP384 ? SignatureOid.ecdsaWithSha384 : SignatureOid.ecdsaWithSha256;
  const identifier = sequence([new asn1.ObjectIdentifier({ value })]);
  return { identifier, hash: isP384 ? 'sha384' : 'sha256' };
}

/** asn1js wants an ArrayBuffer of its own, not a view. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

const CONTEXT_SPECIFIC = 3;
