import { open as openFile, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/** An LMDB file of our own: bytes under keys. */
export type LmdbFile = RootDatabase<Uint8Array, string>;

/** undefined: the key goes. */
export type LmdbRecord = readonly [key: string, value: Uint8Array | undefined];

/**
 * `overlappingSync: false` makes LMDB flush the file before a batch is done, so "done" means
 * durable. `eventTurnBatching: false` keeps every batch for itself; with it, a failed commit also
 * rejects a promise that nobody holds, which ends the process.
 */
export function openLmdbFile(path: string, purpose: 'toWrite' | 'toRead' = 'toWrite'): LmdbFile {
  return open<Uint8Array, string>({
    path,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
    readOnly: purpose === 'toRead',
  });
}

/**
 * Writes all or, where it throws, nothing; one batch at a time, since those under way together
 * would fail together. The message of the error names `path` and says when the disk is full.
 */
export async function writeBatch(
  database: LmdbFile,
  path: string,
  records: Iterable<LmdbRecord>,
): Promise<void> {
  const single: Promise<boolean>[] = [];
  try {
    await database.batch(() => {
      for (const [key, value] of records) {
        single.push(value === undefined ? database.remove(key) : database.put(key, value));
      }
    });
  } catch (error) {
    // Each operation has a promise of its own, which fails with the batch.
    await Promise.allSettled(single);
    throw new Error(await failureText(path, error), { cause: error });
  }
}

/** A new file is durable only when its directory is. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await openFile(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A full disk shows as one of several errors; the free space tells what it is. */
async function failureText(path: string, error: unknown): Promise<string> {
  const cause = await causeOf(error);
  const { bavail, bsize } = await statfs(dirname(path));
  const isFull = bavail * bsize < FREE_BYTES_MIN;
  const advice = isFull ? `; the disk is full, ${bavail * bsize} bytes are free` : '';
  return `cannot write ${path}: ${cause}${advice}`;
}

/**
 * The reason of a failed commit, which LMDB hands out as one more promise: where nobody takes it,
 * its rejection ends the process.
 */
async function causeOf(error: unknown): Promise<string> {
  if (!(error instanceof Error)) return String(error);
  const commitError: unknown = 'commitError' in error ? error.commitError : undefined;
  if (!(commitError instanceof Promise)) return error.message;
  const [outcome] = await Promise.allSettled([commitError]);
  if (outcome?.status !== 'rejected') return error.message;
  const { reason } = outcome;
  return reason instanceof Error ? firstClause(reason.message) : String(reason);
}

/** `No space left on device: Attempting to write page at position …`: the first part says it. */
function firstClause(message: string): string {
  return message.split(': Attempting')[0] ?? message;
}

const FREE_BYTES_MIN = 1024 * 1024;
