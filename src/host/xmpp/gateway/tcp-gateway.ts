import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { ConnectionAdmission } from '../../links/connection-admission.ts';
import type { Log } from '../../log.ts';
import type { SocketAddress } from '../../socket-address.ts';
import type { ClientSocketOwner } from './client-socket.ts';
import type { GatewayCertificate } from './gateway-certificate.ts';
import {
  CLOSE_MS_MAX,
  FIRST_BYTE_MS_MAX,
  GATEWAY_LINK_LIMITS,
  TLS_HANDSHAKE_MS_MAX,
} from './gateway-limits.ts';
import { clientTlsOf, gatewayTlsOptions } from './gateway-tls.ts';
import { keyOf } from './socket-key.ts';
import { TcpClientSocket } from './tcp-client-socket.ts';

/**
 * Accepts XMPP clients over TCP. The first byte tells direct TLS from a stream that is to begin TLS
 * by STARTTLS (RFC 6120 §5, RFC 7590). Client certificates are asked for and not judged here.
 */
export class TcpGateway {
  private readonly tcp: Server;
  private readonly tls: ReturnType<typeof createTlsServer>;
  private readonly admission: ConnectionAdmission<Socket>;
  private readonly owner: ClientSocketOwner;
  private readonly log: Log;
  private held: GatewayCertificate;
  private isClosing = false;
  /** TCP connections of which the usage knows nothing yet. */
  private readonly unannounced = new Set<Socket>();
  /** Whoever waits for the end of a TLS handshake, by remote address and port. */
  private readonly handshakes = new Map<string, (socket: TLSSocket) => void>();

  constructor(held: GatewayCertificate, owner: ClientSocketOwner, log: Log) {
    this.held = held;
    this.owner = owner;
    this.log = log;
    this.admission = new ConnectionAdmission<Socket>(GATEWAY_LINK_LIMITS, (socket) =>
      this.noteRefused(socket, 'a newer connection took its place'),
    );
    this.tls = createTlsServer({
      ...gatewayTlsOptions(held),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: TLS_HANDSHAKE_MS_MAX,
      // XEP-0368 §3: whoever asks for another protocol did not mean this port.
      ALPNProtocols: ['xmpp-client'],
    });
    this.tls.on('secureConnection', (socket) => this.handshakeDone(socket));
    this.tls.on('tlsClientError', (error, socket) => {
      this.noteRefused(socket, error.message);
      socket.destroy();
    });
    this.tcp = createServer((socket) => this.accept(socket));
  }

  /** Resolves with the address in use; rejects with the system's error (EADDRINUSE …). */
  listen(address: SocketAddress): Promise<SocketAddress> {
    return new Promise((resolve, reject) => {
      this.tcp.once('error', reject);
      this.tcp.listen(address.port, address.host, () => {
        this.tcp.off('error', reject);
        this.tcp.on('error', (error) => this.log.error({ error: String(error) }, 'gateway'));
        const bound = this.tcp.address();
        const isIp = typeof bound === 'object' && bound !== null;
        resolve(isIp ? { host: bound.address, port: bound.port } : address);
      });
    });
  }

  /** New handshakes show this certificate. */
  replaceCertificate(held: GatewayCertificate): void {
    this.held = held;
    this.tls.setSecureContext(gatewayTlsOptions(held));
  }

  /** Accepts nothing more; what is open is cut after a bounded time. */
  async close(): Promise<void> {
    this.isClosing = true;
    for (const socket of this.unannounced) socket.destroy();
    const impatience = setTimeout(() => this.admission.closeAll(), CLOSE_MS_MAX);
    await new Promise<void>((resolve) => this.tcp.close(() => resolve()));
    clearTimeout(impatience);
  }

  private accept(socket: Socket): void {
    const limit = this.admission.admit(socket);
    socket.on('error', () => socket.destroy());
    if (limit !== undefined) {
      this.noteRefused(socket, `the limit ${limit} is reached`);
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    this.unannounced.add(socket);
    socket.on('close', () => {
      this.handshakes.delete(key);
      this.unannounced.delete(socket);
      this.admission.closed(socket);
    });
    socket.setNoDelay(true);
    socket.setTimeout(FIRST_BYTE_MS_MAX, () => socket.destroy());
    socket.once('readable', () => this.tellApart(socket));
  }

  private tellApart(socket: Socket): void {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    socket.unshift(first);
    socket.setTimeout(0);
    if (first[0] === TLS_HANDSHAKE) {
      this.beginTls(socket, (secure) => this.connected(socket, secure, undefined));
    } else {
      this.connected(socket, socket, (done) => this.beginTls(socket, done));
    }
  }

  private connected(
    tcp: Socket,
    socket: Socket | TLSSocket,
    beginTls: ((done: (secure: TLSSocket) => void) => void) | undefined,
  ): void {
    const tlsOf = (secure: TLSSocket) => clientTlsOf(secure, this.held);
    const client = new TcpClientSocket(socket, this.owner, tlsOf, beginTls);
    void this.owner.ready().then(() => {
      if (socket.destroyed || this.isClosing) return;
      this.unannounced.delete(tcp);
      client.begin();
    });
  }

  private beginTls(socket: Socket, done: (secure: TLSSocket) => void): void {
    this.handshakes.set(keyOf(socket), (secure) => {
      this.admission.handshakeOver(socket);
      done(secure);
    });
    this.tls.emit('connection', socket);
  }

  private handshakeDone(socket: TLSSocket): void {
    const key = keyOf(socket);
    const done = this.handshakes.get(key);
    this.handshakes.delete(key);
    socket.on('error', () => socket.destroy());
    if (done === undefined) socket.destroy();
    else done(socket);
  }

  private noteRefused(socket: Socket, reason: string): void {
    this.log.debug({ address: socket.remoteAddress, reason }, 'a client connection was refused');
  }
}

/** The content type of a ClientHello's record (RFC 8446 §5.1); no XML begins with it. */
const TLS_HANDSHAKE = 0x16;
