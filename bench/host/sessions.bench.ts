/**
 * Resident memory of `xor peer --gateway` in a process of its own, in a ring of 32, at which 500
 * clients of its user are logged in by TLS and SCRAM: with stream management, carbons and presence,
 * of which each hears that of all others, and after each has sent a message that all of them got.
 * Needs the build, `npm run build`.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { silentLog } from '../../src/host/log.ts';
import { Sandbox } from '../../src/host/sandbox.ts';
import type { SocketAddress } from '../../src/host/socket-address.ts';
import { SurvivingClient } from '../../test/host/xmpp/surviving-client.ts';
import type { BenchResult } from '../bench-result.ts';

export async function run(): Promise<BenchResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-bench-'));
  const sandboxDirectory = join(directory, 'sandbox');
  const sandbox = new Sandbox({
    stateDirectory: sandboxDirectory,
    peers: RING_PEERS - 1,
    log: silentLog,
    onProgress: () => undefined,
  });
  try {
    await sandbox.start();
    const { password } = JSON.parse(
      await xor(['ca', 'user', 'add', USER, '--state', join(sandboxDirectory, 'ca'), '--json']),
    ) as { password: string };
    const state = join(directory, 'peer');
    const options = [
      ...['--state', state, '--json', '--log-level', 'silent', '--listen', '127.0.0.1:0'],
      ...['--config-url', `${sandbox.authorityUrl}/.well-known/reload-config`],
      ...['--trust', join(sandboxDirectory, 'ca', 'https.pem'), '--gateway', '127.0.0.1:0'],
      ...['--user', USER, '--password-stdin'],
    ];
    return await measured(options, state, password);
  } finally {
    await sandbox.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measured(
  options: readonly string[],
  state: string,
  password: string,
): Promise<BenchResult[]> {
  const child = spawn(process.execPath, [XOR, 'peer', ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(`${password}\n`);
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
      signal: AbortSignal.timeout(JOIN_MS_MAX),
    })) as [string];
    const { api, gateway } = JSON.parse(line) as { api: string; gateway: string };
    await xor(['passwd', '--state', state, '--password-stdin'], `${LOCAL_PASSWORD}\n`);
    const before = await residentMb(api);
    const crowd = new Crowd({ host: '127.0.0.1', port: Number(gateway.split(':').at(-1)) });
    await crowd.logIn();
    const loggedIn = await residentMb(api);
    await crowd.speak();
    const spoken = await residentMb(api);
    await crowd.end();
    return [
      resultOf('logged in', loggedIn, before),
      resultOf('each has sent a message to all', spoken, before),
    ];
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

/** The clients, and what they have heard. */
class Crowd {
  private readonly gateway: SocketAddress;
  private readonly clients: SurvivingClient[] = [];
  private readonly running: Promise<void>[] = [];
  private messages = 0;

  constructor(gateway: SocketAddress) {
    this.gateway = gateway;
  }

  async logIn(): Promise<void> {
    while (this.clients.length < SESSIONS) {
      const client = new SurvivingClient({
        ...{ user: USER_NAME, domain: DOMAIN, password: LOCAL_PASSWORD, isManaged: true },
        resource: `client-${this.clients.length}`,
        gateway: () => this.gateway,
        heard: (stanza) => {
          if (stanza.name === 'message') this.messages += 1;
        },
      });
      this.clients.push(client);
      this.running.push(client.run());
      const isBound = () => client.sessions > 0;
      if (this.clients.length % AT_ONCE === 0) await until(isBound);
    }
    await until(() => this.clients.every(({ sessions }) => sessions > 0));
    for (const client of this.clients) {
      client.ask(`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`);
    }
  }

  async speak(): Promise<void> {
    for (const [index, client] of this.clients.entries()) {
      const id = `<origin-id xmlns='urn:xmpp:sid:0' id='${index}'/>`;
      client.say(`<message to='${USER}' type='chat'><body>${TEXT}</body>${id}</message>`);
      if (index % AT_ONCE === 0) await until(() => client.acknowledged === 1);
    }
    await until(() => this.messages >= SESSIONS * SESSIONS);
  }

  async end(): Promise<void> {
    for (const client of this.clients) client.end();
    await Promise.all(this.running);
  }
}

async function residentMb(api: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const metrics = await (await fetch(`${api}/metrics`)).text();
  const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1];
  if (bytes === undefined) throw new Error('the metrics do not tell the resident memory');
  return Number(bytes) / MB;
}

function resultOf(when: string, value: number, reference: number): BenchResult {
  return {
    name: `resident memory of xor peer with ${SESSIONS} local sessions, ${when}`,
    value,
    unit: 'MB',
    referenceName: 'the same peer without sessions',
    reference,
    ratio: value / reference,
    bound: `value <= ${RESIDENT_MB_MAX}`,
    isMet: value <= RESIDENT_MB_MAX,
  };
}

async function xor(args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)(process.execPath, [XOR, ...args]);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

async function until(condition: () => boolean): Promise<void> {
  const untilMs = performance.now() + STEP_MS_MAX;
  while (!condition()) {
    if (performance.now() > untilMs) throw new Error('the clients waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const XOR = fileURLToPath(new URL('../../bin/xor', import.meta.url));
const USER_NAME = 'crowd';
const DOMAIN = 'sandbox.example';
const USER = `${USER_NAME}@${DOMAIN}`;
const LOCAL_PASSWORD = 'wherefore art thou';
const TEXT = 'What light through yonder window breaks?';
const MB = 1_048_576;
const RING_PEERS = 32;
const SESSIONS = 500;
const RESIDENT_MB_MAX = 300;
/** Clients that log in, or speak, before the others go on. */
const AT_ONCE = 50;
const SETTLE_MS = 2_000;
const JOIN_MS_MAX = 60_000;
const STEP_MS_MAX = 300_000;
