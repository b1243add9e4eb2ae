import { randomBytes } from 'node:crypto';
import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { Command, CommandOutcome } from '../reload/command.ts';
import type { CommandId, Input, KnownPeer } from '../reload/input.ts';
import type { Output } from '../reload/output.ts';
import { Peer } from '../reload/peer.ts';
import type { PeerEvent } from '../reload/peer-event.ts';
import type { PeerOptions, PeerStatus, RandomSource } from '../reload/peer-options.ts';
import type { ValueSummary } from '../storage/store-result.ts';
import type { Signer } from '../tls-auth/signer.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type {
  CertificateCommand,
  CertificateOutcome,
} from '../xmpp/client-certificates/certificate-command.ts';
import type { SentMessageOutcome } from '../xmpp/xmpp-output.ts';
import { CommandError } from './command-error.ts';
import { ConfigurationWatch } from './configuration/configuration-watch.ts';
import type { ConfigurationServer } from './configuration/followed-configuration.ts';
import { logEvent } from './event-log.ts';
import { type Clock, hostClock } from './host-clock.ts';
import { joinedReadiness } from './http-api/readiness.ts';
import { LinkCounters } from './links/link-counters.ts';
import type { LinkCredentials } from './links/link-credentials.ts';
import { defaultLinkLimits, type LinkLimits } from './links/link-limits.ts';
import { OverlayLinks, type OverlayLinksOwner } from './links/overlay-links.ts';
import type { Log } from './log.ts';
import { PeerCommands, type PeerCompanion, type XmppListening } from './peer-commands.ts';
import { PeerDriver } from './peer-driver.ts';
import type { RenewalStatus } from './renewal/renewal-status.ts';
import type { RevocationReport, RevocationService } from './revocation/revocation-service.ts';
import type { SocketAddress } from './socket-address.ts';
import { type DurableWrite, PersistQueue } from './state/persist-queue.ts';

export interface PeerHostOptions
  extends Omit<PeerOptions, 'random' | 'addresses' | 'publishLocation'> {
  readonly credentials: LinkCredentials;
  readonly listen: SocketAddress;
  /** From the address in use, what others are told to connect to. */
  readonly advertised: (bound: SocketAddress) => readonly IpAddressPort[];
  /** Tried first to join: those remembered, then the bootstrap nodes. */
  readonly knownPeers: readonly KnownPeer[];
  readonly write: DurableWrite;
  readonly rememberPeers: (peers: readonly KnownPeer[]) => void;
  readonly configurationAdopted: (configuration: VerifiedConfiguration) => void;
  /** Absent: the program brings newer configurations itself. */
  readonly configurationServer?: ConfigurationServer;
  /** Absent: revocation is not looked at. */
  readonly revocation?: Pick<RevocationService, 'report' | 'settled'>;
  /** Absent: the program renews the certificate itself. */
  readonly renewal?: { readonly status: RenewalStatus };
  /** Releases files and locks; the last thing that `close()` does. */
  readonly release: () => Promise<void>;
  readonly log: Log;
  readonly clock?: Clock;
  readonly linkLimits?: Partial<LinkLimits>;
}

/**
 * A Peer with sockets, a disk and a clock around it: it turns outputs into effects, and gives
 * applications promises. Each promise of a command rejects with a CommandError.
 */
export class PeerHost extends PeerCommands {
  readonly nodeId: NodeId;
  readonly userName: string;
  readonly counters = new LinkCounters();
  readonly configurationWatch: ConfigurationWatch;
  private readonly options: PeerHostOptions;
  private readonly links: OverlayLinks;
  private readonly persistence: PersistQueue;
  private readonly pending = new Map<CommandId, (outcome: CommandOutcome) => void>();
  private readonly clock: Clock;
  private peer: Peer | undefined;
  private driver: PeerDriver<Input, Output> | undefined;
  private bound: SocketAddress;
  private configuration: VerifiedConfiguration;
  private credentials: LinkCredentials;
  private lastCommandId = 0;
  private companion: PeerCompanion | undefined;
  private stopReason: string | undefined;
  private closing: Promise<void> | undefined;

  /** Listens and begins to join. Rejects when the address cannot be listened at. */
  static async start(options: PeerHostOptions): Promise<PeerHost> {
    const host = new PeerHost(options);
    await host.open();
    return host;
  }

