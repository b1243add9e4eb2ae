import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuthorityState } from '../../../src/host/authority/authority-state.ts';
import { auditLedger } from '../../../src/host/authority/ledger/ledger-audit.ts';
import { openLedgerForReading } from '../../../src/host/authority/ledger/open-ledger-store.ts';
import { moveLedger } from '../../../src/host/authority/ledger-move.ts';
import { enrollJuliet, JULIET, newAuthorityState, PASSWORD, serve } from './authority-fixture.ts';
import { sharedCluster } from './ledger/ledger-stores.ts';
import { isPostgresMissing } from './ledger/postgres-cluster.ts';

const PROGRAM = fileURLToPath(new URL('./moving-process.ts', import.meta.url));

/** More than two pages of entries. */
async function addEntries(stateDirectory: string, database: string | undefined): Promise<void> {
  const state = await AuthorityState.open(stateDirectory, { database });
  await state.exclusive(async () => {
    for (let index = 0; index < 2_100; index++) {
      state.record({ type: 'keyUsed', unixMs: 1, key: 'root', purpose: `use ${index}` });
    }
  });
  await state.close();
}

/** Changes the head of a ledger from another process, and comes back when that is done. */
function writeMeanwhile(database: string): void {
  const url = new URL(database);
  const program = `
    import pg from 'pg';
    const client = new pg.Client(${JSON.stringify({
      host: url.searchParams.get('host'),
      port: Number(url.port),
      user: url.username,
      database: url.pathname.slice(1),
    })});
    await client.connect();
    await client.query("UPDATE xor_ca.ledger_head SET hash = repeat('1', 64)");
    await client.end();`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  expect(status).toBe(0);
}

async function contentsOf(stateDirectory: string, database: string | undefined) {
  const store = await openLedgerForReading(stateDirectory, database);
  try {
    expect(await auditLedger(store)).toMatchObject({ type: 'sound' });
    return await store.view(async (view) => ({
      entries: await view.read(0, 100_000),
      documents: new Map(
        [...(await view.documents(0))].filter(([name]) => !name.startsWith('ledger-')),
      ),
    }));
  } finally {
    await store.close();
  }
}

async function opens(stateDirectory: string, database: string | undefined): Promise<boolean> {
  try {
    const state = await AuthorityState.open(stateDirectory, { database });
    await state.exclusive(async () => undefined);
    await state.close();
    return true;
  } catch (error) {
    expect(String(error)).toMatch(/was moved|was cut short|is empty|there is no ledger/);
    return false;
  }
}

