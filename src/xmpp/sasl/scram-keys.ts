import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { PrecisFault } from '../../xmpp-address/precis-fault.ts';
import { enforce, opaqueString } from '../../xmpp-address/precis-profile.ts';
import type { ScramCredential } from '../xmpp-input.ts';

/** As node:crypto names them; SHA-1 is for servers that know no other (RFC 5802). */
export type ScramHash = 'sha1' | 'sha256';

/** What a password becomes with a salt (RFC 5802 §3). */
export interface ScramKeys {
  readonly hash: ScramHash;
  readonly clientKey: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/**
 * The keys of a password, which is prepared with OpaqueString (RFC 8265 §4.2) first, or the rule
 * of it that the password breaks. It takes a millisecond or so for each thousand iterations.
 */
export function scramKeys(
  password: string,
  salt: Uint8Array,
  iterations: number,
  hash: ScramHash = 'sha256',
): ScramKeys | PrecisFault {
  const prepared = enforce(opaqueString, password);
  if (prepared instanceof PrecisFault) return prepared;
  const length = hash === 'sha1' ? SHA1_LENGTH : HASH_LENGTH;
  const saltedPassword = pbkdf2Sync(prepared, salt, iterations, length, hash);
  const clientKey = hmac(saltedPassword, 'Client Key', hash);
  return {
    hash,
    clientKey,
    storedKey: digest(clientKey, hash),
    serverKey: hmac(saltedPassword, 'Server Key', hash),
  };
}

/** What a server keeps of a password, with SHA-256. */
export function scramCredential(
  password: string,
  salt: Uint8Array,
  iterations: number,
): ScramCredential | PrecisFault {
  const keys = scramKeys(password, salt, iterations);
  if (keys instanceof PrecisFault) return keys;
  return { salt, iterations, storedKey: keys.storedKey, serverKey: keys.serverKey };
}

/** ClientProof: ClientKey XOR ClientSignature. */
export function clientProof(keys: ScramKeys, authMessage: string): Uint8Array {
  return exclusiveOr(keys.clientKey, hmac(keys.storedKey, authMessage, keys.hash));
}

/** The StoredKey that a proof leads to; it is that of the password if the proof is true. */
export function storedKeyOfProof(
  proof: Uint8Array,
  storedKey: Uint8Array,
  authMessage: string,
): Uint8Array {
  return digest(exclusiveOr(proof, hmac(storedKey, authMessage)), 'sha256');
}

export function serverSignature(
  serverKey: Uint8Array,
  authMessage: string,
  hash: ScramHash = 'sha256',
): Uint8Array {
  return hmac(serverKey, authMessage, hash);
}

/** A salt for a user who does not exist: always the same one, and like that of one who does. */
export function saltOfNobody(credential: ScramCredential, username: string): Uint8Array {
  return hmac(credential.serverKey, `salt of ${username}`).subarray(0, credential.salt.length);
}

function hmac(key: Uint8Array, text: string, hash: ScramHash = 'sha256'): Uint8Array {
  return new Uint8Array(createHmac(hash, key).update(text, 'utf8').digest());
}

function digest(bytes: Uint8Array, hash: ScramHash): Uint8Array {
  return new Uint8Array(createHash(hash).update(bytes).digest());
}

function exclusiveOr(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0));
}

/** Bytes of SHA-256. */
export const HASH_LENGTH = 32;
const SHA1_LENGTH = 20;
