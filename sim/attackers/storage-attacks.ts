/** Attacks by those who store: RFC 6940 §13.5.4. */
import { BUILT_IN_KINDS } from '../../src/overlay-config/registered-kinds.ts';
import { readValues } from '../../src/reload/value-verification.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { ErrorCode } from '../../src/wire/error-response.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { GenericCertificate } from '../../src/wire/security-block.ts';
import { FetchAns, StoreReq } from '../../src/wire/store.ts';
import { type KindId, type StoredData, storedData } from '../../src/wire/stored-data.ts';
import { Attacker, type SeenMessage } from './attacker.ts';
import type { Treatment } from './bent-frames.ts';
import { emptyFetchAnswer, fetchOf } from './routing-attacks.ts';

/** Says of the values that it holds that there are none; of all, or of its targets alone. */
export class Withhold extends Attacker {
  protected override treat(seen: SeenMessage): Treatment {
    const resource = fetchOf(seen)?.resource;
    const { targets } = this.context;
    const isAimedAt = resource !== undefined && (targets.size === 0 || targets.has(resource));
    const body = seen.isForThisNode && isAimedAt ? emptyFetchAnswer(seen) : undefined;
    if (body === undefined) return 'pass';
    this.answer(seen, body);
    return 'discard';
  }
}

/** Answers every request about data with "not found", and refuses to store anything. */
export class DenyAllKnowledge extends Attacker {
  protected override treat(seen: SeenMessage): Treatment {
    if (!seen.isForThisNode || seen.code === undefined) return 'pass';
    if (!DATA_REQUESTS.has(seen.code)) return 'pass';
    this.answerError(seen, ErrorCode.Error_Not_Found);
    return 'discard';
  }
}

/** What an attacker remembers of one Kind at one resource. */
interface Remembered {
  readonly generation: bigint;
  readonly values: readonly StoredData[];
  readonly certificates: readonly GenericCertificate[];
}

/** Remembers what was stored here and answers a Fetch with part of it. */
abstract class RememberingAttacker extends Attacker {
  protected readonly remembered = new Map<string, Remembered>();

  protected override watch(seen: SeenMessage): void {
    if (seen.code !== MessageCode.storeReq || !seen.isForThisNode) return;
    const { message } = seen;
    const store = message === undefined ? undefined : decode(StoreReq, message.contents.body);
    if (message === undefined || store === undefined || store instanceof MalformedMessage) return;
    for (const { kind, generationCounter, values } of store.kindData) {
      const definition = BUILT_IN_KINDS.get(kind);
      const read = definition === undefined ? undefined : readValues(values, definition, 16);
      if (read === undefined || read instanceof MalformedMessage) continue;
      const { certificates } = message.securityBlock;
      this.remember(keyOf(store.resource, kind), generationCounter, read, certificates);
    }
  }

  protected override treat(seen: SeenMessage): Treatment {
    const fetch = seen.isForThisNode ? fetchOf(seen) : undefined;
    if (fetch === undefined) return 'pass';
    const certificates: GenericCertificate[] = [];
    const kindResponses = [];
    for (const { kind } of fetch.specifiers) {
      const model = BUILT_IN_KINDS.get(kind)?.dataModel;
      const known = this.remembered.get(keyOf(fetch.resource, kind));
      if (model === undefined || known === undefined) return 'pass';
      const values = this.chosen(known.values).map((value) => encode(storedData(model), value));
      certificates.push(...known.certificates);
      const { generation } = known;
      kindResponses.push({ kind, generation, values: new Uint8Array(Buffer.concat(values)) });
    }
    this.answer(seen, encode(FetchAns, { kindResponses }), certificates);
    return 'discard';
  }

  protected abstract remember(
    key: string,
    generation: bigint,
    values: readonly StoredData[],
    certificates: readonly GenericCertificate[],
  ): void;

  protected abstract chosen(values: readonly StoredData[]): readonly StoredData[];
}

/** Goes on serving the first values that it got, with their generation. */
export class StaleValues extends RememberingAttacker {
  protected remember(
    key: string,
    generation: bigint,
    values: readonly StoredData[],
    certificates: readonly GenericCertificate[],
  ): void {
    const known = this.remembered.get(key);
    // Other entries of a dictionary come in Stores of their own.
    const places = new Set(known?.values.map(placeOf));
    const fresh = values.filter((value) => !places.has(placeOf(value)));
    if (known !== undefined && fresh.length === 0) return;
    this.remembered.set(key, {
      generation: known?.generation ?? generation,
      values: [...(known?.values ?? []), ...fresh],
      certificates: [...(known?.certificates ?? []), ...certificates],
    });
  }

  protected chosen(values: readonly StoredData[]): readonly StoredData[] {
    return values;
  }
}

/** Leaves entries of dictionaries and arrays out: the first one is all that it shows. */
export class Subset extends RememberingAttacker {
  protected remember(
    key: string,
    generation: bigint,
    values: readonly StoredData[],
    certificates: readonly GenericCertificate[],
  ): void {
    const known = this.remembered.get(key);
    const places = new Set(values.map(placeOf));
    const kept = (known?.values ?? []).filter((value) => !places.has(placeOf(value)));
    this.remembered.set(key, {
      generation,
      values: [...kept, ...values],
      certificates: [...(known?.certificates ?? []), ...certificates],
    });
  }

  protected chosen(values: readonly StoredData[]): readonly StoredData[] {
    return values.slice(0, 1);
  }
}

function placeOf({ value }: StoredData): string {
  if (value.model === 'dictionary') return Buffer.from(value.key).toString('hex');
  return value.model === 'array' ? `${value.index}` : '';
}

function keyOf(resource: ResourceId, kind: KindId): string {
  return `${resource} ${kind}`;
}

const DATA_REQUESTS = new Set<number>([
  MessageCode.fetchReq,
  MessageCode.statReq,
  MessageCode.findReq,
  MessageCode.storeReq,
]);
