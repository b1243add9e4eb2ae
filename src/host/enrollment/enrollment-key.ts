import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Kinds of keys for certificates. XEP-0416 §3.2 asks for elliptic curves, RFC 6940 makes RSA with
 * SHA-256 alone mandatory: `rsa` is for overlays with minimal peers.
 */
export const KEY_TYPES = ['p256', 'p384', 'secp256k1', 'rsa'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** A new private key. */
export async function generatePrivateKey(keyType: KeyType): Promise<KeyObject> {
  if (keyType === 'rsa') {
    const { privateKey } = await generate('rsa', { modulusLength: RSA_BITS });
    return privateKey;
  }
  const { privateKey } = await generate('ec', { namedCurve: CURVES[keyType] });
  return privateKey;
}

/** SHA-256 of a SubjectPublicKeyInfo, lower-case hex: the name of a key in the ledger. */
export function publicKeySha256(subjectPublicKeyInfo: Uint8Array): string {
  return createHash('sha256').update(subjectPublicKeyInfo).digest('hex');
}

const generate = promisify(generateKeyPair);
const CURVES = { p256: 'P-256', p384: 'P-384', secp256k1: 'secp256k1' } as const;
const RSA_BITS = 2_048;
