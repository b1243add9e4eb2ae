import { placeName } from '../storage/place.ts';
import type { ResourceStore } from '../storage/resource-store.ts';
import { StoreRefusal } from '../storage/store-refusal.ts';
import { decode, readWhole } from '../wire/codec.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { StatAns, type StatKindResponse, storedMetaData } from '../wire/store.ts';
import type { ChordReload } from './chord-reload.ts';
import { everythingOf, fetchRequest } from './data-request.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { Replication } from './replication.ts';
import type { RequestOutcome } from './request-owner.ts';
import { isInRange } from './ring.ts';
import type { StorageService } from './storage-service.ts';

/**
 * Drops copies that this peer need not keep — RFC 6940 §10.7.3: "data of which this peer is no
 * replica any more". That nearer peers are known does not mean that they ever got it: a Stat asks
 * the one that is responsible. What that one lacks is brought to it, and only then dropped, or
 * after so many tries that it will not be taken.
 */
export class CopyRetirement {
  private readonly env: PeerEnvironment;
  private readonly store: ResourceStore;
  private readonly chord: ChordReload;
  private readonly transport: MessageTransport;
  private readonly replication: Replication;
  private readonly storage: StorageService;
  private readonly underWay = new Set<ResourceId>();
  /** How often the responsible peer lacked it. */
  private readonly tries = new Map<ResourceId, number>();

  constructor(
    env: PeerEnvironment,
    chord: ChordReload,
    transport: MessageTransport,
    replication: Replication,
    storage: StorageService,
  ) {
    this.env = env;
    this.store = env.options.store;
    this.chord = chord;
    this.transport = transport;
    this.replication = replication;
    this.storage = storage;
  }

  /** Looks through all that is stored here; called every minute. */
  keepHouse(): void {
    const isQuiet = !this.env.deadlines.has('holdDown') && this.replication.waiting === 0;
    if (!isQuiet) return;
    const held = new Set(this.store.resourceIds());
    for (const resource of this.tries.keys()) if (!held.has(resource)) this.tries.delete(resource);
    for (const resource of held) {
      if (!this.isOutOfRange(resource)) this.tries.delete(resource);
      else if (!this.replication.isMisplaced(resource)) this.ask(resource);
    }
  }

  handleOutcome(resource: ResourceId, outcome: RequestOutcome): void {
    this.underWay.delete(resource);
    const isAnswered = outcome.type === 'answer' || outcome.type === 'error';
    if (!this.isOutOfRange(resource) || !isAnswered) return;
    const isHeld = outcome.type === 'answer' && this.hasAll(resource, outcome.body);
    const tries = this.tries.get(resource) ?? 0;
    if (isHeld || tries >= TRIES_MAX) {
      this.tries.delete(resource);
      this.storage.write(this.store.remove(resource));
      return;
    }
    this.tries.set(resource, tries + 1);
    this.replication.noteMisplaced(resource);
  }

  /** Three nearer peers are known. */
  private isOutOfRange(resource: ResourceId): boolean {
    const third = this.chord.tables.predecessors()[REPLICA_SET_SIZE - 1];
    if (!this.chord.isInRing || third === undefined) return false;
    return !isInRange(resource, third, this.env.nodeId);
  }

  private ask(resource: ResourceId): void {
    if (this.underWay.size >= this.env.limits.adoptionsMax || this.underWay.has(resource)) return;
    const kinds = this.store.exportResource(resource, this.env.now)?.kindData ?? [];
    const specifiers = kinds.flatMap(({ kind }) => everythingOf(this.env, kind));
    if (specifiers.length === 0) return;
    this.underWay.add(resource);
    const owner = { type: 'retireCopy', resource } as const;
    this.transport.request({
      ...fetchRequest(resource, specifiers, owner, MessageCode.statReq),
      transmissionsMax: 2,
    });
  }

  /** Whether the answer has each of our values, or a newer one at its place. */
  private hasAll(resource: ResourceId, body: Uint8Array): boolean {
    const answer = decode(StatAns, body, this.env.configuration.nodeIdLength);
    if (answer instanceof MalformedMessage) return false;
    const theirs = this.storageTimes(answer.kindResponses);
    const kinds = this.store.exportResource(resource, this.env.now)?.kindData ?? [];
    const specifiers = kinds.flatMap(({ kind }) =>
      everythingOf(this.env, kind).map(({ specifier }) => ({ kind, generation: 0n, specifier })),
    );
    const ours = this.store.stat(resource, specifiers, this.env.now);
    if (theirs === undefined || ours instanceof StoreRefusal) return false;
    for (const [name, storageTime] of this.storageTimes(ours) ?? []) {
      if ((theirs.get(name) ?? 0n) < storageTime) return false;
    }
    return true;
  }

  /** By Kind and place. What was made up for a gap in an array has the storage time 0. */
  private storageTimes(responses: readonly StatKindResponse[]): Map<string, bigint> | undefined {
    const times = new Map<string, bigint>();
    const { kinds, nodeIdLength } = this.env.configuration;
    for (const { kind, values } of responses) {
      const model = kinds.get(kind)?.dataModel;
      if (model === undefined) continue;
      const codec = storedMetaData(model);
      const fault = readWhole(values, nodeIdLength, (reader) => {
        while (reader.remaining > 0) {
          const { storageTime, value } = codec.read(reader);
          times.set(`${kind}/${placeName(value)}`, storageTime);
        }
      });
      if (fault instanceof MalformedMessage) return undefined;
    }
    return times;
  }
}

/** The responsible peer and its two copies (RFC 6940 §10.4). */
const REPLICA_SET_SIZE = 3;
/** Rounds of placing, each of several attempts, before it is given up. */
const TRIES_MAX = 3;
