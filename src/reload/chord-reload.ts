import { ChordRouteQueryAns, ChordUpdate } from '../wire/chord.ts';
import { decode, encode } from '../wire/codec.ts';
import { nodeDestination } from '../wire/destination.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import { RouteQueryReq } from '../wire/topology.ts';
import type { AttachManager } from './attach-manager.ts';
import { ChordTables } from './chord-tables.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { MessageTransport } from './message-transport.ts';
import { NeighborLists } from './neighbor-lists.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { isBetween, isInRange, type RingId } from './ring.ts';
import { TaughtNeighbors } from './taught-neighbors.ts';
import { ANNOUNCE_DELAY_MS, FAR_ANNOUNCE_DELAY_MS, REMINDER_PAUSE_MS } from './timing.ts';

/** What the topology plug-in tells the rest of the Peer. */
export interface ChordListener {
  /** The Neighbor Table, or the range that this peer is responsible for, changed. */
  handleNeighborsChanged(): void;
  /** A neighbour's neighbour does not list this one any more: it may be gone. */
  handleNeighborDoubted(nodeId: NodeId): void;
  /** An Update of a directly connected peer was taken in. */
  handleUpdateTaken(from: NodeId, update: ChordUpdate): void;
  /** A peer named in an Update that could serve as a finger. */
  noteFingerCandidate(nodeId: NodeId, teacher: NodeId): void;
}

/**
 * The topology plug-in CHORD-RELOAD — RFC 6940 §10: who is responsible for what, where a message
 * goes next, and the Updates that keep the tables true.
 */
