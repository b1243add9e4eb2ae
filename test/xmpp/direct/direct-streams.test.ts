import { beforeEach, describe, expect, test } from 'vitest';
import { nodeDestination } from '../../../src/wire/destination.ts';
import type { XmppLocation } from '../../../src/wire/xmpp-location.ts';
import type { VirtualDevice } from '../virtual-device.ts';
import { DirectWorld, JULIET, lastTry, ROMEO, sendMany } from './direct-world.ts';

let network: DirectWorld;

beforeEach(() => {
  network = new DirectWorld();
});

describe('finding and connecting', () => {
  test('XEP-0415 §6: Romeo finds Juliet, both have a stream, and messages go both ways', () => {
    const { romeo, juliet } = network.pair();
    expect(romeo.tester.told).toContain(`connected ${JULIET}`);
    expect(lastTry(romeo)).toBe(`tried ${JULIET}: 1 of 1`);
    expect(juliet.tester.told).toContain(`connected ${ROMEO}`);
    expect(juliet.tester.streams.devicesOf(ROMEO)).toEqual([
      { nodeId: romeo.device.nodeId, user: ROMEO },
    ]);
    sendMany(romeo, juliet, 1, 3);
    sendMany(juliet, romeo, 7, 2);
    network.runFor(1_000);
    expect(juliet.tester.received).toEqual(['1', '2', '3']);
    expect(romeo.tester.deliveredTags).toEqual([1, 2, 3]);
    expect(romeo.tester.received).toEqual(['7', '8']);
    expect(juliet.tester.deliveredTags).toEqual([7, 8]);
  });

  test('XEP-0415 §6.1: every device of the address is asked, in parallel', () => {
    const romeo = network.started('2', ROMEO);
    const devices = ['8', '9', 'a'].map((name) => network.started(name, JULIET));
    network.runFor(2_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    expect(romeo.tester.streams.devicesOf(JULIET)).toHaveLength(devices.length);
    expect(lastTry(romeo)).toBe(`tried ${JULIET}: 3 of 3`);
  });

  test('XEP-0415 §6.1: on request one after another, by ascending priority', () => {
    const romeo = network.started('2', ROMEO, { attachOrder: 'sequential' });
    for (const [name, priority] of [
      ['8', 9],
      ['9', 1],
      ['a', 5],
    ] as const) {
      const { device } = network.added(name, JULIET);
      const destinationList = [nodeDestination(device.nodeId)];
      device.location = { type: 'route', priority, destinationList };
      device.core.handle({ type: 'overlay', joined: true }, network.now);
    }
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(5_000);
    const asked = romeo.device.commands.flatMap((command) =>
      command.type === 'appAttach' ? [command.nodeId[0]] : [],
    );
    expect(asked.slice(0, 3)).toEqual(['9', 'a', '8']);
    expect(romeo.tester.streams.devicesOf(JULIET)).toHaveLength(3);
  });

  test('an own device that the overlay did not name at first is found soon after', () => {
    const first = network.added('8', JULIET);
    const { location } = first.device;
    const second = network.added('9', JULIET);
    for (const { device } of [first, second]) device.location = undefined;
    network.start(first.device, second.device);
    network.runFor(1_000);
    expect(second.tester.streams.devicesOf(JULIET)).toHaveLength(0);
    first.device.location = location;
    network.runFor(10_000);
    expect(second.tester.streams.devicesOf(JULIET)).toHaveLength(1);
  });

  test('where one way to a device leads nowhere, the next one is tried', () => {
    const romeo = network.started('2', ROMEO);
    const [juliet, gone, other] = ['8', '9', 'a'].map((name) => network.added(name, JULIET));
    if (juliet === undefined || gone === undefined || other === undefined) throw new Error('?');
    const way = (priority: number, ...through: VirtualDevice[]): XmppLocation => {
      const destinationList = [...through, juliet.device].map((d) => nodeDestination(d.nodeId));
      return { type: 'route', priority, destinationList };
    };
    gone.device.isUp = false;
    juliet.device.location = way(0, gone.device);
    other.device.location = way(7);
    juliet.device.core.handle({ type: 'overlay', joined: true }, network.now);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(18_000);
    expect(lastTry(romeo)).toBe(`tried ${JULIET}: 1 of 1`);
    const asked = romeo.device.commands.filter(({ type }) => type === 'appAttach');
    expect(asked).toHaveLength(2);
  });

  test('an address that forwards leads to the devices of the other one', () => {
    const romeo = network.started('2', ROMEO);
    const juliet = network.started('8', JULIET);
    juliet.device.location = { type: 'address', address: 'nurse@capulet.lit' };
    const nurse = network.started('c', 'nurse@capulet.lit');
    network.runFor(1_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    expect(romeo.tester.streams.devicesOf(JULIET)).toEqual([
      { nodeId: nurse.device.nodeId, user: 'nurse@capulet.lit' },
    ]);
  });

  test('XEP-0415 §6.1: at startup a device connects to all own devices, and keeps them', () => {
    const first = network.started('2', ROMEO);
    network.runFor(1_000);
    const second = network.started('8', ROMEO);
    network.runFor(1_000);
    expect(first.tester.streams.devicesOf(ROMEO)).toHaveLength(1);
    expect(second.tester.streams.devicesOf(ROMEO)).toHaveLength(1);
    network.runFor(3_600_000);
    expect(network.linksBetween(first.device, second.device)).toBe(1);
  });

  test('nobody is found: the reason is told, and a device that comes later is', () => {
    const romeo = network.started('2', ROMEO);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    expect(lastTry(romeo)).toContain(`tried ${JULIET}: 0 of 0, `);
    network.started('8', JULIET);
    expect(network.runUntil(() => romeo.tester.streams.devicesOf(JULIET).length > 0, 300_000)).toBe(
      true,
    );
  });

  test('both ends ask at the same moment: one connection is left, and one session', () => {
    for (const [a, b] of [
      ['2', '8'],
      ['8', '2'],
    ] as const) {
      network = new DirectWorld();
      const romeo = network.started(a, ROMEO);
      const juliet = network.started(b, JULIET);
      network.runFor(1_000);
      romeo.act((streams) => streams.reach(JULIET));
      juliet.act((streams) => streams.reach(ROMEO));
      network.runFor(2_000);
      expect(network.linksBetween(romeo.device, juliet.device)).toBe(1);
      const connected = romeo.tester.told.filter((line) => line.startsWith('connected'));
      expect(connected).toEqual([`connected ${JULIET}`]);
      expect(romeo.tester.told).not.toContain(`lost ${JULIET}`);
      sendMany(romeo, juliet, 1, 5);
      network.runFor(500);
      expect(juliet.tester.received).toEqual(['1', '2', '3', '4', '5']);
    }
  });

  test('asked again when all is connected, no new lookup is made within a minute', () => {
    const { romeo } = network.pair();
    const { commands } = romeo.device;
    const lookups = () =>
      commands.filter((command) => command.type === 'locate' && command.userName === JULIET);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    expect(lookups()).toHaveLength(1);
    expect(romeo.tester.told.filter((line) => line === `tried ${JULIET}: 1 of 1`)).toHaveLength(2);
  });
});
