import { AuthorityFailure } from '../authority-failure.ts';
import { fillEmbeddedLedger, hasEmbeddedLedger, openEmbeddedLedger } from './embedded-ledger.ts';
import { hasJsonLinesLedger, migrateJsonLines } from './json-lines-ledger.ts';
import type { LedgerContents, LedgerStore } from './ledger-store.ts';

/**
 * Opens the store of the ledger of the authority whose state directory this process has locked: in
 * `database` (`postgres://…`), or else in that directory. Throws AuthorityFailure when there is
 * none and `age` is not `new`: an authority that forgot its past would give Node-IDs twice.
 */
export async function openLedgerStore(
  directory: string,
  database: string | undefined,
  age: 'new' | 'existing',
): Promise<LedgerStore> {
  if (database !== undefined) {
    const { openPostgresLedger } = await import('./postgres-ledger.ts');
    return openPostgresLedger(database);
  }
  if (age === 'existing' && !hasLedgerStore(directory, undefined)) {
    throw new AuthorityFailure(
      `there is no ledger in ${directory}; if it is in PostgreSQL, name it with --database`,
    );
  }
  const store = await openEmbeddedLedger(directory);
  try {
    await migrateJsonLines(directory, store);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** Whether there may be a ledger in `database`, or there is one in the state directory. */
export function hasLedgerStore(directory: string, database: string | undefined): boolean {
  return database !== undefined || hasEmbeddedLedger(directory) || hasJsonLinesLedger(directory);
}

/**
 * Puts a whole ledger into an empty store, all of it or, where anything fails or the process dies,
 * nothing. The one in the state directory, which this process has locked, is replaced. Throws
 * AuthorityFailure when the database holds a ledger.
 */
export async function fillLedgerStore(
  directory: string,
  database: string | undefined,
  contents: LedgerContents,
): Promise<void> {
  if (database === undefined) return fillEmbeddedLedger(directory, contents);
  const { fillPostgresLedger } = await import('./postgres-ledger.ts');
  return fillPostgresLedger(database, contents);
}

/**
 * Opens a ledger to look at it, while an authority may use it. Throws AuthorityFailure when there
 * is none.
 */
export async function openLedgerForReading(
  directory: string,
  database: string | undefined,
): Promise<LedgerStore> {
  if (database !== undefined) return openLedgerStore(directory, database, 'existing');
  if (hasEmbeddedLedger(directory)) return openEmbeddedLedger(directory, 'toRead');
  throw new AuthorityFailure(
    `there is no ledger in ${directory}; if it is in PostgreSQL, name it with --database`,
  );
}

/** The document that says whose ledger it is: SHA-256 of the authority's public key. */
export const OWNER_DOCUMENT = 'authority';
