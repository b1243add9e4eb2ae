import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../../ca/certificate-register.ts';
import { isOfDomain } from '../../ca/enrollment-decision.ts';
import type { RevocationReason } from '../../ca/revocation-reason.ts';
import type { KindDefinition } from '../../overlay-config/kind-definition.ts';
import { Authenticator } from '../../tls-auth/authenticator.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import { publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { toPem } from '../links/link-credentials.ts';
import { type SocketAddress, toIpAddressPort } from '../socket-address.ts';
import { type AccountChange, AuthorityAccounts } from './accounts.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { certificatePem } from './authority-keys.ts';
import { isIpAddress } from './authority-settings.ts';
import {
  AuthorityState,
  type AuthorityStateOptions,
  certificateOf,
  signerNameOf,
} from './authority-state.ts';
import { ConfigurationPublisher, type PublicationSummary } from './configuration-publisher.ts';
import { certifyHttpsServer, SIGNER_DAYS } from './initialization.ts';
import { AuthorityIssuer } from './issuer.ts';
import {
  type AccountSummary,
  type AuthorityListing,
  authorityNamed,
  authoritySummary,
  type CertificateSummary,
  certificateSummary,
  certificatesNamed,
  listAuthority,
} from './listing.ts';
import { RevocationPublisher } from './revocation-publisher.ts';

/** What an operator can do with an authority, running or not, near or through its admin channel. */
export interface AuthorityOperations {
  addUser(jid: string, password: string, devicesMax?: number): Promise<AccountSummary>;
  updateUser(jid: string, change: AccountChange): Promise<AccountSummary>;
  /** Removes the account and revokes its certificates, which are returned. */
  removeUser(jid: string): Promise<readonly CertificateSummary[]>;
  /** Revokes by Node-ID or serial number. Returns what was not revoked before. */
  revoke(target: string, reason: RevocationReason): Promise<readonly CertificateSummary[]>;
  list(): Promise<AuthorityListing>;
  /**
   * Certifies an authority below this one: of `domain`, or of any where it is left out. `request`
   * is a PKCS #10 request in base64. Returns its certificates in PEM, its own first, the root last.
   */
  signAuthority(request: string, domain?: string): Promise<string>;
  /** The configuration document in force, XML; undefined before it has served. */
  configurationDocument(): Promise<{ readonly document?: string }>;
  /** The document with a signature of this authority, XML. */
  signConfiguration(document: string): Promise<string>;
  /** A kind-block with a signature of this authority, XML. */
  signKind(kind: KindDefinition): Promise<string>;
  /** Puts a signed document in force; `replace`: also one that present peers refuse. */
  publishConfiguration(document: string, replace: boolean): Promise<PublicationSummary>;
}

/** Where an authority that serves is found, and what its configuration says of others. */
export interface AuthorityPlace {
  /** `https://HOST:PORT`, as peers reach it. */
  readonly publicUrl: string;
  /** Host names and addresses beside the settings' that its HTTPS certificate must name. */
  readonly hosts: readonly string[];
  /** undefined: those of the document in force. */
  readonly bootstrap: readonly SocketAddress[] | undefined;
  /** https URLs of other authorities of the overlay; undefined: those of the document in force. */
  readonly enrollmentServers: readonly string[] | undefined;
}

/** A certificate authority of an overlay: accounts, certificates, revocation, configuration. */
export class Authority implements AuthorityOperations {
  readonly state: AuthorityState;
  readonly accounts: AuthorityAccounts;
  readonly issuer: AuthorityIssuer;
  readonly authenticator: Authenticator;
  readonly revocation: RevocationPublisher;
  /** undefined: the authority above this one has the configuration. */
  readonly configuration: ConfigurationPublisher | undefined;
  private place: AuthorityPlace | undefined;

  private constructor(
    state: AuthorityState,
    authenticator: Authenticator,
    configuration: ConfigurationPublisher | undefined,
    publicUrl: string,
  ) {
    this.state = state;
    this.authenticator = authenticator;
    this.configuration = configuration;
    this.accounts = new AuthorityAccounts(state);
    this.revocation = new RevocationPublisher(state);
    this.revocation.setPublicUrl(publicUrl);
    this.issuer = new AuthorityIssuer(state, authenticator, this.revocation);
  }

  /** Opens and locks the state at `path`. Throws AuthorityFailure when there is none to open. */
  static async open(path: string, options: AuthorityStateOptions = {}): Promise<Authority> {
    const state = await AuthorityState.open(path, options);
    try {
      const authenticator = new Authenticator({
        overlayName: state.settings.overlayName,
        nodeIdLength: 16,
        profile: state.settings.profile,
        rootCertificates: [state.hierarchy.root],
        badNodes: new Set(),
        selfSignedDigest: undefined,
      });
      const configuration =
        state.settings.isSubordinate === true
          ? undefined
          : await ConfigurationPublisher.open(state, authenticator);
      const publicUrl = await readPublicUrl(state);
      return new Authority(state, authenticator, configuration, publicUrl);
    } catch (error) {
      await state.close();
      throw error;
    }
  }

