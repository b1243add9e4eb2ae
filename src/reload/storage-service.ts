import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import type { PersistRecord } from '../storage/persist-record.ts';
import type { ResourceStore } from '../storage/resource-store.ts';
import { refuseUnknownKinds, StoreRefusal } from '../storage/store-refusal.ts';
import type { StoreKindRequest, StoreRequest, VerifiedValue } from '../storage/store-request.ts';
import type { CommitResult, KindSpecifier } from '../storage/store-result.ts';
import { SignatureRefusal } from '../tls-auth/verified-signer.ts';
import { decode, encode } from '../wire/codec.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import {
  FetchAns,
  FetchReq,
  FindAns,
  FindReq,
  modelSpecifier,
  StatAns,
  StoreAns,
  type StoredDataSpecifier,
  StoreReq,
} from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { ChordReload } from './chord-reload.ts';
import type { PersistTicket } from './input.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { clockwiseFrom, distance, isInRange, lowerBound } from './ring.ts';
import { readValues, verifyValue } from './value-verification.ts';

/** What the storage service tells the rest of the Peer. */
export interface StorageListener {
  /** An original Store changed the resource, is durable and was answered. */
  handleStored(resource: ResourceId): void;
  /** A copy came from a node that is not the owner of the resource: the owner may lack it. */
  handlePassedOn(resource: ResourceId): void;
  /** A copy was refused that this peer, who is responsible, may lack: the sender has it. */
  handleOffered(resource: ResourceId, kinds: readonly KindId[], nodeId: NodeId): void;
  /** A replica Store came from this node. */
  noteReplicaStore(from: NodeId): void;
  /** The admitting peer hands data over before this node is in the ring. */
  admittingPeer(): NodeId | undefined;
}

/**
 * Answers Store, Fetch, Stat and Find — RFC 6940 §7.4. All checks come before any change, the
 * change is whole, and the answer waits until it is on disk.
 */
export class StorageService {
  private readonly env: PeerEnvironment;
  private readonly store: ResourceStore;
  private readonly chord: ChordReload;
  private readonly receiver: MessageReceiver;
  private readonly listener: StorageListener;
  private readonly waiting = new Map<PersistTicket, WaitingAnswer>();
  /** Of each write that is on its way: the resource whose values it has. */
  private readonly writing = new Map<PersistTicket, ResourceId>();
  /** Resources of which a write failed: what memory has must get to disk some time. */
  private readonly unwritten = new Set<ResourceId>();
  private nextTicket = 1;

  constructor(
    env: PeerEnvironment,
    store: ResourceStore,
    chord: ChordReload,
    receiver: MessageReceiver,
    listener: StorageListener,
  ) {
    this.env = env;
    this.store = store;
    this.chord = chord;
    this.receiver = receiver;
    this.listener = listener;
  }

  /** RFC 6940 §7.4.1. */
  handleStore(request: VerifiedRequest): void {
    const store = this.decoded(request, StoreReq);
    if (store === undefined) return;
    const refusal = this.routingRefusal(store.resource, store.replicaNumber, request.signer.nodeId);
    if (refusal !== undefined) {
      this.refuse(request, refusal);
      const isCopy = store.replicaNumber !== 0;
      if (isCopy && this.chord.isResponsible(store.resource)) this.noteOffer(store, request);
      return;
    }
    const kinds = this.verifiedKinds(store, request);
    if (kinds instanceof StoreRefusal) {
      this.refuse(request, kinds);
      return;
    }
    const result = this.apply({
      resource: store.resource,
      replicaNumber: store.replicaNumber,
      requestSigner: request.signer,
      kinds,
    });
    if (result instanceof StoreRefusal) {
      this.refuse(request, result);
      return;
    }
    if (store.replicaNumber !== 0) this.listener.noteReplicaStore(request.signer.nodeId);
    const isOriginal = store.replicaNumber === 0;
    const waiting = { request, resource: store.resource, result, isOriginal };
    this.persist(result.records, store.resource, waiting);
  }

