import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResourceOrder } from '../../src/storage/resource-order.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';

const resourceId = fc.integer({ min: 0, max: 300 }).map((n) => {
  return n.toString(16).padStart(4, '0') as ResourceId;
});

test('Resource-IDs come and go, and are always in the order of the ring, each once', () => {
  const change = fc.record({ resource: resourceId, start: fc.option(resourceId) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
      const order = new ResourceOrder();
      const expected = new Set<ResourceId>();
      for (const { resource, start } of changes) {
        // Each change adds what is not there and deletes what is.
        if (expected.delete(resource)) order.delete(resource);
        else {
          expected.add(resource);
          order.add(resource);
        }
        if (start === null) continue;
        const sorted = [...expected].sort();
        const ring = [...sorted.filter((id) => id >= start), ...sorted.filter((id) => id < start)];
        expect([...order.from(start)]).toEqual(ring);
      }
    }),
  );
});
