import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { type RegisterEvent, readRegisterEvent } from '../../ca/register-event.ts';
import { AuthorityFailure } from './authority-failure.ts';

/**
 * The authority's memory on disk: one event a line as JSON, only ever appended. `append` resolves
 * when the event survives a crash of the process and the host; nothing that rests on an event may
 * leave the authority BEFORE that.
 *
 * Events that arrive while the disk is busy are written and synced together.
 */
export class AuthorityLedger {
  private readonly file: FileHandle;
  private queued: QueuedLine[] = [];
  private flushing: Promise<void> | undefined;
  private failure: AuthorityFailure | undefined;

  private constructor(file: FileHandle) {
    this.file = file;
  }

  /**
   * Opens or creates the ledger at `path` and gives `replay` its events in their order. A last line
   * without its end was never acknowledged: it is cut off. Any other damage refuses the ledger with
   * an AuthorityFailure that names the line.
   */
  static async open(
    path: string,
    replay: (event: RegisterEvent) => void,
  ): Promise<AuthorityLedger> {
    const file = await open(path, 'a+', SECRET_MODE);
    try {
      await cutTornLine(file);
      await replayLines(path, replay);
      await file.sync();
      await syncDirectory(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return new AuthorityLedger(file);
  }

  append(event: RegisterEvent): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.queued.push({ line: `${JSON.stringify(event)}\n`, resolve, reject });
      this.flushing ??= this.flush();
    });
  }

  /** Waits for what was appended. Nothing can be appended afterwards. */
  async close(): Promise<void> {
    this.failure ??= new AuthorityFailure('the ledger is closed');
    await this.flushing;
    await this.file.close();
  }

  private async flush(): Promise<void> {
    while (this.queued.length > 0) {
      const batch = this.queued;
      this.queued = [];
      try {
        await this.file.appendFile(batch.map((queued) => queued.line).join(''));
        await this.file.datasync();
      } catch (error) {
        this.fail(batch, error);
        break;
      }
      for (const queued of batch) queued.resolve();
    }
    this.flushing = undefined;
  }

  /** After a failed write nobody knows what is on disk: only a restart, which reads it, helps. */
  private fail(batch: readonly QueuedLine[], cause: unknown): void {
    const failure = new AuthorityFailure(
      `the ledger cannot be written (${String(cause)}); mend the disk and start again`,
      { cause },
    );
    this.failure = failure;
    for (const queued of [...batch, ...this.queued]) queued.reject(failure);
    this.queued = [];
  }
}

interface QueuedLine {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (reason: AuthorityFailure) => void;
}

async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const lineFeed = chunk.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
    if (lineFeed !== -1) {
      end = start + lineFeed + 1;
      break;
    }
    end = start;
  }
  if (end < size) await file.truncate(end);
}

async function replayLines(path: string, replay: (event: RegisterEvent) => void): Promise<void> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  let lineNumber = 0;
  for await (const line of lines) {
    lineNumber++;
    const event = readRegisterEvent(parseJson(line));
    const fault = typeof event === 'string' ? event : tryReplay(event, replay);
    if (fault === undefined) continue;
    throw new AuthorityFailure(
      `the ledger ${path} is damaged in line ${lineNumber} (${fault}); restore it from a backup`,
    );
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What the register finds contradictory, as a sentence. */
function tryReplay(
  event: RegisterEvent,
  replay: (event: RegisterEvent) => void,
): string | undefined {
  try {
    replay(event);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** A new file survives a crash only when its directory entry does. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const SECRET_MODE = 0o600;
const CHUNK_BYTES = 65_536;
const LINE_FEED = 0x0a;
