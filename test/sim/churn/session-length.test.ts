import { describe, expect, test } from 'vitest';
import {
  exponentialSessions,
  paretoSessions,
  type SessionLengths,
  weibullSessions,
} from '../../../sim/churn/session-length.ts';
import { SimRandom } from '../../../sim/world/sim-random.ts';

const MEDIAN_MS = 3_600_000;
const DRAWS = 40_000;

const all: readonly (readonly [string, SessionLengths])[] = [
  ['exponential', exponentialSessions(MEDIAN_MS)],
  ['Weibull', weibullSessions(MEDIAN_MS, 0.5)],
  ['Pareto', paretoSessions(MEDIAN_MS, 3)],
];

function draws(draw: (random: SimRandom) => number): number[] {
  const random = new SimRandom(5, 'sessions');
  return Array.from({ length: DRAWS }, () => draw(random)).sort((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe.each(all)('%s sessions', (_name, lengths) => {
  test('have the median asked for, in whole ms', () => {
    const sessions = draws((random) => lengths.sessionMs(random));
    expect((sessions[DRAWS / 2] as number) / MEDIAN_MS).toBeCloseTo(1, 1);
    expect(sessions.every((ms) => Number.isInteger(ms) && ms > 0)).toBe(true);
  });

  test('end at the same rate from the beginning on, because residuals are drawn as they are', () => {
    const random = new SimRandom(6, 'sessions');
    const ends = [0, 0, 0, 0];
    for (let slot = 0; slot < 10_000; slot++) {
      let atMs = lengths.residualMs(random);
      while (atMs < ends.length * MEDIAN_MS) {
        const period = Math.floor(atMs / MEDIAN_MS);
        ends[period] = (ends[period] as number) + 1;
        atMs += lengths.sessionMs(random);
      }
    }
    for (const count of ends) expect(count / mean(ends)).toBeCloseTo(1, 1);
  });
});

test('an exponential session has the mean median / ln 2', () => {
  const sessions = draws((random) => exponentialSessions(MEDIAN_MS).sessionMs(random));
  expect((mean(sessions) * Math.LN2) / MEDIAN_MS).toBeCloseTo(1, 1);
});

test('Weibull and Pareto residuals have the mean E[X²] / 2 E[X]', () => {
  const weibull = draws((random) => weibullSessions(MEDIAN_MS, 0.5).residualMs(random));
  expect(mean(weibull) / ((6 * MEDIAN_MS) / Math.LN2 ** 2)).toBeCloseTo(1, 1);
  const pareto = draws((random) => paretoSessions(MEDIAN_MS, 4).residualMs(random));
  expect(mean(pareto) / ((0.75 * MEDIAN_MS) / 2 ** 0.25)).toBeCloseTo(1, 1);
});

test('a Pareto shape without a mean, and the longest sessions, stay finite', () => {
  const sessions = draws((random) => paretoSessions(MEDIAN_MS, 0.05).residualMs(random));
  expect(Number.isSafeInteger(sessions.at(-1))).toBe(true);
});