  /** Takes over newer data that another peer has (RFC 6940 §7.4.1.1, §7.4.1.2). */
  adopt(request: StoreRequest): void {
    const result = this.apply({ ...request, leaveOutOlder: true });
    if (result instanceof StoreRefusal) return;
    const { resource } = request;
    this.persist(result.records, resource);
    const isOurs = result.changed && this.chord.isResponsible(resource);
    if (isOurs) this.listener.handleStored(resource);
  }

  /** Writes records that no answer waits for: expired, removed, dropped. */
  write(records: readonly PersistRecord[]): void {
    this.persist(records);
  }

  handlePersisted(ticket: PersistTicket): void {
    const waiting = this.waiting.get(ticket);
    this.waiting.delete(ticket);
    this.writing.delete(ticket);
    if (waiting !== undefined) this.answerStore(waiting);
  }

  /** A full disk, for example: nothing is acknowledged that is not durable. */
  handlePersistFailed(ticket: PersistTicket, reason: string): void {
    const waiting = this.waiting.get(ticket);
    this.waiting.delete(ticket);
    const resource = this.writing.get(ticket);
    this.writing.delete(ticket);
    if (resource !== undefined) this.unwritten.add(resource);
    if (waiting === undefined) return;
    const detail = `it could not be written to disk: ${reason}`;
    this.receiver.respondError(waiting.request, ErrorCode.Error_Data_Too_Large, detail);
  }

  /** Writes again what could not be written. */
  retryUnwritten(): void {
    const resources = [...this.unwritten];
    this.unwritten.clear();
    for (const resource of resources) this.persist(this.store.recordsOf(resource), resource);
  }

  /** RFC 6940 §7.4.2. */
  handleFetch(request: VerifiedRequest): void {
    const fetch = this.decoded(request, FetchReq);
    if (fetch === undefined) return;
    const specifiers = this.specifiers(fetch.specifiers);
    const result =
      specifiers instanceof StoreRefusal
        ? specifiers
        : this.store.fetch(fetch.resource, specifiers, this.env.now);
    if (result instanceof StoreRefusal) {
      this.refuse(request, result);
      return;
    }
    const body = encode(FetchAns, { kindResponses: [...result.responses] });
    this.receiver.respond(request, body, result.certificates);
  }

  /** RFC 6940 §7.4.3. */
  handleStat(request: VerifiedRequest): void {
    const stat = this.decoded(request, FetchReq);
    if (stat === undefined) return;
    const specifiers = this.specifiers(stat.specifiers);
    const result =
      specifiers instanceof StoreRefusal
        ? specifiers
        : this.store.stat(stat.resource, specifiers, this.env.now);
    if (result instanceof StoreRefusal) {
      this.refuse(request, result);
      return;
    }
    this.receiver.respond(request, encode(StatAns, { kindResponses: result }));
  }

