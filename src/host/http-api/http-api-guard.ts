import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import { isLoopbackHost, isUnspecifiedHost, type SocketAddress } from '../socket-address.ts';
import { HttpProblem } from './http-problem.ts';

/** Who may ask what: addresses by which the API may be named, and the token. */
export interface HttpApiGuardOptions {
  /** The address in use. */
  readonly listen: SocketAddress;
  readonly scheme: 'http' | 'https';
  readonly token: string;
  /** Further names of this machine, for example those in the TLS certificate. */
  readonly hostNames?: readonly string[];
}

/**
 * Keeps pages in a browser away from the API. A page of another site that makes the browser
 * resolve its name to our address (DNS rebinding) still sends its own name in Host; a cross-site
 * request has a foreign Origin. Both are refused, whatever else the request has.
 */
export class HttpApiGuard {
  private readonly hosts: ReadonlySet<string>;
  private readonly origins: ReadonlySet<string>;
  private readonly tokenDigest: Buffer;

  constructor(options: HttpApiGuardOptions) {
    this.hosts = new Set(allowedHosts(options));
    this.origins = new Set([...this.hosts].map((host) => `${options.scheme}://${host}`));
    this.tokenDigest = digest(options.token);
  }

  /** Throws an HttpProblem unless Host, and Origin where there is one, are our own. */
  checkAddresses(request: IncomingMessage): void {
    const host = request.headers.host?.toLowerCase();
    if (host === undefined || !this.hosts.has(host)) {
      throw new HttpProblem(403, 'the Host of the request is not an address of this peer', {
        code: 'host-not-allowed',
      });
    }
    const origin = request.headers.origin?.toLowerCase();
    if (origin !== undefined && !this.origins.has(origin)) {
      throw new HttpProblem(403, 'requests of other sites are not answered', {
        code: 'origin-not-allowed',
      });
    }
  }

  /** Throws an HttpProblem unless the request has the token. */
  checkToken(request: IncomingMessage): void {
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests have one length, so the comparison takes the same time for every wrong token.
    if (given !== undefined && timingSafeEqual(digest(given), this.tokenDigest)) return;
    const detail =
      given === undefined
        ? 'send the content of the file api-token as a Bearer token'
        : 'the Bearer token is not the content of the file api-token';
    throw new HttpProblem(
      401,
      detail,
      { code: 'token-required' },
      {
        'www-authenticate': 'Bearer realm="xmpp-over-reload"',
      },
    );
  }
}

function allowedHosts(options: HttpApiGuardOptions): string[] {
  const { host, port } = options.listen;
  const names = [host, ...(options.hostNames ?? [])];
  if (isLoopbackHost(host) || isUnspecifiedHost(host)) names.push('localhost', '127.0.0.1', '::1');
  if (isUnspecifiedHost(host)) {
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.push(address);
    }
  }
  const defaultPort = options.scheme === 'https' ? 443 : 80;
  return names.flatMap((name) => {
    const written = (name.includes(':') ? `[${name}]` : name).toLowerCase();
    return port === defaultPort ? [written, `${written}:${port}`] : [`${written}:${port}`];
  });
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
