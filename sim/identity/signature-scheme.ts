import { createPrivateKey, sign } from 'node:crypto';
import { type SignatureVerifier, verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';

/** A P-256 key pair, made before the run: node:crypto cannot make keys from a seed. */
export interface SimKeyPair {
  /** PrivateKeyInfo (PKCS #8), DER. */
  readonly privateKey: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** How the peers of a run sign. A report says which one was used. */
export interface SignatureScheme {
  readonly name: 'real' | 'cheap';
  readonly verify: SignatureVerifier;
  /** Makes what signs with this key: always `SIGNATURE_BYTES` bytes. */
  signerOf(pair: SimKeyPair): (input: Uint8Array) => Uint8Array;
}

/**
 * ECDSA as peers use it. Signatures are made again until the DER has the most frequent length, so
 * that sizes, and with them times, are the same in every run.
 */
export const realSignatures: SignatureScheme = {
  name: 'real',
  verify: verifyWithKey,
  signerOf(pair) {
    const key = createPrivateKey({
      key: Buffer.from(pair.privateKey),
      format: 'der',
      type: 'pkcs8',
    });
    return (input) => {
      for (;;) {
        const signature = sign('sha256', input, key);
        if (signature.length === SIGNATURE_BYTES) return signature;
      }
    };
  },
};

/**
 * A hash over the public key and what is signed, as long as a real signature: it shows what was
 * changed on the way, and everybody who has the code could forge it. Attackers of the simulator do
 * not. For runs in which signatures would take most of the time.
 */
export const cheapSignatures: SignatureScheme = {
  name: 'cheap',
  verify(signer, _hashAlgorithm, _signatureAlgorithm, input, signature) {
    const expected = cheapDigest(signer.subjectPublicKeyInfo.key, input);
    return (
      signature.length === SIGNATURE_BYTES &&
      Buffer.compare(signature.subarray(DIGEST_AT), expected) === 0
    );
  },
  signerOf(pair) {
    // The key itself ends the SubjectPublicKeyInfo.
    const key = pair.publicKey.subarray(pair.publicKey.length - POINT_BYTES);
    return (input) => {
      const signature = new Uint8Array(SIGNATURE_BYTES);
      signature.set(cheapDigest(key, input), DIGEST_AT);
      return signature;
    };
  },
};

/**
 * A hash of 64 bits, spread over `DIGEST_BYTES`. Most messages are short, and for those a hash of
 * node:crypto takes longer to set up than to run.
 */
function cheapDigest(key: Uint8Array, input: Uint8Array): Uint8Array {
  let one = FIRST_ONE ^ input.length;
  let other = FIRST_OTHER ^ key.length;
  for (const bytes of [key, input]) {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      one = Math.imul(one ^ byte, FACTOR_ONE);
      other = Math.imul(other ^ byte, FACTOR_OTHER) ^ (one >>> 15);
    }
  }
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let at = 0; at < DIGEST_BYTES; at++) {
    one = Math.imul(one ^ (other >>> 13), FACTOR_ONE);
    other = Math.imul(other ^ (one >>> 16), FACTOR_OTHER);
    digest[at] = one >>> 24;
  }
  return digest;
}

/** The DER of two 256-bit integers, one of which needs a leading zero: half of all signatures. */
export const SIGNATURE_BYTES = 71;
/** An uncompressed point of P-256. */
const POINT_BYTES = 65;
const DIGEST_BYTES = 20;
/** It fills the end, where signatures differ most. */
const DIGEST_AT = SIGNATURE_BYTES - DIGEST_BYTES;
/** FNV-1a and a multiplicative hash. */
const FIRST_ONE = 0x811c9dc5;
const FIRST_OTHER = 0x9e3779b9;
const FACTOR_ONE = 0x01000193;
const FACTOR_OTHER = 0x85ebca6b;
