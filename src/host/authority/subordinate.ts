import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeAuthorityRequestInfo } from '../../ca/authority-request.ts';
import { encodeSigned } from '../../ca/certificate-encoding.ts';
import { authorityLint, type IssuerChain } from '../../ca/issuance-lint.ts';
import { parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { generatePrivateKey, publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { openStateDirectory, writeAtomic } from '../state/state-directory.ts';
import { withAuthority } from './access.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { certificatesOf, readHierarchy, writeHierarchy } from './authority-hierarchy.ts';
import {
  AUTHORITY_KEYS,
  type KeyAccess,
  readKeyPair,
  writeCertificates,
  writePrivateKeys,
} from './authority-keys.ts';
import { type AuthoritySettings, faultOfSettings, formatSettings } from './authority-settings.ts';
import {
  hasAuthority,
  issuerCommonNameOf,
  readSettings,
  SETTINGS_FILE,
} from './authority-state.ts';
import {
  type InitializedAuthority,
  type InitializeOptions,
  initialized,
  makeHttpsKeys,
  settingsOf,
} from './initialization.ts';
import { assertLedgerCanBegin, beginLedger } from './ledger/begin-ledger.ts';
import { keyPairOf, type SigningKey } from './signing-key.ts';

/** The authority above, on this machine. */
export interface ParentAuthority extends KeyAccess {
  /** `postgres://…`, where its ledger is; left out: in its state directory. */
  readonly database?: string | undefined;
  readonly stateDirectory: string;
}

/** A new authority below another one. */
export interface NewSubordinate {
  /** The file with its request, PEM. */
  readonly requestFile: string;
  /** undefined: it waits for its certificate. */
  readonly authority: InitializedAuthority | undefined;
}

/**
 * Makes an authority below another one (XEP-0416 §2): its keys, and a request for its certificate.
 * With `parent` that is signed at once; otherwise the request goes to the machine of the parent
 * (`signAuthorityRequest`), and what comes back to `completeSubordinate`. No key ever leaves its
 * state directory. Throws AuthorityFailure.
 */
export async function initializeSubordinate(
  options: InitializeOptions,
  parent: ParentAuthority | undefined,
): Promise<NewSubordinate> {
  const path = options.stateDirectory;
  const settings = await settingsBelow(options, parent);
  const fault = faultOfSettings(settings);
  if (fault !== undefined) throw new AuthorityFailure(fault);
  const unixMs = (options.nowUnixMs ?? Date.now)();
  const directory = await openStateDirectory(path);
  try {
    if (await hasAuthority(path)) {
      throw new AuthorityFailure(`there is an authority in ${path} already; name another --state`);
    }
    await assertLedgerCanBegin(options.database);
    const https = await makeHttpsKeys(settings, unixMs);
    const authority = await issuingKey(options, settings, https);
    await writeCertificates(path, https);
    const request = await requestOf(settings, authority);
    const requestFile = join(path, REQUEST_FILE);
    await writeAtomic(requestFile, requestPem(request));
    let issuer: IssuerChain | undefined;
    if (parent !== undefined) {
      const pem = await signAuthorityRequest(parent, requestPem(request), settings.domain);
      issuer = acceptedIssuer(certificatesOf(pem), settings, authority, unixMs);
      await writeHierarchy(path, issuer);
    }
    // Behind all that may fail: what stands in a database is there for good.
    const owner = publicKeySha256(authority.subjectPublicKeyInfo);
    const begun = { type: 'operatorActed', unixMs, operation: 'init' } as const;
    await beginLedger(path, options.database, owner, [begun]);
    await writeAtomic(join(path, SETTINGS_FILE), formatSettings(settings));
    return {
      requestFile,
      authority: issuer === undefined ? undefined : initialized(path, settings, issuer.root),
    };
  } finally {
    await directory.close();
  }
}

/**
 * Signs the request of an authority (PEM) with the key of `parent`; `domain` is what the operator
 * allows, undefined an authority for users of any domain. Returns its certificates in PEM, its own
 * first, the root last.
 */
export async function signAuthorityRequest(
  parent: ParentAuthority,
  pem: string,
  domain: string | undefined,
): Promise<string> {
  const base64 = REQUEST_BLOCK.exec(pem)?.[1]?.replace(/\s/g, '');
  if (base64 === undefined) {
    throw new AuthorityFailure('there is no CERTIFICATE REQUEST in that file; name another file');
  }
  const { stateDirectory, ...access } = parent;
  return withAuthority(
    stateDirectory,
    (authority) => authority.signAuthority(base64, domain),
    access,
  );
}

/**
 * Gives an authority the certificates that its parent made: the first time, or before the old one
 * ends. Throws AuthorityFailure when they are not for it.
 */
export async function completeSubordinate(
  path: string,
  pem: string,
  access: KeyAccess & { readonly nowUnixMs?: () => number } = {},
): Promise<InitializedAuthority> {
  if (!(await hasAuthority(path))) {
    throw new AuthorityFailure(`there is no authority in ${path}; run xor ca init`);
  }
  const directory = await openStateDirectory(path);
  try {
    const settings = await readSettings(path);
    if (settings.isSubordinate !== true) {
      throw new AuthorityFailure(`the authority in ${path} is a root; nobody certifies it`);
    }
    const key =
      access.signingKeys?.issuer ?? (await readKeyPair(path, 'authority', access.passphrase));
    const unixMs = (access.nowUnixMs ?? Date.now)();
    const issuer = acceptedIssuer(certificatesOf(pem), settings, key, unixMs);
    if (existsSync(join(path, AUTHORITY_KEYS.authority.certificate))) {
      const held = await readHierarchy(path, 'subordinate');
      if (Buffer.compare(held.root, issuer.root) !== 0) {
        throw new AuthorityFailure('these certificates lead to another root than those in force');
      }
    }
    await writeHierarchy(path, issuer);
    return initialized(path, settings, issuer.root);
  } finally {
    await directory.close();
  }
}

/** What an authority below another one has in common with it. */
async function settingsBelow(
  options: InitializeOptions,
  parent: ParentAuthority | undefined,
): Promise<AuthoritySettings> {
  const own = settingsOf({ ...options, isSubordinate: true });
  const xmppAddress = options.xmppAddress ?? options.domain;
  if (parent === undefined) return { ...own, xmppAddress };
  const { stateDirectory } = parent;
  if (resolve(stateDirectory) === resolve(options.stateDirectory)) {
    throw new AuthorityFailure('an authority is not its own parent; name another --state');
  }
  if (!(await hasAuthority(stateDirectory))) {
    throw new AuthorityFailure(`there is no authority in ${stateDirectory}; name another --parent`);
  }
  const { overlayName, profile } = await readSettings(stateDirectory);
  if (options.overlayName !== undefined && options.overlayName !== overlayName) {
    throw new AuthorityFailure(
      `the parent is an authority of ${overlayName}, not of ${options.overlayName}`,
    );
  }
  return { ...own, overlayName, profile, xmppAddress };
}

/** The key to be certified, once it and those of the web server are where they stay. */
async function issuingKey(
  { stateDirectory, passphrase, signingKeys }: InitializeOptions,
  settings: AuthoritySettings,
  https: Awaited<ReturnType<typeof makeHttpsKeys>>,
): Promise<SigningKey> {
  if (signingKeys?.issuer !== undefined) {
    await writePrivateKeys(stateDirectory, https, passphrase);
    return signingKeys.issuer;
  }
  const authority = keyPairOf(await generatePrivateKey(settings.keyType));
  await writePrivateKeys(stateDirectory, { authority, ...https }, passphrase);
  return authority;
}

async function requestOf(settings: AuthoritySettings, key: SigningKey): Promise<Uint8Array> {
  const { domain, xmppAddress } = settings;
  const identity = { commonName: issuerCommonNameOf(settings), domain, xmppAddress };
  const info = encodeAuthorityRequestInfo(identity, key.subjectPublicKeyInfo);
  return encodeSigned(info, key.subjectPublicKeyInfo, await key.sign(info));
}

/** The certificates of an authority, its own first, the root last, if peers would take them. */
function acceptedIssuer(
  certificates: readonly Uint8Array[],
  settings: AuthoritySettings,
  key: SigningKey,
  unixMs: number,
): IssuerChain {
  const refuse = (reason: string) =>
    new AuthorityFailure(`these certificates do not do for this authority: ${reason}`);
  const [own, ...others] = certificates;
  const root = others.pop();
  if (own === undefined || root === undefined) throw refuse('its own and the root are needed');
  const parsed = parseCertificate(own);
  if (parsed instanceof CertificateRefusal) throw refuse(parsed.describe());
  if (Buffer.compare(parsed.subjectPublicKeyInfo.der, key.subjectPublicKeyInfo) !== 0) {
    throw refuse('the first one is for another key');
  }
  const commonName = issuerCommonNameOf(settings);
  if (parsed.subject.text !== `CN=${commonName}`) throw refuse(`it is not for "${commonName}"`);
  const { profile, overlayName, domain, xmppAddress } = settings;
  const rules = { profile, overlayName, nodeIdLength: NODE_ID_BYTES };
  const above = { chain: others, root };
  const fault = authorityLint(own, { commonName, domain, xmppAddress }, above, rules, unixMs);
  if (fault !== undefined) throw refuse(fault);
  return { chain: [own, ...others], root };
}

function requestPem(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
}

const REQUEST_FILE = 'authority-request.pem';
const REQUEST_BLOCK =
  /-----BEGIN CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/;
const NODE_ID_BYTES = 16;
