import type { RandomSource } from '../reload/peer-options.ts';
import type { Now } from '../storage/now.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import type { Signer } from '../tls-auth/signer.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { Jid } from '../xmpp-address/jid.ts';
import type { AccountLink } from './account/account-link.ts';
import { accountLink, type OwnAccount } from './account/own-account.ts';
import { PLAIN_SERVER_PATH, type ServerPathHooks } from './account/server-path-hooks.ts';
import { CERTIFICATE_PREFIX } from './client-certificates/certificate-records.ts';
import { ClientCertificates } from './client-certificates/client-certificates.ts';
import { OverlayCertificates } from './client-certificates/overlay-certificates.ts';
import { registerPasswordChange } from './client-certificates/password-change.ts';
import type { CertificatePolicy } from './client-certificates/register-judge.ts';
import { registerSaslcert } from './client-certificates/saslcert.ts';
import { registerSelfManagement } from './client-certificates/self-management.ts';
import type { ClientLimits } from './client-session/client-limits.ts';
import { ClientSessions } from './client-session/client-sessions.ts';
import type { LocalSessionsListener } from './client-session/local-sessions.ts';
import type { AttachOrder } from './direct/address-rounds.ts';
import type { DirectLimits } from './direct/direct-limits.ts';
import { DirectStreamManager } from './direct/direct-stream-manager.ts';
import type { DirectStreamsListener } from './direct/direct-streams.ts';
import type { RoutingExtension } from './routing/routing-extension.ts';
import type { StoredRecord } from './routing/routing-records.ts';
import { StanzaRouter } from './routing/stanza-router.ts';
import { type ClientCertificateJudge, judgeByOverlay } from './sasl/client-certificate.ts';
import { SignedServerPath } from './signed-stanzas/signed-server-path.ts';
import type { SignedStanzaPolicy } from './signed-stanzas/signed-stanzas.ts';
import { registerAuthorityList } from './x509/authority-list-service.ts';
import { OwnCertificateEvent } from './x509/own-certificate-event.ts';
import { XmppEnvironment } from './xmpp-environment.ts';
import type { ScramCredential, XmppInput } from './xmpp-input.ts';
import type { XmppOutput } from './xmpp-output.ts';

export interface XmppUsageOptions {
  /** Whose peer this is: a bare address, that of the own certificate. */
  readonly user: Jid;
  readonly nodeId: NodeId;
  /** The Peer's own: it holds the trust settings of the configuration in force. */
  readonly authenticator: Authenticator;
  readonly random: RandomSource;
  /** What a former run left in the store. */
  readonly records: Iterable<StoredRecord>;
  /** Of the local password; undefined: none is set. */
  readonly credential: ScramCredential | undefined;
  /** Who is in the overlay by a certificate. Default: by its roots, with this user's XmppAddr. */
  readonly judgeClientCertificate?: ClientCertificateJudge;
  /** Which other certificates let a client in. Default: all that the user registered. */
  readonly certificatePolicy?: CertificatePolicy;
  /** The user's own account at an ordinary server; absent: none. */
  readonly account?: OwnAccount | undefined;
  /** Signatures on what goes over it. Absent: nothing is signed or checked. */
  readonly signedStanzas?: SignedStanzasOptions | undefined;
  /** What is done to messages that go over it, instead of signing and checking them. */
  readonly serverPathHooks?: ServerPathHooks;
  readonly attachOrder?: AttachOrder;
  readonly clientLimits?: Partial<ClientLimits>;
  readonly directLimits?: Partial<DirectLimits>;
}

/** How what goes over the account's server is signed and checked (XEP-0285). */
export interface SignedStanzasOptions {
  readonly policy: SignedStanzaPolicy;
  /** Of the certificate in force. */
  readonly signer: () => Signer;
}

/**
 * XMPP over the overlay (XEP-0415) for the clients of one user, as a synchronous core: inputs go
 * in, outputs come out, and nothing else drives it. The user's clients on the one side, devices of
 * the overlay on the other, the routing of stanzas between.
 */
