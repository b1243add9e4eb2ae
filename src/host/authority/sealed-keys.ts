import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { AuthorityFailure } from './authority-failure.ts';

/** Private keys by name, in PKCS #8 PEM. */
export type PrivateKeys = Readonly<Record<string, string>>;

/**
 * Encrypts private keys with a passphrase: scrypt (RFC 7914) makes a key of it, AES-256-GCM
 * encrypts. Returns the text of a file. What it says of scrypt is authenticated with the keys.
 */
export async function sealKeys(keys: PrivateKeys, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES).toString('base64');
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  const header: SealHeader = { format: FORMAT, kdf: 'scrypt', ...SCRYPT, salt, nonce };
  const cipher = createCipheriv(CIPHER, await keyOf(passphrase, header), fromBase64(nonce));
  cipher.setAAD(Buffer.from(headerText(header)));
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(keys), 'utf8'), cipher.final()]);
  const tag = cipher.getAuthTag().toString('base64');
  const sealed: SealedKeys = { ...header, ciphertext: ciphertext.toString('base64'), tag };
  return `${JSON.stringify(sealed, undefined, 2)}\n`;
}

/**
 * The keys that `sealKeys` encrypted. Throws AuthorityFailure for a wrong passphrase, which looks
 * the same as a file that was changed, and for a text that is no such file; `path` names it.
 */
export async function unsealKeys(
  text: string,
  passphrase: string,
  path: string,
): Promise<PrivateKeys> {
  const sealed = parseSealed(text);
  if (sealed === undefined) {
    throw new AuthorityFailure(`${path} holds no encrypted keys; restore it from a backup`);
  }
  const { ciphertext, tag, nonce } = sealed;
  const key = await keyOf(passphrase, sealed);
  const decipher = createDecipheriv(CIPHER, key, fromBase64(nonce), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(headerText(sealed)));
  try {
    decipher.setAuthTag(fromBase64(tag));
    const clear = Buffer.concat([decipher.update(fromBase64(ciphertext)), decipher.final()]);
    return JSON.parse(clear.toString('utf8')) as PrivateKeys;
  } catch {
    throw new AuthorityFailure(
      `the passphrase is not the one of ${path}, or that file was changed; try it again`,
    );
  }
}

interface SealHeader {
  readonly format: typeof FORMAT;
  readonly kdf: 'scrypt';
  /** scrypt's cost, block size and parallelization — RFC 7914 §2. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** Base64, as all that follow. */
  readonly salt: string;
  readonly nonce: string;
}

interface SealedKeys extends SealHeader {
  readonly ciphertext: string;
  readonly tag: string;
}

function headerText({ format, kdf, N, r, p, salt, nonce }: SealHeader): string {
  return JSON.stringify({ format, kdf, N, r, p, salt, nonce });
}

function keyOf(passphrase: string, { N, r, p, salt }: SealHeader): Promise<Buffer> {
  const options = { N, r, p, maxmem: SCRYPT_MEMORY_BYTES_MAX };
  return derive(Buffer.from(passphrase.normalize('NFC')), fromBase64(salt), KEY_BYTES, options);
}

/** undefined for what is none; a file from elsewhere must not make scrypt work for hours. */
function parseSealed(text: string): SealedKeys | undefined {
  let value: Partial<SealedKeys> | null;
  try {
    value = JSON.parse(text) as Partial<SealedKeys> | null;
  } catch {
    return undefined;
  }
  if (value?.format !== FORMAT || value.kdf !== 'scrypt') return undefined;
  const { N = 0, r = 0, p = 0, salt, nonce, ciphertext, tag } = value;
  const isPower = Number.isInteger(Math.log2(N)) && N >= 2 && N <= SCRYPT_COST_MAX;
  const isPlain = r === SCRYPT.r && Number.isInteger(p) && p >= 1 && p <= SCRYPT_PARALLEL_MAX;
  const isText = [salt, nonce, ciphertext, tag].every((field) => typeof field === 'string');
  return isPower && isPlain && isText ? (value as SealedKeys) : undefined;
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

const derive = promisify(
  (
    passphrase: Buffer,
    salt: Buffer,
    length: number,
    options: { N: number; r: number; p: number; maxmem: number },
    done: (error: Error | null, key: Buffer) => void,
  ) => scrypt(passphrase, salt, length, options, done),
);

const FORMAT = 'xor-authority-keys-1';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
/** 128 MiB and about half a second for each guess. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;
const SCRYPT_COST_MAX = 2 ** 20;
const SCRYPT_PARALLEL_MAX = 16;
const SCRYPT_MEMORY_BYTES_MAX = 2 * 128 * 8 * SCRYPT_COST_MAX;
