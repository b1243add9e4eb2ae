import type { ResourceId } from '../wire/resource-id.ts';

/**
 * Resource-IDs in the order of the ring, for Find (RFC 6940 §7.4.4). Changes are sorted in when
 * somebody asks, so that filling and emptying the store stays cheap.
 */
export class ResourceOrder {
  private sorted: ResourceId[] = [];
  private readonly added = new Set<ResourceId>();
  private readonly deleted = new Set<ResourceId>();

  add(resource: ResourceId): void {
    if (!this.deleted.delete(resource)) this.added.add(resource);
  }

  delete(resource: ResourceId): void {
    if (!this.added.delete(resource)) this.deleted.add(resource);
  }

  /** All of them from `start` on, once around the ring. */
  *from(start: ResourceId): Generator<ResourceId> {
    this.settle();
    const { sorted } = this;
    const first = this.position(start);
    for (let step = 0; step < sorted.length; step++) {
      const resource = sorted[(first + step) % sorted.length];
      if (resource !== undefined) yield resource;
    }
  }

  /** Where `resource` is, or would be. */
  private position(resource: ResourceId): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = this.sorted[middle];
      if (at !== undefined && at < resource) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private settle(): void {
    const changes = this.added.size + this.deleted.size;
    if (changes === 0) return;
    if (changes > ONE_BY_ONE_MAX) {
      const kept = this.sorted.filter((resource) => !this.deleted.has(resource));
      this.sorted = [...kept, ...this.added].sort();
    } else {
      for (const resource of this.deleted) this.sorted.splice(this.position(resource), 1);
      for (const resource of this.added) this.sorted.splice(this.position(resource), 0, resource);
    }
    this.added.clear();
    this.deleted.clear();
  }
}

/** Above this many changes, sorting all anew is faster. */
const ONE_BY_ONE_MAX = 64;
