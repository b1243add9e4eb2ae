import { createHash, createPrivateKey, sign } from 'node:crypto';
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

function cheapDigest(key: Uint8Array, input: Uint8Array): Uint8Array {
  return createHash('sha1').update(key).update(input).digest();
}

/** The DER of two 256-bit integers, one of which needs a leading zero: half of all signatures. */
export const SIGNATURE_BYTES = 71;
/** An uncompressed point of P-256. */
const POINT_BYTES = 65;
/** SHA-1 fills the end, where signatures differ most. */
const DIGEST_AT = SIGNATURE_BYTES - 20;
