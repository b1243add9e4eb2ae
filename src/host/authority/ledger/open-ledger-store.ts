import { AuthorityFailure } from '../authority-failure.ts';
import { hasEmbeddedLedger, openEmbeddedLedger } from './embedded-ledger.ts';
import { hasJsonLinesLedger, migrateJsonLines } from './json-lines-ledger.ts';
import type { LedgerStore } from './ledger-store.ts';

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
  const isThere = hasEmbeddedLedger(directory) || hasJsonLinesLedger(directory);
  if (age === 'existing' && !isThere) {
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
