import type { ResourceStore } from '../storage/resource-store.ts';
import type { ResourceExport } from '../storage/store-result.ts';
import { encode } from '../wire/codec.ts';
import { nodeDestination, resourceDestination } from '../wire/destination.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { StoreReq } from '../wire/store.ts';
import type { ChordReload } from './chord-reload.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerLoads } from './peer-loads.ts';
import type { RequestOutcome } from './request-owner.ts';
import { clockwiseFrom, isInRange } from './ring.ts';
import { REPLICATION_RETRY_MS, SUCCESSOR_HOLD_DOWN_MS } from './timing.ts';

/** What replication tells the rest of the Peer. */
export interface ReplicationListener {
  /** The other end has newer data of this resource: fetch and adopt it (RFC 6940 §7.4.1.1). */
  handleNewerElsewhere(resource: ResourceId, nodeId: NodeId): void;
  /** Nothing is on its way to this node any more. */
  handleDrained(nodeId: NodeId): void;
}

/**
 * Copies of what this peer is responsible for — RFC 6940 §10.4 and §10.7.3 — and the hand-over of
 * what it is responsible for no longer. All of it are replica Stores (AMB-12): only the author of a
 * value may store it as an original.
 */
export class Replication {
  private readonly env: PeerEnvironment;
  private readonly store: ResourceStore;
  private readonly chord: ChordReload;
  private readonly links: LinkManager;
  private readonly transport: MessageTransport;
  private readonly listener: ReplicationListener;
  /** Waiting copies by name, in the order in which they were asked for. */
  private readonly queue = new Map<string, Copy>();
  private readonly inFlight = new Map<string, Copy>();
  private readonly retries = new Map<string, Copy>();
  /** Members of the replica set that have everything. */
  private replicatedTo: readonly NodeId[] = [];
  /** Resources that this peer is, or was a moment ago, responsible for. */
  private readonly owned = new Set<ResourceId>();
  /** Who is responsible for what this peer has copies of, as it saw it last. */
  private owners = new Map<ResourceId, NodeId>();
  /** Those whose new owner has not confirmed them yet. */
  private readonly misplaced = new Map<ResourceId, Placing>();
  private offersInFlight = 0;

  constructor(
    env: PeerEnvironment,
    store: ResourceStore,
    chord: ChordReload,
    links: LinkManager,
    transport: MessageTransport,
    listener: ReplicationListener,
  ) {
    this.env = env;
    this.store = store;
    this.chord = chord;
    this.links = links;
    this.transport = transport;
    this.listener = listener;
  }

  get waiting(): number {
    return this.queue.size + this.inFlight.size + this.retries.size;
  }

  get loads(): Pick<PeerLoads, `replications${string}` & keyof PeerLoads> {
    return {
      replicationsQueued: this.queue.size,
      replicationsInFlight: this.inFlight.size,
      replicationsToRetry: this.retries.size,
      replicationsMisplaced: this.misplaced.size,
    };
  }

  /** An original Store changed `resource` and was answered (RFC 6940 §10.4). */
  handleStored(resource: ResourceId): void {
    this.owned.add(resource);
    for (const nodeId of this.chord.replicaSet()) this.enqueue(resource, nodeId);
    this.pump();
  }

  /** Copies every resource in (after, upTo] to `nodeId`. */
  copyRange(nodeId: NodeId, after: string, upTo: string): void {
    for (const resource of this.store.resourceIds()) {
      if (isInRange(resource, after, upTo)) this.enqueue(resource, nodeId);
    }
    this.pump();
  }

  /** Copies one resource to one node. */
  copy(resource: ResourceId, nodeId: NodeId): void {
    this.enqueue(resource, nodeId);
    this.pump();
  }

