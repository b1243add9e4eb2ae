import { expect, test } from 'vitest';
import type { NodeId } from '../../../src/wire/node-id.ts';
import { AddresseeQueue } from '../../../src/xmpp/routing/addressee-queue.ts';
import {
  DEVICE_WINDOW_CHARACTERS_MAX,
  DEVICE_WINDOW_MAX,
} from '../../../src/xmpp/routing/routing-limits.ts';
import { bare, xml } from './verona.ts';

const PHONE = '1'.repeat(32) as NodeId;
const TABLET = '2'.repeat(32) as NodeId;
const juliet = bare('juliet@capulet.lit');

test('a device gets a window of messages at a time, in order', () => {
  const queue = filled(DEVICE_WINDOW_MAX + 10, 100);
  queue.connected({ nodeId: PHONE, user: juliet });
  expect(taken(queue, PHONE).length).toBe(DEVICE_WINDOW_MAX);
  queue.delivered(PHONE, 1);
  queue.delivered(PHONE, 2);
  expect(taken(queue, PHONE)).toEqual([DEVICE_WINDOW_MAX + 1, DEVICE_WINDOW_MAX + 2]);
});

test('large messages fill the window sooner', () => {
  const queue = filled(10, DEVICE_WINDOW_CHARACTERS_MAX / 2);
  queue.connected({ nodeId: PHONE, user: juliet });
  expect(taken(queue, PHONE)).toEqual([1, 2]);
  queue.delivered(PHONE, 1);
  expect(taken(queue, PHONE)).toEqual([3]);
});

test('a message is finished when one device has it and no connected one owes it', () => {
  const queue = filled(2, 100);
  queue.connected({ nodeId: PHONE, user: juliet });
  queue.connected({ nodeId: TABLET, user: juliet });
  taken(queue, PHONE);
  taken(queue, TABLET);
  queue.delivered(PHONE, 1);
  expect(queue.takeFinished()).toBeUndefined();
  queue.delivered(TABLET, 1);
  expect(queue.takeFinished()?.sequence).toBe(1);
  queue.lost(PHONE);
  queue.lost(TABLET);
  expect(queue.takeFinished()).toBeUndefined();
});

test('what found no room is sent again, and nothing behind it counts as delivered before', () => {
  const queue = filled(4, 100);
  queue.connected({ nodeId: PHONE, user: juliet });
  expect(taken(queue, PHONE)).toEqual([1, 2, 3, 4]);
  for (const missed of [2, 3]) queue.undelivered(PHONE, missed);
  queue.delivered(PHONE, 1);
  expect(taken(queue, PHONE)).toEqual([]);
  queue.delivered(PHONE, 4);
  expect([queue.takeFinished()?.sequence, queue.takeFinished()]).toEqual([1, undefined]);
  expect(taken(queue, PHONE)).toEqual([2, 3, 4]);
  for (const sequence of [2, 3, 4]) queue.delivered(PHONE, sequence);
  expect([2, 3, 4].map(() => queue.takeFinished()?.sequence)).toEqual([2, 3, 4]);
});

function filled(count: number, bytes: number): AddresseeQueue {
  const queue = new AddresseeQueue(juliet);
  const stanza = xml('<message/>');
  for (let sequence = 1; sequence <= count; sequence++) {
    queue.entries.push({ sequence, to: juliet, unixMs: 0, stanza, bytes });
  }
  return queue;
}

function taken(queue: AddresseeQueue, device: NodeId): number[] {
  const sequences: number[] = [];
  for (;;) {
    const next = queue.takeNext(device);
    if (next === undefined) return sequences;
    sequences.push(next.entry.sequence);
  }
}
