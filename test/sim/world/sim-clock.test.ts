import { expect, test } from 'vitest';
import { SimClock, WORLD_START_UNIX_MS } from '../../../sim/world/sim-clock.ts';

test('a right clock shows the time of the World', () => {
  const clock = new SimClock({ skewMs: 0, driftPpm: 0 });
  expect(clock.now(5_000)).toEqual({ monotonicMs: 5_000, unixMs: WORLD_START_UNIX_MS + 5_000 });
});

test('skew moves the wall clock alone', () => {
  const clock = new SimClock({ skewMs: -300, driftPpm: 0 });
  expect(clock.now(1_000)).toEqual({ monotonicMs: 1_000, unixMs: WORLD_START_UNIX_MS + 700 });
});

test('drift makes both clocks gain: 50 ppm are 180 ms in an hour', () => {
  const clock = new SimClock({ skewMs: 0, driftPpm: 50 });
  const { monotonicMs, unixMs } = clock.now(3_600_000);
  expect(monotonicMs - 3_600_000).toBeCloseTo(180, 6);
  expect(unixMs - WORLD_START_UNIX_MS - 3_600_000).toBeCloseTo(180, 2);
});

test('a moment of the monotonic clock is found in the time of the World', () => {
  const clock = new SimClock({ skewMs: 9, driftPpm: -200 });
  expect(clock.worldMs(clock.now(123_456).monotonicMs)).toBeCloseTo(123_456, 6);
});
