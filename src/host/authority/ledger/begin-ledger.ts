import type { LedgerEvent } from '../../../ca/ledger-event.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import { removeEmbeddedLedger } from './embedded-ledger.ts';
import { type LedgerEntry, nextEntry } from './ledger-entry.ts';
import { OWNER_DOCUMENT, openLedgerStore } from './open-ledger-store.ts';

/**
 * Makes the ledger of a new authority, with its first events, in `database` or else in its state
 * directory. `ownerKeySha256` is the hash of its public key. Throws AuthorityFailure when the
 * database holds a ledger already.
 */
export async function beginLedger(
  directory: string,
  database: string | undefined,
  ownerKeySha256: string,
  events: readonly LedgerEvent[],
): Promise<void> {
  // What an attempt left that was cut short; the state has no authority yet.
  await removeEmbeddedLedger(directory);
  const store = await openLedgerStore(directory, database, 'new');
  try {
    await store.transact(async ({ head }) => {
      if (head.sequence > 0) {
        throw new AuthorityFailure(
          `${store.place} holds the ledger of an authority already; name an empty database`,
        );
      }
      const entries: LedgerEntry[] = [];
      for (const event of events) entries.push(nextEntry(entries.at(-1) ?? head, event));
      return { entries, documents: new Map([[OWNER_DOCUMENT, ownerKeySha256]]) };
    });
  } finally {
    await store.close();
  }
}
