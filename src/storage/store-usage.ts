import { ErrorCode } from '../wire/error-response.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { StoreLimits } from './store-limits.ts';
import { StoreRefusal } from './store-refusal.ts';

/** The values of one signer, or what a Store would add to them. */
export interface ValueTally {
  values: number;
  bytes: number;
}

/** Of a value, what counts against the limits. */
export interface MeasuredValue {
  readonly kind: KindId;
  readonly signerNodeId: NodeId;
  readonly bytes: number;
}

/** How much is stored: altogether, of each Kind and by each signer. */
export class StoreUsage {
  readonly total: ValueTally = { values: 0, bytes: 0 };
  readonly byKind = new Map<KindId, ValueTally>();
  readonly bySigner = new Map<NodeId, ValueTally>();

  add(value: MeasuredValue): void {
    this.count(value, 1);
  }

  subtract(value: MeasuredValue): void {
    this.count(value, -1);
  }

  private count(value: MeasuredValue, sign: 1 | -1): void {
    change(this.total, value, sign);
    countIn(this.byKind, value.kind, value, sign);
    countIn(this.bySigner, value.signerNodeId, value, sign);
  }
}

/**
 * Why `added` does not fit on top of `used` — RFC 6940 §7.4.1.2, Error_Data_Too_Large. `added`
 * counts what is replaced as gone, so an owner can always remove a value.
 */
export function usageRefusal(
  used: StoreUsage,
  added: StoreUsage,
  limits: StoreLimits,
): StoreRefusal | undefined {
  const { total } = added;
  if (exceeds(used.total.values, total.values, limits.valuesMax)) {
    return full(`this peer stores ${limits.valuesMax} values at most`);
  }
  if (exceeds(used.total.bytes, total.bytes, limits.bytesMax)) {
    return full(`this peer stores ${limits.bytesMax} bytes at most`);
  }
  for (const [kind, tally] of added.byKind) {
    if (exceeds(used.byKind.get(kind)?.bytes ?? 0, tally.bytes, limits.kindBytesMax)) {
      const named = `0x${kind.toString(16)}`;
      return full(`this peer stores ${limits.kindBytesMax} bytes of Kind ${named} at most`);
    }
  }
  for (const [signer, tally] of added.bySigner) {
    const stored = used.bySigner.get(signer);
    if (exceeds(stored?.values ?? 0, tally.values, limits.signerValuesMax)) {
      return full(`this peer stores ${limits.signerValuesMax} values of a node at most: ${signer}`);
    }
    if (exceeds(stored?.bytes ?? 0, tally.bytes, limits.signerBytesMax)) {
      return full(`this peer stores ${limits.signerBytesMax} bytes of a node at most: ${signer}`);
    }
  }
  return undefined;
}

function exceeds(used: number, added: number, max: number): boolean {
  return used + added > max;
}

function full(detail: string): StoreRefusal {
  return new StoreRefusal(ErrorCode.Error_Data_Too_Large, detail);
}

function countIn<K>(tallies: Map<K, ValueTally>, key: K, value: MeasuredValue, sign: 1 | -1): void {
  let tally = tallies.get(key);
  if (tally === undefined) {
    tally = { values: 0, bytes: 0 };
    tallies.set(key, tally);
  }
  change(tally, value, sign);
  if (tally.values === 0 && tally.bytes === 0) tallies.delete(key);
}

function change(tally: ValueTally, value: MeasuredValue, sign: 1 | -1): void {
  tally.values += sign;
  tally.bytes += sign * value.bytes;
}
