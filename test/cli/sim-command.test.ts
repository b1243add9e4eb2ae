import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { runXor, XorProcess } from './xor-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'xor-sim-'));
/** Few peers for a virtual minute. */
const SMALL = [
  ...['--peers', '6', '--hours', '0.02', '--set', 'settleMinutes=0.5'],
  ...['--signatures', 'cheap', '--failure-dir', folder, '--shrink-seconds', '0'],
];

describe('xor sim run', { timeout: 60_000 }, () => {
  test('ends with one line of JSON with the keys that scripts rely on', async () => {
    const { status, stdout, stderr } = await sim('run', ...SMALL, '--seed', '7', '--json');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^seed 7$/m);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      seed: 7,
      peers: 6,
      virtualHours: 0.02,
      events: expect.any(Number),
      wallSeconds: expect.any(Number),
      observedWallSeconds: expect.any(Number),
      observedCpuSeconds: expect.any(Number),
      traceHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      lookups: expect.any(Number),
      lookupSuccess: expect.any(Number),
      hops: { mean: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) },
      lookupMs: { p50: expect.any(Number), p95: expect.any(Number) },
      ackedStores: expect.any(Number),
      lostStores: 0,
      unauthorizedWrites: 0,
      violations: [],
      bytesPerPeerPerSecond: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
      signatures: 'cheap',
      outcome: 'clean',
    });
  });

  test('the same seed gives the same trace, another one another; `xor sim` alone runs too', async () => {
    const runs = await Promise.all([
      sim(...SMALL, '--seed', '8', '--json'),
      sim('run', ...SMALL, '--seed', '8', '--json'),
      sim('run', ...SMALL, '--seed', '9', '--json'),
    ]);
    const [one, two, other] = runs.map(({ stdout }) => JSON.parse(stdout).traceHash as string);
    expect(one).toBe(two);
    expect(one).not.toBe(other);
  });

  test('real and cheap signatures give the same trace: it depends on sizes and times alone', async () => {
    const kinds = ['real', 'cheap'];
    const args = [
      ...SMALL.filter((arg) => arg !== '--signatures' && arg !== 'cheap'),
      '--seed',
      '8',
    ];
    const runs = await Promise.all(
      kinds.map((kind) => sim(...args, '--signatures', kind, '--json')),
    );
    const [real, cheap] = runs.map(({ stdout }) => JSON.parse(stdout).traceHash as string);
    expect(real).toBe(cheap);
  });

  test('a seed that is not given is random and printed, and the command gives the run again', async () => {
    const { stdout, stderr } = await sim('run', ...SMALL);
    const [, seed] = /^seed (\d+)$/m.exec(stderr) ?? [];
    expect(stdout).toMatch(
      new RegExp(`^again: xor sim run .*--seed ${seed} --signatures cheap$`, 'm'),
    );
    expect(stdout).toMatch(/^lookups +\d+, /m);
    const [, command = ''] = /^again: xor (.*)$/m.exec(stdout) ?? [];
    const again = await runXor(command.split(' '), { stateHome: folder });
    const hash = /^trace hash +(\w+)$/m;
    expect(hash.exec(again.stdout)?.[1]).toBe(hash.exec(stdout)?.[1]);
  });

  test('--replay stops at an event and shows the node that it happened to, or others', async () => {
    const args = ['run', ...SMALL, '--seed', '7', '--replay', '500'];
    const [own, named] = await Promise.all([sim(...args), sim(...args, '--node', 'n1', 'n2')]);
    const state = JSON.parse(own.stdout);
    expect(state).toMatchObject({ event: 500, nodes: [{ name: state.input.node, state: 'up' }] });
    expect(JSON.parse(named.stdout).nodes.map(({ name }: { name: string }) => name)).toEqual([
      'n1',
      'n2',
    ]);
    expect(JSON.parse(named.stdout).nodes[0]).toMatchObject({ peer: { role: 'peer' }, disk: {} });
  });

  test('an event after the end of the run, or a node that is not there, is said', async () => {
    const args = ['run', ...SMALL, '--seed', '7', '--replay'];
    const [late, absent] = await Promise.all([
      sim(...args, '99999999'),
      sim(...args, '500', '--node', 'n99'),
    ]);
    expect(late.status).toBe(1);
    expect(late.stderr).toMatch(/^xor: the run was over before that, at event \d+$/m);
    expect(absent.status).toBe(1);
    expect(absent.stderr).toMatch(/^xor: there is no n99 at that event; nodes are n0, n1, …$/m);
  });

  test('a ring that is not whole at the end: 128, the command, and the least that fails', async () => {
    const scenario = join(folder, 'divided.json');
    const fault = { type: 'partition', atMinutes: 1, minutes: 1, share: 0.5 };
    const file = { name: 'divided', peers: 8, hours: 0.034, settleMinutes: 1, faults: [fault] };
    writeFileSync(scenario, JSON.stringify({ ...file, convergeMinutes: 0.001 }));
    const args = ['--signatures', 'cheap', '--failure-dir', folder, '--shrink-seconds', '1'];
    const { status, stderr } = await sim('run', '--scenario', scenario, ...args, '--seed', '4');
    expect(stderr).toMatch(/^xor: not-converged: the ring was not whole 0\.001 minutes after/m);
    expect(stderr).toMatch(/^xor: again: xor sim run --scenario \S+ --seed 4 --signatures cheap$/m);
    expect(status).toBe(128);
    const failure = JSON.parse(readFileSync(join(folder, 'xor-sim-failure-4.json'), 'utf8'));
    expect(failure).toMatchObject({
      seed: 4,
      commit: expect.any(String),
      outcome: 'not-converged',
      scenario: { name: 'divided' },
      shrunk: { scenario: { name: 'divided' }, runs: expect.any(Number) },
    });
    const unasked = await sim(
      'run',
      '--scenario',
      scenario,
      ...args,
      '--seed',
      '4',
      '--no-converge',
    );
    expect(unasked.status).toBe(0);
  });

  test('Ctrl-C ends it, and says how far it got', async () => {
    const child = new XorProcess(['sim', 'run', '--peers', '100', '--seed', '5'], {
      stateHome: folder,
    });
    await vi.waitFor(() => expect(child.stderrLines).toContain('seed 5'), 20_000);
    expect(await child.end('SIGINT')).toBe(130);
    expect(child.stderrLines.join('\n')).toMatch(
      /^xor: stopped.*virtual time.*events; .*again: xor sim/m,
    );
  });
});

