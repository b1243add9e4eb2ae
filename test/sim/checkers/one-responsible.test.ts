import { describe, expect, it } from 'vitest';
import { OneResponsible } from '../../../sim/checkers/one-responsible.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { SmallWorld } from '../small-world.ts';
import { partsOf, replaceMethod, suspectForGood, watch } from './broken-peer.ts';

const watched = () => {
  const small = new SmallWorld();
  return { small, ...watch(small, (world, report) => new OneResponsible(world, report)) };
};

describe('one responsible peer', () => {
  it('is there for each Resource-ID whenever an honest overlay has come to rest', () => {
    const { small, checker, violations } = watched();
    small.liveHonestly();
    checker.finish();
    expect(violations).toEqual([]);
  });

  it('catches a Peer that takes another one for its predecessor', () => {
    const { small, violations } = watched();
    small.grow(8);
    const [tooFar, , broken] = small.ring() as [SimNode, SimNode, SimNode];
    replaceMethod(partsOf(broken).chord, 'predecessor', () => () => tooFar.nodeId);
    small.run(150);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ kind: 'correctness' });
    expect(violations[0]?.nodes[0]).toBe(broken.name);
  });

  it('catches a Peer that is responsible for nothing', () => {
    const { small, violations } = watched();
    const [, broken] = small.grow(8) as [SimNode, SimNode];
    replaceMethod(partsOf(broken).chord, 'isResponsible', () => () => false);
    small.run(150);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ kind: 'convergence', nodes: [broken.name] });
  });

  it('excuses a Peer that stands in for a predecessor which is suspect, for a minute at most', () => {
    const { small, violations } = watched();
    small.grow(8);
    const [before, broken] = small.ring() as [SimNode, SimNode];
    small.run(120);
    suspectForGood(broken, before);
    small.run(50);
    expect(violations).toEqual([]);
    small.run(40);
    expect(violations[0]).toMatchObject({ kind: 'correctness' });
    expect(violations[0]?.nodes[0]).toBe(broken.name);
  });
});
