import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import type { CommandOutcome } from '../../src/reload/command.ts';
import { OWN_LOCATION_LIFETIME_SECONDS } from '../../src/reload/timing.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { KindId } from '../../src/wire/stored-data.ts';
import { XmppLocation } from '../../src/wire/xmpp-location.ts';
import type { WorkloadPlan } from '../scenario/scenario.ts';
import type { LookupEntry, LookupLog } from '../simulation/lookup-log.ts';
import type { SimOverlay } from '../simulation/sim-overlay.ts';
import { PoissonProcess } from '../world/poisson-process.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import { LookupTargets } from './lookup-targets.ts';
import { uniformPopularity, ZipfPopularity } from './popularity.ts';

/** Who takes no part in a Workload, beside attackers. */
export interface WorkloadOptions {
  /** Neither asks nor is asked for: a node whose certificate was revoked. */
  readonly isExcluded?: (node: SimNode) => boolean;
  /**
   * Whether what a node stored there is still somewhere. What all of whose holders died at once is
   * not looked up any more: that it is lost is counted elsewhere.
   */
  readonly hasLiveCopy?: (node: SimNode, resource: ResourceId, kind: KindId) => boolean;
}

/** How many of each ended how. */
export interface WorkloadCounters {
  locationStores: number;
  locationStoresAcknowledged: number;
  renewals: number;
  /** Lookups that were to begin but had nobody to ask or to ask for. */
  lookupsSkipped: number;
}

/**
 * What applications ask for, at random moments (Poisson) and from random nodes in the overlay:
 * lookups, location records stored anew, certificates renewed. It watches from the time that it is
 * made, so make it before nodes start.
 */
export class Workload {
  readonly counters: WorkloadCounters = {
    locationStores: 0,
    locationStoresAcknowledged: 0,
    renewals: 0,
    lookupsSkipped: 0,
  };
  private readonly overlay: SimOverlay;
  private readonly plan: WorkloadPlan;
  private readonly log: LookupLog;
  private readonly options: WorkloadOptions;
  private readonly targets: LookupTargets;
  private readonly random: SimRandom;
  private readonly processes: readonly PoissonProcess[];
  /** Lookups of a location that are under way, by whose it is. */
  private readonly locating = new Map<SimNode, Set<LookupEntry>>();
  private locationStores = 0;

  constructor(
    overlay: SimOverlay,
    plan: WorkloadPlan,
    log: LookupLog,
    options: WorkloadOptions = {},
  ) {
    const { world } = overlay;
    this.overlay = overlay;
    this.plan = plan;
    this.log = log;
    this.options = options;
    this.random = world.stream('workload');
    const isZipf = plan.targets === 'zipf';
    const popularity = isZipf ? new ZipfPopularity(plan.zipfExponent) : uniformPopularity;
    this.targets = new LookupTargets(world, world.stream('workload/targets'), popularity);
    this.targets.onLeaving = (node) => this.handleLeaving(node);
    const process = (label: string, perMinute: number, happen: () => void) =>
      new PoissonProcess(world, world.stream(`workload/${label}`), perMinute, happen);
    this.processes = [
      process('lookups', plan.lookupsPerMinute, () => this.lookUp()),
      process('locations', plan.locationStoresPerMinute, () => this.storeLocation()),
      process('renewals', plan.renewalsPerMinute, () => this.renew()),
    ];
  }

  start(): void {
    for (const process of this.processes) process.start();
  }

  stop(): void {
    for (const process of this.processes) process.stop();
  }

  /** Begins one lookup of the mix now; undefined where nobody could ask or be asked for. */
  lookUp(): LookupEntry | undefined {
    const { byNodeId, byUserName, locate } = this.plan;
    const drawn = this.random.share() * (byNodeId + byUserName + locate);
    const from = this.targets.pickFrom(this.targets.joined, (node) => this.isHonest(node));
    const isLocation = drawn >= byNodeId + byUserName;
    const certificate = drawn < byNodeId ? KindIds.certificateByNode : KindIds.certificateByUser;
    const kind = isLocation ? KindIds.xmppLocation : certificate;
    const target = from === undefined ? undefined : this.pickTarget(from, kind);
    if (from === undefined || target === undefined) {
      this.counters.lookupsSkipped++;
      return undefined;
    }
    if (isLocation) return this.locate(from, target);
    const { nodeId, userName } = target;
    const isRight = (outcome: CommandOutcome) => hasCertificateOf(outcome, target);
    if (drawn < byNodeId) {
      const command = { type: 'lookupByNodeId', nodeId } as const;
      return this.log.run(from, command, `Node-ID ${nodeId}`, isRight);
    }
    const command = { type: 'lookupByUserName', userName } as const;
    return this.log.run(from, command, userName, isRight);
  }

