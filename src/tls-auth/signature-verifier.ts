import { verify } from 'node:crypto';
import { HashAlgorithm, SignatureAlgorithm } from '../wire/security-block.ts';
import type { AlgorithmIdentifier, Certificate } from './certificate.ts';
import { KeyOid, SignatureOid } from './object-identifier.ts';

/**
 * Whether `signature` over `input` was made by the key of `signer`. The simulator puts a cheap one
 * in the place of `verifyWithKey`. It answers false for algorithms that do not fit the key.
 */
export type SignatureVerifier = (
  signer: Certificate,
  hashAlgorithm: number,
  signatureAlgorithm: number,
  input: Uint8Array,
  signature: Uint8Array,
) => boolean;

/**
 * The real one: RSASSA-PKCS1-v1_5 or ECDSA (DER) with SHA-256, SHA-384 or SHA-512, nothing else
 * (RFC 6940 §6.3.4 with decision: SHA-1 nowhere in signatures).
 */
export const verifyWithKey: SignatureVerifier = (
  signer,
  hashAlgorithm,
  signatureAlgorithm,
  input,
  signature,
) => {
  const hash = signatureHashName(hashAlgorithm);
  if (hash === undefined || signatureAlgorithm !== keySignatureAlgorithm(signer)) return false;
  const key = signer.publicKey();
  if (key === undefined) return false;
  return verify(hash, input, key, signature);
};

/** Node's name of a hash that may stand in a signature or SignerIdentity; undefined for others. */
export function signatureHashName(hashAlgorithm: number): string | undefined {
  switch (hashAlgorithm) {
    case HashAlgorithm.sha256:
      return 'sha256';
    case HashAlgorithm.sha384:
      return 'sha384';
    case HashAlgorithm.sha512:
      return 'sha512';
    default:
      return undefined;
  }
}

/** Which signatures the key of a certificate makes; undefined for keys that we do not take. */
export function keySignatureAlgorithm(certificate: Certificate): SignatureAlgorithm | undefined {
  switch (certificate.subjectPublicKeyInfo.algorithm.oid) {
    case KeyOid.rsa:
      return SignatureAlgorithm.rsa;
    case KeyOid.ec:
      return SignatureAlgorithm.ecdsa;
    default:
      return undefined;
  }
}

/** The algorithm pair that signed a certificate or CRL; undefined for those we do not take. */
export function signatureAlgorithmPair(
  algorithm: AlgorithmIdentifier,
): readonly [HashAlgorithm, SignatureAlgorithm] | undefined {
  const pair = algorithmPairs.get(algorithm.oid);
  if (pair === undefined) return undefined;
  const { parameters } = algorithm;
  const isNull = parameters !== undefined && Buffer.compare(parameters, DER_NULL) === 0;
  // RFC 4055 §5: NULL or absent with RSA; RFC 5758 §3.2: absent with ECDSA.
  const fits = parameters === undefined || (isNull && pair[1] === SignatureAlgorithm.rsa);
  return fits ? pair : undefined;
}

const { sha256, sha384, sha512 } = HashAlgorithm;
const { rsa, ecdsa } = SignatureAlgorithm;

const algorithmPairs: ReadonlyMap<string, readonly [HashAlgorithm, SignatureAlgorithm]> = new Map([
  [SignatureOid.rsaWithSha256, [sha256, rsa]],
  [SignatureOid.rsaWithSha384, [sha384, rsa]],
  [SignatureOid.rsaWithSha512, [sha512, rsa]],
  [SignatureOid.ecdsaWithSha256, [sha256, ecdsa]],
  [SignatureOid.ecdsaWithSha384, [sha384, ecdsa]],
  [SignatureOid.ecdsaWithSha512, [sha512, ecdsa]],
]);

const DER_NULL = new Uint8Array([0x05, 0x00]);
