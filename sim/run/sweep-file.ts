import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { parseSweepLines, type SweepLine } from './sweep-line.ts';
import type { SweepPlan } from './sweep-plan.ts';

/** A file that holds something else; the message is one sentence. */
export class SweepFileUnusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SweepFileUnusable';
  }
}

/**
 * The results of a sweep, one line of JSON a run, each on disk before the next. What was run before
 * is not run again; a line that was torn off when the program died is cut off.
 */
export class SweepFile {
  /** Runs that the file had when it was opened. */
  readonly before: readonly SweepLine[];
  /** The file ended in the middle of a line. */
  readonly wasTorn: boolean;
  private readonly file: number;

  constructor(path: string, plan: SweepPlan) {
    mkdirSync(dirname(path), { recursive: true });
    // Read and append; made where it is not there.
    this.file = openSync(path, 'a+');
    const bytes = readFileSync(this.file);
    const parsed = parseSweepLines(bytes.toString('utf8'));
    const fault = typeof parsed === 'string' ? parsed : otherSweep(parsed.lines, plan);
    if (typeof parsed === 'string' || fault !== undefined) {
      closeSync(this.file);
      throw new SweepFileUnusable(`${path}: ${fault}; give another file to --out`);
    }
    this.before = parsed.lines;
    const whole = bytes.lastIndexOf('\n'.charCodeAt(0)) + 1;
    this.wasTorn = whole < bytes.length;
    if (this.wasTorn) ftruncateSync(this.file, whole);
  }

  /** Returns when the line is on disk. */
  append(line: SweepLine): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
    fdatasyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

function otherSweep(lines: readonly SweepLine[], plan: SweepPlan): string | undefined {
  const isOther = lines.some(
    ({ sweep, items }) => sweep !== plan.id || items !== plan.items.length,
  );
  return isOther ? 'it has runs of a sweep with other options' : undefined;
}
