import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LatencyMatrixUnusable, loadLatencySource } from '../../../sim/run/latency-source.ts';
import {
  forecastMemory,
  heapLimitMb,
  MemoryTooSmall,
  requireMemory,
} from '../../../sim/run/memory-forecast.ts';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import { generatedMatrix } from '../../../sim/world/latency-model.ts';
import { PLANETLAB_PERCENTILES_MS } from '../../../sim/world/planetlab-percentiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'xor-resources-'));

describe('round-trip times', () => {
  test('from a file', () => {
    const file = join(folder, 'matrix.tsv');
    writeFileSync(file, '0\t20\n20\t0\n');
    const { matrix, description } = loadLatencySource(file);
    expect([...matrix.values]).toEqual([20, 20, 20, 20]);
    expect(description).toBe(`from ${file}, 2 sites`);
  });

  test.each([
    ['1\t2\n3\n', 'line 2 has 1 values, not 2'],
    ['1\tx\n3\t4\n', 'line 1: "x" is no time'],
    ['', 'line 1'],
  ])('a file with %j is refused in one sentence', (text, reason) => {
    const file = join(folder, 'bad.tsv');
    writeFileSync(file, text === '' ? '\tx' : text);
    expect(() => loadLatencySource(file)).toThrow(LatencyMatrixUnusable);
    expect(() => loadLatencySource(file)).toThrow(reason);
  });

  test('a file that is not there is refused', () => {
    expect(() => loadLatencySource(join(folder, 'absent'))).toThrow(/^cannot read the round-trip/);
  });

  test('those that are generated have the percentiles of the measured ones', () => {
    const values = [...generatedMatrix(1, 200, PLANETLAB_PERCENTILES_MS).values].sort(
      (a, b) => a - b,
    );
    const at = (share: number) => values[Math.floor(share * (values.length - 1))] ?? 0;
    expect(at(0.5)).toBeGreaterThan(125);
    expect(at(0.5)).toBeLessThan(145);
    expect(at(0.9)).toBeGreaterThan(270);
    expect(at(0.9)).toBeLessThan(310);
  });
});

describe('memory', () => {
  const large = forecastMemory({ ...DEFAULT_SCENARIO, peers: 10_000, clients: 100 });

  test('10,000 peers need at most 12 GB, and get a heap for it', () => {
    expect(large.nodes).toBe(10_100);
    expect(large.bytes).toBeLessThanOrEqual(12e9);
    expect(heapLimitMb(forecastMemory(DEFAULT_SCENARIO))).toBeGreaterThanOrEqual(500);
  });

  test('peers of a flash crowd count', () => {
    const faults = [{ type: 'flashCrowd', atMinutes: 1, minutes: 1, peers: 50 }] as const;
    expect(forecastMemory({ ...DEFAULT_SCENARIO, faults }).nodes).toBe(150);
  });

  test('what does not fit is refused before it starts, with the figures', () => {
    expect(() => requireMemory(large, 1, 16e9)).not.toThrow();
    expect(() => requireMemory(large, 1, 2e9)).toThrow(MemoryTooSmall);
    expect(() => requireMemory(large, 1, 2e9)).toThrow(
      /^10100 nodes need about [\d.]+ GB \(\d+ kB each\), and 2\.0 GB are available: take fewer peers$/,
    );
    expect(() => requireMemory(large, 4, 16e9)).toThrow(/in each of 4 runs at once.* or workers$/);
  });
});
