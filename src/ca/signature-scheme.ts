import { derSubjectPublicKeyInfo } from '../tls-auth/certificate.ts';
import { DerReader } from '../tls-auth/der-reader.ts';
import { derObjectIdentifier } from '../tls-auth/der-value.ts';
import { nullValue, objectIdentifier, sequence } from '../tls-auth/der-writer.ts';
import { KeyOid, SignatureOid } from '../tls-auth/object-identifier.ts';

/** How a key signs what an authority issues. */
export interface SignatureScheme {
  /** AlgorithmIdentifier in DER — RFC 4055 §5, RFC 5758 §3.2. */
  readonly identifier: Uint8Array;
  /** The hash that is signed, by Node's name. */
  readonly hash: 'sha256' | 'sha384';
}

/**
 * The scheme of a key (SubjectPublicKeyInfo, DER): RSASSA-PKCS1-v1_5 or ECDSA, with SHA-256, on
 * P-384 with SHA-384. Throws RangeError for other kinds of key.
 */
export function signatureSchemeOf(subjectPublicKeyInfo: Uint8Array): SignatureScheme {
  const { oid, parameters } = derSubjectPublicKeyInfo(
    new DerReader(subjectPublicKeyInfo),
  ).algorithm;
  if (oid === KeyOid.rsa) return RSA;
  const curve = new DerReader(parameters ?? new Uint8Array());
  switch (oid === KeyOid.ec ? derObjectIdentifier(curve.any()) : undefined) {
    case KeyOid.p256:
    case KeyOid.secp256k1:
      return ECDSA_SHA256;
    case KeyOid.p384:
      return ECDSA_SHA384;
    default:
      throw new RangeError('an authority signs with P-256, P-384, secp256k1 or RSA');
  }
}

const RSA: SignatureScheme = {
  identifier: sequence(objectIdentifier(SignatureOid.rsaWithSha256), nullValue()),
  hash: 'sha256',
};
const ECDSA_SHA256: SignatureScheme = {
  identifier: sequence(objectIdentifier(SignatureOid.ecdsaWithSha256)),
  hash: 'sha256',
};
const ECDSA_SHA384: SignatureScheme = {
  identifier: sequence(objectIdentifier(SignatureOid.ecdsaWithSha384)),
  hash: 'sha384',
};
