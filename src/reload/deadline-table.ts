/**
 * All deadlines of a Peer. A deadline has a key; setting a key again moves it. The table is a heap
 * with stale entries that are skipped, so that setting and moving cost O(log n).
 */
export class DeadlineTable<Deadline extends { readonly type: string }> {
  private readonly heap: HeapEntry<Deadline>[] = [];
  private readonly live = new Map<string, HeapEntry<Deadline>>();
  private sequence = 0;

  get size(): number {
    return this.live.size;
  }

  /** Entries in memory, the stale ones included. */
  get entries(): number {
    return this.heap.length;
  }

  /** Sets or moves the deadline of `key` to `atMonotonicMs`. */
  set(key: string, deadline: Deadline, atMonotonicMs: number): void {
    const entry = { key, deadline, at: atMonotonicMs, sequence: this.sequence++, isStale: false };
    const former = this.live.get(key);
    if (former !== undefined) former.isStale = true;
    this.live.set(key, entry);
    this.push(entry);
    if (this.heap.length > 64 && this.heap.length > 4 * this.live.size) this.compact();
  }

  cancel(key: string): void {
    const entry = this.live.get(key);
    if (entry === undefined) return;
    entry.isStale = true;
    this.live.delete(key);
  }

  has(key: string): boolean {
    return this.live.has(key);
  }

  /** The earliest deadline, in monotonic ms. */
  next(): number | undefined {
    this.dropStale();
    return this.heap[0]?.at;
  }

  /** Takes one deadline that is due at `monotonicMs`, earliest first. */
  takeDue(monotonicMs: number): Deadline | undefined {
    this.dropStale();
    const first = this.heap[0];
    if (first === undefined || first.at > monotonicMs) return undefined;
    this.pop();
    this.live.delete(first.key);
    return first.deadline;
  }

  private dropStale(): void {
    for (;;) {
      const first = this.heap[0];
      if (first === undefined || !first.isStale) return;
      this.pop();
    }
  }

  private compact(): void {
    const entries = [...this.live.values()].sort(byTime);
    this.heap.length = 0;
    this.heap.push(...entries);
  }

  private push(entry: HeapEntry<Deadline>): void {
    const heap = this.heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent] as HeapEntry<Deadline>;
      if (byTime(above, entry) <= 0) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  private pop(): void {
    const heap = this.heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && byTime(right, heap[child] as HeapEntry<Deadline>) < 0) child++;
      const below = heap[child] as HeapEntry<Deadline>;
      if (byTime(last, below) <= 0) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

interface HeapEntry<Deadline> {
  readonly key: string;
  readonly deadline: Deadline;
  readonly at: number;
  readonly sequence: number;
  /** Moved or cancelled since; looked at after every input, so it stands here. */
  isStale: boolean;
}

function byTime(a: HeapEntry<unknown>, b: HeapEntry<unknown>): number {
  return a.at - b.at || a.sequence - b.sequence;
}
