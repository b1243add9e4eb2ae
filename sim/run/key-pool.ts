import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SimKeyPair } from '../identity/signature-scheme.ts';

/**
 * P-256 key pairs for simulated nodes. node:crypto cannot make them from a seed, so they are made
 * once and kept in a file; a trace does not depend on them. They protect nothing: the file is 0600
 * only so that nobody takes them for keys that may be shared.
 */
export interface KeyPoolOptions {
  /** Key pairs wanted. */
  readonly count: number;
  /** Default: `simulator-keys` in the cache directory of this project. */
  readonly file?: string;
  /** So many of those that were missing are made. */
  readonly onProgress?: (made: number, missing: number) => void;
  /** Something that the user should know, one sentence. */
  readonly onNotice?: (sentence: string) => void;
}

/** Key pairs in one piece of memory that threads share: `PAIR_BYTES` each. */
export type PackedKeys = Uint8Array;

/** At least `count` key pairs, from the file and, where it has fewer, newly made and kept there. */
export function keyPool(options: KeyPoolOptions): PackedKeys {
  const { count, file = keyPoolFile(), onNotice } = options;
  const kept = readKeys(file, onNotice);
  const have = kept.length / PAIR_BYTES;
  if (have >= count) return shared(kept);
  const wanted = Math.ceil(count / STEP) * STEP;
  const keys = shared(kept, wanted);
  for (let made = have; made < wanted; made++) {
    keys.set(newPair(), made * PAIR_BYTES);
    if (made % PROGRESS_STEP === 0) options.onProgress?.(made - have, wanted - have);
  }
  // Two processes may be here at once: whoever is last wins, and either file is whole.
  if (readKeys(file).length < keys.length) writeKeys(file, keys, onNotice);
  return keys;
}

/** The first `count` pairs, or all. */
export function unpackKeys(keys: PackedKeys, count: number): SimKeyPair[] {
  const pairs: SimKeyPair[] = [];
  for (let at = 0; at + PAIR_BYTES <= keys.length && pairs.length < count; at += PAIR_BYTES) {
    // Copies: node:crypto takes no memory that threads share.
    pairs.push({
      privateKey: keys.slice(at, at + PRIVATE_BYTES),
      publicKey: keys.slice(at + PRIVATE_BYTES, at + PAIR_BYTES),
    });
  }
  return pairs;
}

/** `$XDG_CACHE_HOME/xor/simulator-keys`. */
export function keyPoolFile(): string {
  const { XDG_CACHE_HOME: cacheHome = '' } = process.env;
  const base = cacheHome.startsWith('/') ? cacheHome : join(homedir(), '.cache');
  return join(base, 'xor', 'simulator-keys');
}

/** All pairs of the file; none where there is no file or it is damaged. */
function readKeys(file: string, onNotice?: (sentence: string) => void): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0);
    onNotice?.(`cannot read the key pool ${file}, new keys are made: ${messageOf(error)}`);
    return new Uint8Array(0);
  }
  const keys = bytes.subarray(MAGIC.length, -HASH_BYTES);
  const isWhole =
    bytes.length >= MAGIC.length + HASH_BYTES &&
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    keys.length % PAIR_BYTES === 0 &&
    bytes.subarray(-HASH_BYTES).equals(hashOf(keys));
  if (isWhole) return keys;
  onNotice?.(`the key pool ${file} is damaged or of another version; it is made anew`);
  return new Uint8Array(0);
}

function writeKeys(
  file: string,
  keys: Uint8Array,
  onNotice: ((sentence: string) => void) | undefined,
): void {
  const fresh = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const content = Buffer.concat([MAGIC, keys, hashOf(keys)]);
    writeFileSync(fresh, content, { mode: 0o600, flush: true });
    renameSync(fresh, file);
  } catch (error) {
    if (existsSync(fresh)) rmSync(fresh);
    onNotice?.(
      `cannot keep the key pool in ${file}, it is made again each time: ${messageOf(error)}`,
    );
  }
}

/** PKCS #8 and then SubjectPublicKeyInfo; for P-256 both always have the same length. */
function newPair(): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  if (privateKey.length !== PRIVATE_BYTES || publicKey.length !== PAIR_BYTES - PRIVATE_BYTES) {
    throw new Error(`a key pair of ${privateKey.length} and ${publicKey.length} bytes`);
  }
  return Buffer.concat([privateKey, publicKey]);
}

/** A copy in memory that threads share, with room for `pairs`. */
function shared(keys: Uint8Array, pairs = keys.length / PAIR_BYTES): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(pairs * PAIR_BYTES));
  copy.set(keys);
  return copy;
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(MAGIC).update(bytes).digest();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The version of the format is part of it. */
const MAGIC = Buffer.from('xor simulator keys 1\n');
const HASH_BYTES = 32;
const PRIVATE_BYTES = 138;
const PAIR_BYTES = PRIVATE_BYTES + 91;
/** A pool grows by so many pairs. */
const STEP = 256;
const PROGRESS_STEP = 32;