export class ChordReload {
  readonly tables: ChordTables;
  readonly taught: TaughtNeighbors;
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly transport: MessageTransport;
  private readonly receiver: MessageReceiver;
  private readonly attaches: AttachManager;
  private readonly listener: ChordListener;
  /** Peers that were routable when their link became suspect. */
  private readonly suspended = new Set<NodeId>();
  /** What each connected node was told last: a version of the lists, or that this peer is ready. */
  private readonly told = new Map<NodeId, number>();
  /** Those whose latest Update has this peer in its lists: to them it is a neighbour. */
  private readonly listedBy = new Set<NodeId>();
  /** When those who do not list this peer were last told of it. */
  private readonly remindedMs = new Map<NodeId, number>();
  private announcedPredecessor: NodeId | undefined;
  private seenPredecessor: NodeId | undefined;
  private readonly lists: NeighborLists;
  private announceAtMs = 0;

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    transport: MessageTransport,
    receiver: MessageReceiver,
    attaches: AttachManager,
    listener: ChordListener,
  ) {
    this.env = env;
    this.links = links;
    this.transport = transport;
    this.receiver = receiver;
    this.attaches = attaches;
    this.listener = listener;
    this.tables = new ChordTables(env.nodeId);
    this.taught = new TaughtNeighbors(env, links, attaches, this.tables);
    this.lists = new NeighborLists(this.tables);
  }

  /** Whether this peer is in the ring and routes and stores for others. */
  get isInRing(): boolean {
    return this.env.options.role === 'peer' && this.env.state === 'joined';
  }

  /** RFC 6940 §10.1: k is this peer's if it lies in (predecessor, own Node-ID]. */
  isResponsible(id: RingId): boolean {
    if (!this.isInRing) return false;
    const predecessor = this.predecessor();
    return predecessor === undefined || isInRange(id, predecessor, this.env.nodeId);
  }

  /**
   * The nearest predecessor that we know of, also while the link to it is still being made: two
   * peers must not both think that they are responsible, so this one claims too little first. That
   * a node exists shows its own signature, not that another one names it.
   */
  predecessor(): NodeId | undefined {
    const nearest = this.nearestBefore(
      this.tables.predecessors()[0],
      this.attaches.pendingNeighbors(),
    );
    return this.nearestBefore(nearest, this.taught.unlinkedNeighbors());
  }

  /** RFC 6940 §10.3. */
  nextHop(id: RingId): NodeId | undefined {
    return this.tables.nextHop(id);
  }

  /** The two peers that hold copies of what this one is responsible for (RFC 6940 §10.4). */
  replicaSet(): NodeId[] {
    return this.tables.successors().slice(0, REPLICAS);
  }

  /** RFC 6940 §6.3.4: no neighbour that we know lies between the Resource-ID and the signer. */
  isPlausibleResponder(resource: RingId, signer: NodeId): boolean {
    const nearest = this.tables.size === 0 ? undefined : this.nearestAtOrAfter(resource);
    return (
      nearest === undefined ||
      nearest === signer ||
      isInRange(signer, resource, nearest) ||
      signer === resource
    );
  }

  /** A live link serves again that was suspect. */
  handleNodeRestored(nodeId: NodeId): void {
    if (!this.suspended.delete(nodeId)) return;
    this.tables.add(nodeId);
    this.afterTablesChanged();
  }

  handleNodeSuspect(nodeId: NodeId): boolean {
    if (!this.tables.remove(nodeId)) return false;
    this.suspended.add(nodeId);
    this.afterTablesChanged();
    return true;
  }

  /** Returns whether the node was in the Routing Table. */
  handleNodeLost(nodeId: NodeId): boolean {
    this.told.delete(nodeId);
    this.listedBy.delete(nodeId);
    this.remindedMs.delete(nodeId);
    const suspended = this.suspended.delete(nodeId);
    if (!this.tables.remove(nodeId)) return suspended;
    this.afterTablesChanged();
    return true;
  }

  /** An admitted node is a peer from now on (RFC 6940 §10.5 step 7). */
  admit(nodeId: NodeId): void {
    this.tables.add(nodeId);
    this.sendUpdate(nodeId, 'neighbors');
    this.afterTablesChanged();
  }

  /** This node is in the ring: everybody it is connected to is told (RFC 6940 §10.5 step 9). */
  handleJoined(): void {
    this.announcedPredecessor = this.tables.predecessors()[0];
    this.seenPredecessor = this.predecessor();
    this.lists.noteChange();
    for (const nodeId of this.links.connectedNodes()) this.sendUpdate(nodeId, 'fitting');
    this.listener.handleNeighborsChanged();
    this.tellNeighborsChanged();
  }

  /** RFC 6940 §10.7.3. */
  handleUpdate(request: VerifiedRequest): void {
    const update = decode(ChordUpdate, request.body, this.env.configuration.nodeIdLength);
    if (update instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, update.describe());
      return;
    }
    if (!request.isDirect) {
      const detail = 'an Update counts only over the link bound to its signer';
      this.receiver.respondError(request, ErrorCode.Error_Forbidden, detail);
      return;
    }
    this.receiver.respond(request, NO_BYTES);
    const from = request.signer.nodeId;
    if (request.from?.suspect !== true) this.tables.add(from);
    if (request.from !== undefined) this.links.notePeer(request.from.id);
    this.noteListing(from, update);
    this.doubtUnlisted(from, update);
    this.learn(listedNodes(update), from);
    this.listener.handleUpdateTaken(from, update);
    this.afterTablesChanged();
    if (!this.isInRing) return;
    const isListed = update.type === 'peerReady' || this.listedBy.has(from);
    if (!this.told.has(from) || (!isListed && this.mayRemind(from))) {
      this.sendUpdate(from, 'fitting');
    }
  }

  /** A nearest neighbour that does not list us has lost what it was told of us. */
  private mayRemind(nodeId: NodeId): boolean {
    const nowMs = this.env.now.monotonicMs;
    const lastMs = this.remindedMs.get(nodeId) ?? Number.NEGATIVE_INFINITY;
    if (!this.tables.isNearest(nodeId) || nowMs - lastMs < REMINDER_PAUSE_MS) return false;
    this.remindedMs.set(nodeId, nowMs);
    return true;
  }

  /** RFC 6940 §10.8. */
  handleRouteQuery(request: VerifiedRequest): void {
    const query = decode(RouteQueryReq, request.body, this.env.configuration.nodeIdLength);
    if (query instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, query.describe());
      return;
    }
    const { destination } = query;
    const target =
      destination.type === 'node'
        ? destination.nodeId
        : destination.type === 'resource'
          ? destination.resourceId
          : undefined;
    const next = target === undefined ? undefined : this.routeFor(target);
    if (next === undefined) {
      const detail = 'this node would not send such a message anywhere';
      this.receiver.respondError(request, ErrorCode.Error_Not_Found, detail);
      return;
    }
    this.receiver.respond(request, encode(ChordRouteQueryAns, { nextPeer: next }));
    if (query.sendUpdate && request.isDirect) this.sendUpdate(request.signer.nodeId, 'full');
  }

  /** Asked for by send_update in an Attach; a node that has not joined says nothing yet. */
  sendRequestedUpdate(nodeId: NodeId): void {
    if (this.isInRing) this.sendUpdate(nodeId, 'full');
  }

  /** RFC 6940 §10.7.4.1: the periodic Update to every neighbour. */
  stabilize(): void {
    if (!this.isInRing) return;
    for (const nodeId of this.neighbors()) this.sendUpdate(nodeId, 'neighbors');
  }

  /** The Neighbor Table changed a moment ago (RFC 6940 §10.7.1 and §10.7.3). */
  announce(): void {
    if (!this.isInRing) return;
    // One whose link is still being made is in no list yet: there is nothing to tell of it.
    const predecessor = this.tables.predecessors()[0];
    const rangeChanged = predecessor !== this.announcedPredecessor;
    this.announcedPredecessor = predecessor;
    const reactive = this.env.configuration.chordReactive;
    for (const nodeId of this.links.connectedNodes()) {
      // Who does not acknowledge any more would get it five times in vain; else it is told later.
      if (this.suspended.has(nodeId)) continue;
      const routable = this.tables.has(nodeId);
      const lists = this.updateKind(nodeId);
      const stale = this.told.get(nodeId) !== this.tellKey(lists);
      if (rangeChanged && (stale || routable)) this.sendUpdate(nodeId, lists);
      else if (reactive && stale) this.sendUpdate(nodeId, lists);
    }
  }

  neighbors(): ReadonlySet<NodeId> {
    return this.tables.neighbors();
  }

  /** Whether `nodeId` said in its latest Update that this peer is in its Neighbor Table. */
  isListedBy(nodeId: NodeId): boolean {
    return this.listedBy.has(nodeId);
  }

  /** A peer that was believed to be coming is not: the range is looked at again. */
  recheck(): void {
    this.afterTablesChanged();
  }

  private nearestBefore(known: NodeId | undefined, others: readonly NodeId[]): NodeId | undefined {
    let nearest = known;
    for (const id of others) {
      if (nearest === undefined || isBetween(id, nearest, this.env.nodeId)) nearest = id;
    }
    return nearest;
  }

  private afterTablesChanged(): void {
    const predecessor = this.predecessor();
    const change = this.lists.noteChange();
    const rangeChanged = predecessor !== this.seenPredecessor;
    if (change === 'none' && !rangeChanged) return;
    this.seenPredecessor = predecessor;
    if (!this.isInRing) return;
    const isFar = change === 'far' && !rangeChanged;
    this.armAnnounce(isFar ? FAR_ANNOUNCE_DELAY_MS : ANNOUNCE_DELAY_MS);
    this.listener.handleNeighborsChanged();
    if (change !== 'none') this.tellNeighborsChanged();
  }

  private armAnnounce(delayMs: number): void {
    const atMs = this.env.now.monotonicMs + delayMs;
    if (this.env.deadlines.has('announce') && this.announceAtMs <= atMs) return;
    this.announceAtMs = atMs;
    this.env.deadlines.set('announce', { type: 'announce' }, atMs);
  }

  /**
   * Each peer looks often at the next ones alone. Whoever notices that one of these is gone sends
   * Updates, which lack it: so the others need not wait for long.
   */
  private doubtUnlisted(from: NodeId, update: ChordUpdate): void {
    if (update.type === 'peerReady' || !this.isInRing || this.taught.isDoubted(from)) return;
    const first = update.predecessors.at(-1);
    const last = update.successors.at(-1);
    if (first === undefined || last === undefined || first === last) return;
    for (const nodeId of this.tables.neighbors()) {
      if (nodeId === from || !isBetween(nodeId, first, last)) continue;
      if (update.predecessors.includes(nodeId) || update.successors.includes(nodeId)) continue;
      this.listener.handleNeighborDoubted(nodeId);
    }
  }

  private tellNeighborsChanged(): void {
    const predecessors = this.tables.predecessors();
    const successors = this.tables.successors();
    this.env.event({ type: 'neighborsChanged', predecessors, successors });
  }

  private noteListing(from: NodeId, update: ChordUpdate): void {
    const { nodeId } = this.env;
    const isListed =
      update.type !== 'peerReady' &&
      (update.predecessors.includes(nodeId) || update.successors.includes(nodeId));
    if (isListed) this.listedBy.add(from);
    else this.listedBy.delete(from);
  }

  /** RFC 6940 §10.7.3: attach to listed peers that belong into the Neighbor Table. */
  learn(nodeIds: readonly NodeId[], teacher: NodeId | undefined): void {
    const candidates = this.taught.newPeers(nodeIds);
    if (teacher !== undefined && !this.taught.isDoubted(teacher)) {
      for (const id of candidates) this.listener.noteFingerCandidate(id, teacher);
    }
    if (this.isInRing) this.taught.learn(candidates, teacher);
  }

  private routeFor(target: RingId): NodeId | undefined {
    if (this.isResponsible(target)) return this.env.nodeId;
    if (this.links.linkTo(target as NodeId) !== undefined) return target as NodeId;
    return this.nextHop(target);
  }

  private sendUpdate(nodeId: NodeId, kind: ChordUpdate['type'] | 'fitting'): void {
    const type = kind === 'fitting' ? this.updateKind(nodeId) : kind;
    this.told.set(nodeId, this.tellKey(type));
    this.transport.forget((owner) => owner.type === 'update' && owner.nodeId === nodeId);
    this.transport.request({
      destinationList: [nodeDestination(nodeId)],
      code: MessageCode.updateReq,
      body: encode(ChordUpdate, this.update(type)),
      owner: { type: 'update', nodeId },
    });
  }

  /** Lists go to neighbours and to those that are no peers (yet); others only hear that we are. */
  private updateKind(nodeId: NodeId): 'neighbors' | 'peerReady' {
    const wantsLists = this.tables.isNeighbor(nodeId) || !this.tables.has(nodeId);
    return wantsLists ? 'neighbors' : 'peerReady';
  }

  private update(type: ChordUpdate['type']): ChordUpdate {
    const uptime = this.env.uptimeSeconds;
    if (type === 'peerReady') return { type, uptime };
    const predecessors = [...this.tables.predecessors()];
    const successors = [...this.tables.successors()];
    if (type === 'neighbors') return { type, uptime, predecessors, successors };
    return { type, uptime, predecessors, successors, fingers: [...this.tables.fingers()] };
  }

  private tellKey(type: ChordUpdate['type']): number {
    return type === 'peerReady' ? READY : this.lists.version;
  }

  private nearestAtOrAfter(resource: RingId): NodeId | undefined {
    const neighbors = this.neighbors();
    let nearest: NodeId | undefined;
    for (const id of neighbors) {
      if (id === resource) return id;
      if (nearest === undefined || isBetween(id, resource, nearest)) nearest = id;
    }
    return nearest;
  }
}

function listedNodes(update: ChordUpdate): NodeId[] {
  if (update.type === 'peerReady') return [];
  const fingers = update.type === 'full' ? update.fingers : [];
  return [...update.predecessors, ...update.successors, ...fingers];
}

/** RFC 6940 §10.4: the successor and its successor. */
const REPLICAS = 2;
const READY = 0;
const NO_BYTES = new Uint8Array(0);
