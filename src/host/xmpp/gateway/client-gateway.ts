import type { ConnectionId, XmppInput } from '../../../xmpp/xmpp-input.ts';
import type { Clock } from '../../host-clock.ts';
import type { Log } from '../../log.ts';
import { ReleaseStack } from '../../release-stack.ts';
import type { SocketAddress } from '../../socket-address.ts';
import type { ClientConnections } from '../xmpp-host.ts';
import type { ClientSocket, ClientSocketOwner } from './client-socket.ts';
import { type GatewayCertificate, gatewayCertificate } from './gateway-certificate.ts';
import { GATEWAY_CERTIFICATE_CHECK_MS } from './gateway-limits.ts';
import { PasswordFile } from './password-file.ts';
import { TcpGateway } from './tcp-gateway.ts';
import { WebSocketGateway } from './web-socket-gateway.ts';

export interface ClientGatewayOptions {
  /** Holds `gateway.pem`, its key, and the local password. */
  readonly stateDirectory: string;
  /** The user's domain, prepared: whom the certificate is for. */
  readonly domain: string;
  /** For STARTTLS and direct TLS; absent: not. Port 0 lets the system choose. */
  readonly gateway?: SocketAddress | undefined;
  /** For WebSockets; absent: not. */
  readonly gatewayWebSocket?: SocketAddress | undefined;
  /** Web pages from these origins may connect, such as `https://chat.example`. Default: none. */
  readonly origins?: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Where the user's own clients connect: sockets and TLS around the client sessions of the usage.
 * Inputs are clientConnected, clientTls, clientData, clientDrained, clientClosed, and
 * passwordChanged whenever a client comes and another password was set.
 */
export class ClientGateway implements ClientConnections, ClientSocketOwner {
  readonly listening: { gateway?: SocketAddress; gatewayWebSocket?: SocketAddress } = {};
  private readonly options: ClientGatewayOptions;
  private readonly inputs: (input: XmppInput) => void;
  private readonly passwords: PasswordFile;
  private readonly sockets = new Map<ConnectionId, ClientSocket>();
  private readonly release = new ReleaseStack();
  private readonly listeners: { replaceCertificate(held: GatewayCertificate): void }[] = [];
  private held: GatewayCertificate | undefined;
  private lastConnection: ConnectionId = 0;

  /** Rejects with the system's error when a port is taken. */
  static async open(
    options: ClientGatewayOptions,
    inputs: (input: XmppInput) => void,
  ): Promise<ClientGateway> {
    const gateway = new ClientGateway(options, inputs);
    try {
      await gateway.listen();
    } catch (error) {
      await gateway.closeAll();
      throw error;
    }
    return gateway;
  }

  private constructor(options: ClientGatewayOptions, inputs: (input: XmppInput) => void) {
    this.options = options;
    this.inputs = inputs;
    this.passwords = new PasswordFile(options.stateDirectory);
  }

  send(connection: ConnectionId, bytes: Uint8Array): void {
    this.sockets.get(connection)?.send(bytes);
  }

  startTls(connection: ConnectionId): void {
    this.sockets.get(connection)?.startTls();
  }

  close(connection: ConnectionId): void {
    this.sockets.get(connection)?.close();
  }

  async closeAll(): Promise<void> {
    for (const socket of this.sockets.values()) socket.close();
    await this.release.releaseAll();
  }

  add(socket: ClientSocket): ConnectionId {
    this.lastConnection += 1;
    this.sockets.set(this.lastConnection, socket);
    return this.lastConnection;
  }

  deliver(input: XmppInput): void {
    this.inputs(input);
  }

  gone(connection: ConnectionId, reason: string | undefined): void {
    this.sockets.delete(connection);
    if (reason !== undefined) this.inputs({ type: 'clientClosed', connection, reason });
  }

  /** Takes in the password if another one was set; a file that cannot be read changes nothing. */
  async ready(): Promise<void> {
    try {
      const credential = await this.passwords.changed();
      if (credential !== undefined) this.inputs({ type: 'passwordChanged', credential });
    } catch (error) {
      this.options.log.warn({ error: String(error) }, 'the local password cannot be read');
    }
  }

  private async listen(): Promise<void> {
    const { gateway, gatewayWebSocket, origins = [], clock, log } = this.options;
    const held = await this.certificate();
    this.held = held;
    if (gateway !== undefined) {
      const tcp = new TcpGateway(held, this, log);
      this.listeners.push(tcp);
      this.listening.gateway = await tcp.listen(gateway);
      this.release.add(() => tcp.close());
    }
    if (gatewayWebSocket !== undefined) {
      const web = new WebSocketGateway(held, origins, this, log);
      this.listeners.push(web);
      this.listening.gatewayWebSocket = await web.listen(gatewayWebSocket);
      this.release.add(() => web.close());
    }
    const timer = setInterval(() => void this.renew(), GATEWAY_CERTIFICATE_CHECK_MS);
    timer.unref();
    this.release.add(() => Promise.resolve(clearInterval(timer)));
    log.debug({ unixMs: clock.now().unixMs, ...this.listening }, 'clients can connect');
  }

  private certificate(): Promise<GatewayCertificate> {
    const { stateDirectory, domain, clock } = this.options;
    return gatewayCertificate(stateDirectory, domain, clock.now().unixMs);
  }

  /** The certificate ends some day, also while the peer runs. */
  private async renew(): Promise<void> {
    try {
      const held = await this.certificate();
      if (held.certificate.toString() === this.held?.certificate.toString()) return;
      this.held = held;
      for (const listener of this.listeners) listener.replaceCertificate(held);
      this.options.log.info({}, 'the certificate of the gateway was made anew; clients ask again');
    } catch (error) {
      this.options.log.error({ error: String(error) }, 'the gateway has no newer certificate');
    }
  }
}
