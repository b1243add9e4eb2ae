import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/host/free-port.ts';
import { AuthorityFixture, LOOPBACK } from './authority-fixture.ts';
import { runXor } from './xor-process.ts';

const PASSWORD = 'a plague on both your houses';
let overlay: AuthorityFixture;

beforeAll(async () => {
  overlay = await AuthorityFixture.start();
  await overlay.authority.addUser('mercutio@example.org', PASSWORD);
});

afterAll(() => overlay?.close());

function peer(name: string): string[] {
  return [...overlay.peerArguments(name), '--user', 'mercutio@example.org', '--password-stdin'];
}

function withOption(args: readonly string[], option: string, value: string): string[] {
  return args.map((arg, i) => (args[i - 1] === option ? value : arg));
}

async function failsInOneSentence(args: readonly string[], sentence: RegExp): Promise<void> {
  const { status, stdout, stderr } = await runXor(args, { input: `${PASSWORD}\n` });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  // Beside the log, which is JSON, one line for the user.
  const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(said).toEqual([expect.stringMatching(/^xor: \S/)]);
  expect(said[0]).toMatch(sentence);
  expect(stderr).not.toContain(PASSWORD);
  expect(stderr).not.toMatch(/^\s+at /m);
}

describe('one sentence and exit status 1', () => {
  test('a configuration server that is not there', async () => {
    const url = `https://${LOOPBACK}:${await freePort()}/.well-known/reload-config`;
    const args = withOption(peer('unreachable'), '--config-url', url);
    await failsInOneSentence(args, /no answer from 127\.0\.0\.1:\d+ .*check that the server runs/);
  });

  test('a file of trusted certificates that is not there', async () => {
    const args = withOption(peer('trustless'), '--trust', overlay.state('none.pem'));
    await failsInOneSentence(args, /cannot read .*none\.pem \(ENOENT\), which --trust names/);
  });

  test('an authority that is to listen where another program does', async () => {
    const server = createServer().listen(0, LOOPBACK);
    await new Promise((resolve) => server.on('listening', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const state = overlay.state('second-ca');
      expect((await runXor(['ca', 'init', '--state', state])).status).toBe(0);
      const args = ['ca', 'serve', '--state', state, '--listen', `${LOOPBACK}:${port}`];
      await failsInOneSentence(args, new RegExp(`127\\.0\\.0\\.1:${port} is in use`));
    } finally {
      server.close();
    }
  });

  test('a command that needs a running peer where none runs', async () => {
    await failsInOneSentence(['status', '--state', overlay.state('nobody')], /peer/);
  });
});

describe('wrong arguments: exit status 2', () => {
  const wrong: readonly (readonly string[])[] = [
    ['peer', '--no-such-flag'],
    ['peer', '--listen', 'nowhere'],
    ['peer', '--first', '--client'],
    ['peer', '--revocation', 'sometimes'],
    ['sandbox', '--peers', 'many'],
    ['lookup'],
    ['no-such-command'],
  ];
  test.each(wrong.map((args) => [args.join(' '), args] as const))('xor %s', async (_, args) => {
    const { status, stdout, stderr } = await runXor(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
