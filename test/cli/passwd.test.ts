import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runXor } from './xor-process.ts';

let stateHome: string;

beforeAll(async () => {
  stateHome = await mkdtemp(join(tmpdir(), 'xor-passwd-'));
});

afterAll(() => rm(stateHome, { recursive: true }));

describe('xor passwd', () => {
  test('keeps what checks the password, for this user alone, and not the password', async () => {
    const result = await runXor(['passwd', '--password-stdin', '--json'], {
      input: 'wherefore art thou\n',
      stateHome,
    });
    const state = join(stateHome, 'xor', 'peer', 'xmpp.org');
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toEqual({ state });
    const file = join(state, 'gateway-password.json');
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ mechanism: 'SCRAM-SHA-256', iterations: 15_000 });
    expect(text).not.toContain('wherefore');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('another password replaces the one before', async () => {
    const state = join(stateHome, 'own');
    const args = ['passwd', '--state', state, '--password-stdin'];
    const file = join(state, 'gateway-password.json');
    await runXor(args, { input: 'one\n', stateHome });
    const before = await readFile(file, 'utf8');
    expect((await runXor(args, { input: 'two\n', stateHome })).stdout).toContain(state);
    expect(await readFile(file, 'utf8')).not.toBe(before);
  });

  const refused: [what: string, status: number, args: string[], input: string, says: RegExp][] = [
    ['no password', 2, ['--password-stdin'], '\n', /no password on stdin/],
    ['a control character', 1, ['--password-stdin'], 'a\u0007b\n', /cannot be a password/],
    ['no --password-stdin', 2, [], 'one\n', /--password-stdin/],
  ];
  test.each(refused)('%s: exit %i and one sentence', async (_what, status, args, input, says) => {
    const result = await runXor(['passwd', ...args], { input, stateHome });
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^xor: [^\n]+\n$/);
    expect(result.stderr).toMatch(says);
    expect(result.status).toBe(status);
  });
});
