import { AuthorityFailure } from '../authority-failure.ts';
import type { LedgerStore } from './ledger-store.ts';
export async function openPostgresLedger(database: string): Promise<LedgerStore> {
  throw new AuthorityFailure(`no ${database.length}`);
}