  /** RFC 6940 §7.4.4. */
  handleFind(request: VerifiedRequest): void {
    const find = this.decoded(request, FindReq);
    if (find === undefined) return;
    if (new Set(find.kinds).size < find.kinds.length) {
      const detail = 'a Kind is asked for twice';
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, detail);
      return;
    }
    if (!this.chord.isResponsible(find.resource)) {
      const detail = 'this peer is not responsible for that Resource-ID';
      this.receiver.respondError(request, ErrorCode.Error_Not_Found, detail);
      return;
    }
    const alone = this.chord.predecessor() === undefined;
    const last = alone ? undefined : (this.env.nodeId as string as ResourceId);
    const results = this.store.find(find.resource, find.kinds, last, this.env.now);
    if (results instanceof StoreRefusal) this.refuse(request, results);
    else this.receiver.respond(request, encode(FindAns, { results }));
  }

  /** Who may not put a copy here may still have what this peer is responsible for and lacks. */
  private noteOffer(store: StoreReq, request: VerifiedRequest): void {
    const kinds = store.kindData.map(({ kind }) => kind);
    this.listener.handleOffered(store.resource, kinds, request.signer.nodeId);
  }

  private apply(request: StoreRequest): CommitResult | StoreRefusal {
    const plan = this.store.plan(request, this.env.now);
    if (plan instanceof StoreRefusal) return plan;
    const result = this.store.commit(plan, this.env.now);
    this.armExpiry();
    return result;
  }

  armExpiry(): void {
    const deadline = this.store.nextDeadline();
    if (deadline === undefined) return;
    this.env.deadlines.set('storeExpiry', { type: 'storeExpiry' }, deadline);
  }

  /** Writes records; those of a resource's values say which one, so that no answer outruns them. */
  private persist(
    records: readonly PersistRecord[],
    resource?: ResourceId,
    waiting?: WaitingAnswer,
  ): void {
    // What a repeated Store finds in memory may not be on disk yet, or could not be written: it is
    // written once more, and only then acknowledged.
    const isBehind = waiting !== undefined && this.isUnwritten(waiting.resource);
    const batch = isBehind ? [...this.store.recordsOf(waiting.resource), ...records] : records;
    if (batch.length === 0) {
      if (waiting !== undefined) this.answerStore(waiting);
      return;
    }
    const ticket = this.nextTicket++;
    if (waiting !== undefined) this.waiting.set(ticket, waiting);
    if (resource !== undefined) this.writing.set(ticket, resource);
    this.env.emit({ type: 'persist', ticket, records: batch });
  }

  /** Memory has something of the resource that the disk may not have. */
  private isUnwritten(resource: ResourceId): boolean {
    if (this.unwritten.has(resource)) return true;
    for (const written of this.writing.values()) if (written === resource) return true;
    return false;
  }

  /** RFC 6940 §10.4: the answer first, then the copies. */
  private answerStore({ request, resource, result, isOriginal }: WaitingAnswer): void {
    const replicas = isOriginal ? this.chord.replicaSet() : [];
    const kindResponses = result.responses.map((response) => ({ ...response, replicas }));
    this.receiver.respond(request, encode(StoreAns, { kindResponses }));
    if (!result.changed) return;
    // Data that its former owner passes on is ours to copy from now on.
    if (isOriginal || this.chord.isResponsible(resource)) this.listener.handleStored(resource);
    else if (!this.isOwner(resource, request.signer.nodeId)) this.listener.handlePassedOn(resource);
  }

  /** Whether `nodeId` is the nearest node at or after the Resource-ID, as far as we know. */
  private isOwner(resource: ResourceId, nodeId: NodeId): boolean {
    const nearest = clockwiseFrom(this.knownPeers(), resource, 1)[0] as NodeId;
    return nearest === nodeId || isInRange(nodeId, resource, nearest);
  }

  /** RFC 6940 §7.4.1.1: may this peer store the resource on the word of that sender? */
  private routingRefusal(
    resource: ResourceId,
    replicaNumber: number,
    sender: NodeId,
  ): StoreRefusal | undefined {
    if (this.env.options.role === 'client') {
      return new StoreRefusal(ErrorCode.Error_Forbidden, 'a client stores nothing for others');
    }
    if (resource.length !== this.env.nodeId.length) {
      const detail = `expected a Resource-ID of 16 bytes, got ${resource.length / 2}`;
      return new StoreRefusal(ErrorCode.Error_Forbidden, detail);
    }
    if (replicaNumber === 0) {
      if (this.chord.isResponsible(resource)) return undefined;
      const detail = 'this peer is not responsible for that Resource-ID';
      return new StoreRefusal(ErrorCode.Error_Not_Found, detail);
    }
    if (sender === this.listener.admittingPeer()) return undefined;
    return this.replicaRefusal(resource, sender);
  }

  /**
   * RFC 6940 §7.4.1.1: this peer expects to be a replica (or has become responsible), and the
   * sender belongs to the replica set that we know, or is closer than some member of it.
   */
  private replicaRefusal(resource: ResourceId, sender: NodeId): StoreRefusal | undefined {
    const members = clockwiseFrom(this.knownPeers(), resource, REPLICA_SET_SIZE);
    if (!members.includes(this.env.nodeId)) {
      const detail = 'nearer peers than this one are known for that Resource-ID';
      return new StoreRefusal(ErrorCode.Error_Forbidden, detail);
    }
    const farthest = members.at(-1) as NodeId;
    const near = distance(resource, sender) <= distance(resource, farthest);
    if (near || members.includes(sender)) return undefined;
    const detail = 'the sender does not belong to the replica set of that Resource-ID';
    return new StoreRefusal(ErrorCode.Error_Forbidden, detail);
  }

  /** In the order of Node-IDs, this one included. */
  private knownPeers(): NodeId[] {
    const known = [...this.chord.tables.peers()];
    known.splice(lowerBound(known, this.env.nodeId), 0, this.env.nodeId);
    return known;
  }

  private verifiedKinds(
    store: StoreReq,
    request: VerifiedRequest,
  ): StoreKindRequest[] | StoreRefusal {
    const unknown = store.kindData.filter(({ kind }) => this.kind(kind) === undefined);
    if (unknown.length > 0) return refuseUnknownKinds(unknown.map(({ kind }) => kind));
    const kinds: StoreKindRequest[] = [];
    for (const { kind, generationCounter, values } of store.kindData) {
      const definition = this.kind(kind) as KindDefinition;
      const verified = this.verifiedValues(values, definition, store.resource, request);
      if (verified instanceof StoreRefusal) return verified;
      kinds.push({ kind, generationCounter, values: verified });
    }
    return kinds;
  }

  private verifiedValues(
    bytes: Uint8Array,
    kind: KindDefinition,
    resource: ResourceId,
    request: VerifiedRequest,
  ): VerifiedValue[] | StoreRefusal {
    const values = readValues(bytes, kind, this.env.configuration.nodeIdLength);
    if (values instanceof MalformedMessage) {
      return new StoreRefusal(ErrorCode.Error_Invalid_Message, values.describe());
    }
    const verified: VerifiedValue[] = [];
    for (const data of values) {
      const value = verifyValue(this.env, resource, kind, data, request.certificates);
      if (value instanceof SignatureRefusal) {
        return new StoreRefusal(ErrorCode.Error_Forbidden, value.describe());
      }
      verified.push(value);
    }
    return verified;
  }

  private specifiers(wire: readonly StoredDataSpecifier[]): KindSpecifier[] | StoreRefusal {
    const unknown = wire.filter(({ kind }) => this.kind(kind) === undefined);
    if (unknown.length > 0) return refuseUnknownKinds(unknown.map(({ kind }) => kind));
    const specifiers: KindSpecifier[] = [];
    for (const { kind, generation, modelSpecifier: bytes } of wire) {
      const model = (this.kind(kind) as KindDefinition).dataModel;
      const specifier = decode(modelSpecifier(model), bytes);
      if (specifier instanceof MalformedMessage) {
        return new StoreRefusal(ErrorCode.Error_Invalid_Message, specifier.describe());
      }
      specifiers.push({ kind, generation, specifier });
    }
    return specifiers;
  }

  private decoded<T>(
    request: VerifiedRequest,
    codec: Parameters<typeof decode<T>>[0],
  ): T | undefined {
    const body = decode(codec, request.body, this.env.configuration.nodeIdLength);
    if (!(body instanceof MalformedMessage)) return body;
    this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, body.describe());
    return undefined;
  }

  private refuse(request: VerifiedRequest, refusal: StoreRefusal): void {
    this.receiver.respondError(request, refusal.errorCode, refusal.errorInfo);
  }

  private kind(kind: number): KindDefinition | undefined {
    return this.env.configuration.kinds.get(kind);
  }
}

interface WaitingAnswer {
  readonly request: VerifiedRequest;
  readonly resource: ResourceId;
  readonly result: CommitResult;
  readonly isOriginal: boolean;
}

/** The responsible peer and its two copies (RFC 6940 §10.4). */
const REPLICA_SET_SIZE = 3;
