import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  httpsCertificateContent,
  leafCertificateContent,
  rootCertificateContent,
  serialNumberFrom,
  validityFrom,
} from '../../ca/certificate-content.ts';
import type { CertificateIssued } from '../../ca/register-event.ts';
import type { SubjectAltName } from '../../ca/subject-alt-name.ts';
import { nodeIdFromBytes } from '../../wire/node-id.ts';
import { generatePrivateKey, publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { openStateDirectory, writeAtomic } from '../state/state-directory.ts';
import { AuthorityFailure } from './authority-failure.ts';
import {
  AUTHORITY_KEYS,
  type AuthorityKeyName,
  type AuthorityKeys,
  type CertifiedKey,
  type CertifiedSigner,
  certifyKey,
  certifySigner,
  type KeyAccess,
  type SigningKeys,
  writeCertificates,
  writePrivateKeys,
} from './authority-keys.ts';
import {
  type AuthoritySettings,
  faultOfSettings,
  formatSettings,
  isIpAddress,
} from './authority-settings.ts';
import {
  certificateOf,
  hasAuthority,
  issuerCommonNameOf,
  SETTINGS_FILE,
  signerNameOf,
} from './authority-state.ts';
import { beginLedger } from './ledger/begin-ledger.ts';
import { type KeyPair, keyPairOf, type SigningKey } from './signing-key.ts';

type Wished<T> = { readonly [Field in keyof T]?: T[Field] | undefined };

/** What `initializeAuthority` needs to know; what is left out has the default named there. */
export interface InitializeOptions extends Wished<AuthoritySettings>, KeyAccess {
  readonly stateDirectory: string;
  /** `postgres://…`, where the ledger is to be; left out: in the state directory. */
  readonly database?: string | undefined;
  /** The clock; tests set it. */
  readonly nowUnixMs?: () => number;
}

/** What a new authority shows to others. */
export interface InitializedAuthority {
  readonly stateDirectory: string;
  readonly settings: AuthoritySettings;
  /** Path of the certificate that peers on other machines pass to `--trust`. */
  readonly httpsRootFile: string;
  /** SHA-256 of the root certificate of the overlay, lower-case hex. */
  readonly rootSha256: string;
}

/**
 * Makes an authority: keys, certificates, ledger. The settings are written last, so what a crash
 * leaves behind is no authority, and the next try starts over. Throws AuthorityFailure when there
 * is one already.
 */
export async function initializeAuthority(
  options: InitializeOptions,
): Promise<InitializedAuthority> {
  const settings = settingsOf(options);
  const path = options.stateDirectory;
  const fault = faultOfSettings(settings);
  if (fault !== undefined) throw new AuthorityFailure(fault);
  const directory = await openStateDirectory(path);
  try {
    if (await hasAuthority(path)) {
      throw new AuthorityFailure(
        `there is an authority in ${path} already; run xor ca serve, or name another --state`,
      );
    }
    const unixMs = (options.nowUnixMs ?? Date.now)();
    const { keys, inMemory, issued } = await makeKeys(settings, options.signingKeys ?? {}, unixMs);
    await writePrivateKeys(path, inMemory, options.passphrase);
    await writeCertificates(path, keys);
    const owner = publicKeySha256(keys.root.subjectPublicKeyInfo);
    await beginLedger(path, options.database, owner, issued);
    await writeAtomic(join(path, SETTINGS_FILE), formatSettings(settings));
    return initialized(path, settings, keys.root.certificate);
  } finally {
    await directory.close();
  }
}

/** A certificate of the HTTPS root for these hosts and the names that it always has. */
export async function certifyHttpsServer(
  settings: AuthoritySettings,
  server: KeyPair,
  httpsRoot: CertifiedKey,
  moreHosts: readonly string[],
  unixMs: number,
): Promise<CertifiedKey> {
  const hosts = new Set([
    ...ALWAYS_SERVED,
    settings.overlayName,
    ...settings.httpsNames,
    ...moreHosts,
  ]);
  const names = [...hosts].map(
    (value): SubjectAltName => ({
      type: isIpAddress(value) ? 'ipAddress' : 'dnsName',
      value,
    }),
  );
  const content = httpsCertificateContent(
    names,
    httpsRootCommonNameOf(settings),
    newSerialNumber(),
    validityFrom(unixMs, HTTPS_DAYS, certificateOf(httpsRoot).notAfterUnixMs),
  );
  return certifyKey(server, content, httpsRoot);
}

/** What `initializeAuthority` tells of a state directory. */
export function initialized(
  stateDirectory: string,
  settings: AuthoritySettings,
  root: Uint8Array,
): InitializedAuthority {
  return {
    stateDirectory,
    settings,
    httpsRootFile: join(stateDirectory, AUTHORITY_KEYS.httpsRoot.certificate),
    rootSha256: createHash('sha256').update(root).digest('hex'),
  };
}

/** The keys of the web server of an authority: a root of its own, and its certificate. */
export async function makeHttpsKeys(
  settings: AuthoritySettings,
  unixMs: number,
): Promise<Pick<AuthorityKeys, 'httpsRoot' | 'httpsServer'>> {
  const rootKey = keyPairOf(await generatePrivateKey(settings.keyType));
  const rootContent = rootContentOf(httpsRootCommonNameOf(settings), unixMs);
  const httpsRoot = await certifyKey(rootKey, rootContent, rootKey);
  const key = keyPairOf(await generatePrivateKey(settings.keyType));
  const httpsServer = await certifyHttpsServer(settings, key, httpsRoot, [], unixMs);
  return { httpsRoot, httpsServer };
}

function rootContentOf(commonName: string, unixMs: number, xmppAddress?: string) {
  const validity = validityFrom(unixMs, ROOT_DAYS, Number.MAX_SAFE_INTEGER);
  return rootCertificateContent(commonName, newSerialNumber(), validity, xmppAddress);
}

/** All keys with their certificates, and those that are to be written: the ones made here. */
async function makeKeys(settings: AuthoritySettings, given: SigningKeys, unixMs: number) {
  const { keyType, xmppAddress } = settings;
  const made: Partial<Record<AuthorityKeyName, KeyPair>> = {};
  const signingKey = async (name: AuthorityKeyName, external: SigningKey | undefined) => {
    if (external !== undefined) return external;
    const pair = keyPairOf(await generatePrivateKey(keyType));
    made[name] = pair;
    return pair;
  };
  const rootKey = await signingKey('root', given.issuer);
  const rootContent = rootContentOf(issuerCommonNameOf(settings), unixMs, xmppAddress);
  const root = await certifySigner(rootKey, rootContent, rootKey);
  const https = await makeHttpsKeys(settings, unixMs);
  const signer = async (name: 'configurationSigner' | 'kindSigner') =>
    makeSigner(name, await signingKey(name, given[name]), settings, root, unixMs);
  const configurationSigner = await signer('configurationSigner');
  const kindSigner = await signer('kindSigner');
  return {
    keys: {
      root,
      ...https,
      configurationSigner: configurationSigner.certified,
      kindSigner: kindSigner.certified,
    },
    inMemory: { ...made, ...https },
    issued: [configurationSigner.event, kindSigner.event],
  };
}

/** A signer's first certificate. `xor ca serve` replaces it by one that says where the CRL is. */
async function makeSigner(
  signer: 'configurationSigner' | 'kindSigner',
  key: SigningKey,
  settings: AuthoritySettings,
  root: CertifiedSigner,
  unixMs: number,
): Promise<{ readonly certified: CertifiedSigner; readonly event: CertificateIssued }> {
  const userName = signerNameOf(signer, settings);
  const nodeIds = [nodeIdFromBytes(randomBytes(NODE_ID_BYTES))];
  const content = leafCertificateContent(
    settings.profile,
    { overlayName: settings.overlayName, userName, nodeIds },
    issuerCommonNameOf(settings),
    newSerialNumber(),
    validityFrom(unixMs, SIGNER_DAYS, certificateOf(root).notAfterUnixMs),
    `https://${settings.overlayName}/crl/${settings.name}.crl`,
  );
  const certified = await certifySigner(key, content, root);
  const event: CertificateIssued = {
    type: 'certificateIssued',
    unixMs,
    userName,
    nodeIds,
    serialNumber: content.serialNumber,
    publicKeySha256: publicKeySha256(key.subjectPublicKeyInfo),
    fingerprintSha256: createHash('sha256').update(certified.certificate).digest('hex'),
    notBeforeUnixMs: content.notBeforeUnixMs,
    notAfterUnixMs: content.notAfterUnixMs,
    certificate: Buffer.from(certified.certificate).toString('base64'),
  };
  return { certified, event };
}

/** The settings with the defaults of those that are left out. */
export function settingsOf(options: InitializeOptions): AuthoritySettings {
  return {
    overlayName: options.overlayName ?? 'xmpp.org',
    name: options.name ?? 'ca',
    profile: options.profile ?? 'xep-0416',
    keyType: options.keyType ?? 'p256',
    httpsNames: options.httpsNames ?? [],
    certificateDays: options.certificateDays ?? CERTIFICATE_DAYS_DEFAULT,
    isSubordinate: options.isSubordinate ?? false,
    domain: options.domain,
    xmppAddress: options.xmppAddress,
  };
}

function httpsRootCommonNameOf(settings: AuthoritySettings): string {
  return `${issuerCommonNameOf(settings).slice(0, 56)} (HTTPS)`;
}

function newSerialNumber(): string {
  return serialNumberFrom(randomBytes(SERIAL_NUMBER_BYTES));
}

const ALWAYS_SERVED = ['localhost', '127.0.0.1', '::1'];
const NODE_ID_BYTES = 16;
const SERIAL_NUMBER_BYTES = 20;
const ROOT_DAYS = 20 * 365;
/** What public certificates may have; a new one is made in time. */
const HTTPS_DAYS = 397;
/** A document that was signed must verify for longer than a node's certificate lives. */
export const SIGNER_DAYS = 3 * 365;
const CERTIFICATE_DAYS_DEFAULT = 365;
