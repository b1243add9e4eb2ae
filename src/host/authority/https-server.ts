import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../log.ts';
import { formatSocketAddress, type SocketAddress } from '../socket-address.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { type CertifiedKey, certificatePem, privateKeyPem } from './authority-keys.ts';
import type { AuthorityLimits } from './authority-limits.ts';
import { type HttpAnswer, type HttpRequest, readBody, textAnswer } from './http-exchange.ts';
import { RateLimiter, rateLimitKeyOf } from './rate-limits.ts';

export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;

/**
 * The HTTPS side of an authority: connections, handshakes and bodies within limits, one handler
 * for what remains. A client certificate is asked for and never judged here: the handler of the
 * one path that needs it gives it to the Authenticator.
 */
export class AuthorityHttpsServer {
  private readonly server: Server;
  private readonly limits: AuthorityLimits;
  private readonly log: Log;
  private readonly handler: HttpHandler;
  private readonly connections = new Map<Socket, string>();
  private readonly connectionRate: RateLimiter;

  constructor(certified: CertifiedKey, limits: AuthorityLimits, handler: HttpHandler, log: Log) {
    this.limits = limits;
    this.handler = handler;
    this.log = log;
    this.connectionRate = new RateLimiter(limits.connectionRate);
    this.server = createServer({
      ...contextOptions(certified),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeMsMax,
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headerMsMax,
      requestTimeout: limits.requestMsMax,
      keepAliveTimeout: limits.keepAliveMsMax,
      connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    });
    this.server.maxConnections = limits.connectionsMax;
    this.server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
    this.server.on('connection', (socket) => this.admit(socket as Socket));
    this.server.on('tlsClientError', (error) => {
      this.log.debug({ error: String(error) }, 'a TLS handshake failed');
    });
    this.server.on('request', (request, response) => {
      void this.answer(request, response);
    });
  }

  /** Returns where it listens, with the port that was found for port 0. */
  listen(address: SocketAddress): Promise<SocketAddress> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => reject(listenFailure(address, error));
      this.server.once('error', failed);
      this.server.listen({ host: address.host, port: address.port }, () => {
        this.server.off('error', failed);
        this.server.on('error', (error) => {
          this.log.error({ error: String(error) }, 'the HTTPS server reports an error');
        });
        const bound = this.server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  /** New connections see this certificate. */
  replaceCertificate(certified: CertifiedKey): void {
    this.server.setSecureContext(contextOptions(certified));
  }

  /** Answers what has begun, for a moment, and closes. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.server.closeIdleConnections();
    const forced = setTimeout(() => {
      for (const socket of this.connections.keys()) socket.destroy();
    }, CLOSE_MS_MAX);
    await closed;
    clearTimeout(forced);
  }

  private admit(socket: Socket): void {
    const key = rateLimitKeyOf(socket.remoteAddress);
    let sameAddress = 0;
    for (const other of this.connections.values()) if (other === key) sameAddress++;
    const isAdmitted =
      sameAddress < this.limits.connectionsPerAddressMax &&
      this.connectionRate.take(key, performance.now());
    if (!isAdmitted) {
      socket.destroy();
      this.log.debug({ address: key }, 'a connection was refused: too many from there');
      return;
    }
    this.connections.set(socket, key);
    socket.once('close', () => this.connections.delete(socket));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request, this.limits.bodyBytesMax);
      if (body === undefined) {
        const text = `a request has at most ${this.limits.bodyBytesMax} bytes\n`;
        send(request, response, textAnswer(413, text, { Connection: 'close' }));
        return;
      }
      const socket = request.socket as TLSSocket;
      const answer = await this.handler({
        method: request.method ?? '',
        path: (request.url ?? '').split('?')[0] ?? '',
        headers: request.headers,
        body,
        socket,
        remoteAddress: socket.remoteAddress,
      });
      send(request, response, answer);
    } catch (error) {
      if (request.destroyed && !response.writable) return;
      this.log.error({ error: String(error) }, 'a request could not be answered');
      if (!response.headersSent) send(request, response, textAnswer(500, 'internal error\n'));
    }
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  const body = Buffer.from(answer.body);
  const hasBody = answer.status !== 304 && request.method !== 'HEAD';
  response.writeHead(answer.status, {
    'X-Content-Type-Options': 'nosniff',
    ...(answer.status === 304 ? {} : { 'Content-Length': String(body.length) }),
    ...answer.headers,
  });
  response.end(hasBody ? body : undefined);
}

/** No session is resumed: a renewal's certificate is shown and proved in its own handshake. */
function contextOptions(certified: CertifiedKey) {
  return {
    key: privateKeyPem(certified),
    cert: certificatePem(certified),
    minVersion: 'TLSv1.2' as const,
    // A leaf with secp256k1 can prove itself in TLS 1.2 alone; its curve must be on offer.
    ecdhCurve: 'X25519:P-256:P-384:secp256k1',
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: 1,
  };
}

function listenFailure(address: SocketAddress, error: NodeJS.ErrnoException): AuthorityFailure {
  const where = formatSocketAddress(address);
  switch (error.code) {
    case 'EADDRINUSE':
      return new AuthorityFailure(`${where} is in use; choose another port with --listen`);
    case 'EACCES':
      return new AuthorityFailure(`this user may not listen on ${where}; choose a port above 1023`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new AuthorityFailure(`${where} is no address of this machine`);
    default:
      return new AuthorityFailure(`cannot listen on ${where}: ${error.message}`, { cause: error });
  }
}

const CHECKING_INTERVAL_MS = 1_000;
const CLOSE_MS_MAX = 2_000;
