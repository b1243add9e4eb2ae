import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { SweepFile, SweepFileUnusable } from '../../../sim/run/sweep-file.ts';
import { parseSweepLines, type SweepLine } from '../../../sim/run/sweep-line.ts';
import { type MergedSweep, mergeSweep } from '../../../sim/run/sweep-merge.ts';
import { itemsOf, planSweep, type SweepPlan } from '../../../sim/run/sweep-plan.ts';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';

const options = {
  scenario: DEFAULT_SCENARIO,
  seeds: [1, 2, 3],
  vary: [
    { path: 'peers', values: [10, 20] },
    { path: 'network.lossShare', values: [0, 0.1] },
  ],
  signatures: 'auto',
} as const;
const plan = planSweep(options) as SweepPlan;

describe('the runs of a sweep', () => {
  test('are every combination with every seed, in the same order each time', () => {
    expect(plan.items).toHaveLength(12);
    expect(plan.items.map(({ item }) => item)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(plan.items[4]).toMatchObject({ seed: 2, scenario: { peers: 20 } });
    expect(planSweep(options)).toEqual(plan);
  });

  test('have another name where an option is another', () => {
    expect((planSweep({ ...options, seeds: [1, 2] }) as SweepPlan).id).not.toBe(plan.id);
    expect((planSweep({ ...options, signatures: 'real' }) as SweepPlan).id).not.toBe(plan.id);
  });

  test('are in exactly one shard each', () => {
    const shards = [0, 1, 2, 3, 4].map((index) => itemsOf(plan, { index, count: 5 }));
    const items = shards.flat().map(({ item }) => item);
    expect(items.sort((a, b) => a - b)).toEqual(plan.items.map(({ item }) => item));
    expect(shards.map(({ length }) => length)).toEqual([3, 3, 2, 2, 2]);
  });
});

describe('the file of a sweep', () => {
  let path: string;

  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'xor-sweep-')), 'folder', 'runs.jsonl');
  });

  test('has what was written when it is opened again', () => {
    const file = new SweepFile(path, plan);
    file.append(line(0));
    file.append(line(5));
    file.close();
    const again = new SweepFile(path, plan);
    expect(again.before.map(({ item }) => item)).toEqual([0, 5]);
    expect(again.wasTorn).toBe(false);
    again.close();
  });

  test('loses a last line that was torn off, and nothing else', () => {
    const whole = `${JSON.stringify(line(0))}\n`;
    for (let length = 1; length < whole.length; length += 7) {
      new SweepFile(path, plan).close();
      writeFileSync(path, whole + whole.slice(0, length));
      const file = new SweepFile(path, plan);
      expect(file.wasTorn).toBe(true);
      expect(file.before).toHaveLength(1);
      file.append(line(1));
      file.close();
      const text = readFileSync(path, 'utf8');
      expect(parseSweepLines(text)).toMatchObject({ lines: [{ item: 0 }, { item: 1 }] });
    }
  });

  test('of another sweep, or of something else, is refused and left as it was', () => {
    new SweepFile(path, plan).close();
    for (const text of [`${JSON.stringify({ ...line(0), sweep: 'other' })}\n`, 'a diary\n']) {
      writeFileSync(path, text);
      expect(() => new SweepFile(path, plan)).toThrow(SweepFileUnusable);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    appendFileSync(path, '');
  });
});

describe('the shards of a sweep, merged', () => {
  const all = plan.items.map(({ item }) => line(item));

  test('are one sweep, in whatever order they come', () => {
    const merged = mergeSweep([...all].reverse()) as MergedSweep;
    expect(merged).toMatchObject({ runs: 12, missing: [], duplicates: 0, contradictions: [] });
    expect(merged.lines).toEqual(all);
    expect(merged.groups).toHaveLength(4);
    expect(merged.groups[0]).toMatchObject({ runs: 3, clean: 3, lookups: 30, lookupSuccess: 0.9 });
  });

  test('say what is missing', () => {
    expect(mergeSweep(all.slice(1, -1))).toMatchObject({ runs: 10, missing: [0, 11] });
  });

  test('may have a run twice, but not with two results', () => {
    expect(mergeSweep([...all, line(3)])).toMatchObject({ duplicates: 1, contradictions: [] });
    const other = { ...line(3), traceHash: 'another' };
    expect(mergeSweep([...all, other])).toMatchObject({ duplicates: 1, contradictions: [3] });
  });

  test('are as bad as the worst of them, and name its seed', () => {
    const bad: SweepLine = { ...line(3), outcome: 'correctness' };
    const merged = mergeSweep([...all.slice(0, 3), bad, ...all.slice(4)]) as MergedSweep;
    expect(merged.outcome).toBe('correctness');
    expect(merged.groups.flatMap(({ failedSeeds }) => failedSeeds)).toEqual([1]);
  });

  test('must be of one sweep', () => {
    expect(mergeSweep([...all, { ...line(0), sweep: 'other' }])).toMatch(/runs of two sweeps/);
    expect(mergeSweep([])).toMatch(/not a single run/);
  });
});

function line(item: number): SweepLine {
  const { seed, changes } = plan.items[item] ?? { seed: 0, changes: [] };
  return {
    sweep: plan.id,
    item,
    items: plan.items.length,
    seed,
    outcome: 'clean',
    changes: Object.fromEntries(changes.map(({ path, value }) => [path, value])),
    traceHash: `trace ${item}`,
    lookups: 10,
    lookupSuccess: 0.9,
  };
}
