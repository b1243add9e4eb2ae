import type { Command } from '../../src/reload/command.ts';
import type { CommandId, Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { PersistRecord } from '../../src/storage/persist-record.ts';
import { placeName } from '../../src/storage/place.ts';
import { valueKey } from '../../src/storage/store-record.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { ARRAY_INDEX_END, type KindId } from '../../src/wire/stored-data.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';
import {
  authorNames,
  type DurableValue,
  durableValueOf,
  isValueKey,
  placesPrefixOf,
} from './durable-value.ts';
import { LossExpectation } from './loss-expectation.ts';
import { Membership } from './membership.ts';
import { type LostCopy, TrackedValue } from './tracked-value.ts';
import { COPIES, WantedCopies } from './wanted-copies.ts';

/** Times in ms of the World. */
export interface AcknowledgedStoresOptions {
  /** From a death until the copies that are missing are there again: detection and hold-down. */
  readonly repairMs: number;
  /**
   * Copies may expire this much before their time, a tenth of the lifetime at most: each copying
   * rounds a lifetime down to seconds (RFC 6940 §7.4.1.1).
   */
  readonly lifetimeSlackMs: number;
}

/** For the report. */
export interface StoreCounts {
  readonly ackedStores: number;
  /** Acknowledged values of which no running host had a copy at some moment. */
  readonly lostStores: number;
  /** Of these, those within the promise. */
  readonly excusedLosses: number;
  /** Of the lost ones, those that a restarted host brought back. */
  readonly returnedStores: number;
  /** See loss-arithmetic.ts. */
  readonly expectedExcusedLosses: number;
  /** How many acknowledged values have this many copies now; the last one counts all above. */
  readonly aliveByReplicaCount: readonly number[];
}

/**
 * No acknowledged Store is lost — within this promise. RFC 6940 §10.4 answers a Store first and
 * replicates it then, to two successors; a dead replica is replaced after detection and the
 * hold-down of 30 s (§10.7.1). So an acknowledged value may be lost where its holders died one
 * after another, each within `repairMs` of the one before (the first one within `repairMs` of the
 * Store itself if it was not replicated yet): between two of these deaths nobody could have made
 * the copy. Such losses are counted beside the number that arithmetic expects. Every other loss is
 * a violation (`correctness`):
 * - copies were missing for longer than `repairMs` before the next holder died;
 * - the last holder dropped its copy before the lifetime was over;
 * - a Store was acknowledged that no disk ever had.
 *
 * A copy counts if it is durable on a running host; a full disk cannot hold one. A removal is a
 * value, too, and a later value at the same place takes over from the earlier one (§7.4.1.1).
 * Acknowledged is what a node says of its own records (`ownDataStored`) and the outcome of its
 * commands.
 */
export class AcknowledgedStores implements Checker {
  readonly name = 'acknowledged Stores';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly options: AcknowledgedStoresOptions;
  private readonly members: Membership;
  private readonly wanted: WantedCopies;
  private readonly values = new Map<string, TrackedValue>();
  /** The places of one Resource-ID and Kind that ever had a value, and who wrote there. */
  private readonly places = new Map<string, { keys: Set<string>; authors: Set<string> }>();
  /** By running host; and what hosts that do not run have on their disks. */
  private readonly held = new Map<SimNode, Set<string>>();
  private readonly commands = new Map<CommandId, StoreUnderWay>();
  private readonly expectation: LossExpectation;
  private ackedStores = 0;
  private lostStores = 0;
  private excusedLosses = 0;
  private returnedStores = 0;
  /** When the overlay last had too few members for all copies, or grew out of that. */
  private smallMs = 0;
  private readonly excusedAuthors = new Set<string>();

  constructor(
    world: World,
    report: ReportViolation,
    options: Partial<AcknowledgedStoresOptions> = {},
  ) {
    this.world = world;
    this.report = report;
    this.options = { ...OPTIONS_DEFAULT, ...options };
    this.members = new Membership(world);
    this.wanted = new WantedCopies(world, this.members);
    this.expectation = new LossExpectation(world, {
      members: this.members,
      acknowledgedValues: () => this.acknowledgedValues(),
      repairMs: this.options.repairMs,
    });
  }

  /** What it has stored need not be kept any more, and copies that it has count no more. */
  revoked(node: SimNode): void {
    for (const author of authorNames(node)) this.excusedAuthors.add(author);
    this.stopped(node);
  }

  /** Whether a running host has what this node stored there last. */
  hasLiveCopy(node: SimNode, resource: ResourceId, kind: KindId): boolean {
    const authors = authorNames(node);
    const keys = this.places.get(placesPrefixOf(valueKey(resource, kind, '')))?.keys ?? [];
    const values = [...keys].flatMap((key) => this.values.get(key) ?? []);
    return values.some((value) => authors.includes(value.author) && value.count() > 0);
  }

  counts(): StoreCounts {
    this.expectation.measure();
    const aliveByReplicaCount = new Array<number>(COPIES_COUNTED_MAX + 1).fill(0);
    for (const value of this.values.values()) {
      if (value.acknowledged === undefined || this.isOver(value)) continue;
      const copies = Math.min(value.count(), COPIES_COUNTED_MAX);
      aliveByReplicaCount[copies] = (aliveByReplicaCount[copies] ?? 0) + 1;
    }
    const { ackedStores, lostStores, excusedLosses, returnedStores } = this;
    const expectedExcusedLosses = this.expectation.expected(ackedStores);
    return {
      ackedStores,
      lostStores,
      excusedLosses,
      returnedStores,
      expectedExcusedLosses,
      aliveByReplicaCount,
    };
  }

  handled(node: SimNode, input: Input, outputs: readonly Output[]): void {
    if (node.isRevoked) return;
    const { size } = this.members;
    if (this.members.noteOutputs(node, outputs) && Math.min(size, this.members.size) < COPIES) {
      this.smallMs = this.world.nowMs;
    }
    if (input.type === 'command' && input.command.type === 'store') {
      this.commands.set(input.id, { node, command: input.command });
    }
    for (const output of outputs) this.noteOutput(node, output);
  }

  persisted(node: SimNode, records: readonly PersistRecord[]): void {
    if (node.isRevoked) return;
    for (const record of records) {
      if (!isValueKey(record.key)) continue;
      if (record.value === undefined) this.dropped(node, record.key);
      else this.gained(node, record);
    }
  }

  started(node: SimNode): void {
    if (node.isRevoked) return;
    for (const [key, value] of node.disk.records) {
      if (isValueKey(key)) this.gained(node, { key, value });
    }
  }

  stopped(node: SimNode): void {
    const keys = this.held.get(node) ?? new Set();
    if (keys.size > 0) this.expectation.noteDeath();
    const lost: LostCopy = { node, atMs: this.world.nowMs, how: 'died' };
    this.held.delete(node);
    for (const key of keys) {
      const value = this.values.get(key);
      if (value !== undefined) this.loseCopy(value, lost);
    }
    for (const [id, underWay] of this.commands)
      if (underWay.node === node) this.commands.delete(id);
    this.members.sync(node);
  }

  check(): void {
    this.wanted.look();
    this.expectation.measure();
    for (const [key, value] of this.values) {
      if (value.copies.size === 0 && this.isOver(value)) this.values.delete(key);
    }
  }

  private noteOutput(node: SimNode, output: Output): void {
    if (output.type === 'event' && output.event.type === 'ownDataStored') {
      const { kind, resource } = output.event;
      this.acknowledgeAuthor(node, placesPrefixOf(valueKey(resource, kind, '')));
    } else if (output.type === 'completed') {
      const underWay = this.commands.get(output.id);
      this.commands.delete(output.id);
      if (underWay !== undefined && output.outcome.ok) this.acknowledgeCommand(underWay);
    }
  }

  private acknowledgeCommand({ node, command }: StoreUnderWay): void {
    const { resource, values } = command;
    for (const { kind, place } of values) {
      const isAppended = place.model === 'array' && place.index === ARRAY_INDEX_END;
      const key = valueKey(resource, kind, isAppended ? '' : placeName(place));
      if (isAppended) this.acknowledgeAuthor(node, placesPrefixOf(key));
      else this.acknowledge(node, key);
    }
  }

  /** The newest of this node's values there; where in an array it stands is not told. */
  private acknowledgeAuthor(node: SimNode, prefix: string): void {
    const authors = authorNames(node);
    let found: TrackedValue | undefined;
    for (const key of this.places.get(prefix)?.keys ?? []) {
      const value = this.values.get(key);
      const isIts = value !== undefined && authors.includes(value.author);
      if (isIts && value.newest > (found?.newest ?? -1n)) found = value;
    }
    if (found !== undefined) this.acknowledge(node, found.key);
    // Another author's later value may have taken its place meanwhile.
    else if (!this.hasWritten(node, prefix)) this.reportUnwritten(node, prefix);
  }

  private acknowledge(node: SimNode, key: string): void {
    const value = this.values.get(key);
    if (!this.hasWritten(node, placesPrefixOf(key))) this.reportUnwritten(node, key);
    if (value === undefined) return;
    this.ackedStores++;
    value.acknowledge();
    if (value.count() === 0) this.lose(value, 'died');
  }

  private hasWritten(node: SimNode, prefix: string): boolean {
    const authors = this.places.get(prefix)?.authors;
    return authorNames(node).some((author) => authors?.has(author) === true);
  }

  private gained(node: SimNode, record: PersistRecord): void {
    const read = durableValueOf(record);
    if (read === undefined || typeof read === 'string') return;
    const value = this.tracked(record.key, read);
    const storageTime = read.data.storageTime;
    value.add(node, storageTime, read, this.world.nowMs);
    const keys = this.held.get(node) ?? new Set();
    this.held.set(node, keys.add(record.key));
    if (value.isLost && value.count() > 0) {
      value.isLost = false;
      if (storageTime === value.acknowledged) this.returnedStores++;
    }
    this.noteCopies(value);
  }

  private noteCopies(value: TrackedValue): void {
    if (value.missingSinceMs === undefined || value.count() < this.wanted.of(value.key)) return;
    const tookMs = this.world.nowMs - value.missingSinceMs;
    this.expectation.noteReplicated(tookMs, value.isNew);
    value.missingSinceMs = undefined;
    value.isNew = false;
    value.isNeglected = false;
  }

  private dropped(node: SimNode, key: string): void {
    this.held.get(node)?.delete(key);
    const value = this.values.get(key);
    if (value === undefined) return;
    const counted = value.remove({ node, atMs: this.world.nowMs, how: 'dropped' });
    if (counted && value.count() === 0) this.lose(value, 'dropped');
  }

  private loseCopy(value: TrackedValue, lost: LostCopy): void {
    const before = value.count();
    if (!value.remove(lost)) return;
    const { nowMs } = this.world;
    const lastBlowMs = Math.max(value.lastBlowMs, this.smallMs);
    const wasRepairable = nowMs - lastBlowMs > this.options.repairMs;
    if (before < this.wanted.of(value.key) && wasRepairable) value.isNeglected = true;
    value.lastBlowMs = nowMs;
    value.missingSinceMs ??= nowMs;
    if (value.count() === 0) this.lose(value, 'died');
  }

  /** No running host has the value any more. */
  private lose(value: TrackedValue, how: LostCopy['how']): void {
    if (value.acknowledged === undefined || value.isLost || this.isOver(value)) return;
    if (this.excusedAuthors.has(value.author)) return;
    value.isLost = true;
    this.lostStores++;
    if (how === 'died' && !value.isNeglected) {
      this.excusedLosses++;
      return;
    }
    const nodes = value.lastLosses.map(({ node }) => node);
    const why =
      how === 'dropped'
        ? 'its last holder dropped it before its lifetime was over'
        : `copies were missing for more than ${this.options.repairMs / 1000} s`;
    const detail =
      `${value.key}, stored with the time ${value.acknowledged} and acknowledged, is lost: ` +
      `${why}; ${value.describeLosses()}`;
    this.report(violationOf(this.world, this, 'correctness', nodes, detail));
  }

  private reportUnwritten(node: SimNode, place: string): void {
    const detail = `a Store of ${node.name} at ${place} was acknowledged, but no disk ever had it`;
    this.report(violationOf(this.world, this, 'correctness', [node], detail));
  }

  private tracked(key: string, { author }: DurableValue): TrackedValue {
    const prefix = placesPrefixOf(key);
    let places = this.places.get(prefix);
    if (places === undefined) {
      places = { keys: new Set(), authors: new Set() };
      this.places.set(prefix, places);
    }
    places.keys.add(key);
    places.authors.add(author);
    let value = this.values.get(key);
    if (value === undefined) {
      value = new TrackedValue(key);
      this.values.set(key, value);
    }
    return value;
  }

  private isOver(value: TrackedValue): boolean {
    const slackMs = Math.min(this.options.lifetimeSlackMs, value.lifetimeMs / 10);
    return this.world.nowMs >= value.expiresMs - slackMs;
  }

  private acknowledgedValues(): number {
    let count = 0;
    for (const value of this.values.values()) {
      if (value.acknowledged !== undefined && !value.isLost) count++;
    }
    return count;
  }
}

interface StoreUnderWay {
  readonly node: SimNode;
  readonly command: Extract<Command, { type: 'store' }>;
}

const COPIES_COUNTED_MAX = 5;
/**
 * A silent neighbour is probed after 15 s and suspected 3 s later (RFC 6940 §6.6.5), the hold-down
 * takes 30 s (§10.7.1), and a copy one request of at most 15 s (§6.2.1).
 */
const OPTIONS_DEFAULT: AcknowledgedStoresOptions = { repairMs: 63_000, lifetimeSlackMs: 60_000 };
