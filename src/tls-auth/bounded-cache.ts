/**
 * A map of at most `entriesMax` entries. When it is full the oldest entry that was not asked for
 * since it was last passed over goes ("second chance"): reading costs one lookup, no reordering.
 */
export class BoundedCache<K, V> {
  private readonly entries = new Map<K, { value: V; wasUsed: boolean }>();
  private readonly entriesMax: number;
  private readonly whenDropped: ((value: V) => void) | undefined;

  /** `whenDropped` is told of every value that leaves, also by `set` and `clear`. */
  constructor(entriesMax: number, whenDropped?: (value: V) => void) {
    this.entriesMax = entriesMax;
    this.whenDropped = whenDropped;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    entry.wasUsed = true;
    return entry.value;
  }

  /** A copy of all values, which marks none of them as asked for. */
  values(): V[] {
    return Array.from(this.entries.values(), ({ value }) => value);
  }

  set(key: K, value: V): void {
    this.delete(key);
    if (this.entries.size >= this.entriesMax) this.dropOne();
    this.entries.set(key, { value, wasUsed: false });
  }

  delete(key: K): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.whenDropped?.(entry.value);
  }

  clear(): void {
    for (const key of [...this.entries.keys()]) this.delete(key);
  }

  /** Ends after one round: each entry passed over has lost its mark. */
  private dropOne(): void {
    for (const [key, entry] of this.entries) {
      if (!entry.wasUsed) {
        this.delete(key);
        return;
      }
      this.entries.delete(key);
      this.entries.set(key, { value: entry.value, wasUsed: false });
    }
  }
}
