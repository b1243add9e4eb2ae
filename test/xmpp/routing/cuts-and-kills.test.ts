import { expect, test } from 'vitest';
import { readArchiveRecord, type StoredRecord } from '../../../src/xmpp/routing/routing-records.ts';
import { seededRandom } from '../../reload/seeded-random.ts';
import { VirtualClient, virtualUsage } from '../virtual-client.ts';
import type { VirtualDevice, VirtualIdentity } from '../virtual-device.ts';
import { VirtualXmpp } from '../virtual-xmpp.ts';

/**
 * Everything that can go wrong between two peers at random instants of virtual time; what is not on
 * disk at a kill is lost. The client sends again what was not acknowledged to it.
 */
test.each([
  [1, 10_000],
  [2, 2_000],
  [3, 2_000],
])(
  'XEP-0198, XEP-0359: cuts and kills lose and double nothing, in order (seed %i, %i messages)',
  { timeout: 120_000 },
  (seed, messages) => {
    const chance = new Chance(seed);
    const world = new VirtualXmpp({ seed });
    const make = (identity: VirtualIdentity) => virtualUsage(identity);
    const romeo = world.add('2', 'romeo@montague.lit', make);
    const juliet = world.add('8', 'juliet@capulet.lit', make);
    world.start(romeo, juliet);
    const sender = new Sender(world, romeo, messages);
    let cuts = 0;
    let kills = 0;
    while (sender.acknowledged < messages || cuts < CUTS || kills < KILLS) {
      sender.sendMore(chance.upTo(60));
      world.runFor(chance.upTo(40));
      sender.look();
      const done = Math.min(1, (sender.acknowledged + 1) / messages);
      if (cuts < CUTS * done && chance.upTo(4) === 1) {
        cuts += 1;
        world.cut(romeo, juliet);
        world.runFor(chance.upTo(3_000));
        world.heal(romeo, juliet);
      }
      if (kills < KILLS * done && chance.upTo(4) === 1) {
        kills += 1;
        const victim = kills % 2 === 0 ? romeo : juliet;
        world.kill(victim);
        world.runFor(chance.upTo(2_000));
        world.restart(victim, virtualUsage(identityOf(world, victim), victim.records));
        if (victim === romeo) sender.connect();
      }
    }
    const isThere = () => archived(juliet).length >= messages && waiting(romeo) === 0;
    for (let hour = 0; hour < 24 && !isThere(); hour++) world.runFor(3_600_000);
    const expected = Array.from({ length: messages }, (_, index) => `o${index + 1}`);
    expect(archived(juliet)).toEqual(expected);
    expect(archived(romeo)).toEqual(expected);
    expect(waiting(romeo)).toBe(0);
    expect([cuts, kills]).toEqual([CUTS, KILLS]);
  },
);

/** A client of Romeo's that sends o1, o2, … and again what a lost peer had not acknowledged. */
class Sender {
  acknowledged = 0;
  private readonly messages: number;
  private readonly world: VirtualXmpp;
  private readonly device: VirtualDevice;
  private client: VirtualClient;
  private connections = 0;
  private sent = 0;
  /** Acknowledged before this connection. */
  private before = 0;

  constructor(world: VirtualXmpp, device: VirtualDevice, messages: number) {
    this.messages = messages;
    this.world = world;
    this.device = device;
    this.client = this.connect();
  }

  connect(): VirtualClient {
    this.connections += 1;
    this.before = this.acknowledged;
    this.sent = this.acknowledged;
    this.client = new VirtualClient(this.world, this.device, this.connections).logsIn('orchard');
    return this.client;
  }

  sendMore(count: number): void {
    let text = '';
    for (let i = 0; i < count && this.sent < this.messages; i++) {
      this.sent += 1;
      const id = `<origin-id xmlns="urn:xmpp:sid:0" id="o${this.sent}"/>`;
      text += `<message to="juliet@capulet.lit" type="chat"><body>${this.sent}</body>${id}</message>`;
    }
    if (text !== '') this.client.says(text);
  }

  look(): void {
    this.acknowledged = this.before + this.client.acknowledged();
  }
}

/** Numbers that are the same for the same seed. */
class Chance {
  private readonly random;

  constructor(seed: number) {
    this.random = seededRandom(seed * 7_919);
  }

  /** From 1 to `most`. */
  upTo(most: number): number {
    const [high = 0, low = 0] = this.random.bytes(2);
    return 1 + ((high * 256 + low) % most);
  }
}

function identityOf(world: VirtualXmpp, device: VirtualDevice): VirtualIdentity {
  const { authenticator, nodeId, user } = device;
  return { ownNodeId: nodeId, ownUser: user, authenticator, random: world.random };
}

/** The origin-ids in the archive on disk, in its order. */
function archived(device: VirtualDevice): string[] {
  const records: StoredRecord[] = [...device.records]
    .filter(([key]) => key.startsWith('archive/'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }));
  return records.map((record) => readArchiveRecord(record)?.duplicateKey?.split('\n')[2] ?? '');
}

function waiting(device: VirtualDevice): number {
  return [...device.records.keys()].filter((key) => key.startsWith('outbox/')).length;
}

const CUTS = 50;
const KILLS = 10;
