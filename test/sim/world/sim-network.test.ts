import { describe, expect, test } from 'vitest';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import { NetworkFixture } from './network-fixture.ts';

const MANY = 100;

function sendMany(fixture: NetworkFixture, from: SimNode, link: number, everyMs = 1): void {
  for (let count = 0; count < MANY; count++) {
    fixture.network.send(from, link, Uint8Array.of(count));
    fixture.run(everyMs);
  }
}

const inOrder = Array.from({ length: MANY }, (_, count) => count);

describe('a stream', () => {
  test('delivers after the latency', () => {
    const fixture = new NetworkFixture();
    const { a, b, fromA, fromB } = fixture.linked();
    const sentMs = fixture.nowMs;
    fixture.network.send(a, fromA, Uint8Array.of(7));
    fixture.run(1_000);
    expect(fixture.arrivals).toEqual([
      {
        atMs: sentMs + 50,
        node: b,
        input: { type: 'linkData', link: fromB, bytes: Uint8Array.of(7) },
      },
    ]);
  });

  test('delivers everything in order under jitter, loss, duplication and reordering', () => {
    const fixture = new NetworkFixture({
      jitterShare: 1,
      lossShare: 0.2,
      duplicateShare: 0.2,
      reorderShare: 0.2,
    });
    const { a, b, fromA } = fixture.linked();
    sendMany(fixture, a, fromA);
    fixture.run(60_000);
    expect(fixture.seenBy(b)).toEqual(inOrder);
  });

  test('takes longer where packets are lost', () => {
    const lastMs = (lossShare: number) => {
      const fixture = new NetworkFixture({ lossShare });
      const { a, fromA } = fixture.linked();
      sendMany(fixture, a, fromA, 1_000);
      fixture.run(60_000);
      const latenessMs = fixture.arrivals.map(({ atMs }, count) => atMs - count * 1_000);
      return Math.max(...latenessMs) - Math.min(...latenessMs);
    };
    expect(lastMs(0)).toBe(0);
    expect(lastMs(0.1)).toBeGreaterThanOrEqual(200);
  });

  test('is as fast as the bandwidth of its direction', () => {
    const fixture = new NetworkFixture({ bandwidthBitsPerSecond: 80_000 });
    const { a, b, fromA, fromB } = fixture.linked();
    const sentMs = fixture.nowMs;
    for (let count = 0; count < 3; count++) fixture.network.send(a, fromA, new Uint8Array(1_000));
    fixture.network.send(b, fromB, new Uint8Array(1_000));
    fixture.run(1_000);
    const arrivedMs = (node: SimNode) =>
      fixture.arrivals.filter((arrival) => arrival.node === node).map(({ atMs }) => atMs - sentMs);
    expect(arrivedMs(b)).toEqual([150, 250, 350]);
    expect(arrivedMs(a)).toEqual([150]);
  });

  test('what was sent before a close arrives before the news of it', () => {
    const fixture = new NetworkFixture({ jitterShare: 1, reorderShare: 0.5 });
    const { a, b, fromA } = fixture.linked();
    for (let count = 0; count < 5; count++) fixture.network.send(a, fromA, Uint8Array.of(count));
    fixture.network.close(a, fromA, 'enough');
    fixture.run(5_000);
    expect(fixture.seenBy(b)).toEqual([0, 1, 2, 3, 4, 'linkDown']);
    expect(fixture.seenBy(a)).toEqual([]);
    expect(a.links.size + b.links.size).toBe(0);
  });
});

