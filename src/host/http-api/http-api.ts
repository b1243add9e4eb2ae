import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Log } from '../log.ts';
import { formatSocketAddress, isLoopbackHost, type SocketAddress } from '../socket-address.ts';
import { HttpApiGuard } from './http-api-guard.ts';
import {
  type HttpAnswer,
  type HttpRoute,
  httpApiRoutes,
  type ServedPeer,
} from './http-api-routes.ts';
import { HttpProblem, problemOf } from './http-problem.ts';

export interface HttpApiOptions {
  readonly host: ServedPeer;
  readonly listen: SocketAddress;
  readonly token: string;
  readonly log: Log;
  /** PEM. Without it the API listens on loopback addresses only. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly names: string[] };
}

/** Where the API must not listen. */
export class HttpApiExposed extends Error {
  constructor(address: SocketAddress) {
    super(
      `the API would be open to the network at ${formatSocketAddress(address)}: ` +
        'listen at a loopback address such as 127.0.0.1, or give it a TLS certificate',
    );
    this.name = 'HttpApiExposed';
  }
}

/** The HTTP API of a running peer. */
export class HttpApi {
  private readonly server: Server;
  private readonly routes: readonly HttpRoute[];
  private readonly log: Log;
  private readonly scheme: 'http' | 'https';
  private guard: HttpApiGuard | undefined;
  private address: SocketAddress;
  private requests = 0;

  /** Rejects with HttpApiExposed, or with the system's error (EADDRINUSE …). */
  static async open(options: HttpApiOptions): Promise<HttpApi> {
    if (options.tls === undefined && !isLoopbackHost(options.listen.host)) {
      throw new HttpApiExposed(options.listen);
    }
    const api = new HttpApi(options);
    await api.listen(options);
    return api;
  }

  private constructor(options: HttpApiOptions) {
    this.routes = httpApiRoutes(options.host);
    this.log = options.log;
    this.address = options.listen;
    this.scheme = options.tls === undefined ? 'http' : 'https';
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      void this.handle(request, response);
    this.server =
      options.tls === undefined
        ? createHttpServer(SERVER_LIMITS, handle)
        : createHttpsServer(
            { ...SERVER_LIMITS, cert: options.tls.certificate, key: options.tls.key },
            handle,
          );
    this.server.maxConnections = CONNECTIONS_MAX;
    this.server.on('clientError', refuseUnreadable);
    // Upgrades (WebSocket) have no listener: Node then treats them as plain requests.
  }

  /** `http://127.0.0.1:4711`. */
  get url(): string {
    return `${this.scheme}://${formatSocketAddress(this.address)}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private listen(options: HttpApiOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(options.listen.port, options.listen.host, () => {
        this.server.off('error', reject);
        const bound = this.server.address();
        const port = typeof bound === 'object' && bound !== null ? bound.port : options.listen.port;
        this.address = { host: options.listen.host, port };
        this.guard = new HttpApiGuard({
          listen: this.address,
          scheme: this.scheme,
          token: options.token,
          hostNames: options.tls?.names ?? [],
        });
        resolve();
      });
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    try {
      send(response, await this.answer(request));
    } catch (error) {
      this.sendProblem(response, error);
    } finally {
      this.requests -= 1;
    }
  }

  private async answer(request: IncomingMessage): Promise<HttpAnswer> {
    this.guard?.checkAddresses(request);
    const url = request.url ?? '/';
    if (url.length > URL_LENGTH_MAX) throw new HttpProblem(414, `at most ${URL_LENGTH_MAX} bytes`);
    const [path = '/'] = url.split('?');
    const candidates = this.routes.filter((route) => route.path.test(path));
    if (candidates[0]?.open !== true) this.guard?.checkToken(request);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = candidates.find((candidate) => candidate.method === method);
    if (candidates.length === 0) throw new HttpProblem(404, `there is nothing at ${path}`);
    if (route === undefined) {
      const allow = candidates.map((candidate) => candidate.method).join(', ');
      throw new HttpProblem(405, `${path} takes ${allow}`, {}, { allow });
    }
    if (this.requests > REQUESTS_MAX) {
      throw new HttpProblem(503, 'too many requests at once', {}, { 'retry-after': '1' });
    }
    const body = await readBody(request, route.bodyBytesMax ?? BODY_BYTES_MAX).catch(
      (error: unknown) => {
        if (request.complete || error instanceof HttpProblem) throw error;
        throw new HttpProblem(400, 'the request breaks off within its body', {
          code: 'bad-request',
        });
      },
    );
    return route.answer(decoded(route.path.exec(path)?.[1] ?? ''), body);
  }

  private sendProblem(response: ServerResponse, error: unknown): void {
    let problem: HttpProblem;
    try {
      problem = problemOf(error);
    } catch (bug) {
      this.log.error({ error: String(bug) }, 'the API could not answer: this is a bug');
      problem = new HttpProblem(500, 'an internal error; the log has more');
    }
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    send(response, {
      status: problem.status,
      contentType: 'application/problem+json',
      body: `${JSON.stringify(problem.body())}\n`,
    });
  }
}

function send(response: ServerResponse, answer: HttpAnswer): void {
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
  response.end(answer.body);
}

/** Also where a route takes no body, a small one is read away; a larger one is refused. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) {
      throw new HttpProblem(
        413,
        `a body of at most ${bytesMax} bytes`,
        {},
        { connection: 'close' },
      );
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function decoded(parameter: string): string {
  try {
    return decodeURIComponent(parameter);
  } catch {
    throw new HttpProblem(400, 'the path is not percent-encoded UTF-8', { code: 'bad-request' });
  }
}

/** Bytes that are no HTTP, or headers beyond the limits. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) return;
  const status = STATUS_OF_PARSE_ERROR.get(error.code ?? '') ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

const STATUS_OF_PARSE_ERROR = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);
const URL_LENGTH_MAX = 2_048;
const BODY_BYTES_MAX = 4_096;
const CONNECTIONS_MAX = 128;
/** Requests being answered at once. */
const REQUESTS_MAX = 64;
const SERVER_LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  maxRequestsPerSocket: 1_000,
  connectionsCheckingInterval: 1_000,
};
