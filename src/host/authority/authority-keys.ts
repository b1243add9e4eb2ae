import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateContent } from '../../ca/certificate-content.ts';
import { toPem } from '../links/link-credentials.ts';
import { writeAtomic, writeSecret } from '../state/state-directory.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { buildCertificate } from './certificate-builder.ts';
import { type PrivateKeys, sealKeys, unsealKeys } from './sealed-keys.ts';
import { type KeyPair, keyPairOf, type SigningKey } from './signing-key.ts';

/** What signs, with its certificate. */
export interface CertifiedSigner extends SigningKey {
  /** DER. */
  readonly certificate: Uint8Array;
}

/** A key in memory with its certificate. */
export interface CertifiedKey extends KeyPair, CertifiedSigner {}

/**
 * The keys of an authority and the names of their files. The HTTPS root is a root of its own that
 * no configuration names: whoever holds its key can pose as the web server, never as a node. A root
 * signs certificates with `root`, an authority below another one with `authority`.
 */
export const AUTHORITY_KEYS = {
  root: { certificate: 'root.pem', key: 'root-key.pem' },
  authority: { certificate: 'authority.pem', key: 'authority-key.pem' },
  httpsRoot: { certificate: 'https.pem', key: 'https-root-key.pem' },
  httpsServer: { certificate: 'https-server.pem', key: 'https-server-key.pem' },
  configurationSigner: {
    certificate: 'configuration-signer.pem',
    key: 'configuration-signer-key.pem',
  },
  kindSigner: { certificate: 'kind-signer.pem', key: 'kind-signer-key.pem' },
} as const;
export type AuthorityKeyName = keyof typeof AUTHORITY_KEYS;

/** The keys that sign a configuration; an authority below another one has none of them. */
export interface ConfigurationKeys {
  readonly configurationSigner: CertifiedSigner;
  readonly kindSigner: CertifiedSigner;
}

export interface AuthorityKeys {
  /** Signs certificates of nodes and authorities, and revocation lists. */
  readonly issuer: CertifiedSigner;
  readonly httpsRoot: CertifiedKey;
  readonly httpsServer: CertifiedKey;
  readonly configuration: ConfigurationKeys | undefined;
}

/** How the keys of a state are reached. */
export interface KeyAccess {
  /** Of encrypted keys. */
  readonly passphrase?: string | undefined;
  readonly signingKeys?: SigningKeys | undefined;
}

/** Keys that take the place of those in files, and are in none: of a hardware module. */
export interface SigningKeys {
  /** Signs certificates and revocation lists. */
  readonly issuer?: SigningKey | undefined;
  readonly configurationSigner?: SigningKey | undefined;
  readonly kindSigner?: SigningKey | undefined;
}

/** Certifies a key: with the issuer's, or with itself. */
export async function certifyKey(
  key: KeyPair,
  content: CertificateContent,
  issuer: SigningKey,
): Promise<CertifiedKey> {
  return { ...key, ...(await certifySigner(key, content, issuer)) };
}

/** The same for a key that may be elsewhere. */
export async function certifySigner(
  key: SigningKey,
  content: CertificateContent,
  issuer: SigningKey,
): Promise<CertifiedSigner> {
  const { subjectPublicKeyInfo } = key;
  const certificate = await buildCertificate(content, subjectPublicKeyInfo, issuer);
  return { subjectPublicKeyInfo, sign: (bytes) => key.sign(bytes), certificate };
}

export function privateKeyPem(key: KeyPair): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function certificatePem(key: CertifiedSigner): string {
  return toPem(key.certificate);
}

/** Writes private keys: with a passphrase into one encrypted file, else each into its own. */
export async function writePrivateKeys(
  directory: string,
  keys: Readonly<Partial<Record<AuthorityKeyName, KeyPair>>>,
  passphrase: string | undefined,
): Promise<void> {
  const pems: Record<string, string> = {};
  for (const [name, key] of Object.entries(keys)) pems[name] = privateKeyPem(key);
  if (passphrase !== undefined) {
    await writeSecret(join(directory, SEALED_KEYS_FILE), await sealKeys(pems, passphrase));
    return;
  }
  for (const [name, pem] of Object.entries(pems)) {
    await writeSecret(join(directory, AUTHORITY_KEYS[name as AuthorityKeyName].key), pem);
  }
}

