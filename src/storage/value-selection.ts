/** Which values a Fetch or a Stat asks for — RFC 6940 §7.4.2.1. */
import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import { ErrorCode } from '../wire/error-response.ts';
import type { ArrayRange, ModelSpecifier } from '../wire/store.ts';
import { ARRAY_INDEX_END, type KindId } from '../wire/stored-data.ts';
import type { Now } from './now.ts';
import {
  arrayPlaceName,
  dictionaryPlaceName,
  type Place,
  type PlaceName,
  SINGLE_PLACE_NAME,
} from './place.ts';
import type { KindState } from './resource-table.ts';
import { refuseUnknownKinds, StoreRefusal } from './store-refusal.ts';
import type { KindSpecifier } from './store-result.ts';
import { isLive, type StoredValue } from './stored-value.ts';

/** A place that was asked for, and the value there if there is one. */
export interface Selected {
  readonly place: Place;
  readonly value: StoredValue | undefined;
}

/** Why these specifiers cannot be answered: an unknown Kind, a Kind twice, bad array ranges. */
export function specifierRefusal(
  kinds: ReadonlyMap<KindId, KindDefinition>,
  specifiers: readonly KindSpecifier[],
): StoreRefusal | undefined {
  const unknown = specifiers.filter(({ kind }) => !kinds.has(kind)).map(({ kind }) => kind);
  if (unknown.length > 0) return refuseUnknownKinds(unknown);
  const seen = new Set<KindId>();
  for (const { kind, specifier } of specifiers) {
    const fault = seen.has(kind)
      ? `Kind 0x${kind.toString(16)} is asked for twice`
      : modelFault(kinds.get(kind), specifier);
    if (fault !== undefined) return new StoreRefusal(ErrorCode.Error_Invalid_Message, fault);
    seen.add(kind);
  }
  return undefined;
}

/** The places that a specifier names, in its order. */
export function selectValues(
  state: KindState | undefined,
  specifier: ModelSpecifier,
  now: Now,
): Iterable<Selected> {
  switch (specifier.model) {
    case 'single': {
      const value = liveValue(state, SINGLE_PLACE_NAME, now);
      return [{ place: { model: 'single' }, value }];
    }
    case 'array':
      return selectRanges(state, specifier.ranges, now);
    case 'dictionary':
      return specifier.keys.length === 0
        ? selectAll(state, now)
        : selectKeys(state, specifier.keys, now);
  }
}

/**
 * An index named alone is answered whatever it is; a range is clipped to the array, and gaps in it
 * are answered as values that do not exist. The RFC leaves open what a range beyond the end gives.
 */
function* selectRanges(
  state: KindState | undefined,
  ranges: readonly ArrayRange[],
  now: Now,
): Generator<Selected> {
  const last = lastIndex(state, now);
  for (const range of ranges) {
    const first = range.first === ARRAY_INDEX_END ? last : range.first;
    const isOneIndex = range.first === range.last && range.first !== ARRAY_INDEX_END;
    const end = isOneIndex ? range.first : Math.min(range.last, last);
    for (let index = Math.max(first, 0); index <= end; index++) {
      const value = liveValue(state, arrayPlaceName(index), now);
      yield { place: { model: 'array', index }, value };
    }
  }
}

function* selectKeys(
  state: KindState | undefined,
  keys: readonly Uint8Array[],
  now: Now,
): Generator<Selected> {
  const seen = new Set<PlaceName>();
  for (const key of keys) {
    const name = dictionaryPlaceName(key);
    if (seen.has(name)) continue;
    seen.add(name);
    yield { place: { model: 'dictionary', key }, value: liveValue(state, name, now) };
  }
}

function* selectAll(state: KindState | undefined, now: Now): Generator<Selected> {
  if (state === undefined) return;
  for (const value of state.values.values()) {
    if (isLive(value, now)) yield { place: value.place, value };
  }
}

/** -1 for an array without values. */
function lastIndex(state: KindState | undefined, now: Now): number {
  let last = -1;
  if (state === undefined) return last;
  for (const value of state.values.values()) {
    if (value.place.model !== 'array' || !isLive(value, now)) continue;
    last = Math.max(last, value.place.index);
  }
  return last;
}

function liveValue(
  state: KindState | undefined,
  name: PlaceName,
  now: Now,
): StoredValue | undefined {
  const value = state?.values.get(name);
  return value !== undefined && isLive(value, now) ? value : undefined;
}

function modelFault(
  kind: KindDefinition | undefined,
  specifier: ModelSpecifier,
): string | undefined {
  if (kind?.dataModel !== specifier.model) {
    return `expected a specifier for data model ${kind?.dataModel}, got ${specifier.model}`;
  }
  return specifier.model === 'array' ? rangesFault(specifier.ranges) : undefined;
}

/** RFC 6940 §7.4.2.1: first ≤ last, no overlap; as unsigned numbers, since 0xffffffff is "last". */
function rangesFault(ranges: readonly ArrayRange[]): string | undefined {
  const sorted = [...ranges].sort((one, other) => one.first - other.first);
  let before: ArrayRange | undefined;
  for (const range of sorted) {
    if (range.first > range.last) {
      return `expected an array range with first ≤ last, got ${range.first} to ${range.last}`;
    }
    if (before !== undefined && range.first <= before.last) {
      return `array ranges overlap at index ${range.first}`;
    }
    before = range;
  }
  return undefined;
}
