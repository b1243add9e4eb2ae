import { setTimeout as wait } from 'node:timers/promises';
import type { RevocationReason } from '../../ca/revocation-reason.ts';
import type { KindDefinition } from '../../overlay-config/kind-definition.ts';
import { type Log, silentLog } from '../log.ts';
import { formatSocketAddress, isUnspecifiedHost, type SocketAddress } from '../socket-address.ts';
import type { AccountChange } from './accounts.ts';
import { AuthorityAdminServer } from './admin-channel.ts';
import { Authority, type AuthorityOperations, ENROLLMENT_PATH } from './authority.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityStateOptions } from './authority-state.ts';
import { AuthorityComponent } from './component/authority-component.ts';
import type { ComponentStatus } from './component/component-link.ts';
import { type ComponentOptions, checkComponent } from './component/component-place.ts';
import { CHALLENGE_PATHS } from './component/enrollment-component.ts';
import { ConfigurationFollower, type FollowedAuthorities } from './configuration-follower.ts';
import type { PublicationSummary } from './configuration-publisher.ts';
import { EnrollmentHandler } from './enrollment-handler.ts';
import {
  documentAnswer,
  type HttpAnswer,
  type HttpDocument,
  type HttpRequest,
  laterAnswer,
  textAnswer,
} from './http-exchange.ts';
import { AuthorityHttpsServer } from './https-server.ts';
import type { AccountSummary, AuthorityListing, CertificateSummary } from './listing.ts';

export interface StartAuthorityOptions extends AuthorityStateOptions {
  readonly stateDirectory: string;
  /** Port 0: the system chooses. */
  readonly listen: SocketAddress;
  /** Left out: those of the last configuration. */
  readonly bootstrap?: readonly SocketAddress[] | undefined;
  /**
   * https URLs of the enrollment servers of other authorities of the overlay, for its
   * configuration. Left out: those of the last configuration.
   */
  readonly enrollmentServers?: readonly string[] | undefined;
  /**
   * Where peers reach it, `https://HOST:PORT`. Left out: the first HTTPS name of its settings, or
   * the host that it listens on, with the port that it listens on.
   */
  readonly publicUrl?: string | undefined;
  /** Whose documents it takes over; left out: nobody's, an operator publishes them here. */
  readonly follow?: FollowedAuthorities | undefined;
  /** The XMPP server where it takes requests too (XEP-0417); left out: none. */
  readonly component?: ComponentOptions | undefined;
  readonly log?: Log | undefined;
}

/**
 * Opens the state in `stateDirectory` and serves it over HTTPS. Throws AuthorityFailure when there
 * is no state, when another process holds it, or when it cannot listen.
 */
export function startAuthority(options: StartAuthorityOptions): Promise<RunningAuthority> {
  return RunningAuthority.start(options);
}

/** An authority that serves: configuration, enrollment (RFC 6940 §11.2, §11.3), revocation list. */
export class RunningAuthority implements AuthorityOperations {
  /** `https://HOST:PORT`, as peers reach it. */
  readonly url: string;
  readonly listenAddress: SocketAddress;
  private readonly authority: Authority;
  private readonly routes: AuthorityRoutes;
  private readonly server: AuthorityHttpsServer;
  private readonly follower: ConfigurationFollower | undefined;
  private readonly maintenance: NodeJS.Timeout;
  private readonly log: Log;
  private admin: AuthorityAdminServer | undefined;

  private constructor(
    authority: Authority,
    routes: AuthorityRoutes,
    server: AuthorityHttpsServer,
    follower: ConfigurationFollower | undefined,
    place: { readonly url: string; readonly listenAddress: SocketAddress },
    log: Log,
  ) {
    this.authority = authority;
    this.routes = routes;
    this.server = server;
    this.follower = follower;
    this.log = log;
    this.url = place.url;
    this.listenAddress = place.listenAddress;
    this.maintenance = setInterval(() => {
      this.refresh().catch((error: unknown) => {
        log.error({ error: String(error) }, 'what gets old could not be made anew');
      });
    }, MAINTENANCE_MS);
    this.maintenance.unref();
  }

