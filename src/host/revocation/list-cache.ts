import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { writeAtomic } from '../state/state-directory.ts';

/** A list as it came, and from where. */
export interface CachedList {
  readonly url: string;
  readonly der: Uint8Array;
  /** The server's Last-Modified. */
  readonly lastModified: string | undefined;
}

/**
 * The revocation lists held, over restarts: a file for each URL, one line of JSON and then the
 * bytes. They are public and signed, so they are checked when they are used and not here.
 */
export class ListCache {
  private readonly directory: string;
  private readonly log: Log;
  private writing: Promise<void> = Promise.resolve();

  constructor(stateDirectory: string, log: Log) {
    this.directory = join(stateDirectory, 'revocation');
    this.log = log;
  }

  /** All that can be read, the newest first and within bounds; what is beyond them is removed. */
  async read(): Promise<CachedList[]> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const files = await Promise.all(
      (await readdir(this.directory)).map(async (name) => {
        const { size, mtimeMs } = await stat(join(this.directory, name));
        return { name, size, mtimeMs };
      }),
    );
    const lists: CachedList[] = [];
    let bytes = 0;
    for (const { name, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
      bytes += size;
      const path = join(this.directory, name);
      const isKept = FILE_NAME.test(name) && lists.length < FILES_MAX && bytes <= BYTES_MAX;
      const list = isKept ? readFields(await readFile(path)) : undefined;
      if (list !== undefined) lists.push(list);
      else {
        this.log.warn({ file: path }, 'a kept revocation list cannot be used and is removed');
        await rm(path, { force: true });
      }
    }
    return lists;
  }

  /** Replaces the file of the URL; writes run one after another, and failures are logged. */
  write({ url, der, lastModified }: CachedList): Promise<void> {
    const name = `${createHash('sha256').update(url).digest('hex').slice(0, 32)}.crl`;
    const head = Buffer.from(`${JSON.stringify({ url, lastModified })}\n`);
    this.writing = this.writing
      .then(() => writeAtomic(join(this.directory, name), Buffer.concat([head, der])))
      .catch((error: unknown) => {
        this.log.error({ url, reason: String(error) }, 'a revocation list cannot be kept on disk');
      });
    return this.writing;
  }

  /** Everything that was written is on disk. */
  settled(): Promise<void> {
    return this.writing;
  }
}

function readFields(content: Buffer): CachedList | undefined {
  const end = content.indexOf(0x0a);
  if (end < 0) return undefined;
  try {
    const { url, lastModified } = JSON.parse(content.toString('utf8', 0, end)) as Fields;
    if (typeof url !== 'string') return undefined;
    const modified = typeof lastModified === 'string' ? lastModified : undefined;
    return { url, lastModified: modified, der: new Uint8Array(content.subarray(end + 1)) };
  } catch {
    return undefined;
  }
}

interface Fields {
  readonly url?: unknown;
  readonly lastModified?: unknown;
}

const FILE_NAME = /^[0-9a-f]{32}\.crl$/;
const FILES_MAX = 1024;
const BYTES_MAX = 134_217_728;
