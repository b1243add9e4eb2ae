import { createHash } from 'node:crypto';
import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { signMessage, verifyMessage } from '../../src/tls-auth/message-signature.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { SignatureRefusal } from '../../src/tls-auth/verified-signer.ts';
import { decode } from '../../src/wire/codec.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { type GenericCertificate, SecurityBlock } from '../../src/wire/security-block.ts';

export const OVERLAY = 0x9aa32b8d;
export const TRANSACTION = 0x0102030405060708n;
/** A PingReq. */
export const CONTENTS = bytes('00170000000200000000', '0000');

export function bytes(...hex: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(hex.join(''), 'hex'));
}

/** Reads SecurityBlock bytes as a receiver does. */
export function blockOf(encoded: Uint8Array): SecurityBlock {
  const block = decode(SecurityBlock, new Uint8Array(encoded));
  if (block instanceof MalformedMessage) throw new Error(block.describe());
  return block;
}

/** The SecurityBlock of a message of CONTENTS. */
export function signedBlock(
  signer: Signer,
  more: readonly GenericCertificate[] = [],
): SecurityBlock {
  return blockOf(signMessage(signer, OVERLAY, TRANSACTION, CONTENTS, more));
}

export function verified(block: SecurityBlock, by: Authenticator, unixMs = TEST_UNIX_MS) {
  return verifyMessage(by, OVERLAY, TRANSACTION, CONTENTS, block, unixMs);
}

/** The code of the refusal, or the Node-ID of the signer. */
export function outcome(block: SecurityBlock, by: Authenticator, unixMs?: number): string {
  const result = verified(block, by, unixMs);
  return result instanceof SignatureRefusal ? result.code : result.nodeId;
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
}