  static async start(options: StartAuthorityOptions): Promise<RunningAuthority> {
    const log = options.log ?? silentLog;
    const authority = await Authority.open(options.stateDirectory, options);
    const routes = new AuthorityRoutes(authority, log);
    const { keys, limits, settings } = authority.state;
    const handler = (request: HttpRequest) => routes.answer(request);
    const server = new AuthorityHttpsServer(keys.httpsServer, limits, handler, log);
    try {
      const follower = followerOf(options.follow, authority, log);
      if (authority.state.isShared && options.publicUrl === undefined) {
        throw new AuthorityFailure(
          'several processes may share this ledger: say with --public-url where peers reach them',
        );
      }
      const listenAddress = await server.listen(options.listen);
      const url = options.publicUrl ?? publicUrlOf(options, listenAddress, settings.httpsNames);
      if (hostOf(url) === 'localhost' && isUnspecifiedHost(options.listen.host)) {
        log.warn({ url }, 'peers on other machines need a name for it: xor ca serve --public-url');
      }
      const hosts = [hostOf(url), options.listen.host].filter((host) => !isUnspecifiedHost(host));
      const { bootstrap, enrollmentServers } = options;
      await authority.serveAt({ publicUrl: url, hosts, bootstrap, enrollmentServers });
      server.replaceCertificate(authority.state.keys.httpsServer);
      const place = { url, listenAddress };
      const running = new RunningAuthority(authority, routes, server, follower, place, log);
      await running.open(options);
      return running;
    } catch (error) {
      await server.close();
      await authority.close();
      throw error;
    }
  }

  private async open({ stateDirectory, component }: StartAuthorityOptions): Promise<void> {
    try {
      if (component !== undefined) await this.attachComponent(component);
      this.admin = await AuthorityAdminServer.open(stateDirectory, this.authority, this, this.log);
    } catch (error) {
      clearInterval(this.maintenance);
      await this.detachComponent();
      throw error;
    }
    this.routes.isReady = true;
    this.follower?.start();
  }

  /**
   * Takes requests over XMPP from now on, as a component of this server and no other (XEP-0417).
   * Throws AuthorityFailure where it cannot be that component; a server that is away is tried
   * again.
   */
  async attachComponent(options: ComponentOptions): Promise<void> {
    checkComponent(options, this.authority.state.settings.xmppAddress);
    await this.detachComponent();
    this.routes.component = new AuthorityComponent(this.authority, options, this.url, this.log);
  }

  async detachComponent(): Promise<void> {
    const { component } = this.routes;
    this.routes.component = undefined;
    await component?.close();
  }

  /** Of the component; undefined: there is none. */
  get componentStatus(): ComponentStatus | undefined {
    return this.routes.component?.status;
  }

  /** Resolves when the XMPP server takes it as its component; at once where there is none. */
  async componentAttached(): Promise<void> {
    await this.routes.component?.attached();
  }

  get overlayName(): string {
    return this.authority.state.settings.overlayName;
  }

  get configurationUrl(): string {
    return `${this.url}${CONFIGURATION_PATH}`;
  }

  get enrollmentUrl(): string {
    return `${this.url}${ENROLLMENT_PATH}`;
  }

  /** PEM of the HTTPS root: what peers trust to reach this authority. */
  get trustedCertificates(): string {
    return this.authority.trustedCertificates;
  }

  /** The sequence of the configuration in force. */
  get configurationSequence(): number | undefined {
    return this.authority.configuration?.sequence;
  }

  addUser(jid: string, password: string, devicesMax?: number): Promise<AccountSummary> {
    return this.authority.addUser(jid, password, devicesMax);
  }

  updateUser(jid: string, change: AccountChange): Promise<AccountSummary> {
    return this.authority.updateUser(jid, change);
  }

  removeUser(jid: string): Promise<readonly CertificateSummary[]> {
    return this.authority.removeUser(jid);
  }

  revoke(
    target: string,
    reason: RevocationReason = 'unspecified',
  ): Promise<readonly CertificateSummary[]> {
    return this.authority.revoke(target, reason);
  }

  list(): Promise<AuthorityListing> {
    return this.authority.list();
  }

  signAuthority(request: string, domain?: string): Promise<string> {
    return this.authority.signAuthority(request, domain);
  }

  configurationDocument(): Promise<{ readonly document?: string }> {
    return this.authority.configurationDocument();
  }

  signConfiguration(document: string): Promise<string> {
    return this.authority.signConfiguration(document);
  }

  signKind(kind: KindDefinition): Promise<string> {
    return this.authority.signKind(kind);
  }

