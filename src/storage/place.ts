import { toHex } from '../wire/hex.ts';
import type { StoredDataValue } from '../wire/stored-data.ts';

/** Where under one Resource-ID and Kind a value stands — RFC 6940 §7.2. */
export type Place =
  | { readonly model: 'single' }
  | { readonly model: 'array'; readonly index: number }
  | { readonly model: 'dictionary'; readonly key: Uint8Array };

/** Names a place among those of one Resource-ID and Kind. */
export type PlaceName = string;

export function placeOf(value: StoredDataValue): Place {
  switch (value.model) {
    case 'single':
      return { model: 'single' };
    case 'array':
      return { model: 'array', index: value.index };
    case 'dictionary':
      return { model: 'dictionary', key: value.key };
  }
}

export function placeName(place: Place): PlaceName {
  switch (place.model) {
    case 'single':
      return SINGLE_PLACE_NAME;
    case 'array':
      return arrayPlaceName(place.index);
    case 'dictionary':
      return dictionaryPlaceName(place.key);
  }
}

export function arrayPlaceName(index: number): PlaceName {
  return String(index);
}

export function dictionaryPlaceName(key: Uint8Array): PlaceName {
  return toHex(key);
}

export const SINGLE_PLACE_NAME: PlaceName = 'value';
