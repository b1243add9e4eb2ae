/**
 * Resident memory: of `xor peer` in a process of its own that joined a ring of 32, at its first
 * start, when it enrolls, and at its second; and of a hundred peers in one process. Needs the
 * build, `npm run build`.
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
import type { BenchResult } from '../bench-result.ts';

export async function run(): Promise<BenchResult[]> {
  return [...(await peerInOwnProcess()), await peersInOneProcess()];
}

async function peerInOwnProcess(): Promise<BenchResult[]> {
  const bareMb = await bareNodeMb();
  const directory = await mkdtemp(join(tmpdir(), 'xor-bench-'));
  const sandboxDirectory = join(directory, 'sandbox');
  const sandbox = new Sandbox({
    stateDirectory: sandboxDirectory,
    peers: RING_PEERS - 1,
    log: silentLog,
    onProgress: () => undefined,
  });
  const resultOf = (when: string, value: number): BenchResult => ({
    name: `resident memory of xor peer in a ring of ${RING_PEERS}, ${when}`,
    value,
    unit: 'MB',
    referenceName: 'Node.js without a program',
    reference: bareMb,
    ratio: value / bareMb,
    bound: `value <= ${OWN_PROCESS_MB_MAX}`,
    isMet: value <= OWN_PROCESS_MB_MAX,
  });
  try {
    await sandbox.start();
    const password = await addUser(join(sandboxDirectory, 'ca'));
    const options = [
      ...['--state', join(directory, 'last'), '--json', '--log-level', 'silent'],
      ...['--config-url', `${sandbox.authorityUrl}/.well-known/reload-config`],
      ...['--trust', join(sandboxDirectory, 'ca', 'https.pem'), '--listen', '127.0.0.1:0'],
    ];
    const enrolling = [...options, '--user', USER, '--password-stdin'];
    return [
      resultOf('enrolled', await peerMb(enrolling, `${password}\n`)),
      resultOf('restarted', await peerMb(options, '')),
    ];
  } finally {
    await sandbox.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A new account at the running authority. Returns its password. */
async function addUser(authorityDirectory: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    XOR,
    ...['ca', 'user', 'add', USER, '--state', authorityDirectory, '--json'],
  ]);
  return (JSON.parse(stdout) as { password: string }).password;
}

/** Runs `xor peer` until it has joined and settled, and asks its metrics. */
async function peerMb(options: readonly string[], input: string): Promise<number> {
  const child = spawn(process.execPath, [XOR, 'peer', ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
      signal: AbortSignal.timeout(JOIN_MS_MAX),
    })) as [string];
    const { api } = JSON.parse(line) as { api: string };
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const metrics = await (await fetch(`${api}/metrics`)).text();
    const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1];
    if (bytes === undefined) throw new Error('the metrics do not tell the resident memory');
    return Number(bytes) / MB;
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

async function peersInOneProcess(): Promise<BenchResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--expose-gc', '--import', 'tsx'],
    fileURLToPath(new URL('peers-in-one-process.ts', import.meta.url)),
    String(PEERS),
  ]);
  const counted = JSON.parse(stdout) as { beforeBytes: number; afterBytes: number };
  const value = counted.afterBytes / PEERS / MB;
  const reference = counted.beforeBytes / PEERS / MB;
  return {
    name: `resident memory of ${PEERS} peers in one process, each`,
    value,
    unit: 'MB',
    referenceName: 'that process without peers',
    reference,
    ratio: value / reference,
    bound: `value <= ${EACH_MB_MAX}`,
    isMet: value <= EACH_MB_MAX,
  };
}

async function bareNodeMb(): Promise<number> {
  const program = 'console.log(process.memoryUsage.rss())';
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program]);
  return Number(stdout) / MB;
}

const XOR = fileURLToPath(new URL('../../bin/xor', import.meta.url));
const USER = 'last@sandbox.example';
const MB = 1_048_576;
const RING_PEERS = 32;
const PEERS = 100;
const OWN_PROCESS_MB_MAX = 90;
const EACH_MB_MAX = 6;
const JOIN_MS_MAX = 60_000;
const SETTLE_MS = 2_000;
