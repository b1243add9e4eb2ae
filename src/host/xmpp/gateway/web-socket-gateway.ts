import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { ClientTls, ConnectionId } from '../../../xmpp/xmpp-input.ts';
import { ConnectionAdmission } from '../../links/connection-admission.ts';
import type { Log } from '../../log.ts';
import type { SocketAddress } from '../../socket-address.ts';
import { type ClientSocket, type ClientSocketOwner, DrainReport } from './client-socket.ts';
import type { GatewayCertificate } from './gateway-certificate.ts';
import {
  CLOSE_MS_MAX,
  FIRST_BYTE_MS_MAX,
  GATEWAY_LINK_LIMITS,
  HTTP_HEADER_BYTES_MAX,
  TLS_HANDSHAKE_MS_MAX,
  WEB_SOCKET_MESSAGE_BYTES_MAX,
} from './gateway-limits.ts';
import { clientTlsOf, gatewayTlsOptions } from './gateway-tls.ts';
import { keyOf } from './socket-key.ts';

/**
 * Accepts XMPP clients over WebSocket (RFC 7395) at `wss://HOST:PORT/xmpp-websocket`. A page in a
 * browser says where it is from: only origins on the list may connect. No client certificate is
 * asked for, since any page could use the one of the browser.
 */
export class WebSocketGateway {
  private readonly server: Server;
  private readonly sockets: WebSocketServer;
  private readonly owner: ClientSocketOwner;
  private readonly origins: ReadonlySet<string>;
  private readonly log: Log;
  private held: GatewayCertificate;
  private readonly admission: ConnectionAdmission<Socket>;
  /** TCP connections, by remote address and port. */
  private readonly connections = new Map<string, Socket>();

  constructor(
    held: GatewayCertificate,
    origins: readonly string[],
    owner: ClientSocketOwner,
    log: Log,
  ) {
    this.held = held;
    this.origins = new Set(origins);
    this.owner = owner;
    this.log = log;
    this.admission = new ConnectionAdmission<Socket>(GATEWAY_LINK_LIMITS, (socket) => {
      const reason = 'a newer connection took its place';
      this.log.debug({ address: socket.remoteAddress, reason }, 'a WebSocket was refused');
    });
    this.sockets = new WebSocketServer({
      noServer: true,
      maxPayload: WEB_SOCKET_MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.server = createServer({
      ...gatewayTlsOptions(held),
      handshakeTimeout: TLS_HANDSHAKE_MS_MAX,
      maxHeaderSize: HTTP_HEADER_BYTES_MAX,
      headersTimeout: FIRST_BYTE_MS_MAX,
      requestTimeout: FIRST_BYTE_MS_MAX,
    });
    this.server.on('connection', (socket: Socket) => this.admit(socket));
    this.server.on('request', (_request, response) => {
      response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end();
    });
    this.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.server.on('tlsClientError', (error) => {
      this.log.debug({ error: error.message }, 'a TLS handshake of a WebSocket failed');
    });
  }

  /** Resolves with the address in use; rejects with the system's error (EADDRINUSE …). */
  listen(address: SocketAddress): Promise<SocketAddress> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host: address.host, port: address.port }, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.log.error({ error: String(error) }, 'gateway'));
        const bound = this.server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  replaceCertificate(held: GatewayCertificate): void {
    this.held = held;
    this.server.setSecureContext(gatewayTlsOptions(held));
  }

  /** Accepts nothing more; what is open is cut after a bounded time. */
  async close(): Promise<void> {
    const impatience = setTimeout(() => {
      for (const socket of this.sockets.clients) socket.terminate();
      this.server.closeAllConnections();
    }, CLOSE_MS_MAX);
    this.server.closeIdleConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    clearTimeout(impatience);
  }

