import { isRecord } from '../scenario/field-reader.ts';
import type { RunSummary } from './run-summary.ts';

/** A line of a sweep's file: one run. */
export interface SweepLine extends Omit<Partial<RunSummary>, 'seed' | 'outcome'>, SweepPlace {
  /** Why there are no figures: a bug ended the run. */
  readonly error?: string;
}

/** Where a run belongs. */
export interface SweepPlace {
  /** `SweepPlan.id`. */
  readonly sweep: string;
  readonly item: number;
  /** Of all shards together. */
  readonly items: number;
  readonly seed: number;
  readonly outcome: RunSummary['outcome'];
  /** What is different from the scenario: paths and values. */
  readonly changes: Readonly<Record<string, unknown>>;
}

export interface SweepLines {
  readonly lines: readonly SweepLine[];
  /** Characters of the text up to the end of its last whole line; what follows was torn off. */
  readonly wholeCharacters: number;
}

/** Reads a sweep's file; a sentence where it is none. An end that was torn off is left out. */
export function parseSweepLines(text: string): SweepLines | string {
  const wholeCharacters = text.lastIndexOf('\n') + 1;
  const lines: SweepLine[] = [];
  for (const [i, one] of text.slice(0, wholeCharacters).split('\n').slice(0, -1).entries()) {
    const line = parseLine(one);
    if (line === undefined) return `line ${i + 1} is no run of a sweep`;
    lines.push(line);
  }
  return { lines, wholeCharacters };
}

function parseLine(text: string): SweepLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { sweep, item, items, seed, outcome, changes } = value;
  const isLine =
    typeof sweep === 'string' &&
    isIndex(item) &&
    isIndex(items) &&
    item < items &&
    isIndex(seed) &&
    typeof outcome === 'string' &&
    isRecord(changes);
  return isLine ? (value as unknown as SweepLine) : undefined;
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
