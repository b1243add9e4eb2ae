import { beforeEach, describe, expect, test } from 'vitest';
import { nodeDestination } from '../../../src/wire/destination.ts';
import { DirectWorld, JULIET, lastTry, ROMEO, sendMany } from './direct-world.ts';

let network: DirectWorld;

beforeEach(() => {
  network = new DirectWorld();
});

describe('streams come to an end', () => {
  test('a device that leaves ends its streams: nobody waits for a resumption', () => {
    const { romeo, juliet } = network.pair();
    network.handle(juliet.device, { type: 'leave' });
    network.runFor(500);
    expect(romeo.tester.told).toContain(`lost ${JULIET}`);
    expect(network.linksBetween(romeo.device, juliet.device)).toBe(0);
  });

  test('a stream that nobody wants is closed when it is idle, by the end that asked for it', () => {
    const { romeo, juliet } = network.pair();
    network.runFor(300_000);
    expect(network.linksBetween(romeo.device, juliet.device)).toBe(1);
    sendMany(romeo, juliet, 1, 1);
    romeo.act((streams) => streams.release(JULIET));
    network.runFor(100_000);
    expect(network.linksBetween(romeo.device, juliet.device)).toBe(1);
    network.runFor(60_000);
    expect(network.linksBetween(romeo.device, juliet.device)).toBe(0);
    expect(romeo.tester.deliveredTags).toEqual([1]);
    expect(romeo.tester.undeliveredTags).toEqual([]);
  });

  test('XEP-0415 §6.1: of several idle streams to one user that of the highest priority goes', () => {
    const romeo = network.started('2', ROMEO);
    for (const [name, priority] of [
      ['8', 9],
      ['9', 1],
      ['a', 5],
    ] as const) {
      const { device } = network.started(name, JULIET);
      const destinationList = [nodeDestination(device.nodeId)];
      device.location = { type: 'route', priority, destinationList };
    }
    network.runFor(2_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(2_000);
    const left = () => romeo.tester.streams.devicesOf(JULIET).map(({ nodeId }) => nodeId[0]);
    expect(left().sort()).toEqual(['8', '9', 'a']);
    romeo.act((streams) => streams.release(JULIET));
    expect(network.runUntil(() => left().length === 2, 200_000)).toBe(true);
    expect(left().sort()).toEqual(['9', 'a']);
    expect(network.runUntil(() => left().length === 1, 200_000)).toBe(true);
    expect(left()).toEqual(['9']);
  });

  test('what is over leaves nothing behind: devices, connections, attempts and bytes', () => {
    const { romeo, juliet } = network.pair();
    for (let cut = 0; cut < 20; cut += 1) {
      sendMany(romeo, juliet, cut, 1);
      network.cut(romeo.device, juliet.device);
      network.runFor(500);
      network.heal(romeo.device, juliet.device);
      network.runFor(8_000);
    }
    const one = { devices: 1, links: 1, attempts: 0, unacknowledgedBytes: 0 };
    expect(romeo.tester.streams.loads).toEqual(one);
    expect(juliet.tester.streams.loads).toEqual(one);
    romeo.act((streams) => streams.release(JULIET));
    network.runFor(200_000);
    const nothing = { devices: 0, links: 0, attempts: 0, unacknowledgedBytes: 0 };
    expect(romeo.tester.streams.loads).toEqual(nothing);
    expect(juliet.tester.streams.loads).toEqual(nothing);
  });

  test('a host that vanished without a word is noticed', () => {
    const { romeo, juliet } = network.pair();
    juliet.device.isUp = false;
    network.runFor(150_000);
    expect(romeo.tester.told).toContain(`lost ${JULIET}`);
  });
});

describe('limits', () => {
  test('what is more than may wait for a device comes back at once', () => {
    const romeo = network.started('2', ROMEO, { limits: { unacknowledgedStanzasMax: 3 } });
    const juliet = network.started('8', JULIET);
    juliet.tester.handleAfterMs = undefined;
    network.runFor(1_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    sendMany(romeo, juliet, 1, 5);
    expect(romeo.tester.undeliveredTags).toEqual([4, 5]);
    expect(juliet.tester.received).toEqual([]);
  });

  test('one user cannot fill the table: further devices of it are refused', () => {
    const romeo = network.started('2', ROMEO, { limits: { devicesPerUserMax: 2 } });
    for (const name of ['8', '9', 'a']) network.started(name, JULIET);
    network.runFor(3_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(2_000);
    expect(romeo.tester.streams.devicesOf(JULIET)).toHaveLength(2);
    expect(lastTry(romeo)).toBe(`tried ${JULIET}: 2 of 3`);
  });

  test('a device that floods without waiting for acknowledgements loses its stream', () => {
    const romeo = network.started('2', ROMEO);
    const juliet = network.started('8', JULIET, { limits: { unhandledStanzasMax: 5 } });
    juliet.tester.handleAfterMs = undefined;
    network.runFor(1_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    sendMany(romeo, juliet, 1, 9);
    network.runFor(15);
    expect(juliet.tester.received).toHaveLength(5);
    expect(juliet.tester.told).toContain(`lost ${ROMEO}`);
  });

  test('more addresses than can be wanted at once are refused with a reason', () => {
    const romeo = network.started('2', ROMEO, { limits: { wantedAddressesMax: 1 } });
    network.runFor(100);
    romeo.act((streams) => streams.reach(JULIET));
    expect(lastTry(romeo)).toContain('streams are kept for 1 addresses already');
  });
});
