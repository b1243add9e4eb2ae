/** Prosody, an ordinary XMPP server that others wrote, as a process of a test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { freePort } from '../../../src/host/free-port.ts';
import { gatewayCertificate } from '../../../src/host/xmpp/gateway/gateway-certificate.ts';
import {
  dataDirectory,
  type ProsodyOptions,
  type ProsodyPorts,
  tlsFiles,
  writeAccounts,
  writeConfiguration,
} from './prosody-config.ts';

export const isProsodyInstalled = spawnSync('prosodyctl', ['--help']).error === undefined;

/**
 * A Prosody with a configuration, a data directory, certificates and ports of its own, on loopback.
 * What a test leaves running ends with its file; a test that fails shows what servers logged meanwhile.
 */
export class Prosody {
  readonly directory: string;
  readonly ports: ProsodyPorts;
  private readonly child: ChildProcess;
  private readonly options: ProsodyOptions;
  private text = '';
  private shownCharacters = 0;
  private hasEnded = false;
  private readonly news = new EventEmitter().setMaxListeners(0);

  /** Resolves when it listens on all of its ports. */
  static async start(options: ProsodyOptions): Promise<Prosody> {
    const directory = await mkdtemp(join(tmpdir(), 'xor-prosody-'));
    try {
      await mkdir(dataDirectory(directory));
      await writeAccounts(directory, options.hosts);
      for (const { domain } of options.hosts) await writeCertificate(directory, domain);
      return await startIn(directory, options);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  constructor(directory: string, options: ProsodyOptions, ports: ProsodyPorts) {
    this.directory = directory;
    this.options = options;
    this.ports = ports;
    this.child = spawn('prosody', ['-F', '--config', configurationIn(directory)], {
      cwd: directory,
    });
    started.add(this);
    const read = (data: unknown) => {
      this.text += String(data);
      this.news.emit('news');
    };
    this.child.stdout?.on('data', read);
    this.child.stderr?.on('data', read);
    this.child.on('error', (error) => read(`${error}\n`));
    this.child.on('close', () => {
      this.hasEnded = true;
      this.news.emit('news');
    });
  }

  /** All that it logged. */
  get log(): string {
    return this.text;
  }

  /** PEM file: the certificate that a client of this domain trusts. */
  certificateFile(domain: string): string {
    return tlsFiles(this.directory, domain).certificate;
  }

  /** Waits until the log has this. */
  async logs(wanted: string | RegExp): Promise<void> {
    const signal = AbortSignal.timeout(WAIT_MS_MAX);
    const isThere = () =>
      typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text);
    while (!isThere()) {
      const isVain = this.hasEnded || signal.aborted || this.text.includes(PORT_IS_TAKEN);
      if (isVain) throw new Error(`Prosody did not log ${wanted}:\n${this.text}`);
      await once(this.news, 'news', { signal }).catch(() => undefined);
    }
  }

  /** Ends it, by default so that it can take leave of its clients; its data stay. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.child, 'close');
    this.child.kill(signal);
    await closed;
  }

  /** The same server once more after its end: same ports, same data. */
  async restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<Prosody> {
    await this.stop(signal);
    const next = new Prosody(this.directory, this.options, this.ports);
    await next.listens();
    return next;
  }

  async listens(): Promise<void> {
    const { client, clientDirectTls, component } = this.ports;
    const services = { c2s: client, c2s_direct_tls: clientDirectTls };
    const all = this.options.components === undefined ? services : { ...services, component };
    for (const [service, port] of Object.entries(all)) {
      await this.logs(`Activated service '${service}' on [127.0.0.1]:${port}`);
    }
  }

  /** What it logged since this was asked last. */
  takeNewLog(): string {
    const fresh = this.text.slice(this.shownCharacters);
    this.shownCharacters = this.text.length;
    return fresh;
  }
}

/** Each set of free ports may be taken by somebody else before Prosody has it. */
async function startIn(directory: string, options: ProsodyOptions): Promise<Prosody> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = {
      client: await freePort(),
      clientDirectTls: await freePort(),
      component: await freePort(),
    };
    await writeConfiguration(directory, options, ports);
    const prosody = new Prosody(directory, options, ports);
    try {
      await prosody.listens();
      return prosody;
    } catch (error) {
      await prosody.stop();
      if (attempt === ATTEMPTS_MAX || !prosody.log.includes(PORT_IS_TAKEN)) {
        throw error;
      }
    }
  }
}

/** Self-signed, for the domain alone: clients are told to trust this one. */
async function writeCertificate(directory: string, domain: string): Promise<void> {
  const made = await mkdtemp(join(directory, 'certificate-'));
  await gatewayCertificate(made, domain, Date.now());
  const { certificate, key } = tlsFiles(directory, domain);
  await rename(join(made, 'gateway.pem'), certificate);
  await rename(join(made, 'gateway-key.pem'), key);
}

function configurationIn(directory: string): string {
  return join(directory, 'prosody.cfg.lua');
}

afterEach(({ task }) => {
  for (const prosody of started) {
    const log = prosody.takeNewLog();
    if (task.result?.state === 'fail') console.error(`Prosody of "${task.name}":\n${log}`);
  }
});

afterAll(async () => {
  for (const prosody of started) {
    await prosody.stop();
    await rm(prosody.directory, { recursive: true, force: true });
  }
});

const started = new Set<Prosody>();
const WAIT_MS_MAX = 60_000;
const PORT_IS_TAKEN = 'Failed to open server port';
const ATTEMPTS_MAX = 3;
