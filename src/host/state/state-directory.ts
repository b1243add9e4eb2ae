import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lockStateDirectory, StateDirectoryUnusable, type StateLock } from './state-lock.ts';

/** The directory in which one process keeps its keys and data, and which it has for itself. */
export interface StateDirectory {
  readonly path: string;
  /** Lets the next process in. */
  close(): Promise<void>;
}

/**
 * Makes the directory (and those above it) for this user alone, or takes an existing one, and locks
 * it for this process. Throws StateDirectoryUnusable, which names the process, while another has
 * it; the lock of a process that died is taken over.
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  const { mode } = await stat(path);
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    throw new StateDirectoryUnusable(
      `every user may write to ${path}, which is to hold keys; run chmod 700 ${path}`,
    );
  }
  const lock = await lockStateDirectory(path);
  try {
    await removeUnfinishedFiles(path);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return new LockedDirectory(path, lock);
}

/** Writes a file that only this user can read (0600), like `writeAtomic`. */
export function writeSecret(path: string, content: string | Uint8Array): Promise<void> {
  return replaceFile(path, content, SECRET_MODE);
}

/**
 * Writes a file whole or not at all: whoever reads it, also after a crash of the machine, sees the
 * old content or the new. Resolves when the new one is durable.
 */
export function writeAtomic(path: string, content: string | Uint8Array): Promise<void> {
  return replaceFile(path, content, PUBLIC_MODE);
}

class LockedDirectory implements StateDirectory {
  readonly path: string;
  private readonly lock: StateLock;

  constructor(path: string, lock: StateLock) {
    this.path = path;
    this.lock = lock;
  }

  close(): Promise<void> {
    return this.lock.release();
  }
}

async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const name = `${UNFINISHED_PREFIX}${basename(path)}-${randomBytes(6).toString('hex')}`;
  const unfinished = join(dirname(path), name);
  try {
    await withFile(unfinished, 'wx', mode, async (file) => {
      await file.writeFile(content);
      await file.sync();
    });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  // The new name is durable only when the directory is.
  await withFile(dirname(path), 'r', mode, (directory) => directory.sync());
}

async function withFile(
  path: string,
  flags: string,
  mode: number,
  use: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/** What a process left that died while it wrote; only the holder of the lock may. */
async function removeUnfinishedFiles(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    if (name.startsWith(UNFINISHED_PREFIX)) await rm(join(path, name), { force: true });
  }
}

const UNFINISHED_PREFIX = '.unfinished-';
const DIRECTORY_MODE = 0o700;
const OTHERS_MAY_WRITE = 0o002;
const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;
