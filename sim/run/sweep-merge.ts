import type { RunOutcome } from '../simulation/run-record.ts';
import { rounded, worstOutcome } from './run-summary.ts';
import type { SweepLine } from './sweep-line.ts';

/** What the shards of a sweep say together. */
export interface MergedSweep {
  readonly sweep: string;
  readonly items: number;
  readonly runs: number;
  /** Items without a run. */
  readonly missing: readonly number[];
  /** Runs that are there more than once with the same result. */
  readonly duplicates: number;
  /** Items whose runs differ: they must not. */
  readonly contradictions: readonly number[];
  readonly commits: readonly string[];
  readonly outcome: RunOutcome;
  readonly groups: readonly SweepGroup[];
  /** One for each item, in order. */
  readonly lines: readonly SweepLine[];
}

/** All seeds of one combination of what varies. */
export interface SweepGroup {
  readonly changes: Readonly<Record<string, unknown>>;
  readonly runs: number;
  readonly clean: number;
  readonly lookups: number;
  readonly lookupSuccess: number;
  /** Of all lookups of all runs. */
  readonly hopsMean: number;
  /** The median of the runs. */
  readonly lookupMsP50: number;
  /** The worst of the runs. */
  readonly lookupMsP95: number;
  readonly lostStores: number;
  readonly bytesPerPeerPerSecond: number;
  /** Seeds whose run was not clean. */
  readonly failedSeeds: readonly number[];
}

/** Merges the lines of all shards; a sentence where they are not of one sweep. */
export function mergeSweep(lines: readonly SweepLine[]): MergedSweep | string {
  const [first] = lines;
  if (first === undefined) return 'there is not a single run in these files';
  const { sweep, items } = first;
  const stranger = lines.find((line) => line.sweep !== sweep || line.items !== items);
  if (stranger !== undefined) return `there are runs of two sweeps, ${sweep} and ${stranger.sweep}`;
  const byItem = new Map<number, SweepLine>();
  const contradictions = new Set<number>();
  for (const line of lines) {
    const other = byItem.get(line.item);
    if (other === undefined) byItem.set(line.item, line);
    else if (!isSameResult(line, other)) contradictions.add(line.item);
  }
  const merged = [...byItem.values()].sort((a, b) => a.item - b.item);
  return {
    sweep,
    items,
    runs: merged.length,
    missing: Array.from({ length: items }, (_, item) => item).filter((item) => !byItem.has(item)),
    duplicates: lines.length - merged.length,
    contradictions: [...contradictions].sort((a, b) => a - b),
    commits: [...new Set(merged.flatMap(({ commit }) => (commit === undefined ? [] : [commit])))],
    outcome: worstOutcome(merged.map(({ outcome }) => outcome)),
    groups: groupsOf(merged),
    lines: merged,
  };
}

/** The same run has the same trace on every machine. */
function isSameResult(one: SweepLine, other: SweepLine): boolean {
  return (
    one.seed === other.seed && one.traceHash === other.traceHash && one.outcome === other.outcome
  );
}

function groupsOf(lines: readonly SweepLine[]): SweepGroup[] {
  const groups = new Map<string, SweepLine[]>();
  for (const line of lines) {
    const name = JSON.stringify(line.changes);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [line]);
    else group.push(line);
  }
  return [...groups.values()].map(groupOf);
}

function groupOf(lines: readonly SweepLine[]): SweepGroup {
  const sum = (of: (line: SweepLine) => number | undefined) =>
    lines.reduce((total, line) => total + (of(line) ?? 0), 0);
  const lookups = sum((line) => line.lookups);
  const succeeded = sum((line) => (line.lookups ?? 0) * (line.lookupSuccess ?? 0));
  const hops = sum((line) => (line.lookups ?? 0) * (line.hops?.mean ?? 0));
  const p50 = lines.map((line) => line.lookupMs?.p50 ?? 0).sort((a, b) => a - b);
  return {
    changes: lines[0]?.changes ?? {},
    runs: lines.length,
    clean: lines.filter(({ outcome }) => outcome === 'clean').length,
    lookups,
    lookupSuccess: lookups === 0 ? 1 : rounded(succeeded / lookups, 6),
    hopsMean: lookups === 0 ? 0 : rounded(hops / lookups, 3),
    lookupMsP50: p50[Math.floor((p50.length - 1) / 2)] ?? 0,
    lookupMsP95: Math.max(...lines.map((line) => line.lookupMs?.p95 ?? 0)),
    lostStores: sum((line) => line.lostStores),
    bytesPerPeerPerSecond: rounded(sum((line) => line.bytesPerPeerPerSecond) / lines.length, 1),
    failedSeeds: lines.filter(({ outcome }) => outcome !== 'clean').map(({ seed }) => seed),
  };
}
