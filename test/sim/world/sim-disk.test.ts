import { describe, expect, test } from 'vitest';
import { EventHeap } from '../../../sim/world/event-heap.ts';
import { type DiskConditions, SimDisk } from '../../../sim/world/sim-disk.ts';
import { SimRandom } from '../../../sim/world/sim-random.ts';

class Bench {
  nowMs = 0;
  readonly disk: SimDisk;
  readonly done: (readonly [key: string, atMs: number, failure: string | undefined])[] = [];
  private readonly heap = new EventHeap();
  private sequence = 0;

  constructor(conditions: DiskConditions = { writeLowMs: 1, writeHighMs: 10 }) {
    this.disk = new SimDisk(this, new SimRandom(2, 'disk'), conditions);
  }

  schedule(delayMs: number, run: () => void): void {
    this.heap.push({ atMs: this.nowMs + delayMs, sequence: this.sequence++, run });
  }

  write(key: string): void {
    this.change(key, Uint8Array.of(1));
  }

  change(key: string, value: Uint8Array | undefined): void {
    this.disk.write(this.nowMs, [{ key, value }], (failure) => {
      this.done.push([key, this.nowMs, failure]);
    });
  }

  run(untilMs = 1_000_000): void {
    for (;;) {
      const first = this.heap.first();
      if (first === undefined || first.atMs > untilMs) return;
      this.heap.pop();
      this.nowMs = first.atMs;
      first.run();
    }
  }
}

describe('a disk', () => {
  test('keeps a batch after its delay, and not before', () => {
    const bench = new Bench({ writeLowMs: 5, writeHighMs: 5 });
    bench.write('a');
    bench.run(4.9);
    expect(bench.disk.records.size).toBe(0);
    expect(bench.disk.waiting).toBe(1);
    bench.run();
    expect(bench.done).toEqual([['a', 5, undefined]]);
    expect(bench.disk.records.has('a')).toBe(true);
    expect(bench.disk.waiting).toBe(0);
  });

  test('writes batches in order, whatever time each takes', () => {
    const bench = new Bench();
    const keys = Array.from({ length: 50 }, (_, index) => String(index));
    for (const key of keys) bench.write(key);
    bench.run();
    expect(bench.done.map(([key]) => key)).toEqual(keys);
    expect(new Set(bench.done.map(([, atMs]) => atMs)).size).toBeGreaterThan(1);
  });

  test('removes what has no value', () => {
    const bench = new Bench();
    bench.write('a');
    bench.write('b');
    bench.change('a', undefined);
    bench.run();
    expect([...bench.disk.records.keys()]).toEqual(['b']);
  });

  test('loses at a crash what was not acknowledged, and nothing else', () => {
    const bench = new Bench({ writeLowMs: 5, writeHighMs: 5 });
    bench.write('kept');
    bench.run();
    bench.write('lost');
    bench.disk.crash();
    bench.run();
    expect([...bench.disk.records.keys()]).toEqual(['kept']);
    expect(bench.done.map(([key]) => key)).toEqual(['kept']);
    bench.write('later');
    bench.run();
    expect([...bench.disk.records.keys()]).toEqual(['kept', 'later']);
  });

  test('that is full fails every batch, and works again when it is not', () => {
    const bench = new Bench();
    bench.disk.isFull = true;
    bench.write('a');
    bench.run();
    expect(bench.done).toMatchObject([['a', expect.any(Number), 'no space left on the device']]);
    expect(bench.disk.records.size).toBe(0);
    bench.disk.isFull = false;
    bench.write('b');
    bench.run();
    expect([...bench.disk.records.keys()]).toEqual(['b']);
  });

  test('that is slow takes as many times as long', () => {
    const bench = new Bench({ writeLowMs: 5, writeHighMs: 5 });
    bench.disk.slowness = 100;
    bench.write('a');
    bench.run();
    expect(bench.done).toEqual([['a', 500, undefined]]);
  });

  test('that is wiped holds nothing', () => {
    const bench = new Bench();
    bench.write('a');
    bench.run();
    bench.write('b');
    bench.disk.wipe();
    bench.run();
    expect(bench.disk.records.size).toBe(0);
  });
});
