import { describe, expect, test } from 'vitest';
import type { LookupEntry } from '../../../sim/simulation/lookup-log.ts';
import { percentile, summarizeLookups } from '../../../sim/simulation/lookup-summary.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';

const from = { name: 'n1' } as SimNode;

function entry(startedMs: number, tookMs: number | undefined, outcome: string): LookupEntry {
  const endedMs = tookMs === undefined ? undefined : startedMs + tookMs;
  return { startedMs, from, target: 'node', endedMs, outcome, hops: 2 };
}

describe('the summary of lookups', () => {
  test('counts successes, and failures by their reason', () => {
    const entries = [entry(0, 80, 'ok'), entry(0, 15_000, 'timeout'), entry(5, 90, 'wrong')];
    const summary = summarizeLookups(entries, { fromMs: 0, nowMs: 60_000 });
    expect(summary).toMatchObject({
      started: 3,
      succeeded: 1,
      failures: { timeout: 1, wrong: 1 },
      hops: { mean: 2, p99: 2, max: 2, histogram: [0, 0, 1] },
      latencyMs: { p50: 80, max: 80 },
    });
    expect(summary.slowest.map(({ ms }) => ms)).toEqual([15_000, 90, 80]);
  });

  test('leaves out what began before, whose asker stopped, and what may still succeed', () => {
    const entries = [
      entry(0, 80, 'ok'),
      entry(20_000, 80, 'asker-stopped'),
      entry(20_000, 80, 'target-left'),
      entry(59_000, undefined, 'under way'),
    ];
    const summary = summarizeLookups(entries, { fromMs: 10_000, nowMs: 60_000 });
    expect(summary.started).toBe(0);
    expect(summary.latencyMs.p50).toBe(0);
  });

  test('a lookup without an end after 15 s has failed', () => {
    const entries = [entry(0, undefined, 'under way')];
    const summary = summarizeLookups(entries, { fromMs: 0, nowMs: 16_000 });
    expect(summary.failures).toEqual({ 'under way': 1 });
  });

  test('the latency histogram holds every success once', () => {
    const entries = [10, 11, 400, 15_000].map((ms) => entry(0, ms, 'ok'));
    const { histogram } = summarizeLookups(entries, { fromMs: 0, nowMs: 20_000 }).latencyMs;
    const full = histogram.filter(({ count }) => count > 0).map(({ uptoMs }) => uptoMs);
    expect(full).toEqual([10, 15, 500, 15_000]);
  });

  test('percentiles are of nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([], 0.5)).toBe(0);
  });
});
