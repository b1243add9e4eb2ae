import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readLedgerEvent } from '../../../ca/ledger-event.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import { type LedgerEntry, nextEntry } from './ledger-entry.ts';
import type { LedgerStore } from './ledger-store.ts';

/** Whether a state directory has a ledger of version 0.1. */
export function hasJsonLinesLedger(directory: string): boolean {
  return existsSync(join(directory, JSON_LINES_FILE));
}

/**
 * Takes over a ledger of version 0.1, a file with one event a line, into `store`, and renames the
 * file. When a crash comes between the two, the next start only renames it.
 */
export async function migrateJsonLines(directory: string, store: LedgerStore): Promise<void> {
  const path = join(directory, JSON_LINES_FILE);
  if (!existsSync(path)) return;
  const lines = (await readFile(path, 'utf8')).split('\n');
  // What follows the last line feed was never acknowledged.
  lines.pop();
  await store.transact(async ({ head }) => {
    const entries: LedgerEntry[] = [];
    if (head.sequence === 0) {
      for (const [index, line] of lines.entries()) {
        entries.push(nextEntry(entries.at(-1) ?? head, eventOf(line, index + 1, path)));
      }
    }
    return { entries, documents: new Map() };
  });
  await rename(path, `${path}.migrated`);
}

function eventOf(line: string, lineNumber: number, path: string) {
  const event = readLedgerEvent(parseJson(line));
  if (typeof event !== 'string') return event;
  throw new AuthorityFailure(
    `the ledger ${path} is damaged in line ${lineNumber} (${event}); restore it from a backup`,
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const JSON_LINES_FILE = 'ledger.jsonl';
