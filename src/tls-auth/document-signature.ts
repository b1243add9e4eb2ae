import type { SecurityBlock } from '../wire/security-block.ts';
import type { Writer } from '../wire/writer.ts';
import type { Authenticator } from './authenticator.ts';
import { type CoveredBytes, securityBlock, signInput, verifyInput } from './signed-input.ts';
import type { Signer } from './signer.ts';
import type { SignatureRefusal, VerifiedSigner } from './verified-signer.ts';

/**
 * What the signature of a configuration or Kind covers — RFC 6940 §11.1: its exact bytes, from the
 * `<` of the start tag to the `>` of the end tag. The RFC leaves open what else: as in its other
 * two signatures the SignerIdentity follows.
 */
export function documentCoveredBytes(bytes: Uint8Array): CoveredBytes {
  return (writer: Writer) => writer.raw(bytes);
}

/** The SecurityBlock bytes of a configuration or Kind element — RFC 6940 §11.1. */
export function signDocument(signer: Signer, bytes: Uint8Array): Uint8Array {
  return securityBlock(signer, signInput(signer, documentCoveredBytes(bytes)), []);
}

/** Who signed a configuration or Kind element — RFC 6940 §11.1. */
export function verifyDocument(
  authenticator: Authenticator,
  bytes: Uint8Array,
  block: SecurityBlock,
  unixMs: number,
): VerifiedSigner | SignatureRefusal {
  const covered = documentCoveredBytes(bytes);
  return verifyInput(authenticator, block.signature, covered, block.certificates, unixMs);
}
