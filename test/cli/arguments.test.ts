import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runXor } from './xor-process.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-arguments-'));
});

afterAll(() => rm(directory, { recursive: true }));

/** Wrong arguments: one sentence on stderr, nothing on stdout, exit status 2. */
const wrongArguments: readonly (readonly string[])[] = [
  ['nonsense'],
  ['--nonsense'],
  ['peer', '--nonsense'],
  ['peer', 'nonsense'],
  ['peer', '--listen', 'nonsense'],
  ['peer', '--listen', '127.0.0.1:70000'],
  ['peer', '--advertise', ':1'],
  ['peer', '--revocation', 'maybe'],
  ['peer', '--log-level', 'loud'],
  ['peer', '--first', '--client'],
  ['peer', '--api-key', 'key.pem'],
  ['peer', '--lookup-replicas', '10'],
  ['peer', '--lookup-paths', '0'],
  ['peer', '--gateway', 'nonsense'],
  ['peer', '--gateway-ws', '127.0.0.1'],
  ['peer', '--xmpp-listen', '1'],
  ['peer', '--xmpp-advertise', 'nonsense'],
  ['peer', '--xmpp-order', 'random'],
  ['peer', '--signed-stanzas', 'require'],
  ['peer', '--account', 'juliet@capulet.lit', '--signed-stanzas', 'maybe'],
  ['peer', '--forward-to', 'juliet@'],
  ['peer', '--forward-to', 'juliet@capulet.lit/balcony'],
  ['sandbox', '--gateway', 'nonsense'],
  ['sandbox', '--peers', '0'],
  ['sandbox', '--peers', 'many'],
  ['sandbox', '--dashboard', '127.0.0.1:1'],
  ['lookup'],
  ['lookup', 'nonsense'],
  ['lookup', '0'.repeat(32)],
  ['lookup', 'a', 'b'],
  ['locate', '6f1d8c0a00112233445566778899aabb'],
  ['ping', 'juliet@example.org'],
  ['send', 'juliet@example.org'],
  ['send', 'nobody', 'soft'],
  ['send', 'juliet@example.org', ''],
  ['status', '--api', 'nonsense'],
  ['cert', 'inspect'],
  ['cert', 'inspect', 'a.pem', '--profile', 'own'],
  ['cert', 'verify'],
  ['message', 'decode', '--node-id-length', '3'],
  ['verify'],
  ['verify', 'a.xml', '--time', 'now'],
  ['verify', 'a.xml', '--to', 'juliet@capulet.lit/balcony'],
  ['verify', 'a.xml', '--revocation', 'maybe'],
];

describe('wrong arguments', () => {
  test.each(wrongArguments.map((args) => [args.join(' '), args] as const))(
    'xor %s',
    async (_, args) => {
      const tokenFile = join(directory, 'token');
      await writeFile(tokenFile, 'token');
      const api = ['lookup', 'locate', 'ping', 'status'].includes(args[0] ?? '');
      const more = api ? ['--token-file', tokenFile] : [];
      const { status, stdout, stderr } = await runXor([...args, ...more]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^xor: [^\n]+\n(?:\(Did you mean [^\n]+\)\n)?$/);
    },
  );
});

describe('help', () => {
  test.each([
    'sandbox',
    'peer',
    'lookup',
    'locate',
    'ping',
    'send',
    'status',
    'peers',
    'values',
    'cert inspect',
    'cert verify',
    'message decode',
    'sim run',
    'sim list',
    'sim smoke',
    'sim sweep',
    'sim merge',
  ])('xor %s --help has an example', async (command) => {
    const { status, stdout, stderr } = await runXor([...command.split(' '), '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/Usage: xor/);
    expect(stdout).toMatch(/Examples?:\n {2}\$ xor /);
  });

  test('xor --help names every command, xor --version the version', async () => {
    const { status, stdout } = await runXor(['--help']);
    expect(status).toBe(0);
    for (const name of ['sandbox', 'peer', 'lookup', 'ca', 'config', 'cert', 'message', 'sim']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    expect((await runXor(['--version'])).stdout).toBe(`${version}\n`);
  });
});

describe('what fails says why in one sentence, with exit status 1', () => {
  test.each<[string, string[], RegExp]>([
    ['no running peer', ['status'], /is a peer running/],
    [
      'nobody at the URL',
      ['status', '--api', 'http://127.0.0.1:1', '--token-file', 'TOKEN'],
      /127/,
    ],
    ['an absent file', ['cert', 'inspect', 'DIR/absent.pem'], /there is no file .*absent\.pem/],
    ['no certificate', ['cert', 'inspect', 'TOKEN'], /expected a certificate/],
    ['no JSON', ['cert', 'verify', '--batch', 'TOKEN'], /expected JSON/],
    ['an absent trust file', ['peer', '--state', 'DIR/p', '--trust', 'DIR/x'], /cannot read .*x/],
    [
      'nobody at the configuration URL',
      ['peer', '--state', 'DIR/p', '--config-url', 'https://127.0.0.1:1/'],
      /127\.0\.0\.1:1/,
    ],
    ['a directory that is no sandbox', ['sandbox', '--state', 'DIR'], /no sandbox/],
  ])('%s', async (_, args, sentence) => {
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'token\n');
    const replaced = args.map((arg) => arg.replace('DIR', directory).replace('TOKEN', tokenFile));
    const { status, stdout, stderr } = await runXor(replaced, { stateHome: directory });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^xor: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
  });
});

describe('xor message decode', () => {
  test('a line that does not decode says where and why; exit status 1 at the end', async () => {
    const ack = '810000000500000000';
    const { status, stdout, stderr } = await runXor(['message', 'decode'], {
      input: `${ack}\n\nd2454c4f00\nzz\n`,
    });
    const lines = stdout.trim().split('\n');
    expect(status).toBe(1);
    expect(stderr).toBe('xor: 2 of 3 lines did not decode\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual([
      ['frame'],
      ['error'],
      ['error'],
    ]);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      error: { struct: expect.any(String), field: expect.any(String), offset: expect.any(Number) },
    });
  });

  test('--reencode gives the same bytes back', async () => {
    const file = join(directory, 'frames.hex');
    await writeFile(file, '810000000500000000\n');
    const { status, stdout } = await runXor(['message', 'decode', '--reencode', file]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '810000000500000000\n' });
  });
});
