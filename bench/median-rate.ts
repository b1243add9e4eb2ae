/**
 * How often per second `work` is done: the median of several rounds, because the machine is shared
 * and the first rounds run before the compiler has warmed up. `work` does `count` of it and returns
 * something that depends on all of it, so that none is optimised away.
 */
export function medianRate(count: number, work: (count: number) => number): number {
  for (let i = 0; i < WARM_UP_ROUNDS; i++) consume(work(count));
  const rates: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now();
    consume(work(count));
    rates.push(count / ((performance.now() - start) / 1000));
  }
  rates.sort((a, b) => a - b);
  return rates[Math.floor(ROUNDS / 2)] ?? 0;
}

function consume(result: number): void {
  if (Number.isNaN(result)) throw new Error('the measured work returned no number');
}

const WARM_UP_ROUNDS = 3;
const ROUNDS = 9;
