import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { AuthorityFailure } from '../authority-failure.ts';

/** How to reach a PostgreSQL database. */
export interface DatabaseAddress {
  /** A host name or address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  /** undefined: as PGPASSWORD or the file of PGPASSFILE says. */
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** undefined: in the clear, which is for this machine alone. */
  readonly tls: { readonly trustedCertificates: string | undefined } | undefined;
  /** For people and logs: without the password. */
  readonly place: string;
}

/**
 * Reads `postgres://USER@HOST:PORT/DATABASE`, with `?host=DIRECTORY` for a Unix socket,
 * `sslrootcert=FILE` for whom to trust, and `sslmode`, which is `verify-full` or, on this machine,
 * `disable`. Beyond this machine there is TLS that proves who answers, or no connection. Throws
 * AuthorityFailure, whose sentence does not repeat the URL: it may hold a password.
 */
export async function readDatabaseUrl(text: string): Promise<DatabaseAddress> {
  const url = URL.canParse(text) && isDecodable(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new AuthorityFailure('the database is named by postgres://USER@HOST:PORT/DATABASE');
  }
  const unknown = [...url.searchParams.keys()].find((name) => !KNOWN_PARAMETERS.has(name));
  if (unknown !== undefined) {
    const known = [...KNOWN_PARAMETERS].join(', ');
    throw new AuthorityFailure(`the database URL has "${unknown}"; known are ${known}`);
  }
  const host = url.searchParams.get('host') ?? hostOf(url);
  const database = decodeURIComponent(url.pathname.slice(1));
  const port = url.port === '' ? PORT_DEFAULT : Number(url.port);
  const shownHost = isIP(host) === 6 ? `[${host}]` : host;
  return {
    host,
    port,
    user: textOf(url.username),
    password: textOf(url.password),
    database: database === '' ? undefined : database,
    tls: await tlsOf(host, url.searchParams.get('sslmode'), url.searchParams.get('sslrootcert')),
    place: `the PostgreSQL database ${database} at ${shownHost}:${port}`,
  };
}

async function tlsOf(
  host: string,
  mode: string | null,
  rootFile: string | null,
): Promise<DatabaseAddress['tls']> {
  if (mode !== null && mode !== 'disable' && mode !== 'verify-full') {
    throw new AuthorityFailure(
      `sslmode=${mode.slice(0, 20)} does not prove who answers; leave it out, or say verify-full`,
    );
  }
  const isLocal = isThisMachine(host);
  if (mode === 'disable' && !isLocal) {
    throw new AuthorityFailure(`${host} is another machine: leave out sslmode=disable`);
  }
  if (host.startsWith('/') || (isLocal && mode !== 'verify-full')) return undefined;
  return {
    trustedCertificates: rootFile === null ? undefined : await readFile(rootFile, 'utf8'),
  };
}

/** A Unix socket, `localhost`, or an address of the loopback. */
function isThisMachine(host: string): boolean {
  if (host.startsWith('/') || host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function hostOf(url: URL): string {
  const host = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  return host === '' ? 'localhost' : host;
}

/** URL leaves a % that stands for nothing where it is. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function textOf(encoded: string): string | undefined {
  return encoded === '' ? undefined : decodeURIComponent(encoded);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const KNOWN_PARAMETERS: ReadonlySet<string> = new Set(['host', 'sslmode', 'sslrootcert']);
const PORT_DEFAULT = 5432;
