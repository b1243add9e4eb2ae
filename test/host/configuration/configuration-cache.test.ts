import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ConfigurationCache,
  isRolledBack,
} from '../../../src/host/configuration/configuration-cache.ts';

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

test('a mark of what was in force last is read again, and a damaged one is no mark of nothing', async () => {
  const cache = new ConfigurationCache(directory);
  expect(await cache.readMark()).toBeUndefined();
  await cache.writeMark({ overlayName: 'overlay.example.org', sequence: 65_534 });
  expect(await cache.readMark()).toEqual({ overlayName: 'overlay.example.org', sequence: 65_534 });
  for (const text of ['{', '{}', '{"overlay":"a","sequence":"1"}']) {
    await writeFile(join(directory, 'configuration-sequence.json'), text);
    await expect(cache.readMark()).rejects.toThrow(/configuration-sequence\.json .*; repair it/);
  }
});

test('RFC 6940 §6.3.2.1: what is older than the mark goes by serial arithmetic', () => {
  const of = (sequence: number) => ({ overlayName: 'a.example', sequence });
  expect(isRolledBack(undefined, of(1))).toBe(false);
  expect(isRolledBack(of(2), of(1))).toBe(true);
  expect(isRolledBack(of(2), of(2))).toBe(false);
  expect(isRolledBack(of(65_534), of(0))).toBe(false);
  expect(isRolledBack(of(0), of(65_534))).toBe(true);
  expect(isRolledBack(of(2), { overlayName: 'b.example', sequence: 1 })).toBe(false);
});
