import type { HashAlgorithm, SignatureAlgorithm } from '../wire/security-block.ts';
import type { Certificate } from './certificate.ts';

/**
 * Whether `signature` over `input` was made by the key of `signer`. The simulator puts a cheap one
 * in the place of `verifyWithKey`.
 */
export type SignatureVerifier = (
  signer: Certificate,
  hashAlgorithm: HashAlgorithm,
  signatureAlgorithm: SignatureAlgorithm,
  input: Uint8Array,
  signature: Uint8Array,
) => boolean;
