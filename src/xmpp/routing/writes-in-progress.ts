import type { MessageArchive } from './message-archive.ts';
import type { Done } from './ordered-acknowledgements.ts';

/** Messages on their way to the disk: one that comes again meanwhile waits with the first. */
export class WritesInProgress {
  private readonly archive: MessageArchive;
  private readonly waiting = new Map<string, Done[]>();

  constructor(archive: MessageArchive) {
    this.archive = archive;
  }

  /** Whether this is a duplicate; then `done` is called when the first one is on disk. */
  isKnown(key: string, done: Done): boolean {
    const waiting = this.waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(done);
      return true;
    }
    if (!this.archive.has(key)) return false;
    done();
    return true;
  }

  began(key: string): void {
    this.waiting.set(key, []);
  }

  /** It is on disk, and in the archive. */
  ended(key: string): void {
    const waiting = this.waiting.get(key) ?? [];
    this.waiting.delete(key);
    for (const done of waiting) done();
  }
}
