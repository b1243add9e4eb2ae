import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  backoffDelayMs,
  normalDelayMs,
} from '../../../src/host/configuration/configuration-schedule.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const random = fc.double({ min: 0, max: 1, noNaN: true });

describe('XEP-0416 §5, requests for the configuration', () => {
  test('come not more than once a day, and some of that later, under normal conditions', () => {
    fc.assert(
      fc.property(random, (chance) => {
        const delayMs = normalDelayMs(NOW, NOW, undefined, chance);
        expect(delayMs).toBeGreaterThanOrEqual(DAY_MS);
        expect(delayMs).toBeLessThanOrEqual(DAY_MS + 3_600_000);
      }),
    );
  });

  test('come at once when the last one was days ago', () => {
    expect(normalDelayMs(NOW, NOW - 3 * DAY_MS, undefined, 0.5)).toBe(0);
  });

  test('are not put off by a clock that was set back', () => {
    expect(normalDelayMs(NOW, NOW + 400 * DAY_MS, undefined, 0)).toBeLessThan(1.1 * DAY_MS);
  });

  test('back off exponentially with jitter, up to six hours', () => {
    expect(backoffDelayMs(1, 1)).toBe(60_000);
    expect(backoffDelayMs(1, 0)).toBe(30_000);
    expect(backoffDelayMs(5, 1)).toBe(16 * 60_000);
    expect(backoffDelayMs(5_000, 1)).toBe(6 * 3_600_000);
  });
});

describe('RFC 6940 §11.1, a new copy is retrieved before the expiration', () => {
  test('at a random time before it', () => {
    fc.assert(
      fc.property(random, fc.integer({ min: 1, max: DAY_MS }), (chance, leftMs) => {
        const delayMs = normalDelayMs(NOW, NOW, NOW + leftMs, chance);
        expect(delayMs).toBeLessThan(leftMs);
        expect(delayMs).toBeGreaterThanOrEqual(leftMs / 2);
      }),
    );
  });

  test('at once when it has passed', () => {
    expect(normalDelayMs(NOW, NOW, NOW - 1, 0.5)).toBe(0);
  });
});
