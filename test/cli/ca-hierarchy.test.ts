import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Given, runCa, startCa } from './ca-run.ts';

const OVERLAY = 'overlay.example.org';
let directory = '';
let server: ChildProcess | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  await writeFile(join(directory, 'passphrase'), 'open sesame\n');
});

afterAll(async () => {
  server?.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** The directory of the test is where commands without `--state` look. */
const inHere = (given: Given): Given => ({
  ...given,
  env: { XDG_STATE_HOME: directory, ...given.env },
});
const start = (args: readonly string[], given: Given = {}) => startCa(args, inHere(given));
const run = (args: readonly string[], given: Given = {}) => runCa(args, inHere(given));

/** Serves until it says where it listens, then until `stop`. */
async function serve(args: readonly string[], given: Given = {}) {
  server = start(['serve', '--listen', '127.0.0.1:0', '--json', ...args], given);
  const lines = createInterface({ input: server.stdout ?? process.stdin });
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line);
}

async function stop(): Promise<void> {
  if (server === undefined) return;
  const ended = once(server, 'close');
  server.kill('SIGTERM');
  await ended;
  server = undefined;
}

const place = (name: string) => join(directory, name);
const withKey = { env: { XOR_CA_PASSPHRASE: 'open sesame' } };

/** Each step stands on the one before. */
describe('xor ca with encrypted keys and authorities below', { timeout: 120_000 }, () => {
  it('init encrypts the keys with a passphrase from a file descriptor', async () => {
    const root = ['--state', place('root')];
    const made = await run(['init', ...root, '--overlay', OVERLAY, '--passphrase-fd', '3'], {
      third: 'open sesame\n',
    });
    expect(made).toMatchObject({ exitStatus: 0, stderr: '' });
    expect(made.stdout).not.toContain('not encrypted');
    const files = await readdir(place('root'));
    expect(files.filter((file) => file.endsWith('-key.pem'))).toEqual([]);
    for (const file of files) {
      expect(await readFile(join(place('root'), file), 'latin1')).not.toContain('PRIVATE KEY');
    }
  });

  it('says in one sentence that the passphrase is missing, wrong or empty', async () => {
    const list = ['list', '--state', place('root')];
    expect(await run(list)).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringMatching(/^xor: the keys in .* are encrypted; give their pass.*\n$/),
    });
    expect(await run(list, { env: { XOR_CA_PASSPHRASE: 'open barley' } })).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringMatching(/^xor: the passphrase is not the one of .*\n$/),
    });
    expect(await run(list, { env: { XOR_CA_PASSPHRASE: '' } })).toMatchObject({ exitStatus: 2 });
    expect(await run([...list, '--passphrase-fd', '3'], { third: '\n' })).toMatchObject({
      exitStatus: 2,
    });
    expect(await run([...list, '--passphrase-fd', '77'])).toMatchObject({ exitStatus: 2 });
    expect(await run(list, withKey)).toMatchObject({ exitStatus: 0, stderr: '' });
  });

  it('init --parent asks the authority above, which runs', async () => {
    const listening = await serve(['--state', place('root')], withKey);
    expect(listening).toMatchObject({ overlay: OVERLAY, sequence: 1 });
    const below = ['init', '--state', place('below'), '--name', 'below', '--parent', place('root')];
    const made = await run([...below, '--domain', 'shakespeare.lit', '--json']);
    expect(made).toMatchObject({ exitStatus: 0, stderr: '' });
    expect(JSON.parse(made.stdout)).toMatchObject({
      event: 'initialized',
      overlay: OVERLAY,
      domain: 'shakespeare.lit',
    });
    const listed = await run(['list', '--state', place('root')]);
    expect(listed.stdout).toMatch(/AUTHORITY .*\nbelow shakespeare\.lit +valid /);
    await stop();
  });

  it('serve says where a part of the overlay enrolls', async () => {
    const listening = await serve(['--state', place('below')]);
    expect(listening.enrollmentUrl).toMatch(/^https:\/\/localhost:\d+\/enroll$|127\.0\.0\.1/);
    expect(listening.sequence).toBeUndefined();
    const add = ['user', 'add', '--state', place('below')];
    expect(await run([...add, 'juliet@capulet.lit'])).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('this is the authority of shakespeare.lit'),
    });
    expect(await run([...add, 'bard@shakespeare.lit'])).toMatchObject({ exitStatus: 0 });
    await stop();
  });

  it('init --request, sign-authority and complete: the authority above is elsewhere', async () => {
    const far = place('far');
    const init = ['init', '--state', far, '--name', 'far', '--overlay', OVERLAY, '--request'];
    const waiting = await run([...init, '--json']);
    const { event, request } = JSON.parse(waiting.stdout);
    expect(event).toBe('waiting');
    const certificates = place('far.pem');
    const sign = ['sign-authority', request, '--state', place('root'), '--out', certificates];
    expect(await run(sign, withKey)).toMatchObject({ exitStatus: 2 });
    expect(await run([...sign, '--domain', 'a.lit'], withKey)).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('it is for any domain'),
    });
    expect(await run([...sign, '--any-domain'], withKey)).toMatchObject({ exitStatus: 0 });
    expect(await run(['list', '--state', far])).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('waits for its certificate'),
    });
    const done = await run(['complete', certificates, '--state', far, '--json']);
    expect(done).toMatchObject({ exitStatus: 0, stderr: '' });
    expect(await run(['list', '--state', far])).toMatchObject({ exitStatus: 0 });
  });

  it('refuses options that do not go together', async () => {
    const state = ['--state', place('none')];
    expect(await run(['init', ...state, '--domain', 'a.lit'])).toMatchObject({ exitStatus: 2 });
    const listen = ['serve', ...state, '--listen', '127.0.0.1:0'];
    for (const follow of [
      ['--follow-trust', 'https.pem'],
      ['--follow', 'http://ca.example.org/'],
    ]) {
      expect(await run([...listen, ...follow])).toMatchObject({ exitStatus: 2 });
    }
    expect(await run(['init', ...state, '--parent', place('root'), '--request'])).toMatchObject({
      exitStatus: 2,
    });
    expect(await run(['init', ...state, '--request', '--domain', '*.lit'])).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('is not a lower-case host name'),
    });
    expect(await run(['init', ...state, '--parent', place('nowhere')])).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('there is no authority in'),
    });
  });
});
