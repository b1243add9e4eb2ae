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

/** Of which kind a key is. Throws RangeError for one that `generatePrivateKey` does not make. */
export function keyTypeOf(privateKey: KeyObject): KeyType {
  if (privateKey.asymmetricKeyType === 'rsa') return 'rsa';
  const keyType = CURVE_TYPES.get(privateKey.asymmetricKeyDetails?.namedCurve);
  if (keyType === undefined) throw new RangeError('expected an RSA key or one on a known curve');
  return keyType;
}

/** SHA-256 of a SubjectPublicKeyInfo, lower-case hex: the name of a key in the ledger. */
export function publicKeySha256(subjectPublicKeyInfo: Uint8Array): string {
  return createHash('sha256').update(subjectPublicKeyInfo).digest('hex');
}

const generate = promisify(generateKeyPair);
const CURVES = { p256: 'P-256', p384: 'P-384', secp256k1: 'secp256k1' } as const;
/** By the names that OpenSSL has for them. */
const CURVE_TYPES = new Map<string | undefined, KeyType>([
  ['prime256v1', 'p256'],
  ['secp384r1', 'p384'],
  ['secp256k1', 'secp256k1'],
]);
const RSA_BITS = 2_048;