describe.skipIf(isPostgresMissing)('the ledger of an authority moves', { timeout: 120_000 }, () => {
  const cluster = sharedCluster();
  let state: string;
  let database: string;
  beforeEach(async () => {
    state = await newAuthorityState({ httpsNames: ['127.0.0.1'] });
    database = await cluster().newDatabase();
  });

  it('to PostgreSQL and back: users, devices, lists and the configuration stay', async () => {
    const first = await serve(state);
    await first.addUser(JULIET, PASSWORD);
    const { node, privateKey } = await enrollJuliet(first);
    const { certificates } = await first.list();
    const sequence = first.configurationSequence;
    await first.close();
    const before = await contentsOf(state, undefined);

    const there = await moveLedger({ stateDirectory: state, from: undefined, to: database });
    expect(there.head.sequence).toBe(before.entries.length);
    const moved = await contentsOf(state, database);
    expect(moved.documents).toEqual(before.documents);
    expect(moved.entries.slice(0, -1)).toEqual(before.entries);
    expect(moved.entries.at(-1)?.text).toContain('the ledger has come from');
    const second = await serve(state, { database, publicUrl: first.url });
    expect((await second.list()).certificates).toEqual(certificates);
    expect(second.configurationSequence).toBe(sequence);
    const again = await enrollJuliet(second, {
      privateKey,
      url: `https://127.0.0.1:${second.listenAddress.port}/enroll`,
    });
    expect(again.node.certificate.sha256).toBe(node.certificate.sha256);
    await second.close();

    await moveLedger({ stateDirectory: state, from: database, to: undefined });
    const third = await serve(state);
    expect((await third.list()).certificates).toEqual(expect.arrayContaining([...certificates]));
    await third.close();
    expect(await opens(state, database)).toBe(false);
  });

  it('only to a store that is empty, and only with the authority whose it is', async () => {
    const other = await newAuthorityState({ database });
    const takenTarget = moveLedger({ stateDirectory: state, from: undefined, to: database });
    await expect(takenTarget).rejects.toThrow('is not empty; name a new database');
    const foreign = moveLedger({ stateDirectory: state, from: database, to: undefined });
    await expect(foreign).rejects.toThrow('holds the ledger of another authority');
    const empty = await cluster().newDatabase();
    const nothing = moveLedger({ stateDirectory: state, from: empty, to: undefined });
    await expect(nothing).rejects.toThrow('is empty; nothing is moved');
    const nowhere = moveLedger({ stateDirectory: state, from: database, to: database });
    await expect(nowhere).rejects.toThrow('is there already');
    expect(await opens(state, undefined)).toBe(true);
    expect(await opens(other, database)).toBe(true);

    await cluster().query(empty, 'CREATE TABLE of_somebody_else (value text)');
    await moveLedger({ stateDirectory: other, from: database, to: empty });
    expect(await opens(other, empty)).toBe(true);
    expect(await opens(other, database)).toBe(false);
  });

  it('not while the authority runs', async () => {
    await serve(state);
    const moved = moveLedger({ stateDirectory: state, from: undefined, to: database });
    await expect(moved).rejects.toThrow(/is in use by process/);
  });

  it('not while another process of the authority writes to the database', async () => {
    await moveLedger({ stateDirectory: state, from: undefined, to: database });
    const moved = moveLedger({
      stateDirectory: state,
      from: database,
      to: undefined,
      onProgress: (step) => {
        if (step === 'verified') writeMeanwhile(database);
      },
    });
    await expect(moved).rejects.toThrow('another process wrote to');
  });

  it('and a process that has the one that was left open adds nothing to it', async () => {
    await moveLedger({ stateDirectory: state, from: undefined, to: database });
    const beside = `${state}-2`;
    await cp(state, beside, { recursive: true });
    const running = await AuthorityState.open(state, { database });
    await moveLedger({ stateDirectory: beside, from: database, to: undefined });
    const change = running.exclusive(async () =>
      running.record({ type: 'keyUsed', unixMs: 1, key: 'root', purpose: 'too late' }),
    );
    await expect(change).rejects.toThrow(/was moved: it is .*ledger\.mdb now/);
    await running.close();
  });

  it.each([
    ['to PostgreSQL', true],
    ['back', false],
  ])('%s, killed at every step: the old or the new one, and never both', async (_way, isThere) => {
    await addEntries(state, undefined);
    if (!isThere) await moveLedger({ stateDirectory: state, from: undefined, to: database });
    const [from, to] = isThere ? ['', database] : [database, ''];
    const before = await contentsOf(state, isThere ? undefined : database);
    let inForce = 0;
    for (let report = 1; report <= 7; report++) {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', PROGRAM, state, String(report), from, to],
        { stdio: 'ignore' },
      );
      const [, signal] = await once(child, 'close');
      const isOld = await opens(state, from === '' ? undefined : from);
      const isNew = await opens(state, to === '' ? undefined : to);
      expect([isOld, isNew]).not.toEqual([true, true]);
      if (isOld) inForce++;
      else break;
      expect(signal).toBe('SIGKILL');
    }
    expect(inForce).toBeGreaterThanOrEqual(3);
    await moveLedger({
      stateDirectory: state,
      from: from === '' ? undefined : from,
      to: to === '' ? undefined : to,
    });
    const after = await contentsOf(state, to === '' ? undefined : to);
    expect(after.entries.slice(0, before.entries.length)).toEqual(before.entries);
    expect(after.documents).toEqual(before.documents);
    expect(await opens(state, to === '' ? undefined : to)).toBe(true);
    expect(await opens(state, from === '' ? undefined : from)).toBe(false);
    expect(await readdir(state)).not.toContain('.unfinished-ledger.mdb');
  });
});
