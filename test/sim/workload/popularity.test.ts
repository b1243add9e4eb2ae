import { describe, expect, test } from 'vitest';
import { NodeList } from '../../../sim/workload/node-list.ts';
import { uniformPopularity, ZipfPopularity } from '../../../sim/workload/popularity.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { SimRandom } from '../../../sim/world/sim-random.ts';

function counts(popularity: { place(count: number, random: SimRandom): number }): number[] {
  const random = new SimRandom(1, 'popularity');
  const counted = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 20_000; draw++) {
    const place = popularity.place(10, random);
    counted[place] = (counted[place] as number) + 1;
  }
  return counted;
}

describe('popularity', () => {
  test('Zipf: the k-th is asked for 1/k as often as the first', () => {
    const [first = 0, second = 0, , fourth = 0] = counts(new ZipfPopularity(1));
    expect(first / second).toBeCloseTo(2, 0);
    expect(first / fourth).toBeCloseTo(4, 0);
  });

  test('Zipf with exponent 0 and uniform: all alike', () => {
    for (const popularity of [new ZipfPopularity(0), uniformPopularity]) {
      for (const count of counts(popularity)) expect(Math.abs(count - 2000)).toBeLessThan(250);
    }
  });

  test('Zipf: a list that grows keeps its proportions', () => {
    const popularity = new ZipfPopularity(1);
    const random = new SimRandom(1, 'popularity');
    for (let draw = 0; draw < 100; draw++) expect(popularity.place(1, random)).toBe(0);
    expect(counts(popularity).every((count) => count > 0)).toBe(true);
  });
});

test('a list of nodes forgets one without a hole', () => {
  const [a, b, c] = [{ index: 0 }, { index: 1 }, { index: 2 }] as unknown as [
    SimNode,
    SimNode,
    SimNode,
  ];
  const list = new NodeList();
  for (const node of [a, b, c, b]) list.add(node);
  list.remove(a);
  list.remove(a);
  expect(list.nodes).toEqual([c, b]);
  list.remove(b);
  list.remove(c);
  expect(list.nodes).toEqual([]);
});
