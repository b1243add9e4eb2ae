import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import type { CommandOutcome } from '../../src/reload/command.ts';
import type { LookupDefences } from '../../src/reload/lookup-defences.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import { ProbeInformationType, RESPONSIBLE_PPB_MAX } from '../../src/wire/topology.ts';
import { XmppLocation } from '../../src/wire/xmpp-location.ts';
import type { SimKeyPair } from '../identity/signature-scheme.ts';
import { probeFrames } from '../world/message-probe.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import { AttackedOverlay } from './attacked-overlay.ts';
import { ATTACKS, type AttackName, type HarmMeasure } from './attacks.ts';

/** How to measure; everything but the keys has a default. */
export interface HarmOptions {
  /** Key pairs made before; used in turn. */
  readonly keys: readonly SimKeyPair[];
  /** Default 1. */
  readonly seed?: number;
  /** Attackers included; default 40. */
  readonly peers?: number;
  /** Lookups by honest peers; default 100. */
  readonly lookups?: number;
  /** Whether the check is made that prevents the attack; default: made. */
  readonly checks?: 'made' | 'removed';
  /** Certificates that each attacker of `chosen-node-ids` draws; default 64. */
  readonly certificatesEach?: number;
}

/** What an attack did to the honest peers. */
export interface Harm {
  readonly attack: AttackName;
  readonly share: number;
  readonly lookups: number;
  /** Of the lookups: the right, verified answer came within 15 s. */
  readonly succeeded: number;
  /** `succeeded` / `lookups`. */
  readonly success: number;
  /** Messages and their bytes that honest peers sent, each, per minute. */
  readonly messagesPerMinute: number;
  readonly bytesPerMinute: number;
  /** Bytes that an honest peer stores at the end, on average. */
  readonly storedBytes: number;
  /** By how much Probes overestimate the number of peers: 1 is right. */
  readonly sizeFactor: number;
  /** The one of these figures that the attack is after; more is worse. */
  readonly harm: number;
}

/**
 * Runs an overlay of which `share` attack the rest, and measures what honest peers get. The virtual
 * time is about two minutes; the same arguments give the same figures. Throws if a Peer did.
 */
export function measureHarm(
  attack: AttackName,
  share: number,
  defences: LookupDefences | undefined,
  options: HarmOptions,
): Harm {
  const overlay = new AttackedOverlay({
    attack,
    share,
    defences,
    checks: options.checks ?? 'made',
    seed: options.seed ?? 1,
    peers: options.peers ?? 40,
    keys: options.keys,
    certificatesEach: options.certificatesEach ?? 64,
  });
  overlay.build();
  return new HarmMeter(overlay, attack, options.lookups ?? 100).measure(share);
}

/** Success of lookups against the share of attackers. */
export function attackCurve(plan: {
  readonly attack: AttackName;
  /** In [0, 1). */
  readonly shares: readonly number[];
  readonly defences: LookupDefences | undefined;
  readonly options: HarmOptions;
}): Harm[] {
  const { attack, shares, defences, options } = plan;
  return shares.map((share) => measureHarm(attack, share, defences, options));
}

/** One measurement in one overlay. */
class HarmMeter {
  private readonly overlay: AttackedOverlay;
  private readonly attack: AttackName;
  private readonly measureOf: HarmMeasure;
  private readonly lookups: number;
  private readonly random: SimRandom;
  private succeeded = 0;
  private readonly responsiblePpb: number[] = [];

  constructor(overlay: AttackedOverlay, attack: AttackName, lookups: number) {
    this.overlay = overlay;
    this.attack = attack;
    this.measureOf = ATTACKS[attack].harms;
    this.lookups = lookups;
    this.random = overlay.world.stream('harm');
  }

  measure(share: number): Harm {
    const { world } = this.overlay;
    const startMs = world.nowMs;
    const sent = this.countSent();
    this.overlay.begin();
    world.runUntil(startMs + BEFORE_LOOKUPS_MS);
    if (this.measureOf === 'newest') this.storeNewLocations();
    for (let lookup = 0; lookup < this.lookups; lookup++) {
      world.runUntil(world.nowMs + LOOKUP_EVERY_MS);
      this.lookUp();
    }
    world.runUntil(world.nowMs + LOOKUP_MS_MAX);
    if (world.haltReason !== undefined) throw new Error(world.haltReason);
    const minutes = (world.nowMs - startMs) / 60_000;
    const perPeer = (count: number) => count / this.overlay.honest.length;
    const figures = {
      lookups: this.lookups,
      succeeded: this.succeeded,
      success: this.succeeded / this.lookups,
      messagesPerMinute: perPeer(sent.messages) / minutes,
      bytesPerMinute: perPeer(sent.bytes) / minutes,
      storedBytes: perPeer(this.storedBytes()),
      sizeFactor: this.sizeFactor(),
    };
    return { attack: this.attack, share, ...figures, harm: this.harm(figures) };
  }

