import type { LedgerEvent } from '../../../ca/ledger-event.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import { removeEmbeddedLedger } from './embedded-ledger.ts';
import { type LedgerEntry, type LedgerHead, nextEntry } from './ledger-entry.ts';
import { OWNER_DOCUMENT, openLedgerStore } from './open-ledger-store.ts';

/** Throws AuthorityFailure unless a ledger can begin in `database`; a directory always does. */
export async function assertLedgerCanBegin(database: string | undefined): Promise<void> {
  if (database === undefined) return;
  const store = await openLedgerStore('', database, 'new');
  try {
    await store.view(async ({ head }) => assertEmpty(store.place, head));
  } finally {
    await store.close();
  }
}

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
      assertEmpty(store.place, head);
      const entries: LedgerEntry[] = [];
      for (const event of events) entries.push(nextEntry(entries.at(-1) ?? head, event));
      return { entries, documents: new Map([[OWNER_DOCUMENT, ownerKeySha256]]) };
    });
  } finally {
    await store.close();
  }
}

function assertEmpty(place: string, { sequence }: LedgerHead): void {
  if (sequence === 0) return;
  throw new AuthorityFailure(
    `${place} holds the ledger of an authority already; name an empty database`,
  );
}
