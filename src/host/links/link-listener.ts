import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import type { SocketAddress } from '../socket-address.ts';
import { ConnectionAdmission } from './connection-admission.ts';
import type { LinkLimits } from './link-limits.ts';

export interface LinkListenerEvents {
  /** A TLS handshake ended well; who is at the other end is not known yet. */
  handshakeDone(socket: TLSSocket): void;
  /** A handshake failed, took too long, or a limit was reached. */
  refused(rule: string, detail: string, remoteAddress: string): void;
}

/**
 * The TLS server side of overlay links. Every limit applies to the TCP connection, before any TLS
 * state exists for it.
 */
export class LinkListener {
  private readonly tcp: TcpServer;
  private readonly tls: ReturnType<typeof createTlsServer>;
  private readonly admission: ConnectionAdmission<Socket>;
  private readonly closeMsMax: number;
  private readonly events: LinkListenerEvents;
  /** TCP connections in their handshake, by remote address and port. */
  private readonly waiting = new Map<string, Socket>();

  constructor(tls: SecureContextOptions, limits: LinkLimits, events: LinkListenerEvents) {
    this.events = events;
    this.closeMsMax = limits.closeMsMax;
    this.admission = new ConnectionAdmission(limits, (socket) =>
      this.refuse('handshakesMax', 'a newer handshake took its place', socket),
    );
    this.tls = createTlsServer({
      ...tls,
      requestCert: true,
      // The own Authenticator decides, see link-authentication.ts.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeMsMax,
    });
    this.tls.on('secureConnection', (socket) => this.handshakeDone(socket));
    this.tls.on('tlsClientError', (error, socket) => {
      this.refuse('tls-handshake', error.message, socket);
      socket.destroy();
    });
    this.tcp = createTcpServer((socket) => this.accept(socket));
  }

  /** Resolves with the address in use; rejects with the system's error (EADDRINUSE …). */
  listen(address: SocketAddress): Promise<SocketAddress> {
    return new Promise((resolve, reject) => {
      this.tcp.once('error', reject);
      this.tcp.listen(address.port, address.host, () => {
        this.tcp.off('error', reject);
        this.tcp.on('error', (error) => this.events.refused('listener', error.message, ''));
        const bound = this.tcp.address();
        const isIp = typeof bound === 'object' && bound !== null;
        resolve(isIp ? { host: bound.address, port: bound.port } : address);
      });
    });
  }

  /** New handshakes show this certificate and these roots. */
  replaceTls(tls: SecureContextOptions): void {
    this.tls.setSecureContext(tls);
  }

  get handshakeCount(): number {
    return this.admission.handshakeCount;
  }

  get connectionCount(): number {
    return this.admission.connectionCount;
  }

  /**
   * Accepts nothing more and closes what is in its handshake. Links are their owner's to close;
   * whatever is still open after closeMsMax is cut off, whoever holds it open.
   */
  async close(): Promise<void> {
    for (const socket of this.waiting.values()) socket.destroy();
    const impatience = setTimeout(() => this.admission.closeAll(), this.closeMsMax);
    await new Promise<void>((resolve) => this.tcp.close(() => resolve()));
    clearTimeout(impatience);
  }

  private accept(socket: Socket): void {
    const limit = this.admission.admit(socket);
    if (limit !== undefined) {
      this.refuse(limit, `the limit ${limit} is reached`, socket);
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    this.waiting.set(key, socket);
    // TLS reports errors of its own; one that comes before has no other listener.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.waiting.get(key) === socket) this.waiting.delete(key);
      this.admission.closed(socket);
    });
    this.tls.emit('connection', socket);
  }

  private handshakeDone(socket: TLSSocket): void {
    const key = keyOf(socket);
    const tcp = this.waiting.get(key);
    if (tcp === undefined) {
      socket.destroy();
      return;
    }
    this.waiting.delete(key);
    this.admission.handshakeOver(tcp);
    this.events.handshakeDone(socket);
  }

  private refuse(rule: string, detail: string, socket: Socket): void {
    this.events.refused(rule, detail, socket.remoteAddress ?? 'unknown');
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}|${socket.remotePort ?? 0}`;
}
