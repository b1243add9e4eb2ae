import type { GenericCertificate, SecurityBlock } from '../wire/security-block.ts';
import type { Writer } from '../wire/writer.ts';
import type { Authenticator } from './authenticator.ts';
import { type CoveredBytes, securityBlock, signInput, verifyInput } from './signed-input.ts';
import type { Signer } from './signer.ts';
import type { SignatureRefusal, VerifiedSigner } from './verified-signer.ts';

/**
 * What a message signature covers — RFC 6940 §6.3.4: the overlay field, the transaction_id and the
 * exact bytes of the MessageContents. Nothing else of the header.
 */
export function messageCoveredBytes(
  overlay: number,
  transactionId: bigint,
  contents: Uint8Array,
): CoveredBytes {
  return (writer: Writer) => {
    writer.uint32(overlay);
    writer.uint64(transactionId);
    writer.raw(contents);
  };
}

/**
 * The SecurityBlock bytes of a message — RFC 6940 §6.3.4. `moreCertificates` are those of the data
 * signatures inside the message.
 */
export function signMessage(
  signer: Signer,
  overlay: number,
  transactionId: bigint,
  contents: Uint8Array,
  moreCertificates: readonly GenericCertificate[],
): Uint8Array {
  const signature = signInput(signer, messageCoveredBytes(overlay, transactionId, contents));
  return securityBlock(signer, signature, moreCertificates);
}

/** Who sent a message — RFC 6940 §6.3.4; `contents` are the bytes as received. */
export function verifyMessage(
  authenticator: Authenticator,
  overlay: number,
  transactionId: bigint,
  contents: Uint8Array,
  block: SecurityBlock,
  unixMs: number,
): VerifiedSigner | SignatureRefusal {
  const covered = messageCoveredBytes(overlay, transactionId, contents);
  return verifyInput(authenticator, block.signature, covered, block.certificates, unixMs);
}
