import type { CommandOutcome, Location } from '../../reload/command.ts';
import { encode } from '../../wire/codec.ts';
import { type Destination, destination } from '../../wire/destination.ts';
import { toHex } from '../../wire/hex.ts';
import type { NodeId } from '../../wire/node-id.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../xmpp-address/jid.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import {
  ADDRESSES_PER_LOOKUP_MAX,
  DESTINATIONS_PER_ROUTE_MAX,
  DEVICES_PER_LOOKUP_MAX,
  FORWARDS_MAX,
  REASONS_MAX,
  WAYS_PER_DEVICE_MAX,
} from './location-limits.ts';

/** A device that an address leads to. Nothing of it is proved before its certificate is seen. */
export interface LocatedDevice {
  /** The end of its destination list; its certificate must name it. */
  readonly nodeId: NodeId;
  /** The address reached after all forwarding; its certificate's XmppAddr must be equal to it. */
  readonly user: BareJid;
  readonly destinationList: readonly Destination[];
  /** Further ways to it, the best first, for where that one leads nowhere. */
  readonly otherWays: readonly (readonly Destination[])[];
  /** 0 to 255, the smallest first (XEP-0415 §6.1). */
  readonly priority: number;
}

export interface LocatedDevices {
  /** By ascending priority. */
  readonly devices: readonly LocatedDevice[];
  /** What was left out and why, or why nothing was found: one sentence; undefined: nothing. */
  readonly reason: string | undefined;
  /** The overlay has said where the devices are, or that there are none. */
  readonly isAnswered: boolean;
}

/**
 * Finds all devices of `address` — XEP-0415 §5: its locations, and those of the addresses that
 * these forward to. Duplicates and the own device are left out. `then` is called once.
 */
export function locateDevices(
  env: XmppEnvironment,
  ownNodeId: NodeId,
  address: BareJid,
  then: (found: LocatedDevices) => void,
): void {
  new DeviceLookup(env, ownNodeId, then).ask(address, 0);
}

class DeviceLookup {
  private readonly env: XmppEnvironment;
  private readonly ownNodeId: NodeId;
  private readonly whenDone: (found: LocatedDevices) => void;
  private readonly asked = new Set<BareJid>();
  /** The ways to each device, the best first. */
  private readonly devices = new Map<string, Way[]>();
  private readonly reasons: string[] = [];
  private underWay = 0;
  private isAnswered = false;

  constructor(env: XmppEnvironment, ownNodeId: NodeId, whenDone: (found: LocatedDevices) => void) {
    this.env = env;
    this.ownNodeId = ownNodeId;
    this.whenDone = whenDone;
  }

  /** `forwards`: how many address locations led here. */
  ask(address: BareJid, forwards: number): void {
    this.asked.add(address);
    this.underWay += 1;
    this.env.command({ type: 'locate', userName: address }, (outcome) => {
      this.underWay -= 1;
      this.take(address, forwards, outcome);
      if (this.underWay === 0) this.end();
    });
  }

  private take(address: BareJid, forwards: number, outcome: CommandOutcome): void {
    if (outcome.ok || outcome.failure.code === 'not-found') this.isAnswered = true;
    if (!outcome.ok) {
      this.leaveOut(outcome.failure.detail);
      return;
    }
    if (outcome.result.type !== 'locations') return;
    for (const { location } of outcome.result.locations) {
      if (location.type === 'route') this.takeRoute(address, location);
      else if (location.type === 'address') this.follow(address, location.address, forwards);
      else this.leaveOut(`${address} has a location of the unknown type ${location.code}`);
    }
  }

  private takeRoute(user: BareJid, { destinationList, priority }: Route): void {
    const last = destinationList.at(-1);
    if (last?.type !== 'node' || destinationList.length > DESTINATIONS_PER_ROUTE_MAX) {
      this.leaveOut(`a destination list of ${user} does not end at a node, or is too long`);
      return;
    }
    const { nodeId } = last;
    if (nodeId === this.ownNodeId) return;
    const key = `${nodeId} ${user}`;
    const way = { nodeId, user, destinationList, priority };
    const known = this.devices.get(key) ?? [];
    const text = routeText(destinationList);
    const others = known.filter((other) => routeText(other.destinationList) !== text);
    const same = known.find((other) => !others.includes(other));
    const best = same === undefined || isBetter(way, same) ? way : same;
    const ways = [...others, best].sort((a, b) => (isBetter(a, b) ? -1 : 1));
    this.devices.set(key, ways.slice(0, WAYS_PER_DEVICE_MAX));
  }

  private follow(from: BareJid, to: string, forwards: number): void {
    const jid = parseJid(to);
    if (jid instanceof AddressFault || jid.bare !== to) {
      this.leaveOut(`${from} forwards to what is no prepared bare address`);
    } else if (this.asked.has(jid.bare)) {
      // Twice the same, or in a circle: it is asked already.
    } else if (forwards >= FORWARDS_MAX) {
      this.leaveOut(`${from} forwards further after ${FORWARDS_MAX} forwards`);
    } else if (this.asked.size >= ADDRESSES_PER_LOOKUP_MAX) {
      this.leaveOut(`more than ${ADDRESSES_PER_LOOKUP_MAX} addresses would have to be asked`);
    } else {
      this.ask(jid.bare, forwards + 1);
    }
  }

  private leaveOut(reason: string): void {
    if (this.reasons.length < REASONS_MAX) this.reasons.push(reason);
  }

  private end(): void {
    const sorted: LocatedDevice[] = [];
    for (const [best, ...others] of this.devices.values()) {
      if (best === undefined) continue;
      sorted.push({ ...best, otherWays: others.map(({ destinationList }) => destinationList) });
    }
    sorted.sort((a, b) => a.priority - b.priority);
    const devices = sorted.slice(0, DEVICES_PER_LOOKUP_MAX);
    if (devices.length < sorted.length) {
      this.leaveOut(`${sorted.length} devices are named, ${DEVICES_PER_LOOKUP_MAX} count`);
    }
    const reason = this.reasons.length === 0 ? undefined : this.reasons.join('; ');
    this.whenDone({ devices, reason, isAnswered: this.isAnswered });
  }
}

type Way = Omit<LocatedDevice, 'otherWays'>;
type Route = Extract<Location['location'], { type: 'route' }>;

/** Smaller priority first; then the shorter way; then whatever is the same on every try. */
function isBetter(a: Way, b: Way): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  const difference = a.destinationList.length - b.destinationList.length;
  if (difference !== 0) return difference < 0;
  return routeText(a.destinationList) < routeText(b.destinationList);
}

function routeText(destinationList: readonly Destination[]): string {
  return destinationList.map((entry) => toHex(encode(destination, entry))).join(' ');
}
