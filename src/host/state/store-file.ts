import { existsSync } from 'node:fs';
import { mkdir, open as openFile, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { PersistRecord } from '../../storage/persist-record.ts';
import { checkStoreFile } from './store-file-check.ts';

/** The durable store of one peer: opaque bytes under keys, in one LMDB file. */
export interface StoreFile {
  /** Everything that is in it; the bytes are the caller's own. */
  load(): Iterable<{ readonly key: string; readonly value: Uint8Array }>;
  /**
   * Writes all records in one atomic batch, in their order. Resolves only when they survive a crash
   * of the process and of the machine; rejects, with nothing of the batch written, when the disk is
   * full or cannot be written.
   */
  write(records: readonly PersistRecord[]): Promise<void>;
  /** Waits for the writes under way. */
  close(): Promise<void>;
}

/** The store file cannot be read or written; the message is for the operator. */
export class StoreFileFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreFileFailure';
  }
}

/** A store file that cannot be read was moved away, and an empty one is in its place. */
export interface StoreFileDamage {
  readonly path: string;
  /** Where it is now, for whoever wants to look into it. */
  readonly setAsideAs: string;
  readonly reason: string;
}

/**
 * Opens the store file in `directory`, which must exist and be this process's own
 * (`openStateDirectory` sees to both), or makes it.
 */
export async function openStoreFile(
  directory: string,
  onDamage: (damage: StoreFileDamage) => void,
): Promise<StoreFile> {
  const path = join(directory, STORE_FILE_NAME);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (existsSync(path)) {
    const check = await checkStoreFile(path).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreFileFailure(reason, { cause: error });
    });
    if (check.type === 'damaged') {
      const setAsideAs = await setAside(path);
      onDamage({ path, setAsideAs, reason: check.reason });
    }
  }
  const database = openDatabase(path);
  await syncDirectory(directory);
  return new LmdbStoreFile(path, database);
}

class LmdbStoreFile implements StoreFile {
  private readonly path: string;
  private readonly database: RootDatabase<Uint8Array, string>;
  private lastWrite: Promise<void> = Promise.resolve();

  constructor(path: string, database: RootDatabase<Uint8Array, string>) {
    this.path = path;
    this.database = database;
  }

  *load(): Generator<{ key: string; value: Uint8Array }> {
    for (const { key, value } of this.database.getRange({})) yield { key, value };
  }

  write(records: readonly PersistRecord[]): Promise<void> {
    // One batch at a time: those under way together would fail together.
    const write = this.lastWrite.then(() => this.writeBatch(records));
    // The queue goes on after a failed batch: whoever asked for that batch gets the error.
    this.lastWrite = Promise.allSettled([write]).then(() => undefined);
    return write;
  }

  async close(): Promise<void> {
    await this.lastWrite;
    await this.database.close();
  }

  private async writeBatch(records: readonly PersistRecord[]): Promise<void> {
    if (records.length === 0) return;
    // LMDB would commit the operations before one that throws; so nothing may throw in the batch.
    const tooLong = records.find(({ key }) => Buffer.byteLength(key) > KEY_BYTES_MAX);
    if (tooLong !== undefined) {
      throw new RangeError(
        `a key has ${KEY_BYTES_MAX} bytes at most: ${tooLong.key.slice(0, 80)}…`,
      );
    }
    const single: Promise<boolean>[] = [];
    try {
      await this.database.batch(() => {
        for (const { key, value } of records) {
          const done =
            value === undefined ? this.database.remove(key) : this.database.put(key, value);
          single.push(done);
        }
      });
    } catch (error) {
      // Each operation has a promise of its own, which fails with the batch.
      await Promise.allSettled(single);
      throw new StoreFileFailure(await this.failureText(error), { cause: error });
    }
  }

  /** A full disk shows as one of several errors; the free space tells what it is. */
  private async failureText(error: unknown): Promise<string> {
    const cause = await causeOf(error);
    const { bavail, bsize } = await statfs(dirname(this.path));
    const isFull = bavail * bsize < FREE_BYTES_MIN;
    const advice = isFull ? `; the disk is full, ${bavail * bsize} bytes are free` : '';
    return `cannot write ${this.path}: ${cause}${advice}`;
  }
}

/**
 * `overlappingSync: false` makes LMDB flush the file before a batch is done, so "done" means
 * durable. `eventTurnBatching: false` keeps every batch for itself; with it, a failed commit also
 * rejects a promise that nobody holds, which ends the process.
 */
function openDatabase(path: string): RootDatabase<Uint8Array, string> {
  return open<Uint8Array, string>({
    path,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
  });
}

/** The reason of a failed commit, which LMDB hands out as one more promise. */
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

async function setAside(path: string): Promise<string> {
  const stamp = new Date().toISOString().replaceAll(':', '-');
  const target = `${path}.damaged-${stamp}`;
  await rename(path, target);
  await rm(`${path}-lock`, { force: true });
  return target;
}

/** A new file is durable only when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await openFile(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const STORE_FILE_NAME = 'store.mdb';
/** LMDB's own limit, with its page size of 4096 bytes, is 1978. */
const KEY_BYTES_MAX = 1900;
const FREE_BYTES_MIN = 1024 * 1024;