  private constructor(options: PeerHostOptions) {
    super();
    this.options = options;
    this.nodeId = options.signer.nodeId;
    this.userName = options.signer.node.userName;
    this.clock = options.clock ?? hostClock;
    this.bound = options.listen;
    this.configuration = options.configuration;
    this.credentials = options.credentials;
    const { credentials, authenticator, log, revocation } = options;
    this.configurationWatch = new ConfigurationWatch(options.configurationServer, log, this.clock);
    this.links = new OverlayLinks(
      {
        credentials,
        authenticator,
        revocation,
        log,
        rootCertificates: options.configuration.rootCertificates,
        limits: { ...defaultLinkLimits, ...options.linkLimits },
        clock: this.clock,
        counters: this.counters,
      },
      this.linkInputs(),
    );
    this.persistence = new PersistQueue(options.write, {
      persisted: (ticket) => this.driver?.deliver({ type: 'persisted', ticket }),
      persistFailed: (ticket, reason) => {
        log.error({ reason }, 'the store file cannot be written');
        this.driver?.deliver({ type: 'persistFailed', ticket, reason });
      },
    });
  }

  /** Where this peer listens; the port is the one in use. */
  get listenAddress(): SocketAddress {
    return this.bound;
  }

  /** The configuration in force. */
  get overlayConfiguration(): VerifiedConfiguration {
    return this.configuration;
  }

  get connectionCounts(): { readonly links: number; readonly handshakes: number } {
    return { links: this.links.linkCount, handshakes: this.links.handshakeCount };
  }

  /** What is known of revocation lists; undefined: revocation is not looked at. */
  get revocation(): RevocationReport | undefined {
    return this.options.revocation?.report();
  }

  /** How renewing the own certificate goes; undefined: the program does it itself. */
  get renewal(): RenewalStatus | undefined {
    return this.options.renewal?.status;
  }

  status(): PeerStatus {
    if (this.peer === undefined) throw new Error('the peer is not open');
    return this.peer.status();
  }

  /** What this peer stores for the overlay. */
  values(): ValueSummary[] {
    return this.options.store.summary();
  }

