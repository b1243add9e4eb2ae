import { describe, expect, test } from 'vitest';
import { Churn } from '../../../sim/churn/churn.ts';
import { Newcomers } from '../../../sim/churn/newcomers.ts';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import type { ChurnPlan } from '../../../sim/scenario/scenario.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { StopManner } from '../../../sim/world/world-observer.ts';
import { settledSimulation } from '../test-simulation.ts';

interface Stop {
  readonly node: SimNode;
  readonly how: StopManner;
  readonly wiped: boolean;
  readonly atMs: number;
}

/** An overlay that has settled, its churn not yet started, and a list of who stops. */
function withChurn(plan: Partial<ChurnPlan>, seed = 7) {
  const { overlay } = settledSimulation({ peers: 10, clients: 2 }, { seed });
  const { world } = overlay;
  const churn = new Churn(overlay, { ...DEFAULT_SCENARIO.churn, medianSessionMinutes: 2, ...plan });
  const stops: Stop[] = [];
  world.observers.push({
    stopped: (node, how, wiped) => stops.push({ node, how, wiped, atMs: world.nowMs }),
  });
  const runMinutes = (minutes: number) => {
    world.runUntil(world.nowMs + minutes * 60_000);
    expect(world.haltReason).toBeUndefined();
  };
  const up = () => world.nodes.filter((node) => node.isUp);
  return { overlay, world, churn, stops, runMinutes, up };
}

describe('churn with sessions', () => {
  test('replaces at once who goes, and nobody comes twice', () => {
    const { world, churn, stops, runMinutes, up } = withChurn({ model: 'exponential' });
    churn.start();
    runMinutes(6);
    const { newcomers, processCrashes, hostCrashes, leaves, restarts } = churn.counters;
    expect(newcomers).toBeGreaterThan(5);
    expect(processCrashes).toBeGreaterThan(0);
    expect(hostCrashes).toBeGreaterThan(0);
    expect(leaves + restarts).toBe(0);
    expect(newcomers).toBe(processCrashes + hostCrashes);
    expect(up()).toHaveLength(12);
    expect(up().filter(({ role }) => role === 'client')).toHaveLength(2);
    expect(stops.every(({ wiped }) => wiped)).toBe(true);
    expect(new Set(world.nodes.map(({ nodeId }) => nodeId)).size).toBe(12 + newcomers);
  });

  test('spares bootstrap nodes and attackers', () => {
    const { overlay, world, churn, stops, runMinutes } = withChurn({
      model: 'weibull',
      medianSessionMinutes: 0.2,
    });
    const attacker = world.nodes[6] as SimNode;
    attacker.behavior = {};
    churn.start();
    runMinutes(3);
    expect(stops.length).toBeGreaterThan(5);
    const spared = new Set([...overlay.bootstrapNodes, attacker]);
    expect(stops.some(({ node }) => spared.has(node))).toBe(false);
  });

  test('brings nodes back with their disks, Node-IDs and certificates', () => {
    const { world, churn, stops, runMinutes, up } = withChurn({
      model: 'exponential',
      restartWithStateShare: 1,
    });
    const disks: number[] = [];
    world.observers.push({ started: (node) => disks.push(node.disk.records.size) });
    churn.start();
    runMinutes(4);
    churn.stop();
    const [{ node }] = stops as [Stop];
    expect(churn.counters.restarts).toBeGreaterThan(3);
    expect(world.nodes).toHaveLength(12);
    expect(stops.every(({ wiped }) => !wiped)).toBe(true);
    expect(node.incarnation).toBeGreaterThan(1);
    expect(disks).toHaveLength(churn.counters.restarts);
    expect(Math.max(...disks)).toBeGreaterThan(0);
    runMinutes(2);
    expect(up().every((one) => one.isJoined)).toBe(true);
  });

  test('a silent host comes back and is heard again', () => {
    const { churn, stops, runMinutes, up } = withChurn({
      model: 'exponential',
      restartWithStateShare: 1,
      processCrashShare: 0,
      medianAbsenceMinutes: 0.2,
    });
    churn.start();
    runMinutes(3);
    churn.stop();
    expect(stops.length).toBeGreaterThan(0);
    expect(stops.every(({ how }) => how === 'host')).toBe(true);
    runMinutes(3);
    expect(up().every((node) => node.isJoined)).toBe(true);
  });

  test('a graceful end says good-bye, and the disk of who is gone for good is empty', () => {
    const { churn, stops, runMinutes, up } = withChurn({
      model: 'pareto',
      shape: 3,
      gracefulShare: 1,
    });
    churn.start();
    runMinutes(5);
    expect(churn.counters.leaves).toBeGreaterThan(2);
    expect(stops.every(({ how, wiped }) => how === 'leave' && wiped)).toBe(true);
    for (const { node } of stops) expect(node.disk.records.size).toBe(0);
    // Who leaves is up for some seconds longer than its session.
    expect(up().length).toBeGreaterThanOrEqual(12);
  });

  test('who is absent for a while is missing meanwhile', () => {
    const { churn, runMinutes, up } = withChurn({
      model: 'exponential',
      medianSessionMinutes: 1,
      medianAbsenceMinutes: 100,
    });
    churn.start();
    runMinutes(5);
    expect(up().length).toBeLessThan(9);
  });

  test('stops when told to', () => {
    const { churn, stops, runMinutes } = withChurn({ model: 'exponential' });
    churn.start();
    runMinutes(1);
    churn.stop();
    const before = stops.length;
    runMinutes(5);
    expect(stops).toHaveLength(before);
  });
});

