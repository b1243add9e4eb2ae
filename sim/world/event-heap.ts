/** What happens in a World at a moment; `sequence` orders what happens at the same one. */
export interface SimEvent {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** All that is still to happen: a binary heap by (time, sequence), so the order is total. */
export class EventHeap {
  private readonly heap: SimEvent[] = [];

  get size(): number {
    return this.heap.length;
  }

  first(): SimEvent | undefined {
    return this.heap[0];
  }

  push(event: SimEvent): void {
    const heap = this.heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent] as SimEvent;
      if (isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  pop(): SimEvent | undefined {
    const heap = this.heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as SimEvent)) child++;
      const below = heap[child] as SimEvent;
      if (isBefore(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
