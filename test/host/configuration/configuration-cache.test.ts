import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigurationCache } from '../../../src/host/configuration/configuration-cache.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'configuration-cache-'));
});
afterEach(() => rm(directory, { recursive: true }));

const entry = (text: string, lastModified?: string) => ({
  overlayName: 'overlay.example.org',
  document: new TextEncoder().encode(text),
  lastModified,
  checkedUnixMs: Date.UTC(2026, 5, 1),
});

test('what is written is read, byte for byte', async () => {
  const cache = new ConfigurationCache(join(directory, 'made', 'when', 'needed'));
  expect(await cache.read()).toBeUndefined();
  const given = { ...entry('\ufeff<é>\r\n', 'then'), document: Uint8Array.of(0, 13, 10, 255) };
  await cache.write(given, false);
  expect(await cache.read()).toEqual(given);
});

test('writes at the same time end with the last one, and leave nothing else behind', async () => {
  const cache = new ConfigurationCache(directory);
  await Promise.all(['a', 'b', 'c'].map((text) => cache.write(entry(text), false)));
  expect(await cache.read()).toEqual(entry('c'));
  expect(await readdir(directory)).toEqual(['configuration.json']);
});

test('RFC 6940 §14.16: a document with a shared secret is kept confidential', async () => {
  const cache = new ConfigurationCache(directory);
  await cache.write(entry('open'), false);
  expect((await stat(cache.path)).mode & 0o077).not.toBe(0);
  await cache.write(entry('secret'), true);
  expect((await stat(cache.path)).mode & 0o777).toBe(0o600);
});

test.each(['', '{', 'null', '{}', '[]', '{"overlay":"a","checked":"x","document":""}'])(
  'a damaged file is no missing file: %s',
  async (text) => {
    const cache = new ConfigurationCache(directory);
    await writeFile(cache.path, text);
    await expect(cache.read()).rejects.toThrow(/cannot read the configuration kept in .*; repair/);
  },
);

test('a failed write is reported to its own caller only', async () => {
  const cache = new ConfigurationCache(directory);
  const bad = { ...entry('a'), checkedUnixMs: Number.NaN };
  const [failed, done] = await Promise.allSettled([
    cache.write(bad, false),
    cache.write(entry('b'), false),
  ]);
  expect([failed.status, done.status]).toEqual(['rejected', 'fulfilled']);
  expect(await cache.read()).toEqual(entry('b'));
});
