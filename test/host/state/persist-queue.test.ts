import { describe, expect, test } from 'vitest';
import { PersistQueue } from '../../../src/host/state/persist-queue.ts';
import type { PersistRecord } from '../../../src/storage/persist-record.ts';

function record(key: string): PersistRecord {
  return { key, value: Uint8Array.of(1) };
}

/** A disk whose writes end when the test says so. */
function slowDisk() {
  const writes: { keys: string[]; end: (failure?: string) => void }[] = [];
  const answers: string[] = [];
  const queue = new PersistQueue(
    (records) =>
      new Promise((resolve, reject) => {
        writes.push({
          keys: records.map(({ key }) => key),
          end: (failure) => (failure === undefined ? resolve() : reject(new Error(failure))),
        });
      }),
    {
      persisted: (ticket) => answers.push(`persisted ${ticket}`),
      persistFailed: (ticket, reason) => answers.push(`failed ${ticket}: ${reason}`),
    },
  );
  return { queue, writes, answers };
}

describe('PersistQueue', () => {
  test('a ticket is answered only after its write', async () => {
    const { queue, writes, answers } = slowDisk();
    queue.add(1, [record('a')]);
    await Promise.resolve();
    expect(answers).toEqual([]);
    writes[0]?.end();
    await queue.settled();
    expect(answers).toEqual(['persisted 1']);
  });

  test('tickets that come during a write go together, in order, in the next one', async () => {
    const { queue, writes, answers } = slowDisk();
    queue.add(1, [record('a')]);
    queue.add(2, [record('b')]);
    queue.add(3, [record('c'), record('d')]);
    expect(writes.map(({ keys }) => keys)).toEqual([['a']]);
    writes[0]?.end();
    await expect.poll(() => writes.length).toBe(2);
    expect(writes[1]?.keys).toEqual(['b', 'c', 'd']);
    expect(answers).toEqual(['persisted 1']);
    writes[1]?.end();
    await queue.settled();
    expect(answers).toEqual(['persisted 1', 'persisted 2', 'persisted 3']);
  });

  test('a failed write is told for each of its tickets, and the next one is tried', async () => {
    const { queue, writes, answers } = slowDisk();
    queue.add(1, [record('a')]);
    writes[0]?.end('disk full');
    await queue.settled();
    queue.add(2, [record('b')]);
    writes[1]?.end();
    await queue.settled();
    expect(answers).toEqual(['failed 1: disk full', 'persisted 2']);
  });
});