export class XmppUsage {
  private readonly env: XmppEnvironment;
  private readonly certificates: ClientCertificates;
  private readonly overlayCertificates: OverlayCertificates;
  private readonly clients: ClientSessions;
  private readonly streams: DirectStreamManager;
  private readonly account: AccountLink | undefined;
  private readonly signed: SignedServerPath | undefined;
  private readonly router: StanzaRouter;
  private ownCertificate: OwnCertificateEvent | undefined;
  private hasStopped = false;

  constructor(options: XmppUsageOptions) {
    const { user, nodeId, authenticator } = options;
    this.env = new XmppEnvironment(options.random);
    const { certificates, others } = sorted(options.records);
    this.certificates = new ClientCertificates({
      environment: this.env,
      user,
      policy: options.certificatePolicy ?? 'registered',
      judgeByOverlay: options.judgeClientCertificate ?? judgeByOverlay(authenticator, user.bare),
      records: certificates,
      sessions: () => this.clients,
    });
    this.overlayCertificates = new OverlayCertificates(this.env, user.bare, (der) =>
      this.certificates.overlayCertificate(der),
    );
    this.clients = new ClientSessions(
      this.env,
      {
        user,
        credential: options.credential,
        judgeClientCertificate: this.certificates.judge,
        certificateUsed: (shown) => this.certificates.used(shown),
        ...(options.clientLimits === undefined ? {} : { limits: options.clientLimits }),
      },
      this.clientReactions(),
    );
    this.streams = new DirectStreamManager(
      this.env,
      {
        ownNodeId: nodeId,
        ownUser: user.bare,
        authenticator,
        ...(options.attachOrder === undefined ? {} : { attachOrder: options.attachOrder }),
        ...(options.directLimits === undefined ? {} : { limits: options.directLimits }),
      },
      this.deviceReactions(),
    );
    const { account } = options;
    this.signed = this.signedServerPath(options, others);
    const hooks = options.serverPathHooks ?? this.signed ?? PLAIN_SERVER_PATH;
    this.account = account && accountLink(this.env, user, account, () => this.router.serverPath);
    this.router = new StanzaRouter({
      environment: this.env,
      user: user.bare,
      nodeId,
      sessions: this.clients,
      streams: this.streams,
      records: others,
      beside: this.account && account && { server: this.account, primary: account.primary, hooks },
      extensions: [this.certificateFeatures(), this.certificateEvents(authenticator)],
    });
  }

  /** One thing has happened; returns all that the world must do now, in order. */
  handle(input: XmppInput, now: Now): XmppOutput[] {
    this.env.now = now;
    if (this.hasStopped) return [];
    this.take(input);
    this.env.runDueDeadlines();
    const outputs = this.env.takeOutputs();
    if (!this.hasStopped) return outputs;
    return [...outputs, { type: 'stopped' }];
  }

  /** When it wants a `tick`, in monotonic ms. */
  nextDeadline(): number | undefined {
    return this.hasStopped ? undefined : this.env.nextDeadline();
  }

  private take(input: XmppInput): void {
    switch (input.type) {
      case 'start':
        this.router.start();
        this.certificates.start();
        this.signed?.start();
        this.streams.start();
        this.account?.start();
        return;
      case 'clientConnected':
      case 'clientTls':
      case 'clientData':
      case 'clientDrained':
      case 'clientClosed':
        this.takeFromClient(input);
        return;
      case 'sendMessage':
        this.router.sendMessage(input.message, input.to, input.text);
        return;
      case 'manageCertificates':
      case 'certificateIssued':
      case 'ownCertificate':
        this.takeForCertificates(input);
        return;
      case 'overlay':
        this.overlayCertificates.overlay(input.joined);
        this.streams.handle(input);
        return;
      case 'passwordChanged':
        this.clients.passwordChanged(input.credential);
        return;
      case 'trustChanged':
        this.clients.trustChanged();
        this.streams.handle(input);
        return;
      case 'account':
        if (input.input.event === 'data') this.signed?.serverHeard();
        this.account?.handle(input.input);
        return;
      case 'commandCompleted':
        this.env.commandCompleted(input.command, input.outcome);
        return;
      case 'persisted':
        this.env.persisted(input.ticket);
        return;
      case 'persistFailed':
        this.env.persistFailed(input.ticket, input.reason);
        return;
      case 'leave':
        this.clients.leave();
        this.streams.stop();
        this.account?.stop();
        this.hasStopped = true;
        return;
      case 'tick':
        return;
      default:
        this.streams.handle(input);
    }
  }

