import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCa, startCa } from './ca-run.ts';

const JULIET = 'juliet@capulet.lit';
let directory = '';
let state = '';
let server: ChildProcess | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  state = join(directory, 'ca');
});

afterAll(async () => {
  server?.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

const inHere = () => ({ env: { XDG_STATE_HOME: directory } });
const start = (...args: string[]) => startCa(args, inHere());
const run = (args: readonly string[], input = '') => runCa(args, { ...inHere(), input });

async function runJson(args: readonly string[], input = '') {
  const { exitStatus, stdout, stderr } = await run([...args, '--json'], input);
  expect(stderr).toBe('');
  expect(exitStatus).toBe(0);
  return JSON.parse(stdout);
}

/** Each step stands on the one before. */
describe('xor ca', { timeout: 60_000 }, () => {
  it('says what to do where there is no authority', async () => {
    const { exitStatus, stderr } = await run(['list']);
    expect(exitStatus).toBe(1);
    expect(stderr).toMatch(/^xor: there is no authority in .*; run xor ca init\n$/);
  });

  it('init makes one, in $XDG_STATE_HOME/xor/ca or in --state', async () => {
    const made = await runJson(['init', '--overlay', 'overlay.example.org']);
    expect(made).toMatchObject({
      event: 'initialized',
      state: join(directory, 'xor', 'ca'),
      overlay: 'overlay.example.org',
      trust: join(directory, 'xor', 'ca', 'https.pem'),
    });
    const { stdout } = await run(['init', '--state', state, '--https-name', 'ca.example.org']);
    expect(stdout).toContain('xmpp.org');
    expect(stdout).toContain('--trust');
  });

  it('init refuses a second time, and arguments that make no sense', async () => {
    expect(await run(['init', '--state', state])).toMatchObject({ exitStatus: 1 });
    expect(await run(['init', '--key', 'dsa'])).toMatchObject({ exitStatus: 2 });
    expect(await run(['serve'])).toMatchObject({ exitStatus: 2 });
    expect(await run(['serve', '--listen', 'here'])).toMatchObject({ exitStatus: 2 });
    expect(await run(['revoke', 'x', '--reason', 'mood'])).toMatchObject({ exitStatus: 2 });
  });

  it('user add takes a password from stdin, or makes one and shows it once', async () => {
    const given = ['user', 'add', JULIET, '--password-stdin', '--devices-max', '3'];
    const account = await runJson([...given, '--state', state], 'wherefore art thou\n');
    expect(account).toEqual({ jid: JULIET, devicesMax: 3, devices: 0 });
    const made = await runJson(['user', 'add', 'romeo@montague.lit', '--state', state]);
    expect(made.password).toMatch(/^[\w-]{24}$/);
    const again = await run(['user', 'add', JULIET, '--state', state]);
    expect(again.stderr).toContain('exists already');
    const bad = await run(['user', 'add', 'Juliet@capulet.lit', '--state', state]);
    expect(bad).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('write "juliet@capulet.lit"'),
    });
  });

  it('serve says where it listens, with the port that the system chose', async () => {
    server = start('serve', '--state', state, '--listen', '127.0.0.1:0', '--json');
    const lines = createInterface({ input: server.stdout ?? process.stdin });
    const [line] = (await once(lines, 'line')) as [string];
    const listening = JSON.parse(line);
    expect(listening).toMatchObject({ event: 'listening', overlay: 'xmpp.org', sequence: 1 });
    expect(listening.listen).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
    const port = listening.listen.split(':')[1];
    expect(listening.configurationUrl).toBe(
      `https://ca.example.org:${port}/.well-known/reload-config`,
    );
    const ca = await readFile(join(state, 'https.pem'), 'utf8');
    const url = `https://127.0.0.1:${port}/.well-known/reload-config`;
    const status = await new Promise((done, failed) => {
      request(url, { ca }, (response) => {
        response.resume();
        done(response.statusCode);
      })
        .on('error', failed)
        .end();
    });
    expect(status).toBe(200);
  });

  it('user, list and revoke reach an authority that runs', async () => {
    const added = await runJson(['user', 'add', 'mercutio@verona.lit', '--state', state]);
    expect(added.jid).toBe('mercutio@verona.lit');
    const update = ['user', 'update', JULIET, '--devices-max', '5', '--state', state];
    expect(await runJson(update)).toMatchObject({ devicesMax: 5 });
    expect(await runJson(['user', 'remove', 'romeo@montague.lit', '--state', state])).toEqual({
      jid: 'romeo@montague.lit',
      certificates: [],
    });
    const listing = await runJson(['list', '--state', state]);
    expect(listing.accounts.map(({ jid }: { jid: string }) => jid)).toEqual([
      JULIET,
      'mercutio@verona.lit',
    ]);
    const [signer] = listing.certificates;
    const refused = await run(['revoke', signer.serialNumber, '--state', state]);
    expect(refused).toMatchObject({ exitStatus: 1, stderr: expect.stringMatching(/own signer/) });
    expect((await run(['list', '--state', state])).stdout).toContain('NODE-ID');
  });

  it('serve refuses a state that another process has', async () => {
    const second = await run(['serve', '--state', state, '--listen', '127.0.0.1:0']);
    expect(second).toMatchObject({ exitStatus: 1, stderr: expect.stringMatching(/in use/) });
  });

  it('serve ends with exit status 0 at SIGTERM, and the state is free', async () => {
    server?.kill('SIGTERM');
    expect(await once(server as ChildProcess, 'exit')).toEqual([0, null]);
    expect((await runJson(['list', '--state', state])).accounts).toHaveLength(2);
  });
});

it.each([[[]], [['user']], [['init']], [['serve']], [['revoke']], [['user', 'add']]])(
  'xor ca %j has help with examples',
  async (command) => {
    const { exitStatus, stdout } = await run([...command, '--help']);
    expect(exitStatus).toBe(0);
    expect(stdout).toContain('Examples:');
  },
);