  publishConfiguration(document: string, replace = false): Promise<PublicationSummary> {
    return this.authority.publishConfiguration(document, replace);
  }

  /** Publishes a configuration with these bootstrap nodes, unless the one in force has them. */
  setBootstrap(nodes: readonly SocketAddress[]): Promise<void> {
    return this.authority.setBootstrap(nodes);
  }

  /** Looks now at the authorities that it follows, and not when it is time. Never rejects. */
  async lookAtFollowed(): Promise<void> {
    await this.follower?.look();
  }

  /** What gets old is made anew; runs by itself every ten minutes. */
  async refresh(): Promise<void> {
    await this.authority.refresh();
    this.server.replaceCertificate(this.authority.state.keys.httpsServer);
  }

  /** Finishes what has begun, stops listening and releases the state. */
  async close(): Promise<void> {
    clearInterval(this.maintenance);
    await this.follower?.stop();
    // What is answered over HTTPS may have an answer over XMPP, too.
    await this.server.close();
    await Promise.all([this.detachComponent(), this.admin?.close()]);
    await this.authority.close();
  }
}

/** Which path answers what. */
class AuthorityRoutes {
  isReady = false;
  component: AuthorityComponent | undefined;
  private readonly authority: Authority;
  private readonly enrollment: EnrollmentHandler;

  constructor(authority: Authority, log: Log) {
    const { state, accounts, issuer, authenticator } = authority;
    this.authority = authority;
    this.enrollment = new EnrollmentHandler(state, accounts, issuer, authenticator, log);
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    if (!this.isReady) return laterAnswer(503, 'the authority is starting', 1);
    switch (request.path) {
      case CONFIGURATION_PATH:
        return this.document(request, () => this.authority.configuration?.document);
      case ENROLLMENT_PATH:
        return request.method === 'POST'
          ? this.enrollment.answer(request)
          : textAnswer(405, 'enrollment takes POST (RFC 6940 §11.3)\n', { Allow: 'POST' });
      default:
        if (request.path.startsWith(REVOCATION_LIST_PATHS)) {
          return this.document(request, () => this.authority.revocation.listAt(request.path));
        }
        if (this.component !== undefined && request.path.startsWith(CHALLENGE_PATHS)) {
          return this.component.answer(request);
        }
        return textAnswer(404, `there is nothing here; see ${CONFIGURATION_PATH}\n`);
    }
  }

  private async document(
    request: HttpRequest,
    find: () => HttpDocument | undefined,
  ): Promise<HttpAnswer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return textAnswer(405, 'this takes GET and HEAD\n', { Allow: 'GET, HEAD' });
    }
    // While the ledger is away, what was there before is better than nothing.
    const news = this.authority.state.synchronize(DOCUMENT_AGE_MS_MAX).catch(() => undefined);
    await Promise.race([news, wait(NEWS_MS_MAX, undefined, { ref: false })]);
    const document = find();
    if (document === undefined) return textAnswer(404, 'it is not there\n');
    return documentAnswer(document, request.headers, this.authority.state.nowUnixMs());
  }
}

function followerOf(
  followed: FollowedAuthorities | undefined,
  { configuration, state }: Authority,
  log: Log,
): ConfigurationFollower | undefined {
  if (followed === undefined || followed.urls.length === 0) return undefined;
  if (configuration !== undefined) {
    return new ConfigurationFollower(followed, state.settings.overlayName, configuration, log);
  }
  throw new AuthorityFailure(
    'the authority above this one has the configuration, so that there is nothing to follow',
  );
}

function publicUrlOf(
  options: StartAuthorityOptions,
  listening: SocketAddress,
  httpsNames: readonly string[],
): string {
  const { host: wanted } = options.listen;
  const host = httpsNames[0] ?? (isUnspecifiedHost(wanted) ? 'localhost' : wanted);
  return `https://${formatSocketAddress({ host, port: listening.port })}`;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** RFC 6940 §11.2. */
const CONFIGURATION_PATH = '/.well-known/reload-config';
const REVOCATION_LIST_PATHS = '/crl/';
/** For so long a process may show the lists and the configuration as they were. */
const DOCUMENT_AGE_MS_MAX = 1_000;
/** For so long the answer waits for the ledger. */
const NEWS_MS_MAX = 2_000;
const MAINTENANCE_MS = 10 * 60_000;
