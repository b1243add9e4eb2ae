import { expect, test } from 'vitest';
import { MessageArchive } from '../../../src/xmpp/routing/message-archive.ts';
import {
  ARCHIVE_BYTES_MAX,
  ARCHIVE_MESSAGES_MAX,
} from '../../../src/xmpp/routing/routing-limits.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

function filled(): { archive: MessageArchive; add: (address: string, size?: number) => number } {
  const archive = new MessageArchive(seededRandom(1), []);
  let count = 0;
  const add = (address: string, size = 100) => {
    count += 1;
    const { id, duplicateKey } = { id: `id${count}`, duplicateKey: `key${count}` };
    const stanza = 'x'.repeat(size);
    return archive.add(archive.entryOf({ id, unixMs: count, with: address, duplicateKey, stanza }))
      .length;
  };
  return { archive, add };
}

test('the last messages are kept, and what recognises them', () => {
  const { archive, add } = filled();
  for (let i = 0; i < ARCHIVE_MESSAGES_MAX; i += 1) add(`contact${i % 3}@verona.lit`);
  expect(add('contact0@verona.lit')).toBe(1);
  expect([archive.length, archive.has('key1'), archive.has('key2')]).toEqual([
    ARCHIVE_MESSAGES_MAX,
    false,
    true,
  ]);
  expect([archive.withId('id1'), archive.withId('id2')?.unixMs]).toEqual([undefined, 2]);
  expect([...archive.all()].map(({ sequence }) => sequence).slice(0, 2)).toEqual([2, 3]);
});

test.each([
  ['many messages', 100, 3 * ARCHIVE_MESSAGES_MAX],
  ['large messages', 200_000, 400],
])('a contact that sends %s pushes out its own, not those of others', (_name, size, count) => {
  const { archive, add } = filled();
  for (let i = 0; i < 1_000; i += 1) add('juliet@capulet.lit');
  for (let i = 0; i < count; i += 1) add('tybalt@capulet.lit', size);
  const kept = [...archive.all()];
  expect(kept.filter((entry) => entry.with === 'juliet@capulet.lit')).toHaveLength(1_000);
  expect(kept.at(-1)?.sequence).toBe(1_000 + count);
  expect(kept.length).toBeLessThanOrEqual(ARCHIVE_MESSAGES_MAX);
  const bytes = kept.reduce((sum, { stanza = '' }) => sum + stanza.length, 0);
  expect(bytes).toBeLessThanOrEqual(ARCHIVE_BYTES_MAX);
  for (let i = 0; i < 2_000; i += 1) add('juliet@capulet.lit');
  expect(archive.has('key1')).toBe(true);
  expect(archive.length).toBeLessThanOrEqual(ARCHIVE_MESSAGES_MAX);
});
