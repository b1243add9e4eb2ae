import { randomBytes } from 'node:crypto';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import type { NodeId } from '../../wire/node-id.ts';
import type { AccountInput } from '../../xmpp/account/account-events.ts';
import {
  type CertificateCommand,
  type CertificateOutcome,
  refused,
} from '../../xmpp/client-certificates/certificate-command.ts';
import type { CertificatePolicy } from '../../xmpp/client-certificates/register-judge.ts';
import type { AttachOrder } from '../../xmpp/direct/address-rounds.ts';
import { XMPP_APPLICATION } from '../../xmpp/direct/direct-limits.ts';
import type { ScramCredential, XmppInput } from '../../xmpp/xmpp-input.ts';
import type { SentMessageOutcome, XmppOutput } from '../../xmpp/xmpp-output.ts';
import { type SignedStanzasOptions, XmppUsage } from '../../xmpp/xmpp-usage.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { Clock } from '../host-clock.ts';
import type { LinkCredentials } from '../links/link-credentials.ts';
import type { OverlayLinksOptions } from '../links/overlay-links.ts';
import type { Log } from '../log.ts';
import type { PeerCompanion, XmppListening } from '../peer-commands.ts';
import { PeerDriver } from '../peer-driver.ts';
import type { PeerHost } from '../peer-host.ts';
import { signerOf } from '../peer-identity.ts';
import type { SocketAddress } from '../socket-address.ts';
import { AccountConnections } from './account/account-connections.ts';
import { type OpenedAccount, peerCertificate } from './account/open-account.ts';
import { OwnIssuer } from './client-certificates/own-issuer.ts';
import { DirectLinks } from './direct/direct-links.ts';
import { logXmppEvent } from './xmpp-event-log.ts';
import { XmppStore } from './xmpp-store.ts';

/** The connections of the user's own clients, as the usage sees them. */
export interface ClientConnections {
  readonly listening: Pick<XmppListening, 'gateway' | 'gatewayWebSocket'>;
  send(connection: number, bytes: Uint8Array): void;
  startTls(connection: number): void;
  close(connection: number, reason: string): void;
  /** Closes everything after what was sent is flushed, a bounded time long. */
  closeAll(): Promise<void>;
}

export interface XmppHostOptions {
  readonly stateDirectory: string;
  /** Whose peer this is: the bare address that its certificate names. */
  readonly user: Jid;
  readonly nodeId: NodeId;
  readonly credentials: LinkCredentials;
  readonly rootCertificates: readonly Uint8Array[];
  /** The Peer's own. */
  readonly authenticator: Authenticator;
  readonly revocation: OverlayLinksOptions['revocation'];
  /** Where other devices connect; port 0 lets the system choose. */
  readonly listen: SocketAddress;
  /** From the address in use, what others are told to connect to. */
  readonly advertised: (bound: SocketAddress) => readonly IpAddressPort[];
  readonly credential: ScramCredential | undefined;
  /** Which certificates let clients in beside those of the overlay. Default: all registered. */
  readonly certificatePolicy?: CertificatePolicy;
  /** The user's account at an ordinary server; absent: none. */
  readonly account?: OpenedAccount;
  readonly attachOrder?: AttachOrder;
  /** Listens for the user's clients; absent: none can log in. */
  readonly openClients?: (deliver: (input: XmppInput) => void) => Promise<ClientConnections>;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * An XmppUsage with sockets, a disk and a clock around it, beside a PeerHost: the Peer carries out
 * its commands, and what the Peer tells becomes its inputs.
 */
export class XmppHost implements PeerCompanion {
  private readonly options: XmppHostOptions;
  private readonly links: DirectLinks;
  private readonly store: XmppStore;
  private bound: SocketAddress;
  private clients: ClientConnections | undefined;
  private credentials: LinkCredentials;
  private account: AccountConnections | undefined;
  private driver: PeerDriver<XmppInput, XmppOutput> | undefined;
  private peer: PeerHost | undefined;
  private closing: Promise<void> | undefined;
  private lastMessage = 0;
  private readonly sent = new Map<number, (outcome: SentMessageOutcome) => void>();
  private readonly issuer: OwnIssuer;
  private lastManagement = 0;
  private readonly managed = new Map<number, (outcome: CertificateOutcome) => void>();
  private stopped: () => void = () => undefined;