  private pickTarget(from: SimNode, kind: KindId): SimNode | undefined {
    const { targets } = this;
    const isWanted = (node: SimNode) =>
      node !== from && this.isHonest(node) && this.isStored(node, kind);
    if (kind === KindIds.xmppLocation) return targets.pickFrom(targets.located, isWanted);
    return targets.pickCertified(isWanted);
  }

  private isStored(node: SimNode, kind: KindId): boolean {
    const { hasLiveCopy } = this.options;
    if (hasLiveCopy === undefined) return true;
    const isByNode = kind === KindIds.certificateByNode;
    const resource = resourceIdOf(isByNode ? nodeIdBytes(node.nodeId) : node.userName);
    return hasLiveCopy(node, resource, kind);
  }

  private locate(from: SimNode, target: SimNode): LookupEntry {
    const { userName } = target;
    const open = this.locating.get(target) ?? new Set();
    for (const earlier of open) if (earlier.endedMs !== undefined) open.delete(earlier);
    this.locating.set(target, open);
    const isRight = (outcome: CommandOutcome) => hasLocationOf(outcome, target);
    const command = { type: 'locate', userName } as const;
    const entry = this.log.run(from, command, `location of ${userName}`, isRight);
    open.add(entry);
    return entry;
  }

  /** Its location is being removed: who looks for it now may rightly find nothing. */
  private handleLeaving(node: SimNode): void {
    for (const entry of this.locating.get(node) ?? []) this.log.disregard(entry, 'target-left');
    this.locating.delete(node);
  }

  /** A node stores its own location again with another priority (XEP-0415 §4.2). */
  private storeLocation(): void {
    const node = this.targets.pickFrom(this.targets.located, (found) => this.isHonest(found));
    if (node === undefined || !this.targets.joined.has(node)) return;
    const value = encode(XmppLocation, {
      type: 'route',
      priority: ++this.locationStores % PRIORITY_COUNT,
      destinationList: [nodeDestination(node.nodeId)],
    });
    const place = { model: 'dictionary', key: nodeIdBytes(node.nodeId) } as const;
    const lifetimeSeconds = OWN_LOCATION_LIFETIME_SECONDS;
    const values = [{ kind: KindIds.xmppLocation, place, value, lifetimeSeconds }];
    const resource = resourceIdOf(node.userName);
    this.counters.locationStores++;
    this.overlay.world.command(node, { type: 'store', resource, values }, (outcome) => {
      if (outcome.ok) this.counters.locationStoresAcknowledged++;
    });
  }

  /**
   * A node's Peer goes on with a renewed certificate (same Node-ID and name, later notAfter): it
   * signs its values anew and makes its links again.
   */
  private renew(): void {
    const node = this.targets.pickFrom(this.targets.joined, (found) => this.isHonest(found));
    if (node === undefined) return;
    this.counters.renewals++;
    this.overlay.renewCertificate(node);
  }

  private isHonest(node: SimNode): boolean {
    return node.behavior === undefined && this.options.isExcluded?.(node) !== true;
  }
}

/** Whether the outcome holds a verified certificate of `node`. */
function hasCertificateOf(outcome: CommandOutcome, node: SimNode): boolean {
  if (!outcome.ok || outcome.result.type !== 'certificates') return false;
  const isIts = (found: { readonly nodeId: string; readonly userName: string }) =>
    found.nodeId === node.nodeId && found.userName === node.userName;
  return outcome.result.nodes.some(isIts);
}

function hasLocationOf(outcome: CommandOutcome, node: SimNode): boolean {
  if (!outcome.ok || outcome.result.type !== 'locations') return false;
  return outcome.result.locations.some(({ nodeId }) => nodeId === node.nodeId);
}

/** Priorities go round, so that a value differs from the one before. */
const PRIORITY_COUNT = 100;
