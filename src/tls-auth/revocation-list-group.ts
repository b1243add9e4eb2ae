import type { RevocationList } from './revocation-list.ts';

/** The lists of one issuer, those with the latest thisUpdate first. */
export interface ListGroup {
  readonly complete: readonly RevocationList[];
  readonly deltas: readonly RevocationList[];
}

/** Lists by the comparison key of their issuer. */
export function groupLists(lists: readonly RevocationList[]): Map<string, ListGroup> {
  const groups = new Map<string, { complete: RevocationList[]; deltas: RevocationList[] }>();
  // An older list that is still within its time must not outvote a newer one.
  for (const list of lists.toSorted(newestFirst)) {
    const key = list.issuer.comparisonKey;
    const group = groups.get(key) ?? { complete: [], deltas: [] };
    groups.set(key, group);
    (list.baseCrlNumber === undefined ? group.complete : group.deltas).push(list);
  }
  return groups;
}

function newestFirst(one: RevocationList, other: RevocationList): number {
  if (one.thisUpdateUnixMs !== other.thisUpdateUnixMs) {
    return other.thisUpdateUnixMs - one.thisUpdateUnixMs;
  }
  const [ofOne, ofOther] = [one.crlNumber ?? 0n, other.crlNumber ?? 0n];
  return ofOne === ofOther ? 0 : ofOne > ofOther ? -1 : 1;
}
