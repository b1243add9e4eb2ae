import { beforeEach, describe, expect, test } from 'vitest';
import { DirectWorld, JULIET, numbers, ROMEO, sendMany } from './direct-world.ts';
import { StreamTester } from './stream-tester.ts';

let network: DirectWorld;

beforeEach(() => {
  network = new DirectWorld();
});

describe('nothing is lost and nothing comes twice (XEP-0198)', () => {
  test('an acknowledgement counts only what is dealt with', () => {
    const { romeo, juliet } = network.pair();
    juliet.tester.handleAfterMs = undefined;
    sendMany(romeo, juliet, 1, 3);
    network.runFor(5_000);
    expect(juliet.tester.received).toEqual(['1', '2', '3']);
    expect(romeo.tester.deliveredTags).toEqual([]);
    juliet.act((streams) => streams.handled(romeo.device.nodeId));
    network.runFor(100);
    expect(romeo.tester.deliveredTags).toEqual([1]);
  });

  test('a stream that was cut is resumed: what was on its way arrives once', () => {
    const { romeo, juliet } = network.pair();
    juliet.tester.handleAfterMs = 50;
    sendMany(romeo, juliet, 1, 10);
    network.runFor(12);
    expect(juliet.tester.received).toHaveLength(10);
    network.cut(romeo.device, juliet.device);
    sendMany(romeo, juliet, 11, 10);
    network.runFor(2_000);
    network.heal(romeo.device, juliet.device);
    const done = () => romeo.tester.deliveredTags.length === 20;
    expect(network.runUntil(done, 55_000)).toBe(true);
    expect(juliet.tester.received).toEqual(numbers(1, 20).map(String));
    expect(romeo.tester.told).not.toContain(`lost ${JULIET}`);
    expect(romeo.tester.undeliveredTags).toEqual([]);
  });

  test.each([
    ['2', '8'],
    ['8', '2'],
  ])('XEP-0198 §5: what a resumption lets go follows what it repeats (%s, %s)', (a, b) => {
    const { romeo, juliet } = network.pair(a, b);
    juliet.tester.handleAfterMs = 50;
    // As the outbox: a window, and for each that was delivered another one.
    let sent = 5;
    romeo.tester.whenDelivered = (device, tags) => {
      for (const _ of tags) {
        if (sent >= 60) return;
        sent += 1;
        const message = romeo.tester.message(String(sent));
        romeo.tester.streams.send(device.nodeId, message, sent);
      }
    };
    sendMany(romeo, juliet, 1, 5);
    for (let cut = 0; cut < 6; cut += 1) {
      network.runFor(30);
      network.cut(romeo.device, juliet.device);
      network.runFor(100);
      network.heal(romeo.device, juliet.device);
      network.runFor(6_000);
    }
    const done = () => romeo.tester.deliveredTags.length === 60;
    expect(network.runUntil(done, 55_000)).toBe(true);
    expect(juliet.tester.received).toEqual(numbers(1, 60).map(String));
    expect(romeo.tester.undeliveredTags).toEqual([]);
  });

  test.each([
    ['2', '8'],
    ['8', '2'],
  ])('a connection that was refused for a moment is asked for again soon (%s, %s)', (a, b) => {
    const { romeo, juliet } = network.pair(a, b);
    for (let cut = 0; cut < 10; cut += 1) {
      network.refuseLinks(romeo.device, juliet.device);
      sendMany(romeo, juliet, 1 + cut * 2, 2);
      network.runFor(60 + 40 * cut);
      network.heal(romeo.device, juliet.device);
      const done = () => romeo.tester.deliveredTags.length === 2 * (cut + 1);
      expect(network.runUntil(done, 6_000)).toBe(true);
    }
    expect(juliet.tester.received).toEqual(numbers(1, 20).map(String));
  });

  test('a device that breaks each connection at once is connected to ever more rarely', () => {
    const { romeo, juliet } = network.pair();
    sendMany(romeo, juliet, 1, 1);
    const before = romeo.device.commands.length;
    for (let passed = 0; passed < 20_000; passed += 50) {
      network.runFor(50);
      if (!network.isConnected(romeo.device, juliet.device)) continue;
      network.breakLinks(romeo.device, juliet.device);
    }
    const asks = romeo.device.commands.slice(before).filter(({ type }) => type === 'appAttach');
    expect(asks.length).toBeLessThan(20);
    network.runFor(60_000);
    sendMany(romeo, juliet, 2, 1);
    network.runFor(1_000);
    expect(juliet.tester.received.at(-1)).toBe('2');
  });

  test('a stream that is not resumed in time is lost, and its stanzas come back in order', () => {
    const { romeo, juliet } = network.pair();
    network.cut(romeo.device, juliet.device);
    sendMany(romeo, juliet, 1, 3);
    network.runFor(70_000);
    expect(romeo.tester.undeliveredTags).toEqual([1, 2, 3]);
    expect(romeo.tester.told).toContain(`lost ${JULIET}`);
    expect(juliet.tester.told).toContain(`lost ${ROMEO}`);
  });

  test('a device that was killed comes back: the session is lost, and a new one begins', () => {
    const { romeo, juliet } = network.pair();
    juliet.tester.handleAfterMs = undefined;
    sendMany(romeo, juliet, 1, 2);
    network.runFor(100);
    network.kill(juliet.device);
    network.runFor(100);
    const { authenticator, nodeId } = juliet.device;
    const { random } = network;
    juliet.tester = new StreamTester({
      ownNodeId: nodeId,
      ownUser: JULIET,
      authenticator,
      random,
    });
    network.restart(juliet.device, juliet.tester);
    const back = () => juliet.tester.told.includes(`connected ${ROMEO}`);
    expect(network.runUntil(back, 55_000)).toBe(true);
    network.runFor(100);
    expect(romeo.tester.undeliveredTags).toEqual([1, 2]);
    expect(romeo.tester.told.slice(-3)).toContain(`lost ${JULIET}`);
    sendMany(romeo, juliet, 3, 1);
    network.runFor(100);
    expect(juliet.tester.received).toEqual(['3']);
  });

  test('over 50 random cuts nothing is lost, doubled or out of order', () => {
    network = new DirectWorld({ seed: 4_711 });
    const { romeo, juliet } = network.pair();
    romeo.tester.handleAfterMs = 20;
    juliet.tester.handleAfterMs = 20;
    let sent = 0;
    const random = (below: number) => {
      const [high = 0, low = 0] = network.random.bytes(2);
      return (high * 256 + low) % below;
    };
    for (let cut = 0; cut < 50; cut += 1) {
      for (let burst = random(5); burst >= 0; burst -= 1) {
        const count = random(20);
        sendMany(romeo, juliet, sent, count);
        sendMany(juliet, romeo, sent, count);
        sent += count;
        network.runFor(random(60));
      }
      network.cut(romeo.device, juliet.device);
      network.runFor(random(3_000));
      network.heal(romeo.device, juliet.device);
      network.runFor(random(200));
    }
    const done = () =>
      romeo.tester.deliveredTags.length === sent && juliet.tester.deliveredTags.length === sent;
    expect(network.runUntil(done, 120_000)).toBe(true);
    const all = numbers(0, sent);
    expect(romeo.tester.deliveredTags).toEqual(all);
    expect(juliet.tester.received).toEqual(all.map(String));
    expect(romeo.tester.received).toEqual(all.map(String));
    expect(romeo.tester.undeliveredTags).toEqual([]);
  });
});
