import { describe, expect, test } from 'vitest';
import { constantLatency } from '../../../sim/world/latency-model.ts';
import { PoissonProcess } from '../../../sim/world/poisson-process.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { World } from '../../../sim/world/world.ts';
import type { Input } from '../../../src/reload/input.ts';
import { SmallWorld } from '../small-world.ts';
import { settledSimulation } from '../test-simulation.ts';

function emptyWorld(): World {
  return new World({
    seed: 1,
    network: {
      latency: constantLatency(10),
      jitterShare: 0,
      lossShare: 0,
      duplicateShare: 0,
      reorderShare: 0,
      bandwidthBitsPerSecond: undefined,
      transport: 'stream',
    },
    disk: { writeLowMs: 1, writeHighMs: 1 },
    clockError: { skewMs: 0, driftPpm: 0 },
  });
}

describe('events', () => {
  test('happen at their time, those of one moment in the order of planning', () => {
    const world = emptyWorld();
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name} ${world.nowMs}`);
    world.schedule(20, note('c'));
    world.schedule(10, note('a'));
    world.schedule(10, () => {
      note('b')();
      world.schedule(0, note('after b'));
      world.schedule(-5, note('not in the past'));
    });
    world.scheduleAt(15, note('between'));
    expect(world.runUntil(19)).toBe(true);
    expect(world.nowMs).toBe(19);
    world.runUntil(20);
    expect(seen).toEqual([
      'a 10',
      'b 10',
      'after b 10',
      'not in the past 10',
      'between 15',
      'c 20',
    ]);
  });

  test('stop when the World is halted, and the first reason stays', () => {
    const world = emptyWorld();
    let later = 0;
    world.schedule(5, () => world.halt('enough'));
    world.schedule(5, () => world.halt('more'));
    world.schedule(6, () => later++);
    expect(world.runUntil(10)).toBe(false);
    expect(world.haltReason).toBe('enough');
    expect(world.runUntil(10)).toBe(false);
    expect([world.nowMs, later]).toEqual([5, 0]);
  });

  test('can be waited for', () => {
    const world = emptyWorld();
    let isDone = false;
    world.schedule(4_200, () => {
      isDone = true;
    });
    expect(world.runUntilDone(() => isDone, 2_000)).toBe(false);
    expect(world.runUntilDone(() => isDone, 10_000)).toBe(true);
    expect(world.nowMs).toBe(5_000);
  });

  test('of a Poisson process come at its rate, and not after its end', () => {
    const world = emptyWorld();
    let count = 0;
    const process = new PoissonProcess(world, world.stream('test'), 100, () => count++);
    process.start();
    world.runUntil(10 * 60_000);
    process.stop();
    expect(Math.abs(count - 1_000)).toBeLessThan(120);
    const before = count;
    world.runUntil(20 * 60_000);
    expect(count).toBe(before);
    new PoissonProcess(world, world.stream('never'), 0, () => count++).start();
    world.runUntil(9e9);
    expect(count).toBe(before);
  });
});

describe('nodes of a World', () => {
  const small = () => settledSimulation({ peers: 6 }).overlay;

  test('have clocks within the error asked for, each another', () => {
    const { world } = small();
    const skews = world.nodes.map(({ clock }) => clock.now(0).unixMs);
    expect(new Set(skews).size).toBe(6);
    expect(Math.max(...skews) - Math.min(...skews)).toBeLessThanOrEqual(1_000);
  });

  test('an error in a Peer halts the run and names the node', () => {
    const { world } = small();
    const [, node] = world.nodes as [SimNode, SimNode];
    const failed: SimNode[] = [];
    world.observers.push({ failed: (one) => failed.push(one) });
    Object.assign(node.peer as object, {
      handle: () => {
        throw new Error('broken on purpose');
      },
    });
    world.runUntil(world.nowMs + 600_000);
    expect(failed).toEqual([node]);
    expect(world.haltReason).toMatch(/n1 threw.*broken on purpose/);
  });

  test('a command ends once, and not at all when its node stops before', () => {
    const { world } = small();
    const [first, second] = world.nodes as [SimNode, SimNode];
    let ended = 0;
    const ping = { type: 'ping', nodeId: first.nodeId } as const;
    world.command(second, ping, ({ ok }) => {
      ended++;
      expect(ok).toBe(true);
    });
    world.runUntil(world.nowMs + 60_000);
    expect(ended).toBe(1);
    world.command(second, ping, () => ended++);
    world.stop(second, 'process');
    world.command(second, ping, () => ended++);
    world.runUntil(world.nowMs + 60_000);
    expect(ended).toBe(1);
  });

  test('a process that ended gets nothing that was meant for it', () => {
    const { world } = small();
    const node = world.nodes[5] as SimNode;
    world.stop(node, 'process');
    const inputs: Input[] = [];
    world.observers.push({ handled: (one, input) => one === node && inputs.push(input) });
    world.runUntil(world.nowMs + 60_000);
    expect(inputs).toEqual([]);
    expect(node.peer).toBeUndefined();
    expect(node.links.size).toBe(0);
  });

  test('a leave closes the process, and wipes the disk of who never comes back', () => {
    const overlay = small();
    const [, , , , one, other] = overlay.world.nodes as SimNode[] as [
      SimNode,
      SimNode,
      SimNode,
      SimNode,
      SimNode,
      SimNode,
    ];
    const kept = one.disk.records.size;
    overlay.stop(one, 'leave');
    overlay.stop(other, 'leave', true);
    overlay.world.runUntil(overlay.world.nowMs + 20_000);
    expect([one.state, other.state]).toEqual(['down', 'down']);
    expect(one.disk.records.size).toBeGreaterThanOrEqual(kept);
    expect(other.disk.records.size).toBe(0);
  });

  test('an attacker sees and says what its behaviour lets through', () => {
    // Without checkers, which would end the run when the silent one has no neighbour left.
    const silenced = new SmallWorld();
    const { world } = silenced;
    const [first, second] = silenced.grow(2) as [SimNode, SimNode];
    second.behavior = { bendOutputs: (outputs) => outputs.filter(({ type }) => type !== 'send') };
    let outcome = 'none';
    world.command(first, { type: 'ping', nodeId: second.nodeId }, ({ ok }) => {
      outcome = ok ? 'ok' : 'failed';
    });
    world.runUntil(world.nowMs + 20_000);
    expect(outcome).toBe('failed');
  });
});
