import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCa } from './ca-run.ts';

let directory = '';
let state = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  state = join(directory, 'ca');
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (...args: readonly string[]) => runCa([...args, '--state', state]);

/** Each step stands on the one before. */
describe('xor ca audit', { timeout: 60_000 }, () => {
  let head = '';

  it('says where no ledger is', async () => {
    const { exitStatus, stderr } = await run('audit', 'verify');
    expect(exitStatus).toBe(1);
    expect(stderr).toContain('there is no ledger in');
  });

  it('verify prints the head, to be noted down', async () => {
    await run('init');
    await run('user', 'add', 'juliet@capulet.lit');
    const { exitStatus, stdout } = await run('audit', 'verify', '--json');
    expect(exitStatus).toBe(0);
    const verdict = JSON.parse(stdout);
    expect(verdict).toMatchObject({ valid: true, entries: 3 });
    expect(verdict.head).toMatch(/^3:[0-9a-f]{64}$/);
    head = verdict.head;
    expect((await run('audit', 'verify')).stdout).toContain(`head: ${head}`);
  });

  it('verify --pinned holds a head that was noted down against the ledger', async () => {
    await run('user', 'remove', 'juliet@capulet.lit');
    expect(await run('audit', 'verify', '--pinned', head)).toMatchObject({ exitStatus: 0 });
    const other = `2:${'0a'.repeat(32)}`;
    const broken = await run('audit', 'verify', '--pinned', other, '--json');
    expect(broken.exitStatus).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({ valid: false, entry: 2 });
    expect(broken.stderr).toContain('the audit log is broken at entry 2');
    expect(await run('audit', 'verify', '--pinned', 'x')).toMatchObject({ exitStatus: 2 });
  });

  it('show tells what happened, one entry a line, without hashes of passwords', async () => {
    const { stdout } = await run('audit', 'show');
    expect(stdout).toMatch(/^1 {2}\S+ {2}certificateIssued {2}/);
    expect(stdout).toMatch(/\n3 {2}\S+ {2}accountAdded {2}.*juliet@capulet\.lit/);
    expect(stdout).not.toContain('scrypt');
    const last = await run('audit', 'show', '--last', '1', '--json');
    expect(JSON.parse(last.stdout)).toMatchObject({
      sequence: 4,
      event: { type: 'accountRemoved', userName: 'juliet@capulet.lit' },
    });
  });

  it('a database that is not there is one sentence, without the password', async () => {
    const url = 'postgres://ca:topsecret@127.0.0.1:1/ledger';
    const { exitStatus, stdout, stderr } = await run('list', '--database', url);
    expect(exitStatus).toBe(1);
    expect(stderr).toMatch(/^xor: the PostgreSQL database ledger at 127\.0\.0\.1:1 does not work/);
    expect(stdout + stderr).not.toContain('topsecret');
  });
});
