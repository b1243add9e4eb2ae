import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/host/free-port.ts';
import { LOOPBACK } from './authority-fixture.ts';
import { runXor, XorProcess } from './xor-process.ts';

/** One `xor peer` process and what it said when it was in the ring. */
export interface PeerProcess {
  /** The directory of its state, under which it starts again. */
  readonly name: string;
  readonly nodeId: string;
  readonly api: string;
  readonly listenPort: number;
  /** Where direct streams and the user's clients are accepted, if it has XMPP. */
  readonly xmpp: string | undefined;
  readonly gateway: string | undefined;
  readonly process: XorProcess;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** `xor ca serve` and any number of `xor peer`, each a process of its own. */
export class ProcessOverlay {
  private readonly directory: string;
  private readonly configurationUrl: string;
  private readonly firstPort: number;
  private readonly authority: XorProcess;
  private readonly started: XorProcess[] = [];

  /** An authority with the accounts `names`; no peer runs yet. */
  static async start(names: readonly string[]): Promise<ProcessOverlay> {
    const directory = await mkdtemp(join(tmpdir(), 'xor-processes-'));
    const state = ['--state', join(directory, 'ca')];
    await succeed(['ca', 'init', ...state]);
    for (const name of names) {
      await succeed(
        ['ca', 'user', 'add', jidOf(name), ...state, '--password-stdin'],
        `${name}-pw\n`,
      );
    }
    const firstPort = await freePort();
    const listen = ['--listen', `${LOOPBACK}:0`, '--bootstrap', `${LOOPBACK}:${firstPort}`];
    const authority = new XorProcess(['ca', 'serve', ...state, ...listen, '--json']);
    const { url } = await authority.firstJson(30_000);
    const configurationUrl = new URL('/.well-known/reload-config', String(url)).href;
    return new ProcessOverlay(directory, configurationUrl, firstPort, authority);
  }

  private constructor(
    directory: string,
    configurationUrl: string,
    firstPort: number,
    authority: XorProcess,
  ) {
    this.directory = directory;
    this.configurationUrl = configurationUrl;
    this.firstPort = firstPort;
    this.authority = authority;
  }

  state(name: string): string {
    return join(this.directory, name);
  }

  /** The peer with the password of its account; `options` such as `--first`. */
  enroll(name: string, ...options: string[]): Promise<PeerProcess> {
    const args = ['--user', jidOf(name), '--password-stdin', ...options];
    return this.run(name, args, `${name}-pw\n`);
  }

  /** The peer with nothing but its state directory: it has no password to enroll with. */
  restart(name: string, ...options: string[]): Promise<PeerProcess> {
    return this.run(name, options, '');
  }

  /** Asks the HTTP API of a peer, with the token of its state directory. */
  async ask(peer: PeerProcess, path: string): Promise<ApiAnswer> {
    const token = await readFile(join(this.state(peer.name), 'api-token'), 'utf8');
    const answer = await fetch(new URL(path, peer.api), {
      headers: { authorization: `Bearer ${token.trim()}` },
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** Looks every target up from every peer; the result names the lookups that failed. */
  async failedLookups(
    peers: readonly PeerProcess[],
    targets: readonly PeerProcess[],
  ): Promise<string[]> {
    const failed: string[] = [];
    for (const peer of peers) {
      for (const { name, nodeId } of targets) {
        const { status, body } = await this.ask(peer, `/v1/certificates/${nodeId}`);
        const isVerified =
          status === 200 &&
          Array.isArray(body) &&
          body.some((one) => one.nodeId === nodeId && one.verified === true);
        if (!isVerified) failed.push(`${peer.name} -> ${name}: ${JSON.stringify(body)}`);
      }
    }
    return failed;
  }

  /** Every value that a peer stores, as `resource/kind`. */
  async valuesOf(peer: PeerProcess): Promise<Set<string>> {
    const { status, body } = await this.ask(peer, '/v1/values');
    if (status !== 200 || !Array.isArray(body)) throw new Error(JSON.stringify(body));
    return new Set(body.map(({ resource, kind }) => `${resource}/${kind}`));
  }

  async close(): Promise<void> {
    await Promise.all([...this.started, this.authority].map((one) => one.end('SIGKILL')));
    await rm(this.directory, { recursive: true, force: true });
  }

  private async run(name: string, more: readonly string[], input: string): Promise<PeerProcess> {
    const port = more.includes('--first') ? this.firstPort : 0;
    const args = ['peer', '--json', '--state', this.state(name)];
    args.push('--config-url', this.configurationUrl, '--trust', this.state('ca/https.pem'));
    args.push('--listen', `${LOOPBACK}:${port}`, ...more);
    const process = new XorProcess(args, { input });
    this.started.push(process);
    const said = await process.firstJson(60_000);
    return {
      name,
      nodeId: String(said.nodeId),
      api: String(said.api),
      listenPort: Number(String(said.listen).split(':').at(-1)),
      xmpp: said.xmpp === undefined ? undefined : String(said.xmpp),
      gateway: said.gateway === undefined ? undefined : String(said.gateway),
      process,
    };
  }
}

/** The Resource-ID of a node's own certificate — RFC 6940 §8 and §10.2. */
export function certificateResource(nodeId: string): string {
  return createHash('sha1').update(Buffer.from(nodeId, 'hex')).digest('hex').slice(0, 32);
}

/** The peers from the one that is responsible for `resource` on, in the order of the ring. */
export function ringFrom(peers: readonly PeerProcess[], resource: string): PeerProcess[] {
  const ring = [...peers].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const responsible = Math.max(
    0,
    ring.findIndex(({ nodeId }) => nodeId >= resource),
  );
  return [...ring.slice(responsible), ...ring.slice(0, responsible)];
}

function jidOf(name: string): string {
  return `${name}@example.org`;
}

async function succeed(args: readonly string[], input = ''): Promise<void> {
  const { status, stderr } = await runXor(args, { input });
  if (status !== 0) throw new Error(`xor ${args.join(' ')} failed: ${stderr}`);
}