  private harm(figures: Omit<Harm, 'attack' | 'share' | 'harm'>): number {
    switch (this.measureOf) {
      case 'messages':
        return figures.messagesPerMinute;
      case 'bytes':
        return figures.storedBytes;
      case 'size':
        return figures.sizeFactor;
      default:
        return 1 - figures.success;
    }
  }

  private countSent(): { messages: number; bytes: number } {
    const sent = { messages: 0, bytes: 0 };
    const honest = new Set(this.overlay.honest);
    this.overlay.world.observers.push({
      sent(from, bytes) {
        if (!honest.has(from)) return;
        sent.bytes += bytes.length;
        probeFrames(
          bytes,
          () => sent.messages++,
          () => undefined,
        );
      },
    });
    return sent;
  }

  private lookUp(): void {
    const { world, honest, targets } = this.overlay;
    const from = this.random.pick(honest.filter(({ isUp }) => isUp));
    const others = targets.length > 0 ? targets : honest;
    const target = this.random.pick(others.filter((node) => node !== from));
    if (from === undefined || target === undefined) return;
    const beganMs = world.nowMs;
    const done = (outcome: CommandOutcome) => {
      const inTime = world.nowMs - beganMs <= LOOKUP_MS_MAX;
      if (inTime && this.isRight(outcome, target)) this.succeeded++;
    };
    const { nodeId, userName } = target;
    if (this.measureOf === 'newest' || this.measureOf === 'entries') {
      world.command(from, { type: 'locate', userName }, done);
      return;
    }
    world.command(from, { type: 'lookupByNodeId', nodeId }, done);
    if (this.measureOf === 'size') this.probe(from);
  }

  private isRight(outcome: CommandOutcome, target: SimNode): boolean {
    if (!outcome.ok) return false;
    const { result } = outcome;
    if (result.type === 'certificates') {
      return result.nodes.some(({ nodeIds }) => nodeIds.includes(target.nodeId));
    }
    if (result.type !== 'locations') return false;
    const { honest } = this.overlay;
    const devices = honest.filter(({ userName }) => userName === target.userName);
    const found = new Map(result.locations.map((one) => [one.nodeId, one.location]));
    if (this.measureOf === 'entries') return devices.every(({ nodeId }) => found.has(nodeId));
    const location = found.get(target.nodeId);
    return location?.type === 'route' && location.priority === NEW_PRIORITY;
  }

  /** Every honest peer stores a location that can be told from its first one. */
  private storeNewLocations(): void {
    const { world, honest } = this.overlay;
    for (const node of honest) {
      const value = encode(XmppLocation, {
        type: 'route',
        priority: NEW_PRIORITY,
        destinationList: [nodeDestination(node.nodeId)],
      });
      const key = nodeIdBytes(node.nodeId);
      const place = { model: 'dictionary', key } as const;
      const stored = { kind: KindIds.xmppLocation, place, value, lifetimeSeconds: 3_600 };
      const resource = resourceIdOf(node.userName);
      world.command(node, { type: 'store', resource, values: [stored] }, () => undefined);
    }
    world.runUntil(world.nowMs + STORE_MS);
  }

  private probe(from: SimNode): void {
    const { world, honest, attackers } = this.overlay;
    const target = this.random.pick([...honest, ...attackers]);
    if (target === undefined || target === from) return;
    const requestedInfo = [ProbeInformationType.responsibleSet];
    const { nodeId } = target;
    world.command(from, { type: 'probe', nodeId, requestedInfo }, (outcome) => {
      if (!outcome.ok || outcome.result.type !== 'probed') return;
      const [info] = outcome.result.info;
      if (info !== undefined && 'value' in info) this.responsiblePpb.push(info.value);
    });
  }

  /** The mean share of the ring of those asked says how many there are. */
  private sizeFactor(): number {
    const { length } = this.responsiblePpb;
    if (length === 0) return 1;
    const mean = this.responsiblePpb.reduce((sum, ppb) => sum + ppb, 0) / length;
    const { honest, attackers } = this.overlay;
    return RESPONSIBLE_PPB_MAX / mean / (honest.length + attackers.length);
  }

  private storedBytes(): number {
    return this.overlay.honest.reduce((sum, node) => sum + this.overlay.storedBytes(node), 0);
  }
}

/** "Within the RFC's 15 s for a request" (RFC 6940 §6.2.1: five transmissions, 3 s apart). */
const LOOKUP_MS_MAX = 15_000;
const LOOKUP_EVERY_MS = 250;
const BEFORE_LOOKUPS_MS = 5_000;
const STORE_MS = 5_000;
const NEW_PRIORITY = 99;
