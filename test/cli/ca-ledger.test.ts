import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sharedCluster } from '../host/authority/ledger/ledger-stores.ts';
import { isPostgresMissing } from '../host/authority/ledger/postgres-cluster.ts';
import { runCa, startCa } from './ca-run.ts';

const OVERLAY = 'overlay.example.org';
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const place = (name: string) => join(directory, name);

it('xor ca ledger move: wrong arguments are exit status 2', async () => {
  const move = ['ledger', 'move', '--state', place('none')];
  expect(await runCa(move)).toMatchObject({ exitStatus: 2 });
  expect(await runCa([...move, '--to', 'mysql://somewhere/else'])).toMatchObject({
    exitStatus: 2,
    stderr: expect.stringContaining('expected postgres://USER@HOST/DATABASE, or state'),
  });
  expect(await runCa([...move, '--to', 'state'])).toMatchObject({ exitStatus: 1 });
}, 60_000);

/** An authority that has served knows where its revocation list is. */
async function serveOnce(args: readonly string[]): Promise<void> {
  const listen = ['--listen', '127.0.0.1:0', '--public-url', 'https://ca.example.org'];
  const server = startCa(['serve', ...args, ...listen, '--json']);
  onTestFinished(() => {
    server.kill('SIGKILL');
  });
  await once(createInterface({ input: server.stdout ?? process.stdin }), 'line');
  const ended = once(server, 'close');
  server.kill('SIGTERM');
  await ended;
}

describe.skipIf(isPostgresMissing)('xor ca with PostgreSQL', { timeout: 120_000 }, () => {
  const cluster = sharedCluster();

  it('ledger move: there and back, and says what to do next', async () => {
    const database = await cluster().newDatabase();
    const state = ['--state', place('moving')];
    await runCa(['init', ...state, '--overlay', OVERLAY]);
    await runCa(['user', 'add', 'juliet@capulet.lit', ...state]);
    const there = await runCa(['ledger', 'move', ...state, '--to', database]);
    expect(there).toMatchObject({ exitStatus: 0, stderr: '' });
    expect(there.stdout).toMatch(/^3 entries are in the PostgreSQL database ledger_\d+ at /);
    expect(there.stdout).toMatch(/\nhead: 3:[0-9a-f]{64}\n/);
    expect(there.stdout).toContain('give every xor ca and xor config command this --database');
    expect(await runCa(['list', ...state])).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringMatching(/^xor: the ledger .* was moved: it is the PostgreSQL database/),
    });
    const listed = await runCa(['list', ...state, '--database', database]);
    expect(listed.stdout).toContain('juliet@capulet.lit');
    const back = await runCa([
      'ledger',
      'move',
      ...state,
      '--database',
      database,
      '--to',
      'state',
      '--json',
    ]);
    expect(back).toMatchObject({ exitStatus: 0, stderr: '' });
    expect(JSON.parse(back.stdout)).toMatchObject({
      event: 'moved',
      from: expect.stringContaining('PostgreSQL'),
      to: join(place('moving'), 'ledger.mdb'),
      entries: 4,
      head: expect.stringMatching(/^4:[0-9a-f]{64}$/),
    });
    expect((await runCa(['list', ...state])).stdout).toContain('juliet@capulet.lit');
  });

  it('init --parent and --request, sign-authority, complete: each ledger has its database', async () => {
    const [above, below, far] = await Promise.all([0, 1, 2].map(() => cluster().newDatabase()));
    const root = ['--state', place('root')];
    const rootLedger = ['--database', above ?? ''];
    await runCa(['init', ...root, ...rootLedger, '--overlay', OVERLAY]);
    await serveOnce([...root, ...rootLedger]);

    const init = ['init', '--state', place('below'), '--name', 'below', '--database', below ?? ''];
    const parent = ['--parent', place('root'), '--domain', 'shakespeare.lit'];
    expect(await runCa([...init, ...parent])).toMatchObject({
      exitStatus: 1,
      stderr: expect.stringContaining('there is no ledger in'),
    });
    const made = await runCa([...init, ...parent, '--parent-database', above ?? '']);
    expect(made).toMatchObject({ exitStatus: 0, stderr: '' });

    const distant = ['--state', place('far'), '--database', far ?? ''];
    await runCa(['init', ...distant, '--name', 'far', '--overlay', OVERLAY, '--request']);
    const request = join(place('far'), 'authority-request.pem');
    const out = ['--any-domain', '--out', place('far.pem')];
    const signed = await runCa(['sign-authority', request, ...root, ...rootLedger, ...out]);
    expect(signed).toMatchObject({ exitStatus: 0, stderr: '' });
    const done = await runCa(['complete', place('far.pem'), ...distant]);
    expect(done).toMatchObject({ exitStatus: 0, stderr: '' });

    const listed = await runCa(['list', ...root, ...rootLedger]);
    expect(listed.stdout).toMatch(/below shakespeare\.lit +valid/);
    expect(listed.stdout).toMatch(/far overlay\.example\.org +valid/);
    for (const [name, database = ''] of [
      ['below', below],
      ['far', far],
    ] as const) {
      const state = ['--state', place(name)];
      expect(await runCa(['list', ...state, '--database', database])).toMatchObject({
        exitStatus: 0,
      });
      expect(await runCa(['list', ...state])).toMatchObject({ exitStatus: 1 });
    }
    const alone = ['init', '--state', place('none'), '--parent-database', above ?? ''];
    expect(await runCa(alone)).toMatchObject({ exitStatus: 2 });
  });
});
