import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import type { LedgerStore } from '../../../../src/host/authority/ledger/ledger-store.ts';
import { openLedgerStore } from '../../../../src/host/authority/ledger/open-ledger-store.ts';

import { isPostgresMissing, type PostgresCluster, startPostgres } from './postgres-cluster.ts';

/** A ledger of its own, to be opened again and again. */
export interface LedgerPlace {
  open(): Promise<LedgerStore>;
  /** `--database`; undefined: it is in the directory. */
  readonly database: string | undefined;
  readonly directory: string;
}

/** One cluster for the tests of a file, or of a `describe`. */
export function sharedCluster(): () => PostgresCluster {
  let cluster: PostgresCluster | undefined;
  beforeAll(async () => {
    if (!isPostgresMissing) cluster = await startPostgres();
  }, CLUSTER_MS_MAX);
  afterAll(() => cluster?.stop(), CLUSTER_MS_MAX);
  return () => {
    if (cluster === undefined) throw new Error('the cluster does not run');
    return cluster;
  };
}

/**
 * The same tests for each kind of store; `newPlace` makes an empty ledger for one test. `cluster`
 * is for those in PostgreSQL.
 */
export function describeEachStore(
  title: string,
  tests: (newPlace: () => Promise<LedgerPlace>, cluster: () => PostgresCluster) => void,
): void {
  const noCluster = () => {
    throw new Error('an embedded ledger has no cluster');
  };
  describe(`${title}, embedded`, () => tests(() => newPlace(undefined), noCluster));
  describe.skipIf(isPostgresMissing)(`${title}, in PostgreSQL`, () => {
    const cluster = sharedCluster();
    tests(async () => newPlace(await cluster().newDatabase()), cluster);
  });
}

async function newPlace(database: string | undefined): Promise<LedgerPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return { directory, database, open: () => openLedgerStore(directory, database, 'new') };
}

const CLUSTER_MS_MAX = 60_000;