export async function writeCertificates(
  directory: string,
  keys: Readonly<Partial<Record<AuthorityKeyName, CertifiedSigner>>>,
): Promise<void> {
  for (const [name, key] of Object.entries(keys)) {
    const file = AUTHORITY_KEYS[name as AuthorityKeyName].certificate;
    await writeAtomic(join(directory, file), certificatePem(key));
  }
}

/** The keys of the authority in `directory`. Throws AuthorityFailure. */
export async function readAuthorityKeys(
  directory: string,
  kind: 'root' | 'subordinate',
  access: KeyAccess,
): Promise<AuthorityKeys> {
  const pems = await readPrivateKeys(directory, access.passphrase);
  const certificateOf = (name: AuthorityKeyName) =>
    readFile(join(directory, AUTHORITY_KEYS[name].certificate), 'utf8');
  const read = async (name: AuthorityKeyName): Promise<CertifiedKey> =>
    readCertifiedKey(name, await pems(name), await certificateOf(name));
  const readSigner = async (name: AuthorityKeyName, key: SigningKey | undefined) =>
    key === undefined ? read(name) : certifiedSigner(name, key, await certificateOf(name));
  const { issuer, configurationSigner, kindSigner } = access.signingKeys ?? {};
  return {
    issuer: await readSigner(kind === 'root' ? 'root' : 'authority', issuer),
    httpsRoot: await read('httpsRoot'),
    httpsServer: await read('httpsServer'),
    configuration:
      kind === 'root'
        ? {
            configurationSigner: await readSigner('configurationSigner', configurationSigner),
            kindSigner: await readSigner('kindSigner', kindSigner),
          }
        : undefined,
  };
}

/** One private key of a state whose certificate may not be there yet. Throws AuthorityFailure. */
export async function readKeyPair(
  directory: string,
  name: AuthorityKeyName,
  passphrase: string | undefined,
): Promise<KeyPair> {
  const pem = await (await readPrivateKeys(directory, passphrase))(name);
  try {
    return keyPairOf(createPrivateKey(pem));
  } catch (cause) {
    const text = `the key of ${name} cannot be read (${String(cause)}); restore it from a backup`;
    throw new AuthorityFailure(text, { cause });
  }
}

/** Reads a key and its certificate. Throws AuthorityFailure when they are none or do not fit. */
export function readCertifiedKey(name: string, keyPem: string, certificate: string): CertifiedKey {
  try {
    const privateKey = createPrivateKey(keyPem);
    const parsed = new X509Certificate(certificate);
    if (parsed.checkPrivateKey(privateKey)) {
      return { ...keyPairOf(privateKey), certificate: new Uint8Array(parsed.raw) };
    }
  } catch (error) {
    throw new AuthorityFailure(
      `the key or certificate of ${name} cannot be read (${String(error)}); ` +
        'restore it from a backup',
      { cause: error },
    );
  }
  throw new AuthorityFailure(
    `the key and the certificate of ${name} do not belong together; restore them from a backup`,
  );
}

/** Reads a private key by name, from the encrypted file where there is one. */
async function readPrivateKeys(
  directory: string,
  passphrase: string | undefined,
): Promise<(name: AuthorityKeyName) => Promise<string>> {
  const path = join(directory, SEALED_KEYS_FILE);
  const sealed = await readIfThere(path);
  if (sealed === undefined) {
    return (name) => readFile(join(directory, AUTHORITY_KEYS[name].key), 'utf8');
  }
  if (passphrase === undefined) {
    throw new AuthorityFailure(
      `the keys in ${directory} are encrypted; give their passphrase with --passphrase-fd or in ` +
        'XOR_CA_PASSPHRASE',
    );
  }
  const keys: PrivateKeys = await unsealKeys(sealed, passphrase, path);
  return (name) => Promise.resolve(keys[name] ?? '');
}

function certifiedSigner(name: AuthorityKeyName, key: SigningKey, pem: string): CertifiedSigner {
  const { publicKey, raw } = new X509Certificate(pem);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  if (!spki.equals(key.subjectPublicKeyInfo)) {
    throw new AuthorityFailure(`the signing key is not the one of the certificate of ${name}`);
  }
  const { subjectPublicKeyInfo } = key;
  const sign = (bytes: Uint8Array) => key.sign(bytes);
  return { subjectPublicKeyInfo, sign, certificate: new Uint8Array(raw) };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const SEALED_KEYS_FILE = 'keys.sealed';
