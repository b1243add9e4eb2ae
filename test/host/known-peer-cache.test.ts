import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KnownPeerCache } from '../../src/host/known-peer-cache.ts';
import { silentLog } from '../../src/host/log.ts';
import type { KnownPeer } from '../../src/reload/input.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'known-peers-'));
});

afterEach(() => rm(directory, { recursive: true }));

function peer(number: number): KnownPeer {
  return {
    address: { type: 'ipv4', address: Uint8Array.of(127, 0, 0, 1), port: 6084 + number },
    nodeId: number.toString(16).padStart(32, '0') as NodeId,
  };
}

describe('KnownPeerCache — RFC 6940 §11.4', () => {
  test('remembers the newest list, at most ten peers of it', async () => {
    const cache = new KnownPeerCache(directory, silentLog);
    cache.remember([peer(1)]);
    cache.remember([peer(2)]);
    const many = Array.from({ length: 15 }, (_, index) => peer(index + 3));
    cache.remember(many);
    expect(await new KnownPeerCache(directory, silentLog).read()).toEqual(many.slice(0, 10));
    expect(await readdir(directory)).toEqual(['known-peers.json']);
  });

  test.each(['', 'nonsense', '{}', '[1,{"address":"name:1"},{"address":7}]'])(
    'a damaged file (%s) is an empty list',
    async (content) => {
      await writeFile(join(directory, 'known-peers.json'), content);
      expect(await new KnownPeerCache(directory, silentLog).read()).toEqual([]);
    },
  );

  test('an absent file is an empty list', async () => {
    expect(await new KnownPeerCache(directory, silentLog).read()).toEqual([]);
  });
});
