import { describe, expect, it } from 'vitest';
import { RingInvariants, type RingOptions } from '../../../sim/checkers/ring-invariants.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import { SmallWorld } from '../small-world.ts';
import { partsOf, replaceMethod, suspectForGood, watch } from './broken-peer.ts';

const ringOf = (small: SmallWorld, options: Partial<RingOptions> = {}) =>
  watch(small, (world, report) => new RingInvariants(world, report, options));

describe('ring invariants', () => {
  it('hold at every step of an honest life, with a check of all members at every change', () => {
    const small = new SmallWorld();
    const { checker, violations } = ringOf(small, { everyChanges: 1 });
    small.liveHonestly();
    checker.finish();
    expect(violations).toEqual([]);
  });

  it('catch a Peer whose successor list is out of order', () => {
    const small = new SmallWorld();
    const { violations } = ringOf(small);
    const [broken] = small.grow(8) as [SimNode];
    replaceMethod(broken.peer as object, 'neighbors', (honest) => () => {
      const { predecessors, successors } = honest() as Record<string, NodeId[]>;
      return { predecessors, successors: successors?.toReversed() };
    });
    small.run(10);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('ordered successor lists');
  });

  it('catch a Peer that forgets its neighbours: no ring is to be reached from it', () => {
    const small = new SmallWorld();
    const { violations } = ringOf(small);
    const [broken] = small.grow(8) as [SimNode];
    replaceMethod(partsOf(broken).chord.tables, 'successors', () => () => []);
    small.run(10);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('connected appendages');
  });

  it('catch a Peer that skips its successor, once the overlay has been stable for two minutes', () => {
    const small = new SmallWorld();
    const { violations } = ringOf(small);
    small.grow(8);
    const broken = small.ring()[0] as SimNode;
    replaceMethod(broken.peer as object, 'neighbors', (honest) => () => {
      const { predecessors, successors } = honest() as Record<string, NodeId[]>;
      return { predecessors, successors: successors?.slice(1) };
    });
    small.run(60);
    expect(violations).toEqual([]);
    small.run(90);
    expect(violations[0]).toMatchObject({ kind: 'convergence' });
    expect(violations[0]?.detail).toContain('ideal ring');
    expect(violations[0]?.nodes).toContain(broken.name);
  });

  it('excuse a Peer that skips a successor which is suspect, for a minute and no longer', () => {
    const small = new SmallWorld();
    const { violations } = ringOf(small);
    small.grow(8);
    const [broken, next] = small.ring() as [SimNode, SimNode];
    small.run(120);
    suspectForGood(broken, next);
    small.run(50);
    expect(violations).toEqual([]);
    small.run(40);
    expect(violations[0]).toMatchObject({ kind: 'convergence' });
    expect(violations[0]?.detail).toContain('ideal ring');
  });

  it('excuse two rings during a partition and ten minutes after it, not longer', () => {
    const halves = (node: SimNode) => node.index % 2;
    for (const healMs of [600_000, 0]) {
      const small = new SmallWorld();
      const { violations } = ringOf(small, { healMs });
      small.grow(8);
      small.world.network.divide(halves);
      small.run(200);
      expect(violations).toEqual([]);
      small.world.network.heal();
      small.run(20);
      if (healMs > 0) expect(violations).toEqual([]);
      else {
        expect(violations[0]).toMatchObject({ kind: 'convergence' });
        expect(violations[0]?.detail).toContain('at most one ring');
      }
    }
  });

  it('excuse what more failures in a row than the redundancy do, not what fewer do', () => {
    for (const gone of [2, 3]) {
      const small = new SmallWorld();
      const { checker, violations } = ringOf(small, { everyChanges: 1 });
      small.grow(12);
      const ring = small.ring();
      for (const node of ring.slice(0, gone)) small.world.stop(node, 'host');
      small.run(130);
      checker.finish();
      expect(violations).toEqual([]);
    }
  });
});
