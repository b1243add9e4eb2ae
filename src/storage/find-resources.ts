import { ErrorCode } from '../wire/error-response.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { FindKindData } from '../wire/store.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { Now } from './now.ts';
import type { StoreContext } from './store-plan.ts';
import { StoreRefusal } from './store-refusal.ts';
import { isLive } from './stored-value.ts';

/**
 * The answer to Find — RFC 6940 §7.4.4: for each Kind the first Resource-ID from `resource` on, up
 * to and including `last`, that has a value. Only forwards, and only in the peer's own range: the
 * walk R' = nearest(1 + R) would never end otherwise.
 */
export function findResources(
  context: StoreContext,
  resource: ResourceId,
  kinds: readonly KindId[],
  last: ResourceId | undefined,
  now: Now,
): FindKindData[] | StoreRefusal {
  if (new Set(kinds).size !== kinds.length) {
    return new StoreRefusal(ErrorCode.Error_Invalid_Message, 'a Kind is twice in one FindReq');
  }
  const results: FindKindData[] = [];
  for (const kind of kinds) {
    const definition = context.kinds.get(kind);
    if (definition !== undefined && !definition.findAllowed) continue;
    results.push({ kind, closest: closest(context, resource, kind, last, now) });
  }
  return results;
}

function closest(
  context: StoreContext,
  start: ResourceId,
  kind: KindId,
  last: ResourceId | undefined,
  now: Now,
): ResourceId {
  for (const resource of context.table.resourcesFrom(kind, start)) {
    if (last !== undefined && !isWithin(start, resource, last)) break;
    const values = context.table.state(resource, kind)?.values.values() ?? [];
    for (const value of values) {
      if (value.exists && isLive(value, now)) return resource;
    }
  }
  return NO_RESOURCE;
}

/** Whether `resource` comes before or at `last`, for who goes around the ring from `start`. */
function isWithin(start: ResourceId, resource: ResourceId, last: ResourceId): boolean {
  const isWrapped = resource < start;
  const endIsWrapped = last < start;
  if (isWrapped !== endIsWrapped) return endIsWrapped;
  return resource <= last;
}

/** The RFC's "0": of zero length, so that it is no Resource-ID that somebody could have. */
const NO_RESOURCE = '' as ResourceId;