describe('datagrams', () => {
  test('are lost and come twice, as often as asked for', () => {
    const fixture = new NetworkFixture({
      transport: 'datagram',
      lossShare: 0.3,
      duplicateShare: 0.3,
    });
    const { a, b, fromA } = fixture.linked();
    sendMany(fixture, a, fromA);
    fixture.run(5_000);
    const seen = fixture.seenBy(b);
    const distinct = new Set(seen).size;
    expect(Math.abs(distinct - 70)).toBeLessThan(15);
    expect(Math.abs((seen.length - distinct) / distinct - 0.3)).toBeLessThan(0.15);
  });

  test('overtake each other', () => {
    const fixture = new NetworkFixture({ transport: 'datagram', reorderShare: 0.3 });
    const { a, b, fromA } = fixture.linked();
    sendMany(fixture, a, fromA);
    fixture.run(5_000);
    const seen = fixture.seenBy(b);
    expect(seen).not.toEqual(inOrder);
    expect([...seen].sort((x, y) => Number(x) - Number(y))).toEqual(inOrder);
  });
});

describe('a partition', () => {
  const sideOf = ({ index }: SimNode) => index % 2;

  test('holds back what is sent between its sides, and delivers it in order once it is over', () => {
    const fixture = new NetworkFixture();
    const { a, b, fromA } = fixture.linked();
    fixture.network.divide(sideOf);
    sendMany(fixture, a, fromA, 100);
    expect(fixture.seenBy(b)).toEqual([]);
    fixture.network.heal();
    fixture.network.send(a, fromA, Uint8Array.of(MANY));
    fixture.run(60_000);
    expect(fixture.seenBy(b)).toEqual([...inOrder, MANY]);
  });

  test('makes TCP back off: what was held comes later than the healing', () => {
    const fixture = new NetworkFixture();
    const pairs = Array.from({ length: 20 }, () => fixture.linked());
    fixture.network.divide(sideOf);
    for (const { a, fromA } of pairs) fixture.network.send(a, fromA, Uint8Array.of(1));
    fixture.run(300_000);
    const healedMs = fixture.nowMs;
    fixture.network.heal();
    fixture.run(100_000);
    const waitedMs = fixture.arrivals.map(({ atMs }) => atMs - healedMs);
    expect(waitedMs).toHaveLength(20);
    expect(Math.min(...waitedMs)).toBeLessThan(20_000);
    expect(Math.max(...waitedMs)).toBeGreaterThan(40_000);
    expect(Math.max(...waitedMs)).toBeLessThanOrEqual(60_000);
  });

  test('loses datagrams for good', () => {
    const fixture = new NetworkFixture({ transport: 'datagram' });
    const { a, b, fromA } = fixture.linked();
    fixture.network.divide(sideOf);
    sendMany(fixture, a, fromA);
    fixture.network.heal();
    fixture.run(100_000);
    expect(fixture.seenBy(b)).toEqual([]);
  });

  test('lets nobody connect across, and leaves those of one side alone', () => {
    const fixture = new NetworkFixture();
    const [a, b, c] = [fixture.add(), fixture.add(), fixture.add()];
    fixture.network.divide(sideOf);
    fixture.connect(a, b);
    fixture.connect(a, c);
    fixture.run(20_000);
    expect(fixture.seenBy(a)).toEqual(['linkUp', 'connectFailed']);
    expect(fixture.seenBy(b)).toEqual([]);
    expect(fixture.seenBy(c)).toEqual(['linkUp']);
  });

  test('what a host had sent before it crashed in a partition does not come after it', () => {
    const fixture = new NetworkFixture();
    const { a, b, fromA } = fixture.linked();
    fixture.network.divide(sideOf);
    fixture.network.send(a, fromA, Uint8Array.of(1));
    fixture.stop(a, 'silent');
    a.state = 'up';
    fixture.network.heal();
    fixture.run(100_000);
    expect(fixture.seenBy(b)).toEqual([]);
  });
});

