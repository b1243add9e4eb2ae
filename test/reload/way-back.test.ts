import { describe, expect, it, test } from 'vitest';
import { makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { LastingOverlay, numbersFrom } from './lasting-overlay.ts';
import { seededRandom } from './seeded-random.ts';
import type { VirtualPeer } from './virtual-overlay.ts';

type Numbers = (low: number, high: number) => number;
type Story = (overlay: LastingOverlay, peers: VirtualPeer[], number: Numbers) => VirtualPeer[];

const root = makeRoot();

/** Virtual ms from the end of the story until its peers are one ring again and find each other. */
function returnMs(story: Story, size: number, seed: number, latencyMs: number): number {
  const number = numbersFrom(seededRandom(seed * 7919));
  const overlay = new LastingOverlay({ seed, root, latencyMs });
  const digit = () => Math.floor(number(0, 16)).toString(16);
  const name = () => Array.from({ length: 8 }, digit).join('');
  const peers = Array.from({ length: size }, () => overlay.join(name()));
  overlay.runFor(number(0, 300));
  const back = story(overlay, peers, number);
  const sinceMs = overlay.nowMs;
  expect(overlay.runUntil(() => overlay.isWhole(back), 300_000)).toBe(true);
  const lookingMs = overlay.nowMs - sinceMs;
  for (const one of back) {
    for (const other of back) {
      const command = { type: 'lookupByNodeId', nodeId: other.nodeId } as const;
      expect(overlay.result(one, command, 'certificates').nodes).toHaveLength(1);
    }
  }
  return lookingMs;
}

/** Half of the hosts close their links, the others vanish and are noticed within seconds. */
function die(overlay: LastingOverlay, peer: VirtualPeer, number: Numbers): void {
  if (number(0, 1) < 0.5) overlay.crash(peer);
  else overlay.vanish(peer, number(0, 4_000));
}

const lastNeighborReturns: Story = (overlay, peers, number) => {
  const [first, stays, returns] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
  overlay.crash(returns);
  overlay.runFor(number(0, 50));
  overlay.crash(first);
  overlay.runFor(number(300, 20_000));
  overlay.restart(returns);
  return [stays, returns];
};

function oneReturns(which: number, remembers = true): Story {
  return (overlay, peers, number) => {
    const returning = peers[which] as VirtualPeer;
    die(overlay, returning, number);
    overlay.runFor(number(4_000, 30_000));
    if (!remembers) overlay.forget(returning);
    overlay.restart(returning);
    return peers;
  };
}

function manyReturn(which: readonly number[], apartMs: number): Story {
  return (overlay, peers, number) => {
    const returning = which.map((at) => peers[at] as VirtualPeer);
    for (const peer of returning) die(overlay, peer, number);
    overlay.runFor(number(4_000, 20_000));
    if (number(0, 1) < 0.5) returning.reverse();
    for (const peer of returning) {
      overlay.runFor(number(0, apartMs));
      overlay.restart(peer);
    }
    return peers;
  };
}

/**
 * Found by restarts over TLS: one peer had lost all others and another one came back, and it took
 * them half a minute, or for ever, to be one ring again.
 */
describe('RFC 6940 §10.5, §10.7.1: peers that have lost each other are one ring again', () => {
  test.each([
    { name: 'the last neighbour returns', size: 3, story: lastNeighborReturns },
    { name: 'the first of two returns', size: 2, story: oneReturns(0) },
    { name: 'the second of two returns', size: 2, story: oneReturns(1) },
    { name: 'both return at once', size: 2, story: manyReturn([0, 1], 1) },
    { name: 'both return, seconds apart', size: 2, story: manyReturn([0, 1], 6_000) },
    { name: 'two of three return at once', size: 3, story: manyReturn([0, 1], 1) },
    { name: 'two of three return, seconds apart', size: 3, story: manyReturn([1, 2], 6_000) },
    { name: 'three of three return, seconds apart', size: 3, story: manyReturn([0, 1, 2], 6_000) },
  ])('within 8 s: $name', ({ size, story }) => {
    const times = SEEDS.map((seed) => returnMs(story, size, seed, seed % 2 === 0 ? 1 : 40));
    expect(Math.max(...times)).toBeLessThan(8_000);
  });

  it('within 35 s: the first of two returns and remembers nobody, so the other must find it', () => {
    const times = SEEDS.map((seed) => returnMs(oneReturns(0, false), 2, seed, 10));
    expect(Math.max(...times)).toBeLessThan(35_000);
  });
});

const SEEDS = [1, 2, 3, 4, 5, 6];
