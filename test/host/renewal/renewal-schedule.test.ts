import { describe, expect, it } from 'vitest';
import {
  isUrgent,
  overdueDelayMs,
  renewalUnixMs,
  retryDelayMs,
} from '../../../src/host/renewal/renewal-schedule.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a certificate is renewed', () => {
  it('at two thirds of its life, or up to a twentieth earlier', () => {
    const life = { fromUnixMs: 1_000, untilUnixMs: 1_000 + 6 * DAY_MS };
    expect(renewalUnixMs(life, 0)).toBe(1_000 + 4 * DAY_MS);
    expect(renewalUnixMs(life, 1)).toBe(1_000 + 4 * DAY_MS - 0.3 * DAY_MS);
  });

  it('at most a day earlier, however long it lives', () => {
    const life = { fromUnixMs: 0, untilUnixMs: 3_000 * DAY_MS };
    expect(renewalUnixMs(life, 1)).toBe(1_999 * DAY_MS);
  });

  it('within a minute where that is overdue, sooner where little is left', () => {
    expect(overdueDelayMs(10 * DAY_MS, 1)).toBe(60_000);
    expect(overdueDelayMs(200_000, 1)).toBe(10_000);
    expect(overdueDelayMs(200_000, 0)).toBe(0);
    expect(overdueDelayMs(-5, 1)).toBe(0);
  });
});

describe('after a failure it is tried again', () => {
  it('after pauses that double from a minute to six hours, with jitter', () => {
    const left = 1_000 * DAY_MS;
    expect(retryDelayMs(1, left, 1)).toBe(60_000);
    expect(retryDelayMs(1, left, 0)).toBe(30_000);
    expect(retryDelayMs(2, left, 1)).toBe(120_000);
    expect(retryDelayMs(20, left, 1)).toBe(6 * HOUR_MS);
    expect(retryDelayMs(2_000, left, 1)).toBe(6 * HOUR_MS);
  });

  it('at least twenty times in what is left, and never more often than every 5 s', () => {
    expect(retryDelayMs(20, 20 * HOUR_MS, 1)).toBe(HOUR_MS);
    expect(retryDelayMs(20, 1_000, 0)).toBe(5_000);
    expect(retryDelayMs(20, -DAY_MS, 0)).toBe(5_000);
  });
});

describe('a failure is urgent', () => {
  const life = { fromUnixMs: 0, untilUnixMs: 4 * DAY_MS };

  it('while less than a quarter of the life is left', () => {
    expect(isUrgent(life, 3 * DAY_MS)).toBe(false);
    expect(isUrgent(life, 3 * DAY_MS + 1)).toBe(true);
    expect(isUrgent(life, 5 * DAY_MS)).toBe(true);
  });
});
