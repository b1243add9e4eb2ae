import type { SecureContext, TLSSocket } from 'node:tls';
import type { ConnectId, LinkId } from '../../reload/input.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import type { NodeId } from '../../wire/node-id.ts';
import type { Clock } from '../host-clock.ts';
import type { Log } from '../log.ts';
import { fromIpAddressPort, type SocketAddress, toIpAddressPort } from '../socket-address.ts';
import { ThrottledWarning } from '../throttled-warning.ts';
import {
  authenticateLink,
  type LinkAuthentication,
  type LinkRefusal,
  type OpensslVerdict,
} from './link-authentication.ts';
import { connectLink } from './link-connector.ts';
import type { LinkCounters } from './link-counters.ts';
import { type LinkCredentials, linkSecureContext, linkTlsOptions } from './link-credentials.ts';
import type { LinkLimits } from './link-limits.ts';
import { LinkListener } from './link-listener.ts';
import { type LinkOwner, TlsOverlayLink } from './tls-overlay-link.ts';
import { type ListsInTransit, UndecidedLinks } from './undecided-links.ts';

export interface OverlayLinksOptions {
  readonly credentials: LinkCredentials;
  readonly rootCertificates: readonly Uint8Array[];
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Undefined: revocation is not looked at. */
  readonly revocation: ListsInTransit | undefined;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly counters: LinkCounters;
  readonly log: Log;
}

export interface OverlayLinksOwner extends LinkOwner {
  linkUp(link: TlsOverlayLink, connect: ConnectId | undefined): void;
  connectFailed(connect: ConnectId, reason: string): void;
}

/**
 * All TLS-TCP-FH-NO-ICE links of one peer, in both directions: below this line are sockets and
 * handshakes, above it links whose other end is authenticated.
 */
export class OverlayLinks {
  private readonly options: OverlayLinksOptions;
  private readonly owner: OverlayLinksOwner;
  private readonly warnings: ThrottledWarning;
  private readonly links = new Map<LinkId, TlsOverlayLink>();
  private readonly connecting = new Map<ConnectId, () => void>();
  private readonly undecided: UndecidedLinks;
  private readonly unflushed = new Set<TlsOverlayLink>();
  private readonly linkOwner: LinkOwner;
  private credentials: LinkCredentials;
  private rootCertificates: readonly Uint8Array[];
  private clientContext: SecureContext;
  private listener: LinkListener | undefined;
  private lastLinkId = 0;
  private flushing: NodeJS.Immediate | undefined;
  private closed = false;

  constructor(options: OverlayLinksOptions, owner: OverlayLinksOwner) {
    this.options = options;
    this.owner = owner;
    this.credentials = options.credentials;
    this.rootCertificates = options.rootCertificates;
    this.warnings = new ThrottledWarning(options.log, options.clock);
    this.undecided = new UndecidedLinks(options.limits, options.revocation);
    this.clientContext = linkSecureContext(this.credentials, this.rootCertificates);
    this.linkOwner = {
      linkData: (link, bytes) => {
        options.counters.bytesReceived += bytes.length;
        owner.linkData(link, bytes);
      },
      linkDown: (link, reason) => {
        this.links.delete(link);
        owner.linkDown(link, reason);
      },
    };
  }

  /** Accepts links at `address`. Rejects with the system's error, for example EADDRINUSE. */
  async listen(address: SocketAddress): Promise<SocketAddress> {
    const listener = new LinkListener(this.tlsOptions(), this.options.limits, {
      handshakeDone: (socket) => this.handshakeDone(socket),
      refused: (rule, detail, remoteAddress) => {
        this.options.counters.handshakesFailed += 1;
        this.refused({ rule, detail }, { direction: 'incoming', remoteAddress });
      },
    });
    const bound = await listener.listen(address);
    this.listener = listener;
    return bound;
  }

  /** Tries to connect; later the owner hears linkUp or connectFailed. */
  connect(connect: ConnectId, address: IpAddressPort, expectedNodeId: NodeId | undefined): void {
    const target = fromIpAddressPort(address);
    if (target === undefined || this.connecting.size >= this.options.limits.connectsMax) {
      const reason = target === undefined ? 'unknown kind of address' : 'connectsMax is reached';
      setImmediate(() => this.owner.connectFailed(connect, reason));
      return;
    }
    const giveUp = connectLink(target, this.clientContext, this.options.limits, {
      connected: (socket) => {
        this.connecting.delete(connect);
        this.connected(connect, socket, address, expectedNodeId);
      },
      failed: (reason) => {
        this.connecting.delete(connect);
        this.options.counters.connectsFailed += 1;
        this.owner.connectFailed(connect, reason);
      },
    });
    this.connecting.set(connect, giveUp);
  }

