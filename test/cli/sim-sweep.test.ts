import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pause, runXor, XorProcess } from './xor-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'xor-sweep-'));
const scenario = join(folder, 'tiny.json');
writeFileSync(scenario, JSON.stringify({ name: 'tiny', peers: 4, hours: 0.01, settleMinutes: 1 }));
const SWEEP = [
  ...['sim', 'sweep', '--scenario', scenario, '--signatures', 'cheap'],
  ...['--seeds', '1-3', '--vary', 'peers=4,5', '--workers', '1'],
];

describe('xor sim sweep and merge', { timeout: 60_000 }, () => {
  test('shards make each run once, and merged they are the whole sweep', async () => {
    const [zero, one, whole] = ['0.jsonl', '1.jsonl', 'whole.jsonl'].map((name) =>
      join(folder, name),
    );
    await Promise.all([
      xor(...SWEEP, '--shard', '0/2', '--out', `${zero}`),
      xor(...SWEEP, '--shard', '1/2', '--out', `${one}`),
      xor(...SWEEP, '--out', `${whole}`),
    ]);
    const { status, stdout } = await xor('sim', 'merge', `${one}`, `${zero}`, '--json');
    expect(status).toBe(0);
    const merged = JSON.parse(stdout);
    expect(merged).toMatchObject({ items: 6, runs: 6, missing: [], duplicates: 0 });
    expect(merged.groups.map(({ runs }: { runs: number }) => runs)).toEqual([3, 3]);
    // Whoever made it: the same run has the same trace, so all lines agree.
    const all = await xor('sim', 'merge', `${one}`, `${zero}`, `${whole}`, '--json');
    expect(JSON.parse(all.stdout)).toMatchObject({ runs: 6, duplicates: 6, contradictions: [] });

    const half = await xor('sim', 'merge', `${zero}`);
    expect(half.status).toBe(1);
    expect(half.stderr).toMatch(/^xor: 3 of 6 runs are missing: items 1, 3, 5; /);
    expect(half.stdout).toMatch(/^peers=4 +2 +2 /m);
  });

  test('killed with -9 it goes on where it was, and a torn last line is repaired', async () => {
    const out = join(folder, 'killed.jsonl');
    const child = new XorProcess([...SWEEP, '--out', out], { stateHome: folder });
    for (let waited = 0; waited < 200 && linesOf(out).length < 2; waited++) await pause(50);
    await child.end('SIGKILL');
    const before = linesOf(out);
    expect(before.length).toBeGreaterThanOrEqual(2);
    // As if it had died while it wrote the second line.
    const torn = `${before[0]}\n${before[1]?.slice(0, 40)}`;
    writeFileSync(out, torn);
    const { status, stdout, stderr } = await xor(...SWEEP, '--out', out, '--json');
    expect(status).toBe(0);
    expect(stderr).toMatch(/a torn last line is run again/);
    expect(JSON.parse(stdout)).toMatchObject({ runs: 6, left: 0, failed: 0, outcome: 'clean' });
    const after = linesOf(out);
    expect(after[0]).toBe(before[0]);
    expect(after.map((line) => (JSON.parse(line) as { item: number }).item)).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    // Nothing is left to do.
    expect((await xor(...SWEEP, '--out', out, '--json')).status).toBe(0);
    expect(linesOf(out)).toEqual(after);
  });

  test('a file with another sweep is refused, and left as it was', async () => {
    const out = join(folder, 'other.jsonl');
    await xor('sim', 'sweep', '--scenario', scenario, '--seeds', '1', '--out', out);
    const before = linesOf(out);
    const { status, stderr } = await xor(...SWEEP, '--out', out);
    expect(status).toBe(2);
    expect(stderr).toMatch(/it has runs of a sweep with other options; give another file to --out/);
    expect(linesOf(out)).toEqual(before);
  });

  test('a file that is none of a sweep cannot be merged', async () => {
    const { status, stderr } = await xor('sim', 'merge', scenario);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^xor: [^\n]+\n(xor: [^\n]+\n)?$/),
    });
  });
});

function xor(...args: string[]) {
  return runXor(args, { stateHome: folder });
}

/** Whole lines of a file. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}