  private admit(socket: Socket): void {
    const limit = this.admission.admit(socket);
    if (limit !== undefined) {
      this.log.debug({ address: socket.remoteAddress, limit }, 'a WebSocket was refused');
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    this.connections.set(key, socket);
    socket.on('close', () => {
      this.connections.delete(key);
      this.admission.closed(socket);
    });
  }

  /** TLS and HTTP are over: what comes next is waited for by the sessions above. */
  private handshakeOver(secure: Duplex): void {
    const socket = secure instanceof TLSSocket ? this.connections.get(keyOf(secure)) : undefined;
    if (socket !== undefined) this.admission.handshakeOver(socket);
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.handshakeOver(socket);
    const refusal = this.refusalOf(request);
    if (refusal !== undefined) {
      this.log.info({ origin: request.headers.origin, refusal }, 'a WebSocket was refused');
      turnAway(socket, refusal);
      return;
    }
    const tls = socket instanceof TLSSocket ? clientTlsOf(socket, this.held) : undefined;
    if (tls === undefined) throw new Error('a connection of an HTTPS server has TLS');
    socket.on('error', () => socket.destroy());
    void this.owner.ready().then(() => {
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        new WebSocketClient(webSocket, this.owner).begin(tls, request.socket.remoteAddress);
      });
    });
  }

  /** RFC 7395 §3.1, RFC 6455 §10.2. */
  private refusalOf(request: IncomingMessage): string | undefined {
    const { origin } = request.headers;
    if ((request.url ?? '').split('?')[0] !== PATH) return '404 Not Found';
    if (origin !== undefined && !this.origins.has(origin)) return '403 Forbidden';
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
    const speaksXmpp = offered.some((name) => name.trim() === SUBPROTOCOL);
    return speaksXmpp ? undefined : '400 Bad Request';
  }
}

/** One client's WebSocket; each message is one element. */
class WebSocketClient implements ClientSocket {
  private readonly socket: WebSocket;
  private readonly owner: ClientSocketOwner;
  private readonly drained: DrainReport;
  private connection: ConnectionId = 0;
  private isClosing = false;
  private failure: string | undefined;

  constructor(socket: WebSocket, owner: ClientSocketOwner) {
    this.socket = socket;
    this.owner = owner;
    this.drained = new DrainReport(() => {
      if (this.isClosing) return;
      const pendingBytes = this.socket.bufferedAmount;
      this.owner.deliver({ type: 'clientDrained', connection: this.connection, pendingBytes });
    });
  }

  begin(tls: ClientTls, address: string | undefined): void {
    const { socket, owner } = this;
    const connection = owner.add(this);
    this.connection = connection;
    owner.deliver({ type: 'clientConnected', connection, transport: 'websocket', tls, address });
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('error', (error) => {
      this.failure ??= error.message;
    });
    socket.on('close', () => {
      const reason = this.failure ?? 'the WebSocket was closed';
      owner.gone(connection, this.isClosing ? undefined : reason);
    });
  }

  send(bytes: Uint8Array): void {
    if (this.isClosing || this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(bytes, { binary: false }, () => this.drained.note());
  }

  startTls(): void {
    this.socket.close(POLICY_VIOLATION, 'there is TLS already');
  }

  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.socket.close(NORMAL_CLOSURE);
    const impatience = setTimeout(() => this.socket.terminate(), CLOSE_MS_MAX);
    this.socket.once('close', () => clearTimeout(impatience));
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (this.isClosing) return;
    if (isBinary || !Buffer.isBuffer(data)) {
      // RFC 7395 §3.2: XMPP is text.
      this.failure = 'a WebSocket message was not text';
      this.socket.close(UNSUPPORTED_DATA, 'expected text');
      return;
    }
    const { connection } = this;
    this.owner.deliver({ type: 'clientData', connection, bytes: new Uint8Array(data) });
  }
}

/** Whoever keeps its own half open does not keep the connection by it. */
function turnAway(socket: Duplex, refusal: string): void {
  const impatience = setTimeout(() => socket.destroy(), CLOSE_MS_MAX);
  socket.on('close', () => clearTimeout(impatience));
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const PATH = '/xmpp-websocket';
const SUBPROTOCOL = 'xmpp';
/** RFC 6455 §7.4.1. */
const NORMAL_CLOSURE = 1_000;
const UNSUPPORTED_DATA = 1_003;
const POLICY_VIOLATION = 1_008;
