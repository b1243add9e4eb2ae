import { CertificateRegister } from '../../../ca/certificate-register.ts';
import { isRegisterEvent, type LedgerEvent } from '../../../ca/ledger-event.ts';
import { EMPTY_LEDGER_HEAD, type LedgerEntry, type LedgerHead, readEntry } from './ledger-entry.ts';
import type { LedgerStore, LedgerView } from './ledger-store.ts';

/** What a look through the whole ledger found. */
export type AuditVerdict =
  | { readonly type: 'sound'; readonly head: LedgerHead }
  /** `sequence` is the first entry that is not what it was. */
  | { readonly type: 'broken'; readonly sequence: number; readonly reason: string };

/**
 * Reads all entries and checks that each follows from the one before, that none contradicts those
 * before it, and that the last one is the one that was written last. Whoever can write to the disk
 * can make a whole new chain; that is found by `pinned`, a head that somebody noted down before.
 * `onProgress` is told how many entries were read, and of how many.
 */
export function auditLedger(
  store: LedgerStore,
  pinned?: LedgerHead,
  onProgress?: (done: number, of: number) => void,
): Promise<AuditVerdict> {
  return store.view(async (view) => {
    const walk = new Walk(pinned);
    while (walk.head.sequence < view.head.sequence) {
      const entries = await view.read(walk.head.sequence, ENTRIES_TOGETHER_MAX);
      if (entries.length === 0) return walk.broken('it and what followed are missing');
      for (const entry of entries.filter(({ sequence }) => sequence <= view.head.sequence)) {
        const reason = walk.take(entry);
        if (reason !== undefined) return walk.broken(reason);
      }
      onProgress?.(walk.head.sequence, view.head.sequence);
    }
    return verdictAtEnd(walk, view, store, pinned);
  });
}

async function verdictAtEnd(
  walk: Walk,
  view: LedgerView,
  store: LedgerStore,
  pinned: LedgerHead | undefined,
): Promise<AuditVerdict> {
  if (walk.head.hash !== view.head.hash) {
    return { type: 'broken', sequence: view.head.sequence, reason: 'another one was last' };
  }
  if (pinned !== undefined && pinned.sequence > walk.head.sequence) {
    return walk.broken(`it is missing: entry ${pinned.sequence} was there once`);
  }
  const [beyond] = await view.read(view.head.sequence, 1);
  const isStillLast = await store.view(async ({ head }) => head.sequence === view.head.sequence);
  if (beyond !== undefined && isStillLast) return walk.broken('it was put behind the last one');
  return { type: 'sound', head: walk.head };
}

class Walk {
  head: LedgerHead = EMPTY_LEDGER_HEAD;
  private readonly register = new CertificateRegister();
  private readonly pinned: LedgerHead | undefined;

  constructor(pinned: LedgerHead | undefined) {
    this.pinned = pinned;
  }

  /** What is wrong with the next entry, as a sentence. */
  take(entry: LedgerEntry): string | undefined {
    const event = readEntry(this.head, entry);
    if (typeof event === 'string') return event;
    const fault = isRegisterEvent(event) ? this.register.faultOf(event) : undefined;
    if (fault !== undefined) return fault;
    if (entry.sequence === this.pinned?.sequence && entry.hash !== this.pinned.hash) {
      return 'it or one before it is another than when its hash was noted';
    }
    if (isRegisterEvent(event)) this.register.apply(event);
    this.head = { sequence: entry.sequence, hash: entry.hash };
    return undefined;
  }

  /** About the entry after the last one that is sound. */
  broken(reason: string): AuditVerdict {
    return { type: 'broken', sequence: this.head.sequence + 1, reason };
  }
}

/** An entry as it is shown: without the hash of a password. */
export interface AuditRecord {
  readonly sequence: number;
  readonly hash: string;
  readonly event: Omit<LedgerEvent, 'passwordHash'>;
}

/** The entries after the sequence `after`, page by page; a damaged one ends it with a sentence. */
export async function* auditRecords(
  store: LedgerStore,
  after: number,
): AsyncGenerator<AuditRecord | string> {
  let before = await headAt(store, after);
  for (;;) {
    const entries = await store.view((view) => view.read(before.sequence, ENTRIES_TOGETHER_MAX));
    if (entries.length === 0) return;
    for (const entry of entries) {
      const event = readEntry(before, entry);
      if (typeof event === 'string') {
        yield event;
        return;
      }
      const { passwordHash: _secret, ...shown } = { passwordHash: undefined, ...event };
      before = { sequence: entry.sequence, hash: entry.hash };
      yield { ...before, event: shown };
    }
  }
}

/** The number of the last entry. */
export function lastSequence(store: LedgerStore): Promise<number> {
  return store.view(async ({ head }) => head.sequence);
}

async function headAt(store: LedgerStore, sequence: number): Promise<LedgerHead> {
  if (sequence <= 0) return EMPTY_LEDGER_HEAD;
  const [entry] = await store.view((view) => view.read(sequence - 1, 1));
  return entry === undefined ? EMPTY_LEDGER_HEAD : { sequence: entry.sequence, hash: entry.hash };
}

const ENTRIES_TOGETHER_MAX = 1_000;