  /**
   * Resolves when this peer is in the overlay and its certificate is stored. Rejects with a
   * CommandError `stopped` when it stops before, or with the signal's reason.
   */
  whenJoined(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.stopReason !== undefined) fail(stopped(this.stopReason));
        else if (joinedReadiness(this.status()).ready) finish(resolve);
      };
      const finish = (then: () => void) => {
        this.off('event', check);
        this.off('stopped', check);
        signal?.removeEventListener('abort', abort);
        then();
      };
      const fail = (reason: unknown) => finish(() => reject(reason));
      const abort = () => fail(signal?.reason);
      this.on('event', check);
      this.on('stopped', check);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
      else check();
    });
  }

  override execute(command: Command): Promise<CommandOutcome> {
    const { driver } = this;
    if (driver === undefined || this.stopReason !== undefined) {
      const detail = `the peer has stopped: ${this.stopReason ?? 'not open'}`;
      return Promise.resolve({ ok: false, failure: { code: 'stopped', detail } });
    }
    const id = ++this.lastCommandId;
    return new Promise((resolve) => {
      this.pending.set(id, resolve);
      driver.deliver({ type: 'command', id, command });
    });
  }

  /** What lives and ends with this peer. */
  accompany(companion: PeerCompanion): void {
    this.companion = companion;
  }

  /** Where the XMPP usage listens; undefined: there is none. */
  get xmppListening(): XmppListening | undefined {
    return this.companion?.listening;
  }

  /** Sends a text to another user; undefined: there is no XMPP usage to do it. */
  sendMessage(to: string, text: string): Promise<SentMessageOutcome> | undefined {
    return this.companion?.sendMessage(to, text);
  }

  /** Lists or changes the user's client certificates; undefined: there is no XMPP usage. */
  manageCertificates(what: CertificateCommand): Promise<CertificateOutcome> | undefined {
    return this.companion?.manageCertificates(what);
  }

  /** A newer configuration, verified outside, comes into force. */
  adoptConfiguration(configuration: VerifiedConfiguration): void {
    this.driver?.deliver({ type: 'configuration', configuration });
  }

  /** Who is trusted changed: every authenticated node is asked again. */
  trustChanged(): void {
    this.driver?.deliver({ type: 'trustChanged' });
    this.emit('trustChanged');
  }

  /** Goes on with a renewed certificate that is on disk: links show it, the Peer signs with it. */
  replaceIdentity(signer: Signer, credentials: LinkCredentials): void {
    this.credentials = credentials;
    this.links.replaceTls(credentials, this.configuration.rootCertificates);
    this.driver?.deliver({ type: 'renewed', signer });
    this.emit('tlsReplaced', credentials, this.configuration.rootCertificates);
  }

  /** Hands over, tells the neighbours, then closes everything. Never rejects. */
  async leave(reason = 'left the overlay'): Promise<void> {
    if (this.stopReason === undefined) {
      await this.companion?.leave();
      try {
        await this.run({ type: 'leave' }, 'left');
      } catch (error) {
        this.options.log.warn({ reason: String(error) }, 'left without the neighbours knowing');
      }
    }
    await this.close(reason);
  }

  /** Closes at once, as a crash would but with flushed files. */
  close(reason = 'closed'): Promise<void> {
    this.closing ??= this.shutDown(reason);
    return this.closing;
  }

  private async open(): Promise<void> {
    const { options } = this;
    this.bound = await this.links.listen(options.listen);
    const peer = new Peer({
      ...options,
      random: systemRandom,
      addresses: options.advertised(this.bound),
      publishLocation: options.signer.node.xmppAddr !== undefined,
    });
    this.peer = peer;
    this.driver = new PeerDriver(peer, this.clock, (output) => this.perform(output));
    this.driver.deliver({ type: 'start', knownPeers: options.knownPeers });
  }

  private linkInputs(): OverlayLinksOwner {
    return {
      linkUp: (link, connect) =>
        this.driver?.deliver({
          type: 'linkUp',
          link: link.id,
          node: link.node,
          remoteAddress: link.remoteAddress,
          ...(connect === undefined ? {} : { connect }),
        }),
      linkData: (link, bytes) => this.driver?.deliver({ type: 'linkData', link, bytes }),
      linkDown: (link, reason) => this.driver?.deliver({ type: 'linkDown', link, reason }),
      connectFailed: (connect, reason) =>
        this.driver?.deliver({ type: 'connectFailed', connect, reason }),
    };
  }

  private perform(output: Output): void {
    switch (output.type) {
      case 'send':
        this.links.send(output.link, output.bytes);
        return;
      case 'persist':
        this.persistence.add(output.ticket, output.records);
        return;
      case 'connect':
        this.links.connect(output.connect, output.address, output.expectedNodeId);
        return;
      case 'close':
        this.options.log.debug({ link: output.link, reason: output.reason }, 'closing a link');
        this.links.close(output.link);
        return;
      case 'completed':
        this.pending.get(output.id)?.(output.outcome);
        this.pending.delete(output.id);
        return;
      case 'event':
        this.tell(output.event);
        return;
      case 'rememberPeers':
        this.options.rememberPeers(output.peers);
        return;
      case 'configurationAdopted':
        this.adopted(output.configuration);
        return;
      case 'stopped':
        void this.close(output.reason);
    }
  }

  private adopted(configuration: VerifiedConfiguration): void {
    this.configuration = configuration;
    this.links.replaceTls(this.credentials, configuration.rootCertificates);
    this.options.log.info({ sequence: configuration.sequence }, 'a new configuration is in force');
    this.options.configurationAdopted(configuration);
    this.emit('tlsReplaced', this.credentials, configuration.rootCertificates);
    this.emit('trustChanged');
  }

  private tell(event: PeerEvent): void {
    if (event.type === 'configurationRefused') this.configurationWatch.noteRefusal(event.reason);
    else logEvent(this.options.log, event);
    this.emit('event', event);
  }

  private async shutDown(reason: string): Promise<void> {
    this.stopReason = reason;
    this.driver?.stop();
    for (const settle of this.pending.values()) {
      settle({ ok: false, failure: { code: 'stopped', detail: reason } });
    }
    this.pending.clear();
    this.emit('stopped', reason);
    await this.companion?.close();
    await this.links.closeAll();
    await this.persistence.settled();
    await this.options.release();
  }
}

function stopped(reason: string): CommandError {
  return new CommandError({ code: 'stopped', detail: `the peer has stopped: ${reason}` });
}

const systemRandom: RandomSource = { bytes: (length) => new Uint8Array(randomBytes(length)) };
