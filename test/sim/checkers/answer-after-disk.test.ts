import { describe, expect, it } from 'vitest';
import { AnswerAfterDisk } from '../../../sim/checkers/answer-after-disk.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { PersistRecord } from '../../../src/storage/persist-record.ts';
import { SmallWorld } from '../small-world.ts';
import { partsOf, replaceMethod, watch } from './broken-peer.ts';

/** Of `StorageService.persist`. */
type PersistArguments = [PersistRecord[], resource: unknown, waiting: unknown];

const watched = () => {
  const small = new SmallWorld();
  const { rules } = small;
  return { small, ...watch(small, (world, report) => new AnswerAfterDisk(world, report, rules)) };
};

describe('answer after disk', () => {
  it('is kept in an honest life', () => {
    const { small, violations } = watched();
    small.liveHonestly();
    expect(violations).toEqual([]);
  });

  it('is kept when disks are slow and one is full', () => {
    const { small, violations } = watched();
    small.grow(6);
    for (const node of small.nodes) node.disk.slowness = 400;
    const [, full] = small.nodes as [SimNode, SimNode];
    full.disk.isFull = true;
    small.grow(3);
    expect(violations).toEqual([]);
  });

  it('catches a Peer that answers a Store while the write is on its way', () => {
    const { small, violations } = watched();
    const [, broken] = small.grow(4) as [SimNode, SimNode];
    const storage = partsOf(broken).storage as object;
    replaceMethod(storage, 'persist', (honest) => (...given: PersistArguments) => {
      const [records, resource, waiting] = given;
      honest(records, resource);
      if (waiting !== undefined) Reflect.get(storage, 'answerStore').call(storage, waiting);
    });
    small.grow(3);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
    expect(violations[0]?.detail).toContain('before it was on its disk');
  });

  it('catches a Peer that answers a Store and writes nothing', () => {
    const { small, violations } = watched();
    const [, broken] = small.grow(4) as [SimNode, SimNode];
    const storage = partsOf(broken).storage as object;
    replaceMethod(storage, 'persist', () => (...[, , waiting]: PersistArguments) => {
      if (waiting !== undefined) Reflect.get(storage, 'answerStore').call(storage, waiting);
    });
    small.grow(3);
    expect(violations[0]).toMatchObject({ kind: 'correctness', nodes: [broken.name] });
  });
});
