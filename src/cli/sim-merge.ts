import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { exitStatusOf } from '../../sim/run/run-summary.ts';
import { parseSweepLines } from '../../sim/run/sweep-line.ts';
import { type MergedSweep, mergeSweep } from '../../sim/run/sweep-merge.ts';
import { OperatorError } from './operator-error.ts';
import { percent } from './sim-output.ts';
import { printJson, printLine, printTable } from './terminal-output.ts';

export interface SimMergeOptions {
  readonly json?: boolean;
  readonly out?: string;
}

/** `xor sim merge`: the shards of a sweep as one, with what is missing or contradicts itself. */
export function mergeSim(files: readonly string[], options: SimMergeOptions): void {
  const lines = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const parsed = parseSweepLines(text);
    if (typeof parsed === 'string') throw new OperatorError(`${file}: ${parsed}`);
    if (parsed.wholeCharacters < text.length) {
      process.stderr.write(`xor: ${file}: a torn last line is left out\n`);
    }
    return parsed.lines;
  });
  const merged = mergeSweep(lines);
  if (typeof merged === 'string') throw new OperatorError(merged);
  if (options.out !== undefined) writeLines(options.out, merged);
  const { lines: _, ...summary } = merged;
  if (options.json === true) printJson(summary);
  else printMerged(merged);
  process.exitCode = exitStatusOf(merged.outcome);
  requireWhole(merged);
}

function requireWhole(merged: MergedSweep): void {
  const { missing, contradictions, items } = merged;
  if (contradictions.length > 0) {
    throw new OperatorError(
      `the same run has different results: items ${some(contradictions)}; are all shards of one ` +
        `commit (${merged.commits.join(', ')}) and one matrix of round-trip times?`,
    );
  }
  if (missing.length > 0) {
    throw new OperatorError(
      `${missing.length} of ${items} runs are missing: items ${some(missing)}; ` +
        'the same sweep command goes on where it was',
    );
  }
}

function printMerged(merged: MergedSweep): void {
  const { runs, items, duplicates, commits, groups } = merged;
  printTable(
    [
      'CHANGES',
      'RUNS',
      'CLEAN',
      'LOOKUPS',
      'SUCCESS',
      'HOPS',
      'P50 MS',
      'P95 MS',
      'LOST',
      'BYTES/S',
    ],
    groups.map((group) => [
      Object.entries(group.changes)
        .map(([path, value]) => `${path}=${JSON.stringify(value)}`)
        .join(' ') || 'none',
      String(group.runs),
      String(group.clean),
      String(group.lookups),
      percent(group.lookupSuccess),
      group.hopsMean.toFixed(2),
      String(group.lookupMsP50),
      String(group.lookupMsP95),
      String(group.lostStores),
      String(group.bytesPerPeerPerSecond),
    ]),
  );
  for (const { failedSeeds, changes } of groups) {
    if (failedSeeds.length === 0) continue;
    printLine(`not clean with ${JSON.stringify(changes)}: seeds ${some(failedSeeds)}`);
  }
  const twice = duplicates === 0 ? '' : `, ${duplicates} of them more than once`;
  printLine(`${runs} of ${items} runs${twice}; commit ${commits.join(', ')}`);
}

function writeLines(path: string, { lines }: MergedSweep): void {
  writeFileSync(`${path}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  renameSync(`${path}.new`, path);
}

function some(numbers: readonly number[]): string {
  const shown = numbers.slice(0, SHOWN_MAX).join(', ');
  return numbers.length > SHOWN_MAX ? `${shown}, …` : shown;
}

const SHOWN_MAX = 10;
