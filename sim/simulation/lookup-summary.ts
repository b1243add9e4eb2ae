import { LOOKUP_MS_MAX, type LookupEntry } from './lookup-log.ts';
import type { LookupSummary, SlowLookup } from './run-record.ts';

/** Which lookups count, and from when times are counted. */
export interface LookupPeriod {
  /** Beginning of the observation, ms of the World; earlier lookups do not count. */
  readonly fromMs: number;
  /** What began less than the RFC's 15 s before this and has no end is left out. */
  readonly nowMs: number;
}

/**
 * Sums up lookups. Hops and latencies are of those that succeeded; the slowest are of all. Those
 * whose asker stopped, or whose target left the overlay on purpose, are no lookups.
 */
export function summarizeLookups(
  entries: readonly LookupEntry[],
  period: LookupPeriod,
): LookupSummary {
  const counted = entries.filter((entry) => isCounted(entry, period));
  const failures: Record<string, number> = {};
  const hops: number[] = [];
  const latencies: number[] = [];
  for (const entry of counted) {
    if (isSuccess(entry)) {
      hops.push(entry.hops);
      latencies.push(durationMs(entry, period.nowMs));
    } else {
      failures[entry.outcome] = (failures[entry.outcome] ?? 0) + 1;
    }
  }
  hops.sort(ascending);
  latencies.sort(ascending);
  return {
    started: counted.length,
    succeeded: hops.length,
    failures,
    hops: {
      mean: meanOf(hops),
      p99: percentile(hops, 0.99),
      max: hops.at(-1) ?? 0,
      histogram: hopHistogram(hops),
    },
    latencyMs: {
      p50: percentile(latencies, 0.5),
      p95: percentile(latencies, 0.95),
      p99: percentile(latencies, 0.99),
      max: latencies.at(-1) ?? 0,
      histogram: latencyHistogram(latencies),
    },
    slowest: slowestOf(counted, period),
  };
}

/** Whether an entry counts as a lookup in this period. */
export function isCounted(entry: LookupEntry, period: LookupPeriod): boolean {
  if (entry.startedMs < period.fromMs) return false;
  if (NO_LOOKUP.has(entry.outcome)) return false;
  return entry.endedMs !== undefined || period.nowMs - entry.startedMs > LOOKUP_MS_MAX;
}

export function isSuccess(entry: LookupEntry): boolean {
  return entry.outcome === 'ok';
}

/** The smallest value that a share of all does not exceed (nearest rank); 0 of an empty list. */
export function percentile(sorted: readonly number[], share: number): number {
  const at = Math.max(0, Math.ceil(share * sorted.length) - 1);
  return sorted[at] ?? 0;
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function hopHistogram(sorted: readonly number[]): number[] {
  const counts = new Array<number>((sorted.at(-1) ?? -1) + 1).fill(0);
  for (const hops of sorted) counts[hops] = (counts[hops] as number) + 1;
  return counts;
}

/** Each count is of what is above the limit before and up to its own. */
function latencyHistogram(sorted: readonly number[]): { uptoMs: number; count: number }[] {
  const histogram = LATENCY_LIMITS_MS.map((uptoMs) => ({ uptoMs, count: 0 }));
  let bucket = 0;
  for (const value of sorted) {
    while (bucket < histogram.length - 1 && value > (LATENCY_LIMITS_MS[bucket] as number)) bucket++;
    (histogram[bucket] as { count: number }).count++;
  }
  return histogram;
}

function slowestOf(entries: readonly LookupEntry[], period: LookupPeriod): SlowLookup[] {
  const { fromMs, nowMs } = period;
  const slowest = [...entries].sort((a, b) => {
    return durationMs(b, nowMs) - durationMs(a, nowMs) || a.startedMs - b.startedMs;
  });
  return slowest.slice(0, SLOWEST_COUNT).map((entry) => ({
    atMinutes: (entry.startedMs - fromMs) / 60_000,
    from: entry.from.name,
    target: entry.target,
    outcome: entry.outcome,
    ms: durationMs(entry, nowMs),
    hops: entry.hops,
  }));
}

function durationMs(entry: LookupEntry, nowMs: number): number {
  return (entry.endedMs ?? nowMs) - entry.startedMs;
}

function ascending(a: number, b: number): number {
  return a - b;
}

const NO_LOOKUP: ReadonlySet<string> = new Set(['asker-stopped', 'target-left']);
const SLOWEST_COUNT = 20;
/** Ten steps a decade would crowd the plot; these are about 5. */
const LATENCY_LIMITS_MS: readonly number[] = [
  ...[10, 100, 1000].flatMap((decade) => [1, 1.5, 2, 3, 5, 7].map((step) => step * decade)),
  10_000,
  LOOKUP_MS_MAX,
];