  async addUser(jid: string, password: string, devicesMax?: number): Promise<AccountSummary> {
    const { domain } = this.state.settings;
    if (!isOfDomain(jid, domain)) {
      throw new AuthorityFailure(`this is the authority of ${domain}: it has accounts there alone`);
    }
    return this.summaryOf(await this.accounts.add(jid, password, devicesMax));
  }

  async updateUser(jid: string, change: AccountChange): Promise<AccountSummary> {
    return this.summaryOf(await this.accounts.update(jid, change));
  }

  async removeUser(jid: string): Promise<readonly CertificateSummary[]> {
    const serialNumbers = await this.accounts.remove(jid, async ({ userName }) => {
      const { register } = this.state;
      const devices = register.devicesOf(userName);
      const certificates = devices.flatMap((device) => register.certificatesOf(device));
      const issued = certificates.map(({ serialNumber }) => serialNumber);
      await this.revocation.revokeNow(issued, 'cessationOfOperation');
      return issued;
    });
    return this.summaries(serialNumbers);
  }

  async revoke(target: string, reason: RevocationReason): Promise<readonly CertificateSummary[]> {
    await this.state.synchronize();
    const authority = authorityNamed(this.state.register, target);
    const certificates =
      authority === undefined ? certificatesNamed(this.state.register, target) : [];
    const own = certificates.find(({ userName }) => this.state.signerNames.includes(userName));
    if (own !== undefined) {
      throw new AuthorityFailure(
        `${own.userName} is the authority's own signer; without it there is no configuration`,
      );
    }
    const named = authority === undefined ? certificates : [authority];
    const serialNumbers = named.map(({ serialNumber }) => serialNumber);
    return this.summaries(await this.revocation.revoke(serialNumbers, reason));
  }

  async signAuthority(request: string, domain?: string): Promise<string> {
    if (this.revocation.publicUrl === '') {
      throw new AuthorityFailure(
        'this authority has never served, so nobody would find its revocation list; ' +
          'run xor ca serve once',
      );
    }
    const der = new Uint8Array(Buffer.from(request, 'base64'));
    const { chain, root } = await this.issuer.certifyAuthority(der, domain);
    return [...chain, root].map(toPem).join('');
  }

  async list(): Promise<AuthorityListing> {
    await this.state.synchronize();
    return listAuthority(this.state.settings, this.state.register, this.state.nowUnixMs());
  }

  async configurationDocument(): Promise<{ readonly document?: string }> {
    await this.state.synchronize();
    const document = this.publisher.document;
    return document === undefined ? {} : { document: Buffer.from(document.bytes).toString('utf8') };
  }

  async signConfiguration(document: string): Promise<string> {
    const signed = await this.publisher.signDocument(Buffer.from(document));
    await this.recordKeyUse('configurationSigner', 'a document of an operator');
    return Buffer.from(signed).toString('utf8');
  }

  async signKind(kind: KindDefinition): Promise<string> {
    const signed = await this.publisher.signKind(kind);
    await this.recordKeyUse('kindSigner', 'a Kind of an operator');
    return Buffer.from(signed).toString('utf8');
  }

  publishConfiguration(document: string, replace: boolean): Promise<PublicationSummary> {
    return this.publisher.publishDocument(Buffer.from(document), replace);
  }

  /** Says where this authority serves from now on, and brings everything up to date with it. */
  async serveAt(place: AuthorityPlace): Promise<void> {
    this.place = place;
    this.revocation.setPublicUrl(place.publicUrl);
    if (place.publicUrl !== (await readPublicUrl(this.state))) {
      await this.state.write(PUBLIC_URL_FILE, place.publicUrl);
    }
    await this.refresh();
    // From now on the document has them, and an operator may change it.
    this.place = { ...place, bootstrap: undefined, enrollmentServers: undefined };
  }

  /** Publishes a configuration with these bootstrap nodes; host names become addresses now. */
  async setBootstrap(bootstrap: readonly SocketAddress[]): Promise<void> {
    if (this.place === undefined) throw new Error('the authority does not serve yet');
    await this.keepConfiguration({ ...this.place, bootstrap });
  }

  /** PEM of the HTTPS root: what peers trust. */
  get trustedCertificates(): string {
    return certificatePem(this.state.keys.httpsRoot);
  }

  /** What gets old is made anew: its own certificates, the revocation list, the configuration. */
  async refresh(): Promise<void> {
    const { place } = this;
    if (place === undefined) throw new Error('the authority does not serve yet');
    await this.state.synchronize();
    await this.accounts.recordFailures();
    await this.refreshHttpsCertificate(place);
    if (this.configuration !== undefined) {
      await this.refreshSigner('configurationSigner');
      await this.refreshSigner('kindSigner');
    }
    await this.revocation.refresh();
    await this.keepConfiguration(place);
  }

