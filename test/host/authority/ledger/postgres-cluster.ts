import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../../../src/host/free-port.ts';

const DEBIAN_POSTGRES = '/usr/lib/postgresql';
const USER = 'xor';
const READY_POLL_MS = 50;

/** A PostgreSQL of a test's own, in a temporary directory. */
export interface PostgresCluster {
  /** A new, empty database; its URL, by the Unix socket. */
  newDatabase(): Promise<string>;
  /** Runs SQL in the database of a URL. */
  query(databaseUrl: string, sql: string): Promise<readonly unknown[]>;
  /** How to reach a database by TCP: `PASSWORD` is the user's. */
  readonly port: number;
  /** Whether TLS is offered depends on what was given to `startPostgres`. */
  readonly user: string;
  readonly password: string;
  stop(): Promise<void>;
}

/** Debian's programs, of the newest version that is installed; undefined: none is. */
function postgresPrograms(): string | undefined {
  if (!existsSync(DEBIAN_POSTGRES)) return undefined;
  const versions = readdirSync(DEBIAN_POSTGRES).filter((version) =>
    existsSync(join(DEBIAN_POSTGRES, version, 'bin', 'initdb')),
  );
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(DEBIAN_POSTGRES, newest, 'bin');
}

/** Whether PostgreSQL is here; where it is not, its tests are skipped, but not under CI. */
export const isPostgresMissing = process.env.CI !== 'true' && postgresPrograms() === undefined;

/** Starts a cluster; with a key and certificate in PEM it offers TLS. */
export async function startPostgres(tls?: {
  readonly key: string;
  readonly certificate: string;
}): Promise<PostgresCluster> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error('PostgreSQL is missing: apt-get install postgresql');
  const directory = await mkdtemp(join(tmpdir(), 'xor-test-pg-'));
  const owner = serverUser();
  const data = join(directory, 'data');
  const password = 'a-password-of-a-test';
  await mkdir(data);
  await writeFile(join(directory, 'password'), password);
  if (tls !== undefined) {
    await writeFile(join(directory, 'tls-key.pem'), tls.key);
    await writeFile(join(directory, 'tls.pem'), tls.certificate);
    await chmod(join(directory, 'tls-key.pem'), 0o600);
  }
  const files = [directory, ...readdirSync(directory).map((name) => join(directory, name))];
  for (const file of files) await chown(file, owner.uid, owner.gid);
  const made = spawnSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', USER, '--auth-local=trust', '--auth-host=scram-sha-256', '--no-sync'].concat(
      `--pwfile=${join(directory, 'password')}`,
    ),
    { ...owner, cwd: directory, encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const port = await freePort();
  const server = await startServer(programs, directory, port, tls !== undefined);
  let databases = 0;
  const query = (url: string, sql: string) => queryOnce(url, sql);
  const urlOf = (name: string) =>
    `postgres://${USER}@localhost:${port}/${name}?host=${encodeURIComponent(directory)}`;
  return {
    port,
    user: USER,
    password,
    query,
    newDatabase: async () => {
      const name = `ledger_${++databases}`;
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    stop: async () => {
      server.kill('SIGQUIT');
      if (server.exitCode === null) await once(server, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startServer(
  programs: string,
  directory: string,
  port: number,
  hasTls: boolean,
): Promise<ChildProcess> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${directory}`,
    'fsync=off',
    'max_connections=50',
    ...(hasTls ? ['ssl=on', 'ssl_cert_file=../tls.pem', 'ssl_key_file=../tls-key.pem'] : []),
  ];
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', join(directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])],
    { ...serverUser(), cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaint = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  const url = `postgres://${USER}@localhost:${port}/postgres?host=${encodeURIComponent(directory)}`;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres ended: ${complaint}`);
    try {
      await queryOnce(url, 'SELECT 1');
      return server;
    } catch {
      await wait(READY_POLL_MS);
    }
  }
}

async function queryOnce(url: string, sql: string): Promise<readonly unknown[]> {
  const { port, pathname, searchParams } = new URL(url);
  const client = new pg.Client({
    host: searchParams.get('host') ?? 'localhost',
    port: Number(port),
    user: USER,
    database: pathname.slice(1),
  });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root; Debian's package made a user for it. */
function serverUser(): { readonly uid: number; readonly gid: number } {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  if (own.uid !== 0) return own;
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'nobody']).stdout.toString());
  return { uid: idOf('-u'), gid: idOf('-g') };
}
