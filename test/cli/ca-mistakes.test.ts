import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { initializeAuthority } from '../../src/host/authority/initialization.ts';
import { runCa, startCa } from './ca-run.ts';

let directory = '';
/** A sound authority, one of another overlay, and a copy of the first for each test. */
let sound = '';
let other = '';
let state = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  sound = join(directory, 'sound');
  other = join(directory, 'other');
  await initializeAuthority({ stateDirectory: sound, overlayName: 'overlay.example.org' });
  await initializeAuthority({ stateDirectory: other, overlayName: 'other.example.org' });
});

afterAll(() => rm(directory, { recursive: true, force: true }));

let copies = 0;
beforeEach(async () => {
  state = join(directory, `copy-${++copies}`);
  await cp(sound, state, { recursive: true });
});

/** One sentence, no stack, exit status 1. */
async function failure(...args: string[]): Promise<string> {
  const { exitStatus, stdout, stderr } = await runCa(args);
  expect({ exitStatus, stdout }).toEqual({ exitStatus: 1, stdout: '' });
  expect(stderr).toMatch(/^xor: [^\n]+\n$/);
  expect(stderr).not.toContain('internal error');
  return stderr;
}

const inState = (name: string) => join(state, name);
const list = () => failure('list', '--state', state);

describe('an operator who makes mistakes is told what is wrong', { timeout: 60_000 }, () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'the settings of another authority',
      () => cp(join(other, 'settings.json'), inState('settings.json')),
      /settings\.json is for "ca other\.example\.org" and the certificate for .*restore both/,
    ],
    [
      'the ledger of another authority',
      () => cp(join(other, 'ledger.mdb'), inState('ledger.mdb')),
      /holds the ledger of another authority/,
    ],
    [
      'the root certificate of another authority',
      () => cp(join(other, 'root.pem'), inState('root.pem')),
      /the key and the certificate of root do not belong together/,
    ],
    ['a key that is none', () => writeFile(inState('root-key.pem'), 'x'), /of root cannot be read/],
    ['a key that is gone', () => rm(inState('root-key.pem')), /there is no file .*root-key\.pem/],
    ['a ledger that is gone', () => rm(inState('ledger.mdb')), /there is no ledger in/],
    ['a ledger cut short', () => truncate(inState('ledger.mdb'), 5_000), /ledger\.mdb is damaged/],
    [
      'a ledger of random bytes',
      () => writeFile(inState('ledger.mdb'), randomBytes(40_000)),
      /ledger\.mdb is damaged/,
    ],
    ['an empty ledger', () => writeFile(inState('ledger.mdb'), ''), /ledger\.mdb is damaged/],
    ['settings cut short', () => truncate(inState('settings.json'), 20), /is damaged/],
    ['limits that are none', () => writeFile(inState('limits.json'), '{"a":'), /cannot be used/],
    ['encrypted keys cut short', () => writeFile(inState('keys.sealed'), '{"n":'), /keys/],
  ])('%s', async (_what, make, says) => {
    await make();
    expect(await list()).toMatch(says);
  });

  it('a state that is none: the directory of a peer, a file, below a file', async () => {
    const peer = join(directory, 'peer');
    await mkdir(peer, { recursive: true, mode: 0o700 });
    await writeFile(join(peer, 'identity.json'), '{}');
    expect(await failure('list', '--state', peer)).toContain('there is no authority in');
    const file = inState('root.pem');
    expect(await failure('list', '--state', file)).toContain('is no directory');
    expect(await failure('init', '--state', file)).toContain('is no directory');
    expect(await failure('init', '--state', join(file, 'x'))).toContain('is no directory');
  });

  it('a wrong file: random bytes, a certificate, a directory', async () => {
    const sign = (file: string) =>
      failure('sign-authority', file, '--state', state, '--any-domain');
    const random = join(directory, 'random');
    await writeFile(random, randomBytes(3_000_000));
    expect(await sign(random)).toContain('there is no CERTIFICATE REQUEST in that file');
    expect(await sign(inState('root.pem'))).toContain('there is no CERTIFICATE REQUEST');
    expect(await sign(state)).toContain('is a directory; name a file');
    expect(await sign(join(state, 'none'))).toContain('there is no file');
  });

  it('a port that another program has, and an address of another machine', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const serve = (listen: string) => failure('serve', '--state', state, '--listen', listen);
    expect(await serve(`127.0.0.1:${port}`)).toContain('is in use; choose another port');
    expect(await serve('192.0.2.77:9999')).toContain('is no address of this machine');
  });

  it('a second server on a state that one has', async () => {
    const server = startCa(['serve', '--state', state, '--listen', '127.0.0.1:0', '--json']);
    onTestFinished(() => {
      server.kill('SIGKILL');
    });
    await once(createInterface({ input: server.stdout ?? process.stdin }), 'line');
    const second = await failure('serve', '--state', state, '--listen', '127.0.0.1:0');
    expect(second).toMatch(/is in use by process \d+; stop it, or name another --state/);
    const moved = await failure('ledger', 'move', '--state', state, '--to', 'postgres://h/l');
    expect(moved).toMatch(/is in use by process \d+/);
  });
});