describe('who ends', () => {
  test('as a process resets its links', () => {
    const fixture = new NetworkFixture();
    const { a, b } = fixture.linked();
    fixture.stop(b, 'down');
    fixture.run(60);
    expect(fixture.arrivals.map(({ input }) => input)).toMatchObject([
      { type: 'linkDown', reason: 'connection reset' },
    ]);
    expect(a.links.size).toBe(0);
  });

  test('as a host is silent, whatever it is sent', () => {
    const fixture = new NetworkFixture();
    const { a, b, fromA } = fixture.linked();
    fixture.stop(b, 'silent');
    sendMany(fixture, a, fromA);
    fixture.run(60_000);
    expect(fixture.arrivals).toEqual([]);
    expect(a.links.size).toBe(1);
  });

  test('as a host and comes back knows nothing of its links, and says so when spoken to', () => {
    const fixture = new NetworkFixture();
    const { a, b, fromA } = fixture.linked();
    fixture.stop(b, 'silent');
    b.state = 'up';
    fixture.run(1_000);
    expect(fixture.arrivals).toEqual([]);
    fixture.network.send(a, fromA, Uint8Array.of(1));
    fixture.run(1_000);
    expect(fixture.seenBy(a)).toEqual(['linkDown']);
    expect(fixture.seenBy(b)).toEqual([]);
  });
});

describe('connecting', () => {
  test('takes two round trips, and the other end hears of it after half a one more', () => {
    const fixture = new NetworkFixture();
    const [a, b] = [fixture.add(), fixture.add()];
    fixture.connect(a, b, b.nodeId);
    fixture.run(1_000);
    expect(fixture.arrivals).toMatchObject([
      { atMs: 200, node: a, input: { type: 'linkUp', connect: 1, node: { nodeId: b.nodeId } } },
      { atMs: 250, node: b, input: { type: 'linkUp', node: { nodeId: a.nodeId } } },
    ]);
    expect(fixture.arrivals[1]?.input).not.toHaveProperty('connect');
  });

  const failures: readonly (readonly [
    string,
    number,
    (fixture: NetworkFixture, b: SimNode) => void,
  ])[] = [
    [
      'connection refused',
      100,
      (_fixture, b) => {
        b.state = 'down';
      },
    ],
    [
      'no answer',
      10_000,
      (_fixture, b) => {
        b.state = 'silent';
      },
    ],
  ];

  test.each(failures)('to who does not run fails: %s', (reason, afterMs, prepare) => {
    const fixture = new NetworkFixture();
    const [a, b] = [fixture.add(), fixture.add()];
    prepare(fixture, b);
    fixture.connect(a, b);
    fixture.run(20_000);
    expect(fixture.arrivals).toEqual([
      { atMs: afterMs, node: a, input: { type: 'connectFailed', connect: 1, reason } },
    ]);
  });

  test('to somebody behind a NAT fails, from there it works', () => {
    const fixture = new NetworkFixture();
    const [a, b] = [fixture.add(), fixture.add({ isBehindNat: true })];
    fixture.connect(a, b);
    fixture.run(20_000);
    expect(fixture.seenBy(a)).toEqual(['connectFailed']);
    fixture.connect(b, a);
    fixture.run(20_000);
    expect(fixture.seenBy(b)).toEqual(['linkUp']);
  });

  test('to another node than the one meant, or to one that is not trusted, fails', () => {
    const fixture = new NetworkFixture();
    const [a, b] = [fixture.add(), fixture.add()];
    fixture.connect(a, b, 'ff'.repeat(16) as NodeId);
    fixture.refused.add(b.nodeId);
    fixture.connect(a, b);
    fixture.run(1_000);
    expect(fixture.seenBy(a)).toEqual(['connectFailed', 'connectFailed']);
    expect(fixture.seenBy(b)).toEqual([]);
  });

  test('of somebody who is not trusted: the other end closes', () => {
    const fixture = new NetworkFixture();
    const [a, b] = [fixture.add(), fixture.add()];
    fixture.refused.add(a.nodeId);
    fixture.connect(a, b);
    fixture.run(1_000);
    expect(fixture.seenBy(a)).toEqual(['linkUp', 'linkDown']);
    expect(fixture.seenBy(b)).toEqual([]);
  });
});
