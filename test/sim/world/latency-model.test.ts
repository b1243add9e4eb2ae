import { describe, expect, test } from 'vitest';
import {
  constantLatency,
  generatedMatrix,
  type LatencyModel,
  matrixLatency,
  parseMatrix,
  uniformLatency,
} from '../../../sim/world/latency-model.ts';

const HOSTS = 120;

function allPairs(model: LatencyModel): number[] {
  const values: number[] = [];
  for (let a = 0; a < HOSTS; a++) {
    for (let b = 0; b < a; b++) values.push(model.oneWayMs(a, b));
  }
  return values.sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * sorted.length)] as number;
}

describe('latency', () => {
  test('constant', () => {
    expect(new Set(allPairs(constantLatency(40)))).toEqual(new Set([40]));
  });

  test('uniform: spread evenly, the same both ways and in each run of a seed', () => {
    const model = uniformLatency(7, 10, 110);
    const values = allPairs(model);
    for (const share of [0.1, 0.5, 0.9]) {
      expect(Math.abs(at(values, share) - (10 + 100 * share))).toBeLessThan(3);
    }
    expect(model.oneWayMs(3, 9)).toBe(model.oneWayMs(9, 3));
    expect(allPairs(uniformLatency(7, 10, 110))).toEqual(values);
    expect(allPairs(uniformLatency(8, 10, 110))).not.toEqual(values);
  });

  test('generated: round-trip times have the percentiles asked for', () => {
    const percentiles = [10, 50, 100, 200, 1000];
    const { sites, values } = generatedMatrix(7, 150, percentiles);
    const pairs = [...values].filter((_, place) => Math.floor(place / sites) > place % sites);
    pairs.sort((a, b) => a - b);
    for (const [index, limitMs] of percentiles.entries()) {
      const share = pairs.filter((ms) => ms <= limitMs).length / pairs.length;
      expect(Math.abs(share - index / 4)).toBeLessThan(0.02);
    }
    expect(pairs[0]).toBeGreaterThanOrEqual(10);
    expect(pairs.at(-1)).toBeLessThanOrEqual(1000);
    expect(values[3 * sites + 9]).toBe(values[9 * sites + 3]);
    expect(values[0]).toBe(10);
  });

  test('of a matrix: half the round-trip time of the sites, and all sites are in use', () => {
    const values = new Float64Array(9).map((_, place) => 2 * place + 2);
    const seen = new Set(allPairs(matrixLatency(7, { sites: 3, values })));
    expect([...seen].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('a matrix as text', () => {
  test('is read row by row, and a site is as far from itself as from the nearest other', () => {
    const matrix = parseMatrix('0\t5\t9\n5\t0\t7\n9\t7\t0\n');
    expect(matrix).toEqual({
      sites: 3,
      values: Float64Array.of(5, 5, 9, 5, 5, 7, 9, 7, 7),
    });
  });

  test('of one site has a time all the same', () => {
    expect(parseMatrix('0')).toEqual({ sites: 1, values: Float64Array.of(1) });
  });

  const faults: readonly (readonly [string, string])[] = [
    ['0\t1\n2', 'line 2 has 1 values, not 2'],
    ['0\tx\n1\t0', 'line 1: "x" is no time'],
    ['0\t1\n-1\t0', 'line 2: "-1" is no time'],
  ];

  test.each(faults)('%j is refused: %s', (text, sentence) => {
    expect(parseMatrix(text)).toBe(sentence);
  });
});
