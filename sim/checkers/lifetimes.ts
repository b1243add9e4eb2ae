import { readValues } from '../../src/reload/value-verification.ts';
import type { PersistRecord } from '../../src/storage/persist-record.ts';
import { decode } from '../../src/wire/codec.ts';
import { toHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import type { Message } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { FetchAns } from '../../src/wire/store.ts';
import type { StoredData } from '../../src/wire/stored-data.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';
import { durableValueOf } from './durable-value.ts';
import { isSignedBy, messagesOf } from './messages-in-frames.ts';
import { NODE_ID_BYTES, type StorageRules } from './storage-rules.ts';

export interface LifetimesOptions {
  /** Of all Fetch transactions, how many are looked at: in [0, 1]. */
  readonly share: number;
  /**
   * How long a value may be served beyond its lifetime, ms: a copy does not age on its way, which
   * with retransmissions takes up to 15 s (RFC 6940 §6.2.1), and clocks drift.
   */
  readonly toleranceMs: number;
  /** An ended value is remembered this long, ms. */
  readonly rememberMs: number;
  /** Nodes that lie on purpose are not looked at. */
  readonly isHonest: (node: SimNode) => boolean;
}

/**
 * No value is served past its lifetime (`correctness`). RFC 6940 §7: the lifetime counts "from the
 * time the peer receives the StoreReq", and falls at each copying (§7.4.1.1). So the end of a value
 * is fixed, in true time, when its first copy becomes durable anywhere; whoever puts it into a
 * FetchAns later than that (and `toleranceMs`) breaks the rule, whatever lifetime it says is left.
 */
export class Lifetimes implements Checker {
  readonly name = 'lifetimes';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly rules: StorageRules;
  private readonly options: LifetimesOptions;
  /** By signature: when the value ends, ms of the World. */
  private readonly ends = new Map<string, number>();

  constructor(
    world: World,
    report: ReportViolation,
    rules: StorageRules,
    options: Partial<LifetimesOptions> = {},
  ) {
    this.world = world;
    this.report = report;
    this.rules = rules;
    this.options = { ...OPTIONS_DEFAULT, ...options };
  }

  persisted(_node: SimNode, records: readonly PersistRecord[]): void {
    for (const record of records) {
      const read = durableValueOf(record);
      if (typeof read !== 'object') continue;
      const name = signatureName(read.data);
      if (this.ends.has(name)) continue;
      this.ends.set(name, this.world.nowMs + read.data.lifetime * 1000);
    }
  }

  sent(from: SimNode, bytes: Uint8Array): void {
    for (const message of messagesOf(bytes, MessageCode.fetchAns, this.options.share)) {
      if (isSignedBy(message, from) && this.options.isHonest(from)) this.checkAnswer(from, message);
    }
  }

  check(nowMs: number): void {
    const { rememberMs } = this.options;
    for (const [name, endMs] of this.ends) {
      if (nowMs - endMs > rememberMs) this.ends.delete(name);
    }
  }

  private checkAnswer(from: SimNode, { contents }: Message): void {
    const answer = decode(FetchAns, contents.body, NODE_ID_BYTES);
    if (answer instanceof MalformedMessage) return;
    for (const { kind, values } of answer.kindResponses) {
      const definition = this.rules.kinds.get(kind);
      const read = definition && readValues(values, definition, NODE_ID_BYTES);
      if (read === undefined || read instanceof MalformedMessage) continue;
      for (const data of read) this.checkValue(from, kind, data);
    }
  }

  private checkValue(from: SimNode, kind: number, data: StoredData): void {
    const endMs = this.ends.get(signatureName(data));
    if (endMs === undefined) return;
    const overMs = this.world.nowMs - endMs;
    if (overMs <= this.options.toleranceMs) return;
    const detail =
      `${from.name} served a value of Kind 0x${kind.toString(16)}, stored with the time ` +
      `${data.storageTime}, ${Math.round(overMs / 1000)} s after its lifetime was over, as if ` +
      `${data.lifetime} s were left`;
    this.report(violationOf(this.world, this, 'correctness', [from], detail));
  }
}

/** The end of a signature: it covers Resource-ID, Kind, storage time and value (RFC 6940 §7.1). */
function signatureName({ signature }: StoredData): string {
  const { value } = signature;
  return toHex(value, Math.max(0, value.length - SIGNATURE_NAME_BYTES));
}

const SIGNATURE_NAME_BYTES = 20;
const OPTIONS_DEFAULT: LifetimesOptions = {
  share: 1,
  toleranceMs: 30_000,
  rememberMs: 2 * 3_600_000,
  isHonest: () => true,
};
