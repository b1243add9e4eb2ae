import { existsSync } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type LmdbFile, openLmdbFile, syncDirectory, writeBatch } from '../../state/lmdb-file.ts';
import { checkStoreFile } from '../../state/store-file-check.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import { EMPTY_LEDGER_HEAD, type LedgerEntry, type LedgerHead } from './ledger-entry.ts';
import {
  type LedgerAddition,
  type LedgerContents,
  type LedgerStore,
  LedgerUnavailable,
  type LedgerView,
} from './ledger-store.ts';

/** Whether there is a ledger in a state directory. */
export function hasEmbeddedLedger(directory: string): boolean {
  return existsSync(join(directory, EMBEDDED_LEDGER_FILE));
}

/** Removes the ledger of an authority that never came to be. */
export async function removeEmbeddedLedger(directory: string): Promise<void> {
  const path = join(directory, EMBEDDED_LEDGER_FILE);
  await rm(path, { force: true });
  await rm(`${path}-lock`, { force: true });
}

/**
 * Opens the ledger in a state directory, which this process holds locked, or makes an empty one.
 * To read it, the lock is not needed.
 * Throws AuthorityFailure when it is damaged: the ledger of an authority is never begun anew, since
 * it knows which Node-IDs are taken and what was revoked.
 */
export async function openEmbeddedLedger(
  directory: string,
  purpose: 'toWrite' | 'toRead' = 'toWrite',
): Promise<LedgerStore> {
  const path = join(directory, EMBEDDED_LEDGER_FILE);
  if (existsSync(path)) {
    const check = await checkStoreFile(path);
    if (check.type === 'damaged') throw damaged(path, check.reason);
  }
  if (purpose === 'toRead') return new EmbeddedLedger(path, openLmdbFile(path, 'toRead'));
  const ledger = await newOrOpened(path);
  await syncDirectory(directory);
  return ledger;
}

/** Puts a whole ledger in the place of what is in a state directory, which this process holds. */
export async function fillEmbeddedLedger(
  directory: string,
  contents: LedgerContents,
): Promise<void> {
  const path = join(directory, UNFINISHED_LEDGER_FILE);
  await rm(path, { force: true });
  await rm(`${path}-lock`, { force: true });
  const ledger = await newOrOpened(path);
  try {
    for await (const part of contents) await ledger.transact(async () => part);
  } finally {
    await ledger.close();
  }
  await removeEmbeddedLedger(directory);
  await rename(path, join(directory, EMBEDDED_LEDGER_FILE));
  await syncDirectory(directory);
  await rm(`${path}-lock`, { force: true });
}

async function newOrOpened(path: string): Promise<EmbeddedLedger> {
  const database = openLmdbFile(path);
  await chmod(path, SECRET_MODE);
  await chmod(`${path}-lock`, SECRET_MODE);
  return new EmbeddedLedger(path, database);
}

class EmbeddedLedger implements LedgerStore {
  readonly isShared = false;
  readonly place: string;
  private readonly database: LmdbFile;
  private last: Promise<unknown> = Promise.resolve();

  constructor(path: string, database: LmdbFile) {
    this.place = path;
    this.database = database;
  }

  transact(change: (view: LedgerView) => Promise<LedgerAddition>): Promise<void> {
    const done = this.last.then(async () => {
      const view = this.viewNow();
      await this.write(await change(view), view.head);
    });
    // The next change starts whether or not this one failed; its caller hears of the failure.
    this.last = done.catch(() => undefined);
    return done;
  }

  view<Result>(look: (view: LedgerView) => Promise<Result>): Promise<Result> {
    return look(this.viewNow());
  }

  async close(): Promise<void> {
    await this.last;
    await this.database.close();
  }

  private viewNow(): LedgerView {
    return {
      head: this.head(),
      read: async (after, countMax) => this.entries(after, countMax),
      documents: async (after) => this.documentsAfter(after),
    };
  }

  private head(): LedgerHead {
    const bytes = this.database.get(HEAD_KEY);
    if (bytes === undefined) return EMPTY_LEDGER_HEAD;
    const { format, sequence, hash } = this.parse(HEAD_KEY, bytes) as StoredHead;
    if (format === FORMAT) return { sequence, hash };
    throw new AuthorityFailure(`the ledger ${this.place} was written by another version of xor`);
  }

  private entries(after: number, countMax: number): LedgerEntry[] {
    const range = { start: entryKey(after + 1), end: ENTRY_KEYS_END, limit: countMax };
    return [...this.database.getRange(range)].map(({ key, value }) => {
      const { text, hash } = this.parse(key, value) as Omit<LedgerEntry, 'sequence'>;
      return { sequence: Number(key.slice(ENTRY_PREFIX.length)), text, hash };
    });
  }

  private documentsAfter(after: number): ReadonlyMap<string, string> {
    const documents = new Map<string, string>();
    const range = { start: DOCUMENT_PREFIX, end: DOCUMENT_KEYS_END };
    for (const { key, value } of this.database.getRange(range)) {
      const { sequence, text } = this.parse(key, value) as StoredDocument;
      if (sequence > after) documents.set(key.slice(DOCUMENT_PREFIX.length), text);
    }
    return documents;
  }

  private parse(key: string, bytes: Uint8Array): unknown {
    try {
      return JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch {
      throw damaged(this.place, `${key} is not JSON`);
    }
  }

  private async write({ entries, documents }: LedgerAddition, head: LedgerHead): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    const { sequence, hash } = last;
    if (sequence !== head.sequence + entries.length) throw new Error('entries have a gap');
    const records = new Map<string, object>();
    records.set(HEAD_KEY, { format: FORMAT, sequence, hash } satisfies StoredHead);
    for (const entry of entries) {
      records.set(entryKey(entry.sequence), { text: entry.text, hash: entry.hash });
    }
    for (const [name, text] of documents) {
      records.set(`${DOCUMENT_PREFIX}${name}`, { sequence, text } satisfies StoredDocument);
    }
    const batch = [...records].map(
      ([key, value]) => [key, Buffer.from(JSON.stringify(value))] as const,
    );
    await writeBatch(this.database, this.place, batch).catch((error: Error) => {
      throw new LedgerUnavailable(`the ledger does not take more: ${error.message}`, {
        cause: error,
      });
    });
  }
}

interface StoredHead extends LedgerHead {
  readonly format: number;
}

interface StoredDocument {
  /** Of the entry beside which it was written. */
  readonly sequence: number;
  readonly text: string;
}

function entryKey(sequence: number): string {
  return `${ENTRY_PREFIX}${String(sequence).padStart(SEQUENCE_DIGITS, '0')}`;
}

function damaged(path: string, reason: string): AuthorityFailure {
  return new AuthorityFailure(
    `the ledger ${path} is damaged (${reason}); restore it from a backup`,
  );
}

const EMBEDDED_LEDGER_FILE = 'ledger.mdb';
/** What a process leaves that dies is removed by the next one: see state/state-directory.ts. */
const UNFINISHED_LEDGER_FILE = '.unfinished-ledger.mdb';
const FORMAT = 1;
const SECRET_MODE = 0o600;
const HEAD_KEY = 'head';
const ENTRY_PREFIX = 'entry/';
/** Behind every key that begins with the prefix: '0' comes after '/'. */
const ENTRY_KEYS_END = 'entry0';
const DOCUMENT_PREFIX = 'document/';
const DOCUMENT_KEYS_END = 'document0';
/** Of the greatest whole number that a JavaScript number holds. */
const SEQUENCE_DIGITS = 16;