describe('xor sim list and smoke', { timeout: 60_000 }, () => {
  test('list names every scenario with its sentence', async () => {
    const { stdout } = await sim('list');
    expect(stdout).toMatch(/^smoke +24 +0\.2 +a little of everything/m);
    expect(JSON.parse((await sim('list', '--json')).stdout)).toContainEqual(
      expect.objectContaining({ name: 'scaling', studies: 1 }),
    );
  });

  test('smoke prints a line a seed and ends as the worst', async () => {
    const scenario = join(folder, 'tiny.json');
    writeFileSync(
      scenario,
      JSON.stringify({ name: 'tiny', peers: 4, hours: 0.01, settleMinutes: 1 }),
    );
    const { status, stdout } = await sim('smoke', '--seeds', '2', '--scenario', scenario);
    expect(stdout.match(/^ok {6}tiny, seed \d+: clean, .* trace [0-9a-f]{16}, /gm)).toHaveLength(2);
    expect(stdout).toMatch(/ 0 failed$/m);
    expect(status).toBe(0);
  });
});

describe('a study', { timeout: 60_000 }, () => {
  test('runs every variation, and shows the figures side by side', async () => {
    const scenario = join(folder, 'study.json');
    const studies = [
      { title: 'sizes', vary: { peers: [4, 6] }, figures: ['hopsMean'], fit: 'log2' },
    ];
    writeFileSync(
      scenario,
      JSON.stringify({ name: 'study', hours: 0.01, settleMinutes: 1, studies }),
    );
    const { status, stdout } = await sim('run', '--scenario', scenario, '--seed', '3', '--json');
    const { series, runs } = JSON.parse(stdout);
    expect(runs).toMatchObject([{ peers: 4 }, { peers: 6 }]);
    expect(status).toBe(0);
    expect(series).toMatchObject([{ title: 'mean hops, sizes', xLabel: 'peers', xScale: 'log' }]);
    expect(series[0].lines.map(({ points }: { points: object[] }) => points.length)).toEqual([
      2, 2,
    ]);
  });
});

describe('wrong arguments get one sentence and exit status 2', () => {
  const bad = join(folder, 'bad.json');
  writeFileSync(bad, '{"name":"bad","network":{"lossShare":7}}');

  test.each<[string[], RegExp]>([
    [['run', '--seed', 'x'], /expected a whole number from 0 to 9007199254740991/],
    [['run', '--seed', '-1'], /expected a whole number from 0 to/],
    [['run', '--peers', '0'], /^xor: peers: expected a whole number from 1 to 100000, got 0\n$/],
    [['run', '--peers', 'many'], /^xor: peers: expected a whole number .*, got "many"\n$/],
    [['run', '--hours', '0'], /^xor: hours: expected a number above 0 up to 10000, got 0\n$/],
    [['run', '--set', 'network.lossShare=7'], /^xor: network\.lossShare: expected .*, got 7\n$/],
    [['run', '--set', 'network.loss=0'], /^xor: network\.loss: there is no such field; /],
    [['run', '--set', 'peers'], /expected path=value/],
    [
      ['run', '--scenario', 'nobody'],
      /^xor: there is no scenario "nobody"; give a file, or one of /,
    ],
    [['run', '--scenario', bad], /bad\.json: network\.lossShare: expected .*, got 7\n$/],
    [['run', '--scenario', `${bad}x`], /there is no such file/],
    [['run', '--signatures', 'none'], /Allowed choices are real, cheap/],
    [['run', '--report', join(folder, 'absent', 'a.html')], /no such folder, or no permission/],
    [['run', '--node', 'n1'], /give --replay EVENT as well/],
    [['run', '--replay', '0'], /expected a whole number from 1/],
    [['run', '--latency-matrix', bad], /has no matrix of round-trip times/],
    [['smoke', '--seeds', 'x'], /expected a whole number/],
    [['sweep', '--seeds', '5-1', '--out', 'x'], /expected seeds such as 1-50/],
    [['sweep', '--shard', '8/8', '--out', 'x'], /expected i\/n with i from 0 to n - 1/],
    [['sweep', '--vary', 'peers', '--out', 'x'], /expected path=value,value/],
    [['sweep', '--vary', 'peers=0,1', '--out', 'x'], /^xor: peers: expected a whole number from 1/],
    [['sweep'], /required option '--out <file\.jsonl>'/],
    [['merge'], /missing required argument 'files'/],
  ])('%j', async (args, sentence) => {
    const { status, stdout, stderr } = await sim(...args);
    const said = stderr.replace(/^seed \d+\n/, '');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(said).toMatch(/^xor: [^\n]+\n$/);
    expect(said).toMatch(sentence);
  });

  test('too many peers for the memory is said before it starts, with exit status 1', async () => {
    const { status, stderr } = await sim('run', '--peers', '100000', '--signatures', 'cheap');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^xor: 100000 nodes need about [\d.]+ GB .* are available: take fewer/m);
  });
});

function sim(...args: string[]) {
  return runXor(['sim', ...args], { stateHome: folder });
}
