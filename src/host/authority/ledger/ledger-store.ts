import { AuthorityFailure } from '../authority-failure.ts';
import type { LedgerEntry, LedgerHead } from './ledger-entry.ts';

/** What a change adds to a ledger: all of it or nothing. */
export interface LedgerAddition {
  /** They follow the head that the change was given. */
  readonly entries: readonly LedgerEntry[];
  /** Texts that are in force from now on, by name; only beside an entry that tells of them. */
  readonly documents: ReadonlyMap<string, string>;
}

/** A whole ledger in parts, from the first entry on; the last part has the documents. */
export type LedgerContents = AsyncIterable<LedgerAddition>;

/** The ledger at one moment. */
export interface LedgerView {
  readonly head: LedgerHead;
  /** At most `countMax` entries after the sequence `after`, in their order. */
  read(after: number, countMax: number): Promise<readonly LedgerEntry[]>;
  /** Documents that changed with an entry after the sequence `after`. */
  documents(after: number): Promise<ReadonlyMap<string, string>>;
}

/**
 * Where an authority's ledger is kept. Two implementations: LMDB in the state directory, for one
 * process, and PostgreSQL, for several at once.
 */
export interface LedgerStore {
  /** Whether other processes may append too. */
  readonly isShared: boolean;
  /** Where it is, for people; without a password. */
  readonly place: string;
  /**
   * Calls `change` while nobody else changes the ledger, in this process or another, and appends
   * what it returns. Resolves when that survives a crash of the process and of the machine. Rejects
   * when nothing was appended, or when nobody knows: then only reading tells. LedgerUnavailable: it
   * may work later.
   */
  transact(change: (view: LedgerView) => Promise<LedgerAddition>): Promise<void>;
  /** Looks without waiting for anybody. */
  view<Result>(look: (view: LedgerView) => Promise<Result>): Promise<Result>;
  /** Waits for what has begun. */
  close(): Promise<void>;
}

/** The store cannot be reached or written at this time. */
export class LedgerUnavailable extends AuthorityFailure {}
