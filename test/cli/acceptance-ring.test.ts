import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  certificateResource,
  type PeerProcess,
  ProcessOverlay,
  ringFrom,
} from './process-overlay.ts';

const NAMES = Array.from({ length: 12 }, (_, i) => `peer${i + 1}`);
const CERTIFICATE_BY_NODE = 3;

let overlay: ProcessOverlay;
let peers: PeerProcess[];

beforeAll(async () => {
  overlay = await ProcessOverlay.start(NAMES);
  const [first = '', ...others] = NAMES;
  const firstPeer = await overlay.enroll(first, '--first');
  peers = [firstPeer, ...(await Promise.all(others.map((name) => overlay.enroll(name))))];
}, 240_000);

afterAll(() => overlay?.close(), 60_000);

function replace(old: PeerProcess, restarted: PeerProcess): void {
  peers = peers.map((peer) => (peer === old ? restarted : peer));
}

async function everyLookupVerifies(within = 45_000): Promise<void> {
  await expect
    .poll(() => overlay.failedLookups(peers, peers), { timeout: within, interval: 300 })
    .toEqual([]);
}

test('a certificate outlives the kill of its responsible peer and first replica at once', async () => {
  await everyLookupVerifies();
  const target = peers[5];
  if (target === undefined) throw new Error('there are 12 peers');
  const resource = certificateResource(target.nodeId);
  const victims = ringFrom(peers, resource).slice(0, 2);
  const own = `${resource}/${CERTIFICATE_BY_NODE}`;
  for (const victim of victims) {
    await expect.poll(() => overlay.valuesOf(victim), { timeout: 45_000 }).toContain(own);
  }
  const heldBefore = await Promise.all(victims.map((victim) => overlay.valuesOf(victim)));

  const statuses = await Promise.all(victims.map(({ process }) => process.end('SIGKILL')));
  expect(statuses).toEqual([null, null]);
  const survivors = peers.filter((peer) => !victims.includes(peer));
  await expect
    .poll(() => overlay.failedLookups(survivors, [target]), { timeout: 45_000, interval: 300 })
    .toEqual([]);

  const restarted = await Promise.all(victims.map(({ name }) => overlay.restart(name)));
  for (const [i, peer] of restarted.entries()) {
    const victim = victims[i];
    if (victim === undefined) throw new Error('as many restart as were killed');
    expect(peer.nodeId).toBe(victim.nodeId);
    const held = await overlay.valuesOf(peer);
    expect([...(heldBefore[i] ?? [])].filter((value) => !held.has(value))).toEqual([]);
    expect([...held]).toContain(own);
    replace(victim, peer);
  }
  await everyLookupVerifies();
}, 240_000);

test('every lookup verifies while the 12 peers leave and come back, one after another', async () => {
  await everyLookupVerifies();
  for (const peer of [...peers]) {
    expect(await peer.process.end('SIGTERM')).toBe(0);
    const others = peers.filter((one) => one !== peer);
    // What left may have been the way to an answer: its certificate is still there to be found.
    expect(await overlay.failedLookups(others, peers)).toEqual([]);
    const again = await overlay.restart(peer.name);
    expect(again.nodeId).toBe(peer.nodeId);
    replace(peer, again);
    expect(await overlay.failedLookups(peers, peers)).toEqual([]);
  }
}, 240_000);
