import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { readValues } from '../../src/reload/value-verification.ts';
import { placeName, placeOf } from '../../src/storage/place.ts';
import { valueKey } from '../../src/storage/store-record.ts';
import { decode } from '../../src/wire/codec.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { StoreReq } from '../../src/wire/store.ts';
import { ARRAY_INDEX_END, type KindId, type StoredData } from '../../src/wire/stored-data.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';
import { durableValueOf, placesPrefixOf } from './durable-value.ts';
import { isSignedBy, messagesOf } from './messages-in-frames.ts';
import { NODE_ID_BYTES, type StorageRules } from './storage-rules.ts';

export interface AnswerAfterDiskOptions {
  /** Of all Store transactions, how many are looked at: in [0, 1]. */
  readonly share: number;
}

/**
 * The one invariant of src/reload/output.ts: a message that acknowledges a change is returned only
 * after `persisted` for that change (`correctness`). When a Peer returns a StoreAns of its own,
 * each value of the StoreReq, or a later one at the same place, is on its disk.
 *
 * A Store that a node sends to itself leaves no message; AcknowledgedStores sees those.
 */
export class AnswerAfterDisk implements Checker {
  readonly name = 'answer after disk';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly rules: StorageRules;
  private readonly share: number;
  private readonly requests = new Map<SimNode, Map<bigint, StoreSeen>>();

  constructor(
    world: World,
    report: ReportViolation,
    rules: StorageRules,
    options: Partial<AnswerAfterDiskOptions> = {},
  ) {
    this.world = world;
    this.report = report;
    this.rules = rules;
    this.share = options.share ?? 1;
  }

  handled(node: SimNode, input: Input, outputs: readonly Output[]): void {
    if (input.type === 'linkData') this.noteRequests(node, input.bytes);
    const seen = this.requests.get(node);
    if (seen === undefined) return;
    for (const output of outputs) {
      if (output.type !== 'send') continue;
      for (const message of messagesOf(output.bytes, MessageCode.storeAns, this.share)) {
        const store = seen.get(message.header.transactionId);
        // Others' answers pass through here; a repeated answer says nothing new.
        if (store === undefined || store.isAnswered || !isSignedBy(message, node)) continue;
        store.isAnswered = true;
        this.checkDisk(node, store);
      }
    }
  }

  stopped(node: SimNode): void {
    this.requests.delete(node);
  }

  private noteRequests(node: SimNode, bytes: Uint8Array): void {
    for (const { header, contents } of messagesOf(bytes, MessageCode.storeReq, this.share)) {
      let seen = this.requests.get(node);
      if (seen === undefined) {
        seen = new Map();
        this.requests.set(node, seen);
      }
      if (!seen.has(header.transactionId)) {
        seen.set(header.transactionId, {
          body: contents.body,
          atMs: this.world.nowMs,
          isAnswered: false,
        });
      }
      for (const [id, { atMs }] of seen) {
        if (this.world.nowMs - atMs <= REMEMBER_MS) break;
        seen.delete(id);
      }
    }
  }

  private checkDisk(node: SimNode, { body }: StoreSeen): void {
    const store = decode(StoreReq, body, NODE_ID_BYTES);
    if (store instanceof MalformedMessage) return;
    for (const { kind, values } of store.kindData) {
      const definition = this.rules.kinds.get(kind);
      const read = definition && readValues(values, definition, NODE_ID_BYTES);
      if (read === undefined || read instanceof MalformedMessage) continue;
      for (const data of read) {
        if (isOnDisk(node, store.resource, kind, data)) continue;
        const place = placeName(placeOf(data.value));
        const detail =
          `${node.name} answered a Store at ${store.resource}, Kind 0x${kind.toString(16)}, ` +
          `place ${place}, time ${data.storageTime}, before it was on its disk`;
        this.report(violationOf(this.world, this, 'correctness', [node], detail));
        return;
      }
    }
  }
}

interface StoreSeen {
  readonly body: Uint8Array;
  readonly atMs: number;
  isAnswered: boolean;
}

function isOnDisk(node: SimNode, resource: ResourceId, kind: KindId, data: StoredData): boolean {
  const { records } = node.disk;
  const key = valueKey(resource, kind, placeName(placeOf(data.value)));
  const isAppended = data.value.model === 'array' && data.value.index === ARRAY_INDEX_END;
  if (!isAppended) return (storageTimeOf(key, records.get(key)) ?? -1n) >= data.storageTime;
  // The place of an appended value is not in the request.
  const prefix = placesPrefixOf(key);
  for (const [other, bytes] of records) {
    if (other.startsWith(prefix) && (storageTimeOf(other, bytes) ?? -1n) >= data.storageTime) {
      return true;
    }
  }
  return false;
}

function storageTimeOf(key: string, value: Uint8Array | undefined): bigint | undefined {
  const read = durableValueOf({ key, value });
  return typeof read === 'object' ? read.data.storageTime : undefined;
}

/** The longest life of a request is 15 s (RFC 6940 §6.2.1); disks may be slow. */
const REMEMBER_MS = 120_000;
