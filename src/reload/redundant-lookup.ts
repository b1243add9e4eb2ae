import { type Destination, nodeDestination, resourceDestination } from '../wire/destination.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { LookupDefences } from './lookup-defences.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { advance, distance, RING_BITS, successorPoint } from './ring.ts';

/** Whom this peer may send through. */
export interface RoutingView {
  /** The Routing Table. */
  readonly peers: readonly NodeId[];
  /** Nearest first. */
  readonly successors: readonly NodeId[];
  /** Nearest first. */
  readonly predecessors: readonly NodeId[];
}

/** One of the requests of a lookup. */
export interface LookupRoute {
  readonly destinationList: readonly Destination[];
  /** Where the n-th transmission goes instead, n ≥ 2. */
  readonly reroute: ((transmission: number) => readonly Destination[]) | undefined;
}

/**
 * The requests of one lookup: each of the places over each of the paths. A Fetch names its resource
 * in its body, so that it can be sent to whoever is responsible for a place a little further on:
 * that is one of the replica holders, found by routing alone and accepted by the same rule (RFC
 * 6940 §6.3.4). How far on follows from how densely this peer's own neighbours lie.
 */
export function lookupRoutes(
  env: PeerEnvironment,
  resource: ResourceId,
  defences: LookupDefences,
  view: RoutingView,
): LookupRoute[] {
  const paths = bounded(defences.lookupPaths ?? 1, 1, PATHS_MAX);
  const routes: LookupRoute[] = [];
  for (const place of lookupPlaces(env.nodeId, resource, defences.lookupReplicas ?? 1, view)) {
    const hops = shuffledHops(env, view.peers);
    const last = resourceDestination(place);
    for (let path = 0; path < paths; path++) {
      const hop = path === 0 ? undefined : hops.pop();
      if (path > 0 && hop === undefined) break;
      routes.push({
        destinationList: through(hop, last),
        reroute: defences.retryDifferentHop === true ? () => through(hops.pop(), last) : undefined,
      });
    }
  }
  return routes;
}

/**
 * Whom to ask when those asked first did not have it: of the nodes that are known for certain —
 * this one, the Routing Table, whoever has signed an answer — the nearest behind the Resource-ID,
 * each by its Node-ID, and whoever comes right behind each of these. A liar can be silent about its
 * successor, but not stand in for it: the successor's answer bears a Node-ID of its own.
 */
export function furtherRoutes(
  env: PeerEnvironment,
  resource: ResourceId,
  defences: LookupDefences,
  view: RoutingView,
  asked: ReadonlySet<string>,
  signers: ReadonlySet<NodeId>,
): LookupRoute[] {
  const holders = bounded(defences.lookupReplicas ?? 1, 1, REPLICAS_MAX);
  const known = new Set([env.nodeId, ...view.peers, ...signers]);
  const nearest = [...known]
    .map((nodeId) => ({ nodeId, steps: distance(resource, nodeId) }))
    .sort((a, b) => (a.steps < b.steps ? -1 : 1))
    .slice(0, holders)
    .map(({ nodeId }) => nodeId);
  const targets: Destination[] = nearest
    .filter((nodeId) => !signers.has(nodeId))
    .map(nodeDestination);
  for (const nodeId of nearest.slice(0, -1)) {
    targets.push(resourceDestination(successorPoint(nodeId)));
  }
  const twice = (defences.lookupPaths ?? 1) > 1;
  return targets
    .filter((target) => !asked.has(targetKey(target)))
    .flatMap((target) => {
      const [hop, other] = shuffledHops(env, view.peers);
      const reroute =
        defences.retryDifferentHop === true ? () => through(other, target) : undefined;
      const usual = { destinationList: [target], reroute };
      return twice ? [usual, { destinationList: through(hop, target), reroute }] : [usual];
    });
}

/**
 * Where a Fetch goes whose answer `refused` signed, a node that counts no more here. Near the
 * Resource-ID it is one that others still take to be responsible: who comes right behind it is
 * responsible without it, and has had the copies all along. Elsewhere it stands on the way, and
 * another first hop may lead past it.
 */
export function detourAround(
  env: PeerEnvironment,
  resource: ResourceId,
  refused: NodeId,
  view: RoutingView,
): readonly Destination[] {
  const isOwner =
    distance(resource, refused) <= OWNER_WITHIN_SPACINGS * expectedSpacing(env.nodeId, view);
  if (isOwner) return [resourceDestination(successorPoint(refused))];
  const hops = shuffledHops(env, view.peers).filter((nodeId) => nodeId !== refused);
  return through(hops[0], resourceDestination(resource));
}

/** Whether more than the responsible peer is asked, in rounds. */
export function asksFurther({ lookupReplicas }: LookupDefences): boolean {
  return lookupReplicas !== undefined && lookupReplicas > 1;
}

/** What tells two targets of a lookup apart. */
export function targetKey(target: Destination | undefined): string {
  if (target?.type === 'node') return `node ${target.nodeId}`;
  return target?.type === 'resource' ? target.resourceId : '';
}

/** The Resource-ID and the places behind it where its copies should be found. */
export function lookupPlaces(
  self: NodeId,
  resource: ResourceId,
  replicas: number,
  view: RoutingView,
): ResourceId[] {
  const wanted = bounded(replicas, 1, REPLICAS_MAX) - 1;
  const spacing = expectedSpacing(self, view);
  const places = [resource];
  for (let index = 1; index <= wanted; index++) {
    // Evenly up to just short of two peers further: copies are at two successors.
    const steps = (spacing * BigInt(4 * index)) / BigInt(2 * wanted + 1);
    const place = advance(resource, steps);
    if (!places.includes(place)) places.push(place);
  }
  return places;
}

/** The mean distance between two peers, as this peer's neighbours show it. */
function expectedSpacing(self: NodeId, view: RoutingView): bigint {
  const { peers, successors, predecessors } = view;
  const [lastSuccessor, lastPredecessor] = [successors.at(-1), predecessors.at(-1)];
  if (lastSuccessor === undefined || lastPredecessor === undefined) return 0n;
  const ahead = distance(self, lastSuccessor);
  const behind = distance(lastPredecessor, self);
  // In a small overlay the lists overlap: then there are no more peers than are known.
  if (ahead + behind >= RING_SIZE) return RING_SIZE / BigInt(peers.length + 1);
  return (ahead + behind) / BigInt(successors.length + predecessors.length);
}

function through(hop: NodeId | undefined, last: Destination): Destination[] {
  return hop === undefined ? [last] : [nodeDestination(hop), last];
}

/** The peers of the Routing Table in random order, so that nobody knows which will be asked. */
function shuffledHops(env: PeerEnvironment, peers: readonly NodeId[]): NodeId[] {
  const hops = [...peers];
  for (let last = hops.length - 1; last > 0; last--) {
    const other = Math.floor(env.randomMs(0, last + 1));
    [hops[last], hops[other]] = [hops[other] as NodeId, hops[last] as NodeId];
  }
  return hops;
}

function bounded(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, Math.floor(value)));
}

const REPLICAS_MAX = 9;
/** Ranges are of uneven width; one in some thousands is wider. */
const OWNER_WITHIN_SPACINGS = 8n;
const PATHS_MAX = 4;
const RING_SIZE = 1n << BigInt(RING_BITS);
