import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { generatePrivateKey, type KeyType } from './enrollment/enrollment-key.ts';
import { toPem } from './links/link-credentials.ts';
import { writeSecret } from './state/state-directory.ts';

/** The key of a peer with its certificate. */
export interface StoredIdentity {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificateDer: Uint8Array;
  /** DER, the leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  /** Where it was certified, and is renewed; undefined: not known. */
  readonly enrollmentUrl?: string | undefined;
}

/** The file of a state directory is damaged; the message says which and what to do. */
export class IdentityFileDamaged extends Error {
  constructor(path: string, reason: string) {
    super(`${path} ${reason}; restore it from a backup, or remove it and enroll anew`);
    this.name = 'IdentityFileDamaged';
  }
}

/**
 * The identity that `saveIdentity` left in a state directory; undefined when there is none. Throws
 * IdentityFileDamaged for a file that is not whole.
 */
export async function loadIdentity(stateDirectory: string): Promise<StoredIdentity | undefined> {
  const path = join(stateDirectory, IDENTITY_FILE);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  const certificates = text.match(CERTIFICATE_BLOCK) ?? [];
  try {
    const privateKey = createPrivateKey(text.match(KEY_BLOCK)?.[0] ?? '');
    const chain = certificates.map((pem) => new X509Certificate(pem));
    const [leaf] = chain;
    if (leaf?.checkPrivateKey(privateKey) === true) {
      const chainDer = chain.map(({ raw }) => new Uint8Array(raw));
      const enrollmentUrl = text.match(URL_LINE)?.[1];
      const certificateDer = new Uint8Array(leaf.raw);
      return { privateKey, certificateDer, chain: chainDer, enrollmentUrl };
    }
  } catch (error) {
    throw new IdentityFileDamaged(path, `cannot be read (${String(error)})`);
  }
  throw new IdentityFileDamaged(path, 'holds a key and a certificate that do not belong together');
}

/**
 * Keeps an identity in one file, so that key and certificate change together, and forgets the
 * pending key.
 */
export async function saveIdentity(
  stateDirectory: string,
  identity: Pick<StoredIdentity, 'privateKey' | 'chain' | 'enrollmentUrl'>,
): Promise<void> {
  const { privateKey, chain, enrollmentUrl } = identity;
  const pem = [keyPem(privateKey), ...chain.map(toPem)].join('');
  // Readers of PEM pass over what stands outside of its blocks (RFC 7468 §2).
  const text = enrollmentUrl === undefined ? pem : `${URL_LABEL}${new URL(enrollmentUrl)}\n${pem}`;
  await writeSecret(join(stateDirectory, IDENTITY_FILE), text);
  await rm(join(stateDirectory, PENDING_KEY_FILE), { force: true });
}

/**
 * The key to enroll with, made and kept before the first request leaves: a peer that crashes before
 * it has the answer asks again with the same key, and so gets the same Node-ID.
 */
export async function pendingPrivateKey(
  stateDirectory: string,
  keyType: KeyType,
): Promise<KeyObject> {
  const path = join(stateDirectory, PENDING_KEY_FILE);
  const held = await readIfThere(path);
  if (held !== undefined) {
    try {
      return createPrivateKey(held);
    } catch {
      throw new IdentityFileDamaged(path, 'holds no key');
    }
  }
  const privateKey = await generatePrivateKey(keyType);
  await writeSecret(path, keyPem(privateKey));
  return privateKey;
}

/** Makes the next `pendingPrivateKey` a new one: the authority does not take this key. */
export async function dropPendingKey(stateDirectory: string): Promise<void> {
  await rm(join(stateDirectory, PENDING_KEY_FILE), { force: true });
}

/** The certificate is revoked: the next peer here enrolls anew, with a new key. */
export async function retireIdentity(stateDirectory: string): Promise<void> {
  await rename(join(stateDirectory, IDENTITY_FILE), join(stateDirectory, RETIRED_FILE));
  await dropPendingKey(stateDirectory);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function keyPem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const IDENTITY_FILE = 'identity.pem';
const PENDING_KEY_FILE = 'pending-key.pem';
/** Kept for whoever has to look into what happened. */
const RETIRED_FILE = 'revoked-identity.pem';
const URL_LABEL = 'Enrolled-At: ';
const URL_LINE = /^Enrolled-At: (https:\/\/\S{1,2000})$/m;
const KEY_BLOCK = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
