import type { Now } from './now.ts';
import type { StoredValue } from './stored-value.ts';

/**
 * The stored values by when they end, the next one first: a binary heap. A value that was replaced
 * stays in it until its turn comes or until such values are the majority.
 */
export class ExpiryQueue {
  private heap: Entry[] = [];
  private readonly isStored: (value: StoredValue) => boolean;

  constructor(isStored: (value: StoredValue) => boolean) {
    this.isStored = isStored;
  }

  /** `storedCount`: how many values the store holds, to notice when most of the heap is stale. */
  add(value: StoredValue, now: Now, storedCount: number): void {
    this.push({ deadlineMonotonicMs: deadlineOf(value, now), value });
    if (this.heap.length > 2 * storedCount + STALE_ENTRIES_MAX) this.rebuild();
  }

  /** When the next value ends: monotonic ms. */
  nextDeadline(): number | undefined {
    let first = this.heap[0];
    while (first !== undefined && !this.isStored(first.value)) {
      this.popFirst();
      first = this.heap[0];
    }
    return first?.deadlineMonotonicMs;
  }

  /** Takes out a value whose moment has come; undefined: none (any more). */
  takeDue(now: Now): StoredValue | undefined {
    const deadline = this.nextDeadline();
    if (deadline === undefined || deadline > now.monotonicMs) return undefined;
    return this.popFirst()?.value;
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || parent.deadlineMonotonicMs <= entry.deadlineMonotonicMs) break;
      heap[at] = parent;
      heap[parentAt] = entry;
      at = parentAt;
    }
  }

  private popFirst(): Entry | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (first !== undefined && last !== undefined && first !== last) this.sink(last);
    return first;
  }

  /** Puts `entry` at the root and lets it sink to its place. */
  private sink(entry: Entry): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const rightFirst =
        left !== undefined &&
        right !== undefined &&
        right.deadlineMonotonicMs < left.deadlineMonotonicMs;
      const child = rightFirst ? right : left;
      if (child === undefined || child.deadlineMonotonicMs >= entry.deadlineMonotonicMs) break;
      heap[at] = child;
      at = rightFirst ? 2 * at + 2 : 2 * at + 1;
    }
    heap[at] = entry;
  }

  private rebuild(): void {
    const stored = this.heap.filter((entry) => this.isStored(entry.value));
    this.heap = [];
    for (const entry of stored) this.push(entry);
  }
}

interface Entry {
  readonly deadlineMonotonicMs: number;
  readonly value: StoredValue;
}

/**
 * When to look at a value: at the end of its lifetime or of its signer's certificate. The latter is
 * a moment of the wall clock, so this is an estimate; whoever looks too early adds it again.
 */
function deadlineOf(value: StoredValue, now: Now): number {
  const certificateMs = value.kept.signer.node.validUntilUnixMs - now.unixMs;
  const certificateEnd = now.monotonicMs + Math.max(LOOK_AGAIN_MS, certificateMs);
  return Math.min(value.expiresMonotonicMs, certificateEnd);
}

const LOOK_AGAIN_MS = 1000;
const STALE_ENTRIES_MAX = 64;
