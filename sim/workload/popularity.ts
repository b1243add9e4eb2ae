import type { SimRandom } from '../world/sim-random.ts';

/** Which of a growing list is asked for. */
export interface Popularity {
  /** A place in [0, count); `count` is at least 1. */
  place(count: number, random: SimRandom): number;
}

export const uniformPopularity: Popularity = {
  place: (count, random) => random.index(count),
};

/**
 * Zipf's law: place k (from 0) is asked for in proportion to 1 / (k + 1)^exponent. Weights are
 * whole numbers and their sums exact, so that a draw is the same in all versions of Node.
 */
export class ZipfPopularity implements Popularity {
  private readonly exponent: number;
  /** `sums[k]`: the weights up to and with place k. */
  private readonly sums: number[] = [];

  constructor(exponent: number) {
    this.exponent = exponent;
  }

  place(count: number, random: SimRandom): number {
    this.extend(count);
    const drawn = random.share() * (this.sums[count - 1] as number);
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sums[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private extend(count: number): void {
    while (this.sums.length < count) {
      const weight = Math.max(
        1,
        Math.round(FIRST_WEIGHT / (this.sums.length + 1) ** this.exponent),
      );
      this.sums.push((this.sums.at(-1) ?? 0) + weight);
    }
  }
}

const FIRST_WEIGHT = 2 ** 30;
