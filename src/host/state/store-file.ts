import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PersistRecord } from '../../storage/persist-record.ts';
import { type LmdbFile, openLmdbFile, syncDirectory, writeBatch } from './lmdb-file.ts';
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
  const database = openLmdbFile(path);
  await syncDirectory(directory);
  return new LmdbStoreFile(path, database);
}

class LmdbStoreFile implements StoreFile {
  private readonly path: string;
  private readonly database: LmdbFile;
  private lastWrite: Promise<void> = Promise.resolve();

  constructor(path: string, database: LmdbFile) {
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
    const batch = records.map(({ key, value }) => [key, value] as const);
    await writeBatch(this.database, this.path, batch).catch((error: Error) => {
      throw new StoreFileFailure(error.message, { cause: error });
    });
  }
}

async function setAside(path: string): Promise<string> {
  const stamp = new Date().toISOString().replaceAll(':', '-');
  const target = `${path}.damaged-${stamp}`;
  await rename(path, target);
  await rm(`${path}-lock`, { force: true });
  return target;
}

const STORE_FILE_NAME = 'store.mdb';
/** LMDB's own limit, with its page size of 4096 bytes, is 1978. */
const KEY_BYTES_MAX = 1900;
