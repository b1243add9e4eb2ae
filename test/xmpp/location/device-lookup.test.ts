import { expect, test } from 'vitest';
import type { CommandOutcome, Location } from '../../../src/reload/command.ts';
import { type Destination, nodeDestination } from '../../../src/wire/destination.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import type { XmppLocation } from '../../../src/wire/xmpp-location.ts';
import { type LocatedDevices, locateDevices } from '../../../src/xmpp/location/device-lookup.ts';
import {
  ADDRESSES_PER_LOOKUP_MAX,
  DEVICES_PER_LOOKUP_MAX,
  FORWARDS_MAX,
  WAYS_PER_DEVICE_MAX,
} from '../../../src/xmpp/location/location-limits.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { BareJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

const OWN = node(1);

function node(number: number): NodeId {
  return number.toString(16).padStart(32, '0') as NodeId;
}

function route(number: number, priority = 0, through: readonly number[] = []): XmppLocation {
  const destinationList = [...through, number].map((entry) => nodeDestination(node(entry)));
  return { type: 'route', priority, destinationList };
}

function forward(address: string): XmppLocation {
  return { type: 'address', address };
}

/** Looks `address` up where these locations are stored, and counts the questions. */
function find(stored: Record<string, readonly XmppLocation[]>, address = 'juliet@capulet.lit') {
  const env = new XmppEnvironment(seededRandom(1));
  const asked: string[] = [];
  let found: LocatedDevices | undefined;
  locateDevices(env, OWN, address as BareJid, (result) => {
    found = result;
  });
  for (let outputs = env.takeOutputs(); outputs.length > 0; outputs = env.takeOutputs()) {
    for (const output of outputs) {
      if (output.type !== 'command' || output.what.type !== 'locate') continue;
      asked.push(output.what.userName);
      env.commandCompleted(output.command, answer(stored[output.what.userName]));
    }
  }
  if (found === undefined) throw new Error('the lookup did not end');
  const devices = found.devices.map(({ nodeId, user, priority }) => ({
    number: Number.parseInt(nodeId, 16),
    user,
    priority,
  }));
  return { devices, reason: found.reason, asked, found };
}

function answer(locations: readonly XmppLocation[] | undefined): CommandOutcome {
  if (locations === undefined) {
    return { ok: false, failure: { code: 'not-found', detail: 'there is no location' } };
  }
  const entries = locations.map((location) => ({ location }) as Location);
  return { ok: true, result: { type: 'locations', locations: entries } };
}

const JULIET = 'juliet@capulet.lit';
const ROMEO = 'romeo@montague.lit';

test('XEP-0415 §5: all devices are found, by ascending priority', () => {
  const { devices, reason } = find({ [JULIET]: [route(3, 200), route(4), route(5, 7)] });
  expect(devices.map(({ number, priority }) => [number, priority])).toEqual([
    [4, 0],
    [5, 7],
    [3, 200],
  ]);
  expect(reason).toBeUndefined();
});

test('XEP-0415 §5: duplicates are dropped, and the own device is no other', () => {
  const { devices } = find({ [JULIET]: [route(3, 5), route(3, 2), route(3, 5), route(1)] });
  expect(devices).toEqual([{ number: 3, user: JULIET, priority: 2 }]);
});

test('of two ways to one device the shorter is taken', () => {
  const { found } = find({ [JULIET]: [route(3, 0, [9]), route(3, 0, [])] });
  expect(found.devices[0]?.destinationList).toEqual([nodeDestination(node(3))]);
});

test('the other ways to a device are told, the best first, and no more than are tried', () => {
  const routes = [9, 8, 7, 6, 5].map((through) => route(3, through, [through]));
  const { found } = find({ [JULIET]: [route(3, 5, [5]), ...routes] });
  const [device, ...others] = found.devices;
  const list = (through: number) => [nodeDestination(node(through)), nodeDestination(node(3))];
  expect(device?.destinationList).toEqual(list(5));
  expect(device?.otherWays).toEqual([list(6), list(7), list(8)]);
  expect([others.length, WAYS_PER_DEVICE_MAX]).toEqual([0, 4]);
});

test('XEP-0415 §4.1: an address location is followed, and the result says whom it reached', () => {
  const { devices, asked } = find({
    [JULIET]: [forward(ROMEO), route(3)],
    [ROMEO]: [route(4, 9)],
  });
  expect(asked).toEqual([JULIET, ROMEO]);
  expect(devices).toEqual([
    { number: 3, user: JULIET, priority: 0 },
    { number: 4, user: ROMEO, priority: 9 },
  ]);
});

test('addresses that forward to each other end', () => {
  const { devices, asked } = find({
    [JULIET]: [forward(ROMEO)],
    [ROMEO]: [forward(JULIET), forward(ROMEO), route(4)],
  });
  expect(asked).toEqual([JULIET, ROMEO]);
  expect(devices.map(({ number }) => number)).toEqual([4]);
});

test('a chain of forwards ends at its limit, and the reason is told', () => {
  const stored: Record<string, XmppLocation[]> = {};
  for (let step = 0; step < 20; step += 1)
    stored[`user${step}@a.lit`] = [forward(`user${step + 1}@a.lit`)];
  const { asked, reason } = find(stored, 'user0@a.lit');
  expect(asked).toHaveLength(FORWARDS_MAX + 1);
  expect(reason).toContain('forwards further');
});

test('an address that forwards to many makes few questions', () => {
  const many = Array.from({ length: 100 }, (_, index) => forward(`user${index}@a.lit`));
  const { asked, reason } = find({ [JULIET]: many });
  expect(asked).toHaveLength(ADDRESSES_PER_LOOKUP_MAX);
  expect(reason).toContain('addresses would have to be asked');
});

test('an address that is not prepared is not asked for', () => {
  const { asked, reason } = find({
    [JULIET]: [forward('Romeo@montague.lit'), forward('romeo@montague.lit/orchard'), forward('@')],
  });
  expect(asked).toEqual([JULIET]);
  expect(reason).toContain('no prepared bare address');
});

test('of too many devices those of the smallest priority values count', () => {
  const many = Array.from({ length: 40 }, (_, index) => route(index + 2, 255 - index));
  const { devices } = find({ [JULIET]: many });
  expect(devices).toHaveLength(DEVICES_PER_LOOKUP_MAX);
  expect(devices[0]).toMatchObject({ number: 41, priority: 216 });
});

test('a destination list that ends at no node is left out', () => {
  const list: Destination[] = [nodeDestination(node(3)), { type: 'compressed', id: 0x8001 }];
  const odd: XmppLocation = { type: 'route', priority: 0, destinationList: list };
  const empty: XmppLocation = { type: 'route', priority: 0, destinationList: [] };
  const unknown: XmppLocation = { type: 'unknown', code: 9, data: new Uint8Array(0) };
  const { devices, reason } = find({ [JULIET]: [odd, empty, unknown] });
  expect(devices).toEqual([]);
  expect(reason).toContain('does not end at a node');
  expect(reason).toContain('unknown type 9');
});

test('where there is no location, the reason is the lookup’s', () => {
  expect(find({})).toMatchObject({ devices: [], reason: 'there is no location' });
});
