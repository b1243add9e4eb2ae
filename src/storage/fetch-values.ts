/** The answers to Fetch and Stat — RFC 6940 §7.4.2 and §7.4.3. */
import { createHash } from 'node:crypto';
import { encode } from '../wire/codec.ts';
import { ErrorCode } from '../wire/error-response.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { type GenericCertificate, HashAlgorithm, NO_SIGNATURE } from '../wire/security-block.ts';
import {
  type MetaData,
  type MetaDataValue,
  type StatKindResponse,
  storedMetaData,
} from '../wire/store.ts';
import { type DataValue, type StoredDataValue, storedData } from '../wire/stored-data.ts';
import { joinBytes } from './join-bytes.ts';
import type { Now } from './now.ts';
import type { Place } from './place.ts';
import type { StoreContext } from './store-plan.ts';
import { StoreRefusal } from './store-refusal.ts';
import type { FetchResult, KindSpecifier } from './store-result.ts';
import {
  encodedForSending,
  lengthPrefixedValue,
  remainingLifetimeSeconds,
  type StoredValue,
} from './stored-value.ts';
import { type Selected, selectValues, specifierRefusal } from './value-selection.ts';

export function fetchValues(
  context: StoreContext,
  resource: ResourceId,
  specifiers: readonly KindSpecifier[],
  now: Now,
): FetchResult | StoreRefusal {
  const certificates = new Set<GenericCertificate>();
  const responses = answer(context, resource, specifiers, now, ({ place, value }) => {
    if (value === undefined) return nonexistentValue(place);
    for (const certificate of value.kept.certificates) certificates.add(certificate);
    return encodedForSending(value, now);
  });
  if (responses instanceof StoreRefusal) return responses;
  return { responses, certificates: [...certificates] };
}

export function statValues(
  context: StoreContext,
  resource: ResourceId,
  specifiers: readonly KindSpecifier[],
  now: Now,
): StatKindResponse[] | StoreRefusal {
  return answer(context, resource, specifiers, now, ({ place, value }) =>
    encode(storedMetaData(place.model), {
      storageTime: value?.storageTime ?? 0n,
      lifetime: value === undefined ? 0 : remainingLifetimeSeconds(value, now),
      value: metaDataValue(place, metaData(value)),
    }).slice(),
  );
}

/** One response for each Kind asked for; `encodeEntry` makes the bytes of one of its values. */
function answer(
  context: StoreContext,
  resource: ResourceId,
  specifiers: readonly KindSpecifier[],
  now: Now,
  encodeEntry: (selected: Selected) => Uint8Array,
): StatKindResponse[] | StoreRefusal {
  const refusal = specifierRefusal(context.kinds, specifiers);
  if (refusal !== undefined) return refusal;
  const kinds = context.table.kindsOf(resource);
  const responses: StatKindResponse[] = [];
  let answerBytes = 0;
  for (const { kind, generation, specifier } of specifiers) {
    const state = kinds.get(kind);
    const current = state?.generationCounter ?? 0n;
    const entries: Uint8Array[] = [];
    // 0 says that the requester knows nothing yet: no stored counter is 0.
    if (generation === 0n || generation !== current) {
      for (const selected of selectValues(state, specifier, now)) {
        const entry = encodeEntry(selected);
        answerBytes += entry.length;
        if (answerBytes > context.limits.answerBytesMax) return tooLarge(context);
        entries.push(entry);
      }
    }
    responses.push({ kind, generation: current, values: joinBytes(entries) });
  }
  return responses;
}

/**
 * A value that this peer knows nothing of: not signed, since the whole answer is (RFC 6940
 * §7.4.2.2). The RFC says nothing of its storage_time and lifetime; they are 0.
 */
function nonexistentValue(place: Place): Uint8Array {
  const value: StoredDataValue = { ...place, value: NOTHING };
  return encode(storedData(place.model), {
    storageTime: 0n,
    lifetime: 0,
    value,
    signature: NO_SIGNATURE,
  }).slice();
}

/** The hash covers the value with its four length bytes: RFC 6940 §7.4.3.2. */
function metaData(value: StoredValue | undefined): MetaData {
  const bytes = value === undefined ? EMPTY_WITH_LENGTH : lengthPrefixedValue(value);
  return {
    exists: value?.exists ?? false,
    valueLength: bytes.length - EMPTY_WITH_LENGTH.length,
    hashAlgorithm: HashAlgorithm.sha256,
    hashValue: new Uint8Array(createHash('sha256').update(bytes).digest()),
  };
}

function metaDataValue(place: Place, data: MetaData): MetaDataValue {
  return { ...place, metaData: data };
}

function tooLarge(context: StoreContext): StoreRefusal {
  const detail = `the values asked for have more than ${context.limits.answerBytesMax} bytes`;
  return new StoreRefusal(ErrorCode.Error_Response_Too_Large, detail);
}

const NOTHING: DataValue = { exists: false, value: new Uint8Array(0) };
const EMPTY_WITH_LENGTH = new Uint8Array(4);
