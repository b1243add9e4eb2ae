import { describe, expect, test } from 'vitest';
import { SimRandom } from '../../../sim/world/sim-random.ts';

function first(random: SimRandom, count = 8): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

describe('random numbers', () => {
  test('are the same for the same seed and label, today and in a year', () => {
    const drawn = first(new SimRandom(7, 'world'), 3);
    expect(drawn).toEqual(first(new SimRandom(7, 'world'), 3));
    expect(drawn).toMatchInlineSnapshot(`
      [
        1777484143,
        134577451,
        1424757965,
      ]
    `);
  });

  test('are others for another seed or another label', () => {
    const drawn = first(new SimRandom(7, 'world'));
    for (const other of [
      new SimRandom(8, 'world'),
      new SimRandom(7 + 2 ** 32, 'world'),
      new SimRandom(7, 'worlds'),
      new SimRandom(7, 'world').stream('network'),
    ]) {
      expect(first(other).filter((word, at) => word === drawn[at])).toEqual([]);
    }
  });

  test('of one stream do not depend on what another one draws', () => {
    const parent = new SimRandom(7, 'world');
    const before = first(parent.stream('churn'));
    first(parent);
    first(parent.stream('workload'));
    expect(first(parent.stream('churn'))).toEqual(before);
  });

  test('are spread evenly', () => {
    const random = new SimRandom(1, 'even');
    const counts = new Array<number>(16).fill(0);
    for (let draw = 0; draw < 16_000; draw++) {
      const place = random.index(16);
      counts[place] = (counts[place] as number) + 1;
    }
    // Chi-square with 15 degrees of freedom: 37.7 is exceeded once in a thousand.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(37.7);
  });

  test('of neighbouring seeds have nothing to do with each other', () => {
    const shares = Array.from({ length: 4_000 }, (_, seed) => new SimRandom(seed, 'x').share());
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).toBeCloseTo(0.5, 1);
    const next = shares
      .slice(1)
      .map((share, at) => (share - mean) * ((shares[at] as number) - mean));
    const correlation = (12 * next.reduce((sum, value) => sum + value, 0)) / next.length;
    expect(Math.abs(correlation)).toBeLessThan(0.06);
  });

  test('keep to their ranges', () => {
    const random = new SimRandom(1, 'ranges');
    for (let draw = 0; draw < 1_000; draw++) {
      expect(random.share()).toBeLessThan(1);
      expect(random.index(3)).toBeLessThan(3);
      const between = random.between(-5, 5);
      expect(between).toBeGreaterThanOrEqual(-5);
      expect(between).toBeLessThan(5);
    }
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
    expect(random.pick([])).toBeUndefined();
    expect(random.bytes(7)).toHaveLength(7);
  });

  test('shuffle without loss, into every order', () => {
    const random = new SimRandom(1, 'shuffle');
    const orders = new Set<string>();
    for (let draw = 0; draw < 200; draw++) {
      const shuffled = random.shuffled([1, 2, 3]);
      expect([...shuffled].sort()).toEqual([1, 2, 3]);
      orders.add(shuffled.join());
    }
    expect(orders.size).toBe(6);
  });
});