  /** Opens the store and listens for devices; nothing runs before `begin`. */
  static async open(options: XmppHostOptions): Promise<XmppHost> {
    let host: XmppHost | undefined;
    const deliver = (input: XmppInput) => host?.driver?.deliver(input);
    const store = await XmppStore.open(
      options.stateDirectory,
      {
        persisted: (ticket) => deliver({ type: 'persisted', ticket }),
        persistFailed: (ticket, reason) => {
          options.log.error({ reason }, 'the store of messages cannot be written');
          deliver({ type: 'persistFailed', ticket, reason });
        },
      },
      (damage) =>
        options.log.error(damage, 'the store of messages was damaged, and an empty one was made'),
    );
    const links = new DirectLinks(options, deliver);
    host = new XmppHost(options, links, store);
    try {
      host.bound = await links.listen(options.listen);
      return host;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  private constructor(options: XmppHostOptions, links: DirectLinks, store: XmppStore) {
    this.options = options;
    this.links = links;
    this.store = store;
    this.bound = options.listen;
    this.credentials = options.credentials;
    this.issuer = new OwnIssuer(options);
  }

  get listening(): XmppListening {
    return { direct: this.bound, ...this.clients?.listening };
  }

  /** For the Peer: where the application of direct streams is reached. */
  get applications(): ReadonlyMap<number, readonly IpAddressPort[]> {
    return new Map([[XMPP_APPLICATION, this.options.advertised(this.bound)]]);
  }

  /** Runs beside this peer from now on, and ends with it. Rejects when clients cannot be served. */
  async begin(peer: PeerHost): Promise<void> {
    const { options } = this;
    this.peer = peer;
    const usage = new XmppUsage({
      ...options,
      account: options.account?.own,
      signedStanzas: this.signedStanzas(),
      random: systemRandom,
      records: this.store.records(),
    });
    const driver = new PeerDriver<XmppInput, XmppOutput>(usage, options.clock, (output) =>
      this.perform(output),
    );
    this.driver = driver;
    this.account = this.accountConnections((input) => driver.deliver({ type: 'account', input }));
    peer.accompany(this);
    driver.deliver({ type: 'start' });
    this.tellOwnCertificate(options.credentials);
    this.clients = await options.openClients?.((input) => driver.deliver(input));
    peer.on('event', (event) => {
      if (event.type === 'stateChanged') {
        driver.deliver({ type: 'overlay', joined: event.state === 'joined' });
      } else if (event.type === 'appAttachRequested' && event.application === XMPP_APPLICATION) {
        const { nodeId, addresses } = event;
        driver.deliver({ type: 'appAttachRequested', nodeId, addresses });
      }
    });
    peer.on('trustChanged', () => driver.deliver({ type: 'trustChanged' }));
    peer.on('tlsReplaced', (credentials, roots) => {
      this.links.replaceTls(credentials, roots);
      this.credentials = credentials;
      this.tellOwnCertificate(credentials);
    });
    if (peer.status().state === 'joined') driver.deliver({ type: 'overlay', joined: true });
  }

  /** The local password was set anew. */
  passwordChanged(credential: ScramCredential): void {
    this.driver?.deliver({ type: 'passwordChanged', credential });
  }

  /** Sends a text in the user's name; resolves when a device has acknowledged it, or none will. */
  sendMessage(to: string, text: string): Promise<SentMessageOutcome> {
    const { driver } = this;
    if (driver === undefined || this.closing !== undefined) {
      const reason = 'the peer is stopping';
      return Promise.resolve({ type: 'refused', condition: 'service-unavailable', reason });
    }
    const message = ++this.lastMessage;
    return new Promise((resolve) => {
      this.sent.set(message, resolve);
      driver.deliver({ type: 'sendMessage', message, to, text });
    });
  }

  /** Carries out a command for the user's client certificates. */
  manageCertificates(what: CertificateCommand): Promise<CertificateOutcome> {
    const { driver } = this;
    if (driver === undefined || this.closing !== undefined) {
      return Promise.resolve(refused('service-unavailable', 'the peer is stopping'));
    }
    const management = ++this.lastManagement;
    return new Promise((resolve) => {
      this.managed.set(management, resolve);
      driver.deliver({ type: 'manageCertificates', management, what });
    });
  }

  /** Ends every stream properly. */
  async leave(): Promise<void> {
    if (this.driver === undefined || this.closing !== undefined) return;
    const stopped = new Promise<void>((resolve) => {
      this.stopped = resolve;
    });
    this.driver.deliver({ type: 'leave' });
    await stopped;
    await this.close();
  }

  /** Closes everything; what was to be written is. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.driver?.stop();
    this.account?.close();
    await Promise.all([this.clients?.closeAll(), this.links.closeAll()]);
    await this.store.close();
    const stopped = refused('service-unavailable', 'the peer has stopped');
    for (const resolve of this.managed.values()) resolve(stopped);
  }

  private perform(output: XmppOutput): void {
    switch (output.type) {
      case 'clientSend':
        this.clients?.send(output.connection, output.bytes);
        return;
      case 'clientStartTls':
        this.clients?.startTls(output.connection);
        return;
      case 'clientClose':
        this.clients?.close(output.connection, output.reason);
        return;
      case 'directConnect':
        this.links.connect(output.attempt, output.target.address, output.target.expectedNodeId);
        return;
      case 'directSend':
        this.links.send(output.link, output.bytes);
        return;
      case 'directClose':
        this.options.log.debug({ reason: output.reason }, 'closing a direct connection');
        this.links.close(output.link);
        return;
      case 'account':
        this.account?.perform(output.output);
        return;
      case 'command':
        this.runCommand(output);
        return;
      case 'persist':
        this.store.write(output.ticket, output.records);
        return;
      case 'messageOutcome':
        this.sent.get(output.message)?.(output.outcome);
        this.sent.delete(output.message);
        return;
      case 'certificatesManaged':
        this.managed.get(output.management)?.(output.outcome);
        this.managed.delete(output.management);
        return;
      case 'issueCertificate':
        this.issueCertificate(output);
        return;
      case 'event':
        logXmppEvent(this.options.log, output.event);
        return;
      case 'stopped':
        this.stopped();
    }
  }

  private issueCertificate({
    request,
    signingRequest,
  }: Extract<XmppOutput, { type: 'issueCertificate' }>): void {
    void this.issuer.issue(signingRequest).then((outcome) => {
      this.driver?.deliver({ type: 'certificateIssued', request, outcome });
    });
  }

  /** With the certificate in force: it may be renewed while the peer runs. */
  private signedStanzas(): SignedStanzasOptions | undefined {
    const { account, authenticator, clock, log } = this.options;
    if (account === undefined) return undefined;
    let { credentials } = this;
    let signer = signerOf(credentials, authenticator, clock.now().unixMs);
    return {
      policy: account.signedStanzas ?? 'prefer',
      signer: () => {
        if (credentials === this.credentials) return signer;
        ({ credentials } = this);
        try {
          signer = signerOf(credentials, authenticator, clock.now().unixMs);
        } catch (error) {
          log.warn({ reason: String(error) }, 'stanzas are signed with the former certificate');
        }
        return signer;
      },
    };
  }

  /** The server of the account is shown the certificate that is in force then. */
  private accountConnections(deliver: (input: AccountInput) => void) {
    const { account } = this.options;
    if (account === undefined) return undefined;
    const certificate = () => peerCertificate(this.credentials);
    return new AccountConnections(account.place, certificate, deliver);
  }

  /** Clients may log in with the peer's own certificate, too: it is in the list. */
  private tellOwnCertificate({ chain: [certificate, ...above] }: LinkCredentials): void {
    if (certificate === undefined) return;
    this.driver?.deliver({ type: 'ownCertificate', certificate, above });
  }

  private runCommand({ command, what }: Extract<XmppOutput, { type: 'command' }>): void {
    void this.peer?.execute(what).then((outcome) => {
      this.driver?.deliver({ type: 'commandCompleted', command, outcome });
    });
  }
}

const systemRandom = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
