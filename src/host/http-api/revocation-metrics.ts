import type { RevocationReport } from '../revocation/revocation-service.ts';

/** The gauges of revocation lists: what they are called, what they say and their value. */
export function revocationGauges(
  read: () => RevocationReport | undefined,
): Readonly<Record<string, readonly [help: string, read: () => number]>> {
  const held = () => (read()?.lists ?? []).flatMap(({ list }) => list ?? []);
  const seconds = (times: readonly number[]) =>
    times.length === 0 ? 0 : Math.max(...times.map((unixMs) => (Date.now() - unixMs) / 1000));
  return {
    xor_revocation_lists_wanted: [
      'Distribution points that certificates name',
      () => read()?.lists.length ?? 0,
    ],
    xor_revocation_lists_held: ['Those from which a verified list is held', () => held().length],
    xor_revocation_lists_failing: [
      'Those whose last request brought no list',
      () => (read()?.lists ?? []).filter(({ failures }) => failures > 0).length,
    ],
    xor_revocation_entries: [
      'Revoked certificates in the lists held',
      () => held().reduce((sum, { entries }) => sum + entries.size, 0),
    ],
    xor_revocation_list_age_seconds: [
      'Since thisUpdate, of the oldest list held',
      () => seconds(held().map(({ thisUpdateUnixMs }) => thisUpdateUnixMs)),
    ],
    xor_revocation_list_overdue_seconds: [
      'Since nextUpdate, of the list that ends first; negative while all are current',
      () => seconds(held().map(({ nextUpdateUnixMs }) => nextUpdateUnixMs)),
    ],
  };
}

/** The counters of requests for lists. */
export function revocationCounters(
  read: () => RevocationReport | undefined,
): Readonly<Record<string, readonly [help: string, read: () => number]>> {
  return {
    xor_revocation_fetches_total: ['Requests for lists', () => read()?.fetches ?? 0],
    xor_revocation_fetch_failures_total: [
      'Requests that brought no list that counts',
      () => read()?.failures ?? 0,
    ],
  };
}