  /**
   * A process of this node that is gone had copies on their way to it: these go out anew, and so do
   * those that were refused, instead of waiting for their next transmission.
   */
  startAnew(nodeId: NodeId): void {
    for (const table of [this.inFlight, this.retries]) {
      for (const [name, copy] of table) {
        if (copy.nodeId !== nodeId) continue;
        table.delete(name);
        this.queue.set(name, { ...copy, partsWaiting: 0 });
      }
    }
    this.transport.forget((owner) => owner.type === 'replicate' && owner.nodeId === nodeId);
  }

  isSendingTo(nodeId: NodeId): boolean {
    for (const table of [this.queue, this.inFlight, this.retries]) {
      for (const copy of table.values()) if (copy.nodeId === nodeId) return true;
    }
    return false;
  }

  /** A member of the replica set failed: its replacement waits for the hold-down (§10.7.1). */
  handleReplicaLost(nodeId: NodeId): void {
    for (const table of [this.queue, this.retries]) {
      for (const [name, copy] of table) if (copy.nodeId === nodeId) table.delete(name);
    }
    if (!this.replicatedTo.includes(nodeId)) return;
    this.replicatedTo = this.replicatedTo.filter((member) => member !== nodeId);
    this.env.after('holdDown', { type: 'holdDown' }, SUCCESSOR_HOLD_DOWN_MS);
  }

  /** The Neighbor Table changed; during a hold-down nothing is done until it is over. */
  handleNeighborsChanged(): void {
    if (!this.env.deadlines.has('holdDown')) this.synchronize();
  }

  /**
   * RFC 6940 §10.7.3: new members of the replica set get everything, all members what this peer has
   * become responsible for; what it is responsible for no longer goes to the new owner (§6.4.2.3).
   */
  synchronize(): void {
    if (!this.chord.isInRing) return;
    const members = this.chord.replicaSet();
    const newMembers = members.filter((member) => !this.replicatedTo.includes(member));
    const ownersBefore = this.owners;
    this.owners = new Map();
    for (const resource of this.store.resourceIds()) {
      if (!this.chord.isResponsible(resource)) {
        const owner = this.nearerOwner(resource);
        if (owner !== undefined) this.owners.set(resource, owner);
        const isOrphan = this.isOrphan(ownersBefore.get(resource), owner);
        if (this.owned.delete(resource) || isOrphan) this.noteMisplaced(resource);
        continue;
      }
      const isNew = !this.owned.has(resource);
      this.owned.add(resource);
      this.misplaced.delete(resource);
      for (const member of isNew ? members : newMembers) this.enqueue(resource, member);
    }
    this.replicatedTo = members;
    this.placeMisplaced();
    this.pump();
  }

  /** An admitted node got its share before: it need not be passed on again. */
  noteHandedOver(predecessor: NodeId): void {
    for (const resource of this.owned) {
      if (!isInRange(resource, predecessor, this.env.nodeId)) this.owned.delete(resource);
    }
  }

  /** The node responsible for `resource` does not have it from us, and perhaps from nobody. */
  noteMisplaced(resource: ResourceId): void {
    if (this.misplaced.size < this.env.limits.replicationsQueuedMax) {
      const dueMs = this.env.now.monotonicMs;
      this.misplaced.set(resource, { attempts: 0, refusals: 0, dueMs });
    }
    this.armRetry();
  }

  isMisplaced(resource: ResourceId): boolean {
    return this.misplaced.has(resource);
  }

  handleOutcome(resource: ResourceId, nodeId: NodeId, outcome: RequestOutcome): void {
    const name = `${nodeId}:${resource}`;
    const copy = this.inFlight.get(name);
    if (copy === undefined) return;
    copy.partsWaiting--;
    if (outcome.type !== 'answer') this.noteFailure(name, copy, outcome);
    else if (this.isOwnerOf(resource, nodeId)) this.misplaced.delete(resource);
    if (copy.partsWaiting > 0) return;
    this.inFlight.delete(name);
    this.pump();
    if (!this.isSendingTo(nodeId)) this.listener.handleDrained(nodeId);
  }

