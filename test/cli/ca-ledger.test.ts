import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedCluster } from '../host/authority/ledger/ledger-stores.ts';
import { isPostgresMissing } from '../host/authority/ledger/postgres-cluster.ts';
import { runCa } from './ca-run.ts';

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
});
