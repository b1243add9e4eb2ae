import { SignatureRefusal, type VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { decode } from '../wire/codec.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { CertificateType, type GenericCertificate } from '../wire/security-block.ts';
import { type KindId, type StoredData, storedData } from '../wire/stored-data.ts';
import { authorizationFault } from './access-policy.ts';
import type { Now } from './now.ts';
import type { PersistRecord } from './persist-record.ts';
import type { StoreContext } from './store-plan.ts';
import {
  DamagedRecord,
  type GenerationRecord,
  generationKey,
  isStoreKey,
  modelOf,
  readStoreRecord,
  type ValueRecord,
  valueKey,
} from './store-record.ts';
import type { RestoreResult, UnusableRecord } from './store-result.ts';
import { type PlannedValue, plannedValue } from './stored-value.ts';

/** `verifyData` with its Authenticator: who signed a value, or why nobody did. */
export type ValueVerifier = (
  resource: ResourceId,
  kind: KindId,
  data: StoredData,
  certificates: readonly GenericCertificate[],
  unixMs: number,
) => VerifiedSigner | SignatureRefusal;

export interface KeyedBytes {
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * Fills an empty store from the durable one. The disk is believed nothing: each signature,
 * certificate and policy is checked as if the value had just been stored. The time that passed
 * meanwhile, by the wall clock, counts against each lifetime. Keys of others are passed over.
 */
export function restoreValues(
  context: StoreContext,
  records: Iterable<KeyedBytes>,
  verify: ValueVerifier,
  now: Now,
): RestoreResult {
  const restoration = new Restoration(context, verify, now);
  for (const { key, value } of records) {
    if (isStoreKey(key)) restoration.take(key, value);
  }
  return restoration.finish();
}

class Restoration {
  private readonly context: StoreContext;
  private readonly verify: ValueVerifier;
  private readonly now: Now;
  private readonly generations: GenerationRecord[] = [];
  private readonly damaged: UnusableRecord[] = [];
  private readonly refused: UnusableRecord[] = [];
  private readonly removals: PersistRecord[] = [];
  private readonly keptOnDisk = new Set<string>();
  private restored = 0;
  private expired = 0;

  constructor(context: StoreContext, verify: ValueVerifier, now: Now) {
    this.context = context;
    this.verify = verify;
    this.now = now;
  }

  take(key: string, bytes: Uint8Array): void {
    const read = readStoreRecord(key, bytes);
    if (read instanceof DamagedRecord) this.damage(key, read.reason);
    else if (read.type === 'generation') this.generations.push(read.record);
    else this.takeValue(key, read.record);
  }

  finish(): RestoreResult {
    for (const { resource, kind, generationCounter } of this.generations) {
      const state = this.context.table.state(resource, kind);
      const key = generationKey(resource, kind);
      if (state !== undefined) {
        // Written whenever the counter changes, also when a copy sets it back: it is the last word.
        this.context.table.setGeneration(state, generationCounter);
      } else if (!this.keptOnDisk.has(key)) {
        this.removals.push({ key, value: undefined });
      }
    }
    const { restored, expired, damaged, refused, removals } = this;
    return { restored, expired, damaged, refused, records: removals };
  }

  private takeValue(key: string, record: ValueRecord): void {
    const lifetimeLeftMs = record.expiresUnixMs - BigInt(Math.floor(this.now.unixMs));
    if (lifetimeLeftMs <= 0n) {
      this.expired++;
      this.removals.push({ key, value: undefined });
      return;
    }
    const data = decode(storedData(modelOf(record)), record.storedData);
    if (data instanceof MalformedMessage) {
      this.damage(key, data.describe());
      return;
    }
    const value = this.verified(record, data);
    if (typeof value === 'string') {
      this.refused.push({ key, reason: value });
      this.keptOnDisk.add(generationKey(record.resource, record.kind));
      return;
    }
    if (valueKey(value.resource, value.kind, value.placeName) !== key) {
      this.damage(key, 'the value belongs under another key');
      return;
    }
    this.putBack(value, record, Number(lifetimeLeftMs));
  }

  /** The value, or why it may not be served. */
  private verified(record: ValueRecord, data: StoredData): PlannedValue | string {
    const { resource, kind } = record;
    const definition = this.context.kinds.get(kind);
    if (definition === undefined) return `Kind 0x${kind.toString(16)} is unknown`;
    if (definition.dataModel !== data.value.model) {
      return `expected data model ${definition.dataModel}, got ${data.value.model}`;
    }
    const certificates = record.certificates.map((certificate) => ({
      type: CertificateType.x509,
      certificate,
    }));
    const signer = this.verify(resource, kind, data, certificates, this.now.unixMs);
    if (signer instanceof SignatureRefusal) return signer.describe();
    const dictionaryKey = data.value.model === 'dictionary' ? data.value.key : undefined;
    const fault = authorizationFault(definition, resource, signer, dictionaryKey);
    if (fault !== undefined) return fault;
    const value = plannedValue(resource, kind, data, signer);
    const full = this.context.table.refusalFor([value], [], this.context.limits);
    return full === undefined ? value : full.detail;
  }

  private putBack(value: PlannedValue, record: ValueRecord, lifetimeLeftMs: number): void {
    const { table } = this.context;
    // A wall clock that was set back must not make a lifetime longer than it was.
    const leftMs = Math.min(lifetimeLeftMs, value.lifetimeSeconds * 1000);
    const expiry = {
      expiresMonotonicMs: this.now.monotonicMs + leftMs,
      expiresUnixMs: this.now.unixMs + leftMs,
    };
    const before = table.state(value.resource, value.kind)?.generationCounter ?? 0n;
    const { generationCounter } = record;
    const counter = generationCounter > before ? generationCounter : before;
    table.put(value, expiry, counter > 0n ? counter : 1n, this.now);
    this.restored++;
  }

  private damage(key: string, reason: string): void {
    this.damaged.push({ key, reason });
    this.removals.push({ key, value: undefined });
  }
}
