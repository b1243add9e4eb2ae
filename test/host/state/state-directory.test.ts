import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  openStateDirectory,
  writeAtomic,
  writeSecret,
} from '../../../src/host/state/state-directory.ts';

const HOLDER = [
  '--import',
  'tsx',
  fileURLToPath(new URL('./state-directory-holder.ts', import.meta.url)),
];
const CHILD_ENVIRONMENT = { ...process.env, NODE_OPTIONS: '' };
/** No process has this ID: it is above the largest that Linux gives. */
const NOBODY = 2 ** 22 + 1;

let root: string;
let path: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'state-directory-'));
  path = join(root, 'peer', 'example.org');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

/** Leaves the lock of a process that is gone. */
function leaveLock(owner: object): void {
  const token = '0'.repeat(32);
  const whole = { pid: NOBODY, startTime: '1', host: hostname(), token, ...owner };
  writeFileSync(join(path, 'lock'), JSON.stringify(whole));
}

/** A process that opens the directory, says so or why not, and then waits to be stopped. */
function holder() {
  const child = spawn(process.execPath, [...HOLDER, path], { env: CHILD_ENVIRONMENT });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    firstLine: async () => String((await lines.next()).value),
    end: async (signal: NodeJS.Signals) => {
      child.kill(signal);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

describe('the directory', () => {
  test('is made for this user alone', async () => {
    const directory = await openStateDirectory(path);
    expect(directory.path).toBe(path);
    expect(modeOf(path)).toBe(0o700);
    await directory.close();
    expect(readdirSync(path)).toEqual([]);
  });

  test('where every user may write is refused', async () => {
    await (await openStateDirectory(path)).close();
    chmodSync(path, 0o777);
    await expect(openStateDirectory(path)).rejects.toThrow(`run chmod 700 ${path}`);
  });
});

describe('the lock', () => {
  test('a second opening in the same process is refused, and possible after close', async () => {
    const first = await openStateDirectory(path);
    await expect(openStateDirectory(path)).rejects.toThrow(`in use by process ${process.pid};`);
    await first.close();
    const second = await openStateDirectory(path);
    await first.close();
    expect(existsSync(join(path, 'lock'))).toBe(true);
    await second.close();
  });

  test('of several openings at once, one succeeds', async () => {
    for (const isStale of [false, true]) {
      if (isStale) leaveLock({});
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => openStateDirectory(path)),
      );
      const opened = results.filter((result) => result.status === 'fulfilled');
      expect(opened).toHaveLength(1);
      await opened[0]?.value.close();
      expect(readdirSync(path)).toEqual([]);
    }
  });

  test('a second process is told the first one’s ID; it gets in when that one is killed', {
    timeout: 30_000,
  }, async () => {
    const first = holder();
    expect(await first.firstLine()).toBe('open');
    const second = holder();
    const refusal = await second.firstLine();
    expect(refusal).toContain(`${path} is in use by process ${first.pid};`);
    expect(refusal.split('\n')).toHaveLength(1);
    await second.end('SIGKILL');
    await first.end('SIGKILL');
    const third = await openStateDirectory(path);
    await third.close();
  });

  test('of several processes that find a stale lock, one gets in', {
    timeout: 60_000,
  }, async () => {
    await (await openStateDirectory(path)).close();
    leaveLock({});
    const holders = Array.from({ length: 6 }, holder);
    const lines = await Promise.all(holders.map((each) => each.firstLine()));
    expect(lines.filter((line) => line === 'open')).toHaveLength(1);
    await Promise.all(holders.map((each) => each.end('SIGKILL')));
  });

  test('a lock whose process ID belongs to a later process is stale', async () => {
    await (await openStateDirectory(path)).close();
    for (const pid of [process.pid, process.ppid]) {
      leaveLock({ pid, startTime: '1' });
      await (await openStateDirectory(path)).close();
    }
  });

  test.each(['', 'not JSON', '{}', '{"pid":1}'])('a lock that says %j is stale', async (text) => {
    await (await openStateDirectory(path)).close();
    writeFileSync(join(path, 'lock'), text);
    await (await openStateDirectory(path)).close();
    expect(readdirSync(path)).toEqual([]);
  });

  test('a process that died while it took a stale lock over is no obstacle', async () => {
    await (await openStateDirectory(path)).close();
    leaveLock({});
    const claim = { pid: NOBODY, startTime: '1', host: hostname(), token: '1'.repeat(32) };
    writeFileSync(join(path, `lock.claim-${'0'.repeat(32)}`), JSON.stringify(claim));
    await (await openStateDirectory(path)).close();
    expect(readdirSync(path)).toEqual([]);
  });

  test('a claim of a living process is respected', async () => {
    await (await openStateDirectory(path)).close();
    leaveLock({});
    const claim = { pid: process.ppid, host: hostname(), token: '1'.repeat(32) };
    writeFileSync(join(path, `lock.claim-${'0'.repeat(32)}`), JSON.stringify(claim));
    await expect(openStateDirectory(path)).rejects.toThrow(`process ${process.ppid};`);
  });

  test('the lock of another machine is not broken; the message says what to do', async () => {
    await (await openStateDirectory(path)).close();
    leaveLock({ host: 'elsewhere' });
    const refusal = `process ${NOBODY} on the machine elsewhere; if that does not run any more`;
    await expect(openStateDirectory(path)).rejects.toThrow(refusal);
  });
});

describe('files', () => {
  const file = () => join(path, 'key.pem');

  beforeEach(async () => {
    await (await openStateDirectory(path)).close();
  });

  test('a secret is for this user alone, also where a file of another mode was before', async () => {
    writeFileSync(file(), 'old', { mode: 0o644 });
    await writeSecret(file(), 'secret');
    expect(readFileSync(file(), 'utf8')).toBe('secret');
    expect(modeOf(file())).toBe(0o600);
  });

  test('bytes are written as they are', async () => {
    await writeAtomic(file(), Uint8Array.of(0, 255, 10));
    expect([...readFileSync(file())]).toEqual([0, 255, 10]);
  });

  test('what cannot be written leaves the old content and nothing else', async () => {
    await expect(writeAtomic(join(path, 'nowhere', 'file'), 'x')).rejects.toThrow('ENOENT');
    writeFileSync(file(), 'old');
    const bad = { toString: 1 } as unknown as string;
    await expect(writeAtomic(file(), bad)).rejects.toThrow(TypeError);
    expect(readFileSync(file(), 'utf8')).toBe('old');
    expect(readdirSync(path)).toEqual(['key.pem']);
  });

  test('what a process left that died while it wrote goes with the next opening', async () => {
    writeFileSync(join(path, '.unfinished-key.pem-00'), 'half');
    await (await openStateDirectory(path)).close();
    expect(readdirSync(path)).toEqual([]);
  });

  test('writes at the same time leave one of the contents, whole', async () => {
    const contents = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(1000));
    await Promise.all(contents.map((content) => writeAtomic(file(), content)));
    expect(contents).toContain(readFileSync(file(), 'utf8'));
    expect(readdirSync(path)).toEqual(['key.pem']);
  });
});
