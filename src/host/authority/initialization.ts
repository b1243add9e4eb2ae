import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  httpsCertificateContent,
  leafCertificateContent,
  rootCertificateContent,
  type SubjectAltName,
  serialNumberFrom,
  validityFrom,
} from '../../ca/certificate-content.ts';
import type { CertificateIssued } from '../../ca/register-event.ts';
import { nodeIdFromBytes } from '../../wire/node-id.ts';
import { generatePrivateKey, publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { openStateDirectory, writeAtomic, writeSecret } from '../state/state-directory.ts';
import { AuthorityFailure } from './authority-failure.ts';
import {
  AUTHORITY_KEYS,
  type AuthorityKeyName,
  type AuthorityKeys,
  type CertifiedKey,
  certificatePem,
  certifyKey,
  privateKeyPem,
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
  rootCommonNameOf,
  SETTINGS_FILE,
  signerNameOf,
} from './authority-state.ts';
import { beginLedger } from './ledger/begin-ledger.ts';
import { type KeyPair, keyPairOf } from './signing-key.ts';

/** What `initializeAuthority` needs to know; what is left out has the default named there. */
export interface InitializeOptions extends Partial<AuthoritySettings> {
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
    const { keys, issued } = await makeKeys(settings, (options.nowUnixMs ?? Date.now)());
    for (const name of Object.keys(AUTHORITY_KEYS) as AuthorityKeyName[]) {
      const files = AUTHORITY_KEYS[name];
      await writeSecret(join(path, files.key), privateKeyPem(keys[name]));
      await writeAtomic(join(path, files.certificate), certificatePem(keys[name]));
    }
    const owner = publicKeySha256(keys.root.subjectPublicKeyInfo);
    await beginLedger(path, options.database, owner, issued);
    await writeAtomic(join(path, SETTINGS_FILE), formatSettings(settings));
    return {
      stateDirectory: path,
      settings,
      httpsRootFile: join(path, AUTHORITY_KEYS.httpsRoot.certificate),
      rootSha256: createHash('sha256').update(keys.root.certificate).digest('hex'),
    };
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

async function makeKeys(
  settings: AuthoritySettings,
  unixMs: number,
): Promise<{ readonly keys: AuthorityKeys; readonly issued: readonly CertificateIssued[] }> {
  const newKey = async () => keyPairOf(await generatePrivateKey(settings.keyType));
  const selfSigned = async (commonName: string) => {
    const key = await newKey();
    const validity = validityFrom(unixMs, ROOT_DAYS, Number.MAX_SAFE_INTEGER);
    return certifyKey(key, rootCertificateContent(commonName, newSerialNumber(), validity), key);
  };
  const root = await selfSigned(rootCommonNameOf(settings));
  const httpsRoot = await selfSigned(httpsRootCommonNameOf(settings));
  const httpsServer = await certifyHttpsServer(settings, await newKey(), httpsRoot, [], unixMs);
  const configurationSigner = await makeSigner('configurationSigner', settings, root, unixMs);
  const kindSigner = await makeSigner('kindSigner', settings, root, unixMs);
  return {
    keys: {
      root,
      httpsRoot,
      httpsServer,
      configurationSigner: configurationSigner.certified,
      kindSigner: kindSigner.certified,
    },
    issued: [configurationSigner.event, kindSigner.event],
  };
}

/** A signer's first certificate. `xor ca serve` replaces it by one that says where the CRL is. */
async function makeSigner(
  signer: 'configurationSigner' | 'kindSigner',
  settings: AuthoritySettings,
  root: CertifiedKey,
  unixMs: number,
): Promise<{ readonly certified: CertifiedKey; readonly event: CertificateIssued }> {
  const key = keyPairOf(await generatePrivateKey(settings.keyType));
  const userName = signerNameOf(signer, settings);
  const nodeIds = [nodeIdFromBytes(randomBytes(NODE_ID_BYTES))];
  const content = leafCertificateContent(
    settings.profile,
    { overlayName: settings.overlayName, userName, nodeIds },
    rootCommonNameOf(settings),
    newSerialNumber(),
    validityFrom(unixMs, SIGNER_DAYS, certificateOf(root).notAfterUnixMs),
    `https://${settings.overlayName}/crl/${settings.name}.crl`,
  );
  const certified = await certifyKey(key, content, root);
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

function settingsOf(options: InitializeOptions): AuthoritySettings {
  return {
    overlayName: options.overlayName ?? 'xmpp.org',
    name: options.name ?? 'ca',
    profile: options.profile ?? 'xep-0416',
    keyType: options.keyType ?? 'p256',
    httpsNames: options.httpsNames ?? [],
    certificateDays: options.certificateDays ?? CERTIFICATE_DAYS_DEFAULT,
  };
}

function httpsRootCommonNameOf(settings: AuthoritySettings): string {
  return `${rootCommonNameOf(settings).slice(0, 56)} (HTTPS)`;
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