  /** An owner that refuses the copy has had the chance to fetch it. */
  handleOfferOutcome(resource: ResourceId, outcome: RequestOutcome): void {
    this.offersInFlight--;
    const placing = this.misplaced.get(resource);
    if (outcome.type === 'answer') this.misplaced.delete(resource);
    else if (placing !== undefined && outcome.type === 'error') placing.refusals++;
    const wasSent = outcome.type !== 'too-busy' && outcome.type !== 'no-route';
    if (this.offersInFlight === 0 && wasSent) this.placeMisplaced();
  }

  retry(): void {
    for (const [name, copy] of this.retries) this.queue.set(name, copy);
    this.retries.clear();
    this.placeMisplaced();
    this.pump();
  }

  /**
   * The owner of a copy is gone and another peer is it now. That one may have joined a moment ago,
   * when the old owner still had to wait before it made copies (§10.7.1): then only we have it.
   */
  private isOrphan(before: NodeId | undefined, owner: NodeId | undefined): boolean {
    return before !== undefined && before !== owner && !this.chord.tables.has(before);
  }

  private isOwnerOf(resource: ResourceId, nodeId: NodeId): boolean {
    return this.nearerOwner(resource) === nodeId;
  }

  /**
   * The nearest connected peer at or after the Resource-ID, if it comes before this one. It is the
   * owner, or knows it. undefined: what took the range from this peer is not connected yet.
   */
  private nearerOwner(resource: ResourceId): NodeId | undefined {
    const nearest = clockwiseFrom(this.chord.tables.peers(), resource, 1)[0];
    const isNearer = nearest !== undefined && isInRange(nearest, resource, this.env.nodeId);
    return isNearer || nearest === (resource as string) ? nearest : undefined;
  }

  private noteFailure(
    name: string,
    copy: Copy,
    outcome: Exclude<RequestOutcome, { type: 'answer' }>,
  ): void {
    const code = outcome.type === 'error' ? outcome.errorCode : undefined;
    if (NEWER_ELSEWHERE.has(code)) {
      this.listener.handleNewerElsewhere(copy.resource, copy.nodeId);
      return;
    }
    if (code === ErrorCode.Error_Data_Too_Large || copy.attempts >= ATTEMPTS_MAX) return;
    if (this.links.linkTo(copy.nodeId) === undefined) return;
    this.retries.set(name, { ...copy, partsWaiting: 0, attempts: copy.attempts + 1 });
    this.armRetry();
  }

  /**
   * To the nearest peer that we know. Where that leads nowhere, the Resource-ID itself does: its
   * owner may refuse a copy of a node so far away (RFC 6940 §7.4.1.1), but learns of the data and
   * fetches it.
   */
  private placeMisplaced(): void {
    const nowMs = this.env.now.monotonicMs;
    for (const [resource, placing] of this.misplaced) {
      if (placing.dueMs > nowMs) continue;
      const target = this.nearerOwner(resource);
      const isOver =
        placing.attempts >= PLACING_ATTEMPTS_MAX || placing.refusals >= OFFERS_REFUSED_MAX;
      if (this.chord.isResponsible(resource) || isOver) {
        this.misplaced.delete(resource);
      } else if (placing.attempts < NEAREST_ATTEMPTS_MAX || this.mayOffer()) {
        placing.attempts++;
        placing.dueMs = nowMs + REPLICATION_RETRY_MS;
        if (placing.attempts > NEAREST_ATTEMPTS_MAX) this.offer(resource);
        else if (target !== undefined) this.enqueue(resource, target);
      }
    }
    if (this.misplaced.size > 0) this.armRetry();
  }

  /** After a partition there may be thousands to offer: the others wait for their turn. */
  private mayOffer(): boolean {
    return this.offersInFlight < this.env.limits.replicationsInFlightMax;
  }

