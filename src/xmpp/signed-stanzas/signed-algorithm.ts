import { HashAlgorithm, SignatureAlgorithm } from '../../wire/security-block.ts';

/** A pair of RFC 6940 §6.3.4 under the name that `<signature algorithm=…/>` gives it. */
export interface SignedAlgorithm {
  readonly name: string;
  readonly hash: HashAlgorithm;
  readonly signature: SignatureAlgorithm;
}

/**
 * XEP-0285 leaves the algorithms open; its example says `RSA-SHA1`. These names follow it:
 * RSASSA-PKCS1-v1_5, and ECDSA with the signature in DER. SHA-1 is not taken.
 */
const ALGORITHMS: readonly SignedAlgorithm[] = [
  { name: 'RSA-SHA256', hash: HashAlgorithm.sha256, signature: SignatureAlgorithm.rsa },
  { name: 'RSA-SHA384', hash: HashAlgorithm.sha384, signature: SignatureAlgorithm.rsa },
  { name: 'RSA-SHA512', hash: HashAlgorithm.sha512, signature: SignatureAlgorithm.rsa },
  { name: 'ECDSA-SHA256', hash: HashAlgorithm.sha256, signature: SignatureAlgorithm.ecdsa },
  { name: 'ECDSA-SHA384', hash: HashAlgorithm.sha384, signature: SignatureAlgorithm.ecdsa },
  { name: 'ECDSA-SHA512', hash: HashAlgorithm.sha512, signature: SignatureAlgorithm.ecdsa },
];

/** The algorithm of this name; undefined for those that are not taken. */
export function algorithmNamed(name: string | undefined): SignedAlgorithm | undefined {
  return ALGORITHMS.find((one) => one.name === name);
}

/** The name of what a `Signer` signed with. Throws for a pair that no signer makes. */
export function algorithmName(hash: HashAlgorithm, signature: SignatureAlgorithm): string {
  const found = ALGORITHMS.find((one) => one.hash === hash && one.signature === signature);
  if (found === undefined) throw new Error(`no name for hash ${hash} with signature ${signature}`);
  return found.name;
}

/** For sentences. */
export const ALGORITHM_NAMES = ALGORITHMS.map(({ name }) => name).join(', ');
