import { encode } from '../wire/codec.ts';
import { ErrorCode, UnknownKinds } from '../wire/error-response.ts';
import { StoreAns } from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';

/** Why a request on stored data fails; becomes an ErrorResponse — RFC 6940 §6.3.3.1. */
export class StoreRefusal {
  readonly errorCode: ErrorCode;
  /** The bytes of error_info: `detail` in UTF-8, unless the error has a structure of its own. */
  readonly errorInfo: Uint8Array;
  /** One sentence: what was expected and what came. */
  readonly detail: string;

  constructor(errorCode: ErrorCode, detail: string, errorInfo?: Uint8Array) {
    this.errorCode = errorCode;
    this.detail = detail;
    this.errorInfo = errorInfo ?? new TextEncoder().encode(detail);
  }
}

/** Error_Unknown_Kind lists the Kinds that are unknown here — RFC 6940 §7.4.1.2. */
export function refuseUnknownKinds(unknown: readonly KindId[]): StoreRefusal {
  const kinds = unknown.slice(0, UNKNOWN_KINDS_MAX);
  const named = kinds.map((kind) => `0x${kind.toString(16)}`).join(', ');
  return new StoreRefusal(
    ErrorCode.Error_Unknown_Kind,
    `this overlay's configuration has no Kind ${named}`,
    encode(UnknownKinds, { kinds }),
  );
}

/**
 * Error_Generation_Counter_Too_Low carries a StoreAns with the counters in force and empty replica
 * lists — RFC 6940 §7.4.1.2.
 */
export function refuseGenerationCounter(
  detail: string,
  current: readonly { readonly kind: KindId; readonly generationCounter: bigint }[],
): StoreRefusal {
  const kindResponses = current.map((response) => ({ ...response, replicas: [] }));
  return new StoreRefusal(
    ErrorCode.Error_Generation_Counter_Too_Low,
    detail,
    encode(StoreAns, { kindResponses }),
  );
}

/** `unknown_kinds<0..2^8-1>` holds 63 Kind-IDs of four bytes. */
const UNKNOWN_KINDS_MAX = 63;