test('Poisson: as many come as go, independent of each other', () => {
  const { churn, runMinutes, up, stops } = withChurn({ model: 'poisson', medianSessionMinutes: 1 });
  churn.start();
  const counts: number[] = [];
  for (let minute = 0; minute < 8; minute++) {
    runMinutes(1);
    counts.push(up().length);
  }
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  expect(mean).toBeGreaterThan(9);
  expect(mean).toBeLessThan(15);
  expect(stops.length).toBeGreaterThan(15);
  expect(churn.counters.newcomers).toBeGreaterThan(15);
  expect(new Set(counts).size).toBeGreaterThan(1);
});

test('a trace is carried out to the second', () => {
  const { world, overlay, churn, stops, runMinutes, up } = withChurn({
    model: 'trace',
    trace: [
      { atSeconds: 10, node: 0, event: 'processCrash' },
      { atSeconds: 20, node: 1, event: 'hostCrash' },
      { atSeconds: 30, node: 0, event: 'restart' },
      { atSeconds: 40, node: 2, event: 'leave' },
      { atSeconds: 50, node: 77, event: 'join' },
      { atSeconds: 60, node: 78, event: 'leave' },
    ],
  });
  const ordinary = world.nodes.filter((node) => !overlay.bootstrapNodes.includes(node));
  const startMs = world.nowMs;
  churn.start();
  runMinutes(2);
  expect(stops.slice(0, 2)).toEqual([
    { node: ordinary[0], how: 'process', wiped: false, atMs: startMs + 10_000 },
    { node: ordinary[1], how: 'host', wiped: false, atMs: startMs + 20_000 },
  ]);
  expect(stops.slice(2).map(({ node, how }) => [node, how])).toEqual([[ordinary[2], 'leave']]);
  expect(ordinary[0]?.isJoined).toBe(true);
  expect(world.nodes).toHaveLength(13);
  expect(up()).toHaveLength(11);
});

test('the same seed gives the same churn, another seed another', () => {
  const run = (seed: number) => {
    const { world, churn, runMinutes } = withChurn({ model: 'weibull', gracefulShare: 0.3 }, seed);
    churn.start();
    runMinutes(2);
    return world.trace.digest();
  };
  expect(run(7)).toBe(run(7));
  expect(run(7)).not.toBe(run(8));
});

test('newcomers are as the scenario has them', () => {
  const { overlay } = settledSimulation({
    peers: 5,
    network: { ...DEFAULT_SCENARIO.network, natShare: 0.5 },
    disk: { ...DEFAULT_SCENARIO.disk, slowShare: 0.5, fullShare: 0.5 },
  });
  const newcomers = new Newcomers(overlay);
  const nodes = Array.from({ length: 200 }, () => newcomers.make('client'));
  for (const count of [
    nodes.filter(({ isBehindNat }) => isBehindNat).length,
    nodes.filter(({ disk }) => disk.isFull).length,
    nodes.filter(({ disk }) => disk.slowness > 1).length,
  ]) {
    expect(Math.abs(count - 100)).toBeLessThan(30);
  }
  const peers = Array.from({ length: 50 }, () => newcomers.make('peer'));
  expect(peers.filter(({ isBehindNat }) => isBehindNat)).toEqual([]);
});
