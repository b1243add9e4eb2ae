import type { Now } from './now.ts';
import { arrayPlaceName, type PlaceName } from './place.ts';
import type { KindState } from './resource-table.ts';
import { isLive, isSameElement, type PlannedValue, type StoredValue } from './stored-value.ts';

/**
 * What one Kind under one Resource-ID would be: the stored values that still live, and on top those
 * of the Store that is being planned. "Each value is then processed in turn" (RFC 6940 §7.4.1.1).
 */
export class KindDraft {
  readonly planned = new Map<PlaceName, PlannedValue>();
  private readonly stored: ReadonlyMap<PlaceName, StoredValue>;
  private readonly now: Now;
  private lastIndex: number | undefined;
  private liveCount: number | undefined;

  constructor(state: KindState | undefined, now: Now) {
    this.stored = state?.values ?? new Map();
    this.now = now;
  }

  at(name: PlaceName): PlannedValue | StoredValue | undefined {
    const planned = this.planned.get(name);
    if (planned !== undefined) return planned;
    const stored = this.stored.get(name);
    return stored !== undefined && isLive(stored, this.now) ? stored : undefined;
  }

  /** Values, those that say "nothing here" (RFC 6940 §7.4.1.3) included. */
  count(): number {
    if (this.liveCount === undefined) {
      this.liveCount = 0;
      for (const _ of this.values()) this.liveCount++;
    }
    return this.liveCount;
  }

  put(value: PlannedValue): void {
    const count = this.count();
    const end = this.arrayEnd();
    if (this.at(value.placeName) === undefined) this.liveCount = count + 1;
    this.planned.set(value.placeName, value);
    if (value.place.model === 'array') this.lastIndex = Math.max(end - 1, value.place.index);
  }

  /**
   * The index of an append: the end of the array (RFC 6940 §7.4.1.1), undefined when it is full.
   *
   * Intentional divergence from RFC 6940 §7.4.1.1: where the end would pass the Kind's maximum, the
   * first gap takes the value. Otherwise an array whose old entries expire while new ones are
   * appended could not be appended to any more, although it is nearly empty.
   */
  appendIndex(maxCount: number): number | undefined {
    const end = this.arrayEnd();
    if (end < maxCount) return end;
    for (let index = 0; index < maxCount; index++) {
      if (this.at(arrayPlaceName(index)) === undefined) return index;
    }
    return undefined;
  }

  /** Whether the same signed element is here already, at whatever place. */
  holdsElement(value: PlannedValue): boolean {
    for (const other of this.values()) {
      if (isSameElement(other, value)) return true;
    }
    return false;
  }

  /** The stored values that would be replaced; those whose time is over, too. */
  replaced(): StoredValue[] {
    return [...this.planned.keys()].flatMap((name) => this.stored.get(name) ?? []);
  }

  private arrayEnd(): number {
    if (this.lastIndex === undefined) {
      this.lastIndex = -1;
      for (const value of this.values()) {
        if (value.place.model !== 'array') continue;
        this.lastIndex = Math.max(this.lastIndex, value.place.index);
      }
    }
    return this.lastIndex + 1;
  }

  private *values(): Generator<PlannedValue | StoredValue> {
    yield* this.planned.values();
    for (const value of this.stored.values()) {
      if (!this.planned.has(value.placeName) && isLive(value, this.now)) yield value;
    }
  }
}
