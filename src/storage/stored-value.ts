import type { VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { encode } from '../wire/codec.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { HashAlgorithm, type Signature, SignatureAlgorithm } from '../wire/security-block.ts';
import { type KindId, type StoredData, storedData } from '../wire/stored-data.ts';
import type { Now } from './now.ts';
import { type Place, type PlaceName, placeName, placeOf } from './place.ts';
import type { KeptSigner } from './signer-pool.ts';

/** What is known of a value when its Store is planned. */
export interface PlannedValue {
  readonly resource: ResourceId;
  readonly kind: KindId;
  readonly place: Place;
  readonly placeName: PlaceName;
  readonly exists: boolean;
  /** ms since 1970, by the owner's clock. */
  readonly storageTime: bigint;
  readonly lifetimeSeconds: number;
  /** The StoredData with its length, in bytes of its own; the lifetime is the one received. */
  readonly encoded: Uint8Array;
  readonly signer: VerifiedSigner;
}

/** A value in the store. */
export interface StoredValue extends Omit<PlannedValue, 'signer'> {
  readonly kept: KeptSigner;
  readonly expiresMonotonicMs: number;
  /** The same moment by the wall clock when the value came: survives a restart. */
  readonly expiresUnixMs: number;
}

/**
 * The value of `data` at its place. An append must be given its index before (RFC 6940 §7.4.1.1);
 * that leaves the signature true, which covers the index 0 (§7.4.2.2).
 */
export function plannedValue(
  resource: ResourceId,
  kind: KindId,
  data: StoredData,
  signer: VerifiedSigner,
): PlannedValue {
  const place = ownPlace(placeOf(data.value));
  return {
    resource,
    kind,
    place,
    placeName: placeName(place),
    exists: data.value.value.exists,
    storageTime: data.storageTime,
    lifetimeSeconds: data.lifetime,
    encoded: encode(storedData(data.value.model), data).slice(),
    signer,
  };
}

/** A planned value that came now: its lifetime begins (RFC 6940 §7, "lifetime"). */
export function expiryOf(
  lifetimeSeconds: number,
  now: Now,
): Pick<StoredValue, 'expiresMonotonicMs' | 'expiresUnixMs'> {
  return {
    expiresMonotonicMs: now.monotonicMs + lifetimeSeconds * 1000,
    expiresUnixMs: now.unixMs + lifetimeSeconds * 1000,
  };
}

/**
 * Whether a value may be served: its lifetime lasts, and its signer's certificate is valid, without
 * which the signature counts no more (RFC 6940 §7.1).
 */
export function isLive(value: StoredValue, now: Now): boolean {
  return (
    value.expiresMonotonicMs > now.monotonicMs &&
    value.kept.signer.node.validUntilUnixMs > now.unixMs
  );
}

/** What is left of the lifetime: reduced by the time the value spent here (RFC 6940 §7.4.1.1). */
export function remainingLifetimeSeconds(value: StoredValue, now: Now): number {
  return Math.max(0, Math.floor((value.expiresMonotonicMs - now.monotonicMs) / 1000));
}

/** The encoded StoredData to pass on, with what is left of the lifetime. */
export function encodedForSending(value: StoredValue, now: Now): Uint8Array {
  const copy = value.encoded.slice();
  const seconds = remainingLifetimeSeconds(value, now);
  copy[LIFETIME_OFFSET] = seconds >>> 24;
  copy[LIFETIME_OFFSET + 1] = seconds >>> 16;
  copy[LIFETIME_OFFSET + 2] = seconds >>> 8;
  copy[LIFETIME_OFFSET + 3] = seconds;
  return copy;
}

/**
 * The DataValue's `value` with its four length bytes, which is what a Stat hashes (RFC 6940
 * §7.4.3.2): a view.
 */
export function lengthPrefixedValue(value: StoredValue): Uint8Array {
  const start = VALUE_OFFSET + placeBytes(value.place) + EXISTS_BYTES;
  const view = new DataView(value.encoded.buffer, value.encoded.byteOffset);
  return value.encoded.subarray(start, start + LENGTH_BYTES + view.getUint32(start));
}

/**
 * Whether two values are the same signed element. The lifetime is not signed and falls with every
 * hop; the index of an array entry is signed as 0 (RFC 6940 §7.1, §7.4.2.2).
 */
export function isSameElement(
  one: Pick<PlannedValue, 'encoded' | 'place'>,
  other: Pick<PlannedValue, 'encoded' | 'place'>,
): boolean {
  const skipTo = one.place.model === 'array' ? VALUE_OFFSET + ARRAY_INDEX_BYTES : VALUE_OFFSET;
  return (
    Buffer.compare(
      one.encoded.subarray(0, LIFETIME_OFFSET),
      other.encoded.subarray(0, LIFETIME_OFFSET),
    ) === 0 && Buffer.compare(one.encoded.subarray(skipTo), other.encoded.subarray(skipTo)) === 0
  );
}

/**
 * "none" and {0, 0} are for values that a storing peer makes up, never for a Store: RFC 6940
 * §7.4.1.1, §7.4.2.2.
 */
export function isUnsigned(signature: Signature): boolean {
  return (
    signature.identity.type === 'none' ||
    signature.hashAlgorithm === HashAlgorithm.none ||
    signature.signatureAlgorithm === SignatureAlgorithm.anonymous
  );
}

function placeBytes(place: Place): number {
  switch (place.model) {
    case 'single':
      return 0;
    case 'array':
      return ARRAY_INDEX_BYTES;
    case 'dictionary':
      return KEY_LENGTH_BYTES + place.key.length;
  }
}

/** The key of a dictionary is a view of the message; the store must not hold on to that. */
function ownPlace(place: Place): Place {
  return place.model === 'dictionary' ? { model: 'dictionary', key: place.key.slice() } : place;
}

/** StoredData: length uint32, storage_time uint64, lifetime uint32, value … */
const LIFETIME_OFFSET = 12;
const VALUE_OFFSET = 16;
const EXISTS_BYTES = 1;
const LENGTH_BYTES = 4;
const ARRAY_INDEX_BYTES = 4;
const KEY_LENGTH_BYTES = 2;