  private takeFromClient(input: ClientInput): void {
    switch (input.type) {
      case 'clientConnected':
        return this.clients.connected(input.connection, input.transport, input.tls, input.address);
      case 'clientTls':
        return this.clients.tlsUp(input.connection, input.tls);
      case 'clientData':
        return this.clients.received(input.connection, input.bytes);
      case 'clientDrained':
        return this.clients.drained(input.connection, input.pendingBytes);
      case 'clientClosed':
        return this.clients.closed(input.connection, input.reason);
    }
  }

  private takeForCertificates(input: CertificateInput): void {
    switch (input.type) {
      case 'manageCertificates': {
        const { management, what } = input;
        return this.certificates.perform(what, undefined, (outcome) =>
          this.env.output({ type: 'certificatesManaged', management, outcome }),
        );
      }
      case 'certificateIssued':
        return this.certificates.issued(input.request, input.outcome);
      case 'ownCertificate':
        this.certificates.overlayCertificate(input.certificate);
        this.ownCertificate?.publish([input.certificate, ...(input.above ?? [])]);
    }
  }

  private signedServerPath(
    { account, authenticator, signedStanzas, user }: XmppUsageOptions,
    records: Iterable<StoredRecord>,
  ): SignedServerPath | undefined {
    if (account === undefined || signedStanzas === undefined) return undefined;
    return new SignedServerPath({
      environment: this.env,
      own: user,
      authenticator,
      ...signedStanzas,
      records,
      server: () => this.account,
      writes: () => this.router.writes,
    });
  }

  private certificateFeatures(): RoutingExtension {
    return (registry, context) => {
      this.certificates.routing = context;
      registerSaslcert(registry, this.certificates);
      registerSelfManagement(registry, this.certificates);
      registerPasswordChange(registry, () => this.clients);
    };
  }

  /** XEP-0417: whom the user's clients may ask for certificates, and the peer's own one for all. */
  private certificateEvents(authenticator: Authenticator): RoutingExtension {
    return (registry, context) => {
      this.ownCertificate = new OwnCertificateEvent(context, authenticator);
      registerAuthorityList(registry, () => authenticator.trustSettings.rootCertificates);
    };
  }

  private clientReactions(): LocalSessionsListener {
    return {
      sessionBinding: (session, wanted) => this.router.sessionBinding(session, wanted),
      stanzaFromSession: (session, stanza) => this.router.stanzaFromSession(session, stanza),
      sessionEnded: (session, undelivered) => this.router.sessionEnded(session, undelivered),
    };
  }

  private deviceReactions(): DirectStreamsListener {
    return {
      deviceConnected: (device) => this.router.deviceConnected(device),
      deviceLost: (device) => this.router.deviceLost(device),
      delivered: (device, tags) => this.router.delivered(device, tags),
      undelivered: (device, tags) => this.router.undelivered(device, tags),
      stanzaFromDevice: (device, stanza) => this.router.stanzaFromDevice(device, stanza),
      addressTried: (address, found, connected, reason) =>
        this.router.addressTried(address, found, connected, reason),
    };
  }
}

type ClientInput = Extract<
  XmppInput,
  { type: 'clientConnected' | 'clientTls' | 'clientData' | 'clientDrained' | 'clientClosed' }
>;

type CertificateInput = Extract<
  XmppInput,
  { type: 'manageCertificates' | 'certificateIssued' | 'ownCertificate' }
>;

/** Records of client certificates are read first: they say who may log in. */
function sorted(records: Iterable<StoredRecord>) {
  const certificates: StoredRecord[] = [];
  const others: StoredRecord[] = [];
  for (const record of records) {
    (record.key.startsWith(CERTIFICATE_PREFIX) ? certificates : others).push(record);
  }
  return { certificates, others };
}
