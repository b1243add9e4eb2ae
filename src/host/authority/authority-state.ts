import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AccountName, prepareAccountName } from '../../ca/account-name.ts';
import type { CertificateRegister } from '../../ca/certificate-register.ts';
import type { IssuerChain } from '../../ca/issuance-lint.ts';
import type { LedgerEvent } from '../../ca/ledger-event.ts';
import { parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { openStateDirectory, type StateDirectory, writeAtomic } from '../state/state-directory.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { readHierarchy } from './authority-hierarchy.ts';
import {
  AUTHORITY_KEYS,
  type AuthorityKeys,
  type CertifiedSigner,
  type ConfigurationKeys,
  type KeyAccess,
  readAuthorityKeys,
  writeCertificates,
} from './authority-keys.ts';
import { type AuthorityLimits, defaultAuthorityLimits, parseLimits } from './authority-limits.ts';
import { type AuthoritySettings, parseSettings } from './authority-settings.ts';
import { AuthorityLedger } from './ledger/authority-ledger.ts';
import type { LedgerStore } from './ledger/ledger-store.ts';
import { OWNER_DOCUMENT, openLedgerStore } from './ledger/open-ledger-store.ts';

/** More requests wait for their turn than the authority is willing to hold. */
export class AuthorityBusy extends Error {
  constructor(waitingMax: number) {
    super(`more than ${waitingMax} requests are waiting`);
    this.name = 'AuthorityBusy';
  }
}

export const SETTINGS_FILE = 'settings.json';

export interface AuthorityStateOptions extends KeyAccess {
  /** Left out: those of `limits.json` in the state directory, or the defaults. */
  readonly limits?: AuthorityLimits | undefined;
  /** `postgres://…`; left out: the ledger is in the state directory. */
  readonly database?: string | undefined;
  /** The clock; tests set it. */
  readonly nowUnixMs?: (() => number) | undefined;
}

/** What an authority is: its settings, keys and ledger, held by one process at a time. */
export class AuthorityState {
  readonly directory: StateDirectory;
  readonly settings: AuthoritySettings;
  readonly limits: AuthorityLimits;
  readonly nowUnixMs: () => number;
  /** The certificates above the own ones. */
  readonly hierarchy: IssuerChain;
  readonly issuerCommonName: string;
  readonly issuerNotAfterUnixMs: number;
  private readonly ledger: AuthorityLedger;
  private heldKeys: AuthorityKeys;
  private waiting = 0;
  private synchronizedAtMs = Number.NEGATIVE_INFINITY;
  private synchronizing: Promise<void> | undefined;

  private constructor(
    directory: StateDirectory,
    settings: AuthoritySettings,
    keys: AuthorityKeys,
    hierarchy: IssuerChain,
    ledger: AuthorityLedger,
    limits: AuthorityLimits,
    options: AuthorityStateOptions,
  ) {
    this.directory = directory;
    this.settings = settings;
    this.heldKeys = keys;
    this.ledger = ledger;
    this.limits = limits;
    this.nowUnixMs = options.nowUnixMs ?? Date.now;
    this.hierarchy = hierarchy;
    this.issuerCommonName = issuerCommonNameOf(settings);
    this.issuerNotAfterUnixMs = certificateOf(keys.issuer).notAfterUnixMs;
  }

  /** Opens and locks the state at `path`. Throws AuthorityFailure when there is none to open. */
  static async open(path: string, options: AuthorityStateOptions = {}): Promise<AuthorityState> {
    if (!(await hasAuthority(path))) {
      throw new AuthorityFailure(`there is no authority in ${path}; run xor ca init`);
    }
    const directory = await openStateDirectory(path);
    try {
      const settings = await readSettings(path);
      const kind = await kindOf(path, settings);
      const keys = await readAuthorityKeys(path, kind, options);
      assertOwnSettings(path, settings, keys.issuer);
      const hierarchy = await readHierarchy(path, kind);
      const limits = options.limits ?? (await readLimits(path));
      const store = await openLedgerStore(path, options.database, 'existing');
      const ledger = await openOwnLedger(store, keys);
      return new AuthorityState(directory, settings, keys, hierarchy, ledger, limits, options);
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  get keys(): AuthorityKeys {
    return this.heldKeys;
  }

  /** The names that the authority's own signers go by; no account has one of them. */
  get signerNames(): readonly AccountName[] {
    return [
      signerNameOf('configurationSigner', this.settings),
      signerNameOf('kindSigner', this.settings),
    ];
  }

  /** As of now with `synchronize` just before it, or within `exclusive`. */
  get register(): CertificateRegister {
    return this.ledger.register;
  }

  /** Whether other authority processes use the same ledger. */
  get isShared(): boolean {
    return this.ledger.isShared;
  }

  /**
   * Takes in what other processes have done, unless that was done `maxAgeMs` ago at most. Whoever
   * looks at the register or at what was published, outside of `exclusive`, calls this before.
   */
  async synchronize(maxAgeMs = 0): Promise<void> {
    const nowMs = performance.now();
    if (maxAgeMs === 0) return this.synchronizeFrom(nowMs);
    if (nowMs - this.synchronizedAtMs <= maxAgeMs) return;
    // One look is enough for all who ask meanwhile, however long the ledger takes.
    this.synchronizing ??= this.synchronizeFrom(nowMs).finally(() => {
      this.synchronizing = undefined;
    });
    await this.synchronizing;
  }

  private async synchronizeFrom(nowMs: number): Promise<void> {
    await this.ledger.synchronize();
    this.synchronizedAtMs = nowMs;
    this.adoptPublishedCertificates();
  }

  /**
   * Runs one change after the other, so that each is decided on what the one before left, in
   * whatever process that was. Resolves when all that the change recorded is durable.
   */
  async exclusive<T>(change: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.limits.waitingRequestsMax) {
      throw new AuthorityBusy(this.limits.waitingRequestsMax);
    }
    this.waiting++;
    try {
      return await this.ledger.change(() => {
        this.adoptPublishedCertificates();
        return change();
      });
    } finally {
      this.waiting--;
    }
  }

  /** Appends an event to the ledger, within `exclusive`, which resolves when it is durable. */
  record(event: LedgerEvent): void {
    this.ledger.record(event);
  }

  /**
   * A text that all processes of this authority show from now on; within `exclusive` alone, beside
   * the event that tells of it.
   */
  publish(name: string, text: string): void {
    this.ledger.publish(name, text);
  }

  /** What was published last under a name; `decided` is for changes, and not yet durable. */
  published(name: string, when: 'durable' | 'decided' = 'durable'): string | undefined {
    return this.ledger.document(name, when);
  }

  /** The keys that sign the configuration. Throws AuthorityFailure below another authority. */
  get configurationKeys(): ConfigurationKeys {
    const { configuration } = this.heldKeys;
    if (configuration !== undefined) return configuration;
    throw new AuthorityFailure('the authority above this one signs the configuration');
  }

  /** Another certificate for a key that stays. */
  async replaceCertificate(
    name: 'httpsServer' | 'configurationSigner' | 'kindSigner',
    certificate: Uint8Array,
  ): Promise<void> {
    if (name === 'httpsServer') {
      const httpsServer = { ...this.heldKeys.httpsServer, certificate };
      await writeCertificates(this.directory.path, { httpsServer });
      this.heldKeys = { ...this.heldKeys, httpsServer };
      return;
    }
    const held = this.configurationKeys;
    const certified = { ...held[name], certificate };
    await writeCertificates(this.directory.path, { [name]: certified });
    await this.exclusive(async () => {
      const unixMs = this.nowUnixMs();
      this.record({ type: 'keyUsed', unixMs, key: name, purpose: 'it has a new certificate' });
      this.publish(certificateDocument(name), Buffer.from(certificate).toString('base64'));
    });
    this.heldKeys = { ...this.heldKeys, configuration: { ...held, [name]: certified } };
  }

  /** All processes sign configurations with the same certificates. */
  private adoptPublishedCertificates(): void {
    const { configuration } = this.heldKeys;
    if (configuration === undefined || !this.isShared) return;
    for (const name of CONFIGURATION_SIGNERS) {
      const published = this.published(certificateDocument(name));
      if (published === undefined) continue;
      const certificate = new Uint8Array(Buffer.from(published, 'base64'));
      const held = this.configurationKeys;
      const certified = { ...held[name], certificate };
      this.heldKeys = { ...this.heldKeys, configuration: { ...held, [name]: certified } };
    }
  }

  /** Replaces a file of the state, whole or not at all. */
  write(file: string, contents: string): Promise<void> {
    return writeAtomic(join(this.directory.path, file), contents);
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await this.directory.close();
  }
}

/** What the authority is called in its certificate. */
export function issuerCommonNameOf(settings: AuthoritySettings): string {
  const { name, domain, overlayName } = settings;
  return `${name} ${domain ?? overlayName}`.slice(0, COMMON_NAME_LENGTH_MAX);
}

/** The RELOAD user name of one of the authority's own signers. */
export function signerNameOf(
  signer: 'configurationSigner' | 'kindSigner',
  settings: AuthoritySettings,
): AccountName {
  const localpart = signer === 'configurationSigner' ? 'configuration-signer' : 'kind-signer';
  const name = prepareAccountName(`${localpart}@${settings.overlayName}`, settings.profile);
  if (typeof name !== 'string') throw new AuthorityFailure(name.reason);
  return name;
}

/** Reads a certificate that this authority made. */
export function certificateOf(certified: CertifiedSigner) {
  const parsed = parseCertificate(certified.certificate);
  if (parsed instanceof CertificateRefusal) throw new AuthorityFailure(parsed.describe());
  return parsed;
}

/** Whether `xor ca init` has finished here: the settings are what it writes last. */
export async function hasAuthority(path: string): Promise<boolean> {
  try {
    await readFile(join(path, SETTINGS_FILE));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Settings of another authority, from a copy that was mixed up, would certify for its overlay. */
function assertOwnSettings(path: string, settings: AuthoritySettings, issuer: CertifiedSigner) {
  const { text } = certificateOf(issuer).subject;
  const commonName = issuerCommonNameOf(settings);
  if (text === `CN=${commonName}`) return;
  throw new AuthorityFailure(
    `${join(path, SETTINGS_FILE)} is for "${commonName}" and the certificate for "${text}"; ` +
      'restore both from one backup',
  );
}

/** A ledger of another authority, by a database URL that was mixed up, is not for this one. */
async function openOwnLedger(store: LedgerStore, keys: AuthorityKeys): Promise<AuthorityLedger> {
  const ledger = await AuthorityLedger.open(store);
  const owner = ledger.document(OWNER_DOCUMENT);
  const isOwn = owner === publicKeySha256(keys.issuer.subjectPublicKeyInfo);
  if (isOwn || (owner === undefined && !store.isShared)) return ledger;
  await ledger.close();
  throw new AuthorityFailure(
    ledger.head.sequence === 0
      ? `${store.place} is empty; xor ca init --database begins there`
      : `${store.place} holds the ledger of another authority`,
  );
}

/** The settings of the authority in `path`. Throws AuthorityFailure when they are damaged. */
export async function readSettings(path: string): Promise<AuthoritySettings> {
  const settings = parseSettings(await readFile(join(path, SETTINGS_FILE), 'utf8'));
  if (typeof settings !== 'string') return settings;
  throw new AuthorityFailure(`${join(path, SETTINGS_FILE)} is damaged: ${settings}`);
}

/** The limits of `limits.json`, which an operator may write; those left out are the defaults. */
async function readLimits(path: string): Promise<AuthorityLimits> {
  const file = join(path, LIMITS_FILE);
  if (!existsSync(file)) return defaultAuthorityLimits;
  const limits = parseLimits(await readFile(file, 'utf8'));
  if (typeof limits !== 'string') return limits;
  throw new AuthorityFailure(`${file} cannot be used: ${limits}`);
}

/** Throws AuthorityFailure where the certificate of the authority above has not come yet. */
export async function kindOf(
  path: string,
  settings: AuthoritySettings,
): Promise<'root' | 'subordinate'> {
  if (settings.isSubordinate !== true) return 'root';
  if (existsSync(join(path, AUTHORITY_KEYS.authority.certificate))) return 'subordinate';
  throw new AuthorityFailure(
    `the authority in ${path} waits for its certificate: have its request signed with ` +
      'xor ca sign-authority, then run xor ca complete',
  );
}

/** The name under which a signer's certificate is published. */
function certificateDocument(name: (typeof CONFIGURATION_SIGNERS)[number]): string {
  return `certificate/${name}`;
}

const CONFIGURATION_SIGNERS = ['configurationSigner', 'kindSigner'] as const;
const LIMITS_FILE = 'limits.json';
/** ub-common-name — RFC 5280 appendix A.1. */
const COMMON_NAME_LENGTH_MAX = 64;
