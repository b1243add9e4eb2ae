import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNewerSequence } from '../../overlay-config/configuration-sequence.ts';
import { writeAtomic, writeSecret } from '../state/state-directory.ts';

/** A configuration document on disk, and when it came. */
export interface CachedConfiguration {
  readonly overlayName: string;
  /** The whole document, byte for byte as it was received. */
  readonly document: Uint8Array;
  /** The server's Last-Modified; undefined when the document came another way. */
  readonly lastModified: string | undefined;
  /** When a server last said what is current; ms since 1970. */
  readonly checkedUnixMs: number;
}

/**
 * Which configuration was in force last, in a file of its own: an older document in the place of
 * the newer one is noticed by it.
 */
export interface ConfigurationMark {
  readonly overlayName: string;
  readonly sequence: number;
}

/** Whether a document of this overlay and sequence is older than the mark allows. */
export function isRolledBack(
  mark: ConfigurationMark | undefined,
  found: ConfigurationMark,
): mark is ConfigurationMark {
  if (mark === undefined || mark.overlayName !== found.overlayName) return false;
  return isNewerSequence(mark.sequence, found.sequence);
}

/** The file cannot be read: one sentence that says why and what to do. */
export class ConfigurationCacheDamaged extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigurationCacheDamaged';
  }
}

/**
 * The configuration held, over restarts: what the next one's signature is checked against. So a
 * file that cannot be read is an error and not as good as none: that would let HTTPS replace it.
 */
export class ConfigurationCache {
  readonly path: string;
  private readonly markPath: string;
  private readonly directory: string;
  private writing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.directory = directory;
    this.path = join(directory, 'configuration.json');
    this.markPath = join(directory, 'configuration-sequence.json');
  }

  /** Undefined when there is none. Throws ConfigurationCacheDamaged. */
  read(): Promise<CachedConfiguration | undefined> {
    return this.readJson(this.path, readEntry);
  }

  /** Undefined when there is none. Throws ConfigurationCacheDamaged. */
  readMark(): Promise<ConfigurationMark | undefined> {
    return this.readJson(this.markPath, readMarkEntry);
  }

  /** AFTER the document itself: a crash in between leaves a newer document, which is no harm. */
  async writeMark({ overlayName, sequence }: ConfigurationMark): Promise<void> {
    await writeAtomic(this.markPath, `${JSON.stringify({ overlay: overlayName, sequence })}\n`);
  }

  /**
   * Replaces the file: after a crash at any moment it is the old one or the new one. A document
   * with a shared secret is for its owner's eyes alone (RFC 6940 §14.16). Writes run one at a time.
   */
  write(entry: CachedConfiguration, isConfidential: boolean): Promise<void> {
    const replace = () => this.replace(entry, isConfidential);
    // Whether the one before succeeded is told to whoever asked for it.
    this.writing = this.writing.then(replace, replace);
    return this.writing;
  }

  private async replace(entry: CachedConfiguration, isConfidential: boolean): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const write = isConfidential ? writeSecret : writeAtomic;
    await write(this.path, `${JSON.stringify(writeEntry(entry))}\n`);
  }

  private async readJson<T>(path: string, readValue: (json: unknown) => T): Promise<T | undefined> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw damaged(path, String(error), error);
    }
    try {
      return readValue(JSON.parse(text));
    } catch (error) {
      throw damaged(path, error instanceof Error ? error.message : String(error), error);
    }
  }
}

function damaged(path: string, reason: string, cause: unknown): ConfigurationCacheDamaged {
  const what = `cannot read the configuration kept in ${path} (${reason})`;
  const todo = 'repair it, or choose a document with "xor config trust FILE"';
  return new ConfigurationCacheDamaged(`${what}; ${todo}`, { cause });
}

function readMarkEntry(value: unknown): ConfigurationMark {
  const { overlay, sequence } = (value ?? {}) as Record<string, unknown>;
  if (typeof overlay === 'string' && typeof sequence === 'number' && Number.isInteger(sequence)) {
    return { overlayName: overlay, sequence };
  }
  throw new Error('expected overlay and sequence');
}

function writeEntry(entry: CachedConfiguration): object {
  return {
    overlay: entry.overlayName,
    checked: new Date(entry.checkedUnixMs).toISOString(),
    ...(entry.lastModified === undefined ? {} : { lastModified: entry.lastModified }),
    document: Buffer.from(entry.document).toString('base64'),
  };
}

function readEntry(value: unknown): CachedConfiguration {
  const { overlay, checked, lastModified, document } = (value ?? {}) as Record<string, unknown>;
  const checkedUnixMs = typeof checked === 'string' ? Date.parse(checked) : Number.NaN;
  const isRight =
    typeof overlay === 'string' &&
    typeof document === 'string' &&
    !Number.isNaN(checkedUnixMs) &&
    (lastModified === undefined || typeof lastModified === 'string');
  if (!isRight) throw new Error('expected overlay, checked, lastModified? and document');
  return {
    overlayName: overlay,
    document: new Uint8Array(Buffer.from(document, 'base64')),
    lastModified,
    checkedUnixMs,
  };
}