  async close(): Promise<void> {
    await this.accounts.recordFailures().catch(() => undefined);
    await this.state.close();
  }

  private get publisher(): ConfigurationPublisher {
    if (this.configuration !== undefined) return this.configuration;
    throw new AuthorityFailure('the authority above this one has the configuration; ask that one');
  }

  private async keepConfiguration(place: AuthorityPlace): Promise<void> {
    await this.configuration?.publish({
      ownEnrollmentServer: `${place.publicUrl}${ENROLLMENT_PATH}`,
      otherEnrollmentServers: place.enrollmentServers,
      bootstrapNodes:
        place.bootstrap === undefined
          ? undefined
          : await Promise.all(place.bootstrap.map(bootstrapNode)),
    });
  }

  private async refreshHttpsCertificate(place: AuthorityPlace): Promise<void> {
    const { settings, keys } = this.state;
    const held = new X509Certificate(keys.httpsServer.certificate);
    const unixMs = this.state.nowUnixMs();
    const isLong = Date.parse(held.validTo) - unixMs > HTTPS_LEFT_MS_MIN;
    const names = [...settings.httpsNames, ...place.hosts];
    const isNamed = names.every((name) =>
      isIpAddress(name) ? held.checkIP(name) : held.checkHost(name),
    );
    if (isLong && isNamed) return;
    const { httpsServer, httpsRoot } = keys;
    const made = await certifyHttpsServer(settings, httpsServer, httpsRoot, place.hosts, unixMs);
    await this.state.replaceCertificate('httpsServer', made.certificate);
  }

  /** A signer's certificate must say where its revocation list is, and outlive what it signs. */
  private async refreshSigner(signer: 'configurationSigner' | 'kindSigner'): Promise<void> {
    const key = this.state.configurationKeys[signer];
    const held = certificateOf(key);
    const points = held.extensions.crlDistributionPoints ?? [];
    const urls = points.flatMap((point) => point.fullName?.uris ?? []);
    const middleUnixMs = (held.notBeforeUnixMs + held.notAfterUnixMs) / 2;
    const isYoung = this.state.nowUnixMs() < middleUnixMs;
    if (isYoung && urls.some((url) => url.startsWith(this.revocation.listsUrl))) return;
    const spki = key.subjectPublicKeyInfo;
    const device = this.state.register.deviceOfKey(publicKeySha256(spki));
    if (device === undefined) throw new AuthorityFailure(`${signer} is not in the ledger`);
    const name = signerNameOf(signer, this.state.settings);
    const der = await this.issuer.issueToSigner(name, device.nodeIds, spki, SIGNER_DAYS);
    await this.state.replaceCertificate(signer, der);
  }

  /** In the ledger BEFORE the signature is handed out. */
  private recordKeyUse(key: string, purpose: string): Promise<void> {
    const unixMs = this.state.nowUnixMs();
    return this.state.exclusive(async () =>
      this.state.record({ type: 'keyUsed', unixMs, key, purpose }),
    );
  }

  private summaryOf({ userName, devicesMax }: Account): AccountSummary {
    const devices = this.state.register.activeDevicesOf(userName, this.state.nowUnixMs());
    return { jid: userName, devicesMax, devices: devices.length };
  }

  private summaries(serialNumbers: readonly string[]): CertificateSummary[] {
    const { register } = this.state;
    const unixMs = this.state.nowUnixMs();
    return serialNumbers.flatMap((serialNumber) => {
      const certificate = register.certificate(serialNumber);
      if (certificate !== undefined) return [certificateSummary(certificate, unixMs)];
      const authority = register.authority(serialNumber);
      return authority === undefined ? [] : [authoritySummary(authority, unixMs)];
    });
  }
}

/** Where it served last; empty: it never did. */
async function readPublicUrl(state: AuthorityState): Promise<string> {
  try {
    return await readFile(join(state.directory.path, PUBLIC_URL_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

async function bootstrapNode(address: SocketAddress): Promise<IpAddressPort> {
  const node = toIpAddressPort(address) ?? toIpAddressPort(await resolved(address));
  if (node === undefined) throw new AuthorityFailure(`${address.host} has no IP address`);
  return node;
}

async function resolved(address: SocketAddress): Promise<SocketAddress> {
  try {
    return { host: (await lookup(address.host)).address, port: address.port };
  } catch (error) {
    throw new AuthorityFailure(`the bootstrap node ${address.host} is not found in the DNS`, {
      cause: error,
    });
  }
}

export const ENROLLMENT_PATH = '/enroll';
const PUBLIC_URL_FILE = 'public-url.txt';
const HTTPS_LEFT_MS_MIN = 30 * 86_400_000;