  /** Queues bytes for a link; those of one turn of the event loop leave in one write. */
  send(id: LinkId, bytes: Uint8Array): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.options.counters.bytesSent += bytes.length;
    link.send(bytes);
    this.unflushed.add(link);
    this.flushing ??= setImmediate(() => {
      this.flushing = undefined;
      for (const dirty of this.unflushed) dirty.flush();
      this.unflushed.clear();
    });
  }

  /** Closes a link after what was sent on it is flushed. */
  close(id: LinkId): void {
    const link = this.links.get(id);
    this.links.delete(id);
    link?.close();
  }

  /** New handshakes show this certificate, and OpenSSL judges by these roots. */
  replaceTls(credentials: LinkCredentials, rootCertificates: readonly Uint8Array[]): void {
    this.credentials = credentials;
    this.rootCertificates = rootCertificates;
    this.clientContext = linkSecureContext(credentials, rootCertificates);
    this.listener?.replaceTls(this.tlsOptions());
  }

  /** Closes every link, attempt and the listener. */
  async closeAll(): Promise<void> {
    this.closed = true;
    for (const giveUp of this.connecting.values()) giveUp();
    this.connecting.clear();
    this.undecided.closeAll();
    for (const id of [...this.links.keys()]) this.close(id);
    await this.listener?.close();
  }

  get linkCount(): number {
    return this.links.size;
  }

  get handshakeCount(): number {
    return this.listener?.handshakeCount ?? 0;
  }

  private handshakeDone(socket: TLSSocket): void {
    const remoteAddress = addressOf(socket);
    const decided = (link: TlsOverlayLink | LinkRefusal) => {
      if (link instanceof TlsOverlayLink) {
        this.options.counters.handshakesAccepted += 1;
        this.bringUp(link, undefined);
        return;
      }
      this.options.counters.handshakesFailed += 1;
      this.refused(link, { direction: 'incoming', remoteAddress: socket.remoteAddress });
    };
    if (remoteAddress === undefined) decided(CONNECTION_GONE);
    else this.authenticate(socket, remoteAddress, undefined, decided);
  }

  private connected(
    connect: ConnectId,
    socket: TLSSocket,
    address: IpAddressPort,
    expectedNodeId: NodeId | undefined,
  ): void {
    this.authenticate(socket, address, expectedNodeId, (link) => {
      if (link instanceof TlsOverlayLink) {
        this.options.counters.connectsSucceeded += 1;
        this.bringUp(link, connect);
        return;
      }
      this.options.counters.connectsFailed += 1;
      this.refused(link, { direction: 'outgoing', remoteAddress: socket.remoteAddress });
      this.owner.connectFailed(connect, `${link.rule}: ${link.detail}`);
    });
  }

  /** Hands on the link, not started yet; or why there is none, and then the socket is closed. */
  private authenticate(
    socket: TLSSocket,
    remoteAddress: IpAddressPort,
    expectedNodeId: NodeId | undefined,
    decided: (link: TlsOverlayLink | LinkRefusal) => void,
  ): void {
    const { authenticator, limits, clock } = this.options;
    const expected = expectedNodeId === undefined ? {} : { expectedNodeId };
    const judge = () => {
      const { unixMs } = clock.now();
      return authenticateLink(socket, { authenticator, limits, unixMs, ...expected });
    };
    this.undecided.judge(socket, judge, (result) =>
      decided(this.linkOf(socket, remoteAddress, result)),
    );
  }

  private linkOf(
    socket: TLSSocket,
    remoteAddress: IpAddressPort,
    result: LinkAuthentication,
  ): TlsOverlayLink | LinkRefusal {
    const { limits } = this.options;
    this.compare(result.ok, result.verdict);
    if (result.ok && !this.closed) {
      this.lastLinkId += 1;
      const identity = { id: this.lastLinkId, node: result.node, remoteAddress };
      return new TlsOverlayLink(identity, socket, limits, this.linkOwner);
    }
    socket.on('error', () => socket.destroy());
    socket.destroy();
    return result.ok ? CLOSING : result.refusal;
  }

  private bringUp(link: TlsOverlayLink, connect: ConnectId | undefined): void {
    this.links.set(link.id, link);
    link.start();
    this.owner.linkUp(link, connect);
  }

  private compare(accepted: boolean, verdict: OpensslVerdict): void {
    if (!verdict.differs) return;
    this.options.counters.opensslDiffers += 1;
    this.options.log.debug(
      { accepted, opensslReason: verdict.reason },
      'OpenSSL judges this certificate chain otherwise; the own verdict counts',
    );
  }

  private refused(refusal: LinkRefusal, fields: Record<string, unknown>): void {
    this.options.counters.refused(refusal.rule);
    this.warnings.warn(
      refusal.rule,
      { ...fields, detail: refusal.detail },
      `no link: the other end broke the rule ${refusal.rule}`,
    );
  }

  private tlsOptions() {
    return linkTlsOptions(this.credentials, this.rootCertificates);
  }
}

function addressOf(socket: TLSSocket): IpAddressPort | undefined {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return toIpAddressPort({ host: remoteAddress, port: remotePort });
}

const CONNECTION_GONE: LinkRefusal = {
  rule: 'connection-gone',
  detail: 'the other end closed the connection right after the handshake',
};
const CLOSING: LinkRefusal = { rule: 'closing', detail: 'this peer is shutting down' };
