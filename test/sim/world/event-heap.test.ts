import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventHeap } from '../../../sim/world/event-heap.ts';

const run = () => undefined;

describe('the heap of events', () => {
  test('gives them by time, and those of one moment in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
        const heap = new EventHeap();
        for (const [sequence, atMs] of times.entries()) heap.push({ atMs, sequence, run });
        expect(heap.size).toBe(times.length);
        const expected = times
          .map((atMs, sequence) => ({ atMs, sequence }))
          .sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
        for (const event of expected) {
          expect(heap.first()).toMatchObject(event);
          expect(heap.pop()).toMatchObject(event);
        }
        expect(heap.pop()).toBeUndefined();
        expect(heap.first()).toBeUndefined();
      }),
    );
  });

  test('keeps the order when events come while others go', () => {
    const times = fc.array(fc.option(fc.integer({ min: 0, max: 50 })), { maxLength: 200 });
    fc.assert(
      fc.property(times, (steps) => {
        const heap = new EventHeap();
        let nowMs = 0;
        for (const [sequence, delayMs] of steps.entries()) {
          if (delayMs !== null) {
            heap.push({ atMs: nowMs + delayMs, sequence, run });
            continue;
          }
          const event = heap.pop();
          if (event === undefined) continue;
          expect(event.atMs).toBeGreaterThanOrEqual(nowMs);
          nowMs = event.atMs;
        }
      }),
    );
  });
});