  private offer(resource: ResourceId): void {
    const parts = this.exportParts(resource);
    if (parts.length === 0) this.misplaced.delete(resource);
    for (const part of parts) {
      this.offersInFlight++;
      this.transport.request({
        destinationList: [resourceDestination(resource)],
        ...this.storeRequest(resource, 1, part),
        owner: { type: 'offer', resource },
        anySigner: true,
        transmissionsMax: 1,
      });
    }
  }

  private exportParts(resource: ResourceId): ResourceExport[] {
    const partBytesMax = this.env.configuration.maxMessageSizeBytes - MESSAGE_OVERHEAD_BYTES;
    return this.store.exportParts(resource, partBytesMax, this.env.now);
  }

  private storeRequest(resource: ResourceId, replicaNumber: number, part: ResourceExport) {
    const kindData = [...part.kindData];
    return {
      code: MessageCode.storeReq,
      body: encode(StoreReq, { resource, replicaNumber, kindData }),
      certificates: part.certificates,
    };
  }

  private armRetry(): void {
    if (this.env.deadlines.has('replication')) return;
    this.env.after('replication', { type: 'replication' }, REPLICATION_RETRY_MS);
  }

  private enqueue(resource: ResourceId, nodeId: NodeId): void {
    if (nodeId === this.env.nodeId) return;
    if (this.queue.size >= this.env.limits.replicationsQueuedMax) return;
    const name = `${nodeId}:${resource}`;
    this.retries.delete(name);
    this.queue.set(name, { resource, nodeId, attempts: 0, partsWaiting: 0 });
  }

  private pump(): void {
    for (const [name, copy] of this.queue) {
      if (this.inFlight.size >= this.env.limits.replicationsInFlightMax) return;
      // A newer state of the same resource waits until the older one has arrived.
      if (this.inFlight.has(name)) continue;
      this.queue.delete(name);
      this.send(name, copy);
    }
  }

  private send(name: string, copy: Copy): void {
    const parts = this.exportParts(copy.resource);
    if (parts.length === 0 || this.links.linkTo(copy.nodeId) === undefined) {
      this.env.queue(() => {
        if (!this.isSendingTo(copy.nodeId)) this.listener.handleDrained(copy.nodeId);
      });
      return;
    }
    copy.partsWaiting = parts.length;
    this.inFlight.set(name, copy);
    for (const part of parts) this.sendPart(copy, part);
  }

  private sendPart(copy: Copy, part: ResourceExport): void {
    const position = this.chord.replicaSet().indexOf(copy.nodeId);
    this.transport.request({
      destinationList: [nodeDestination(copy.nodeId)],
      ...this.storeRequest(copy.resource, position < 0 ? 1 : position + 1, part),
      owner: { type: 'replicate', resource: copy.resource, nodeId: copy.nodeId },
    });
  }
}

interface Copy {
  readonly resource: ResourceId;
  readonly nodeId: NodeId;
  readonly attempts: number;
  partsWaiting: number;
}

/** How far the search for the owner of a resource is. */
interface Placing {
  attempts: number;
  /** Times that an owner refused to take the copy from this node. */
  refusals: number;
  /** Of the next attempt, monotonic. */
  dueMs: number;
}

const NEWER_ELSEWHERE = new Set<number | undefined>([
  ErrorCode.Error_Data_Too_Old,
  ErrorCode.Error_Generation_Counter_Too_Low,
]);
const ATTEMPTS_MAX = 5;
/** Tries with the nearest known peer, before the Resource-ID is asked. */
const NEAREST_ATTEMPTS_MAX = 2;
const OFFERS_REFUSED_MAX = 3;
/** Tries to find the owner of a resource, one every few seconds; then its other copies must do. */
const PLACING_ATTEMPTS_MAX = 24;
/** Room for the header, the own certificates and the signature beside the values. */
const MESSAGE_OVERHEAD_BYTES = 6_144;
