import { describe, expect, test } from 'vitest';
import {
  REFRESH_MS_MAX_DEFAULT,
  refreshDelayMs,
  retryDelayMs,
} from '../../../src/host/revocation/list-schedule.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);
const living = (hours: number) => ({
  thisUpdateUnixMs: NOW,
  nextUpdateUnixMs: NOW + hours * HOUR_MS,
});
const BOUNDLESS = 1000 * HOUR_MS;

describe('when a list is asked for again', () => {
  test('between a half and two thirds of its time, by chance', () => {
    expect(refreshDelayMs(living(6), NOW, BOUNDLESS, 0)).toBe(3 * HOUR_MS);
    expect(refreshDelayMs(living(6), NOW, BOUNDLESS, 1)).toBeCloseTo(4 * HOUR_MS);
    expect(refreshDelayMs(living(6), NOW + HOUR_MS, BOUNDLESS, 0)).toBe(2 * HOUR_MS);
  });

  test('at least every hour, unless another time is given', () => {
    const week = living(168);
    expect(refreshDelayMs(week, NOW, REFRESH_MS_MAX_DEFAULT, 1)).toBe(HOUR_MS);
    expect(refreshDelayMs(week, NOW, REFRESH_MS_MAX_DEFAULT, 0)).toBe(0.75 * HOUR_MS);
    expect(refreshDelayMs(week, NOW, 1000, 1)).toBe(1000);
  });

  test('sooner when the next one is late, and once a minute when it is overdue', () => {
    expect(refreshDelayMs(living(6), NOW + 5 * HOUR_MS, BOUNDLESS, 0)).toBe(HOUR_MS / 4);
    expect(refreshDelayMs(living(6), NOW + 7 * HOUR_MS, BOUNDLESS, 0)).toBe(60_000);
  });

  test('after failures with growing distance and a bound', () => {
    expect(retryDelayMs(1, BOUNDLESS, 1)).toBe(15_000);
    expect(retryDelayMs(3, BOUNDLESS, 1)).toBe(60_000);
    expect(retryDelayMs(3, BOUNDLESS, 0)).toBe(30_000);
    expect(retryDelayMs(1000, BOUNDLESS, 1)).toBe(HOUR_MS / 2);
    expect(retryDelayMs(9, 2000, 1)).toBe(2000);
  });
});
