import { Resolver } from 'node:dns/promises';

export interface ServiceTarget {
  readonly host: string;
  readonly port: number;
}

export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** How SRV records are found: the system's DNS, or what a test puts in its place. */
export interface ServiceResolver {
  /** Rejects where there are none, and where DNS does not answer. */
  resolveSrv(name: string): Promise<readonly ServiceRecord[]>;
}

/**
 * Where the configuration server of an overlay may be reached, best first: the targets of
 * `_reload-config._tcp.OVERLAY` (RFC 6940 §11.2) in the order of RFC 2782, or, where DNS has none,
 * the overlay's own name as XEP-0416 §5 asks for. Whichever it is, the certificate there must be
 * for the overlay's name, so that DNS need not be trusted. Empty when the overlay declares that it
 * has no such service.
 */
export async function discoverConfigurationServers(
  overlayName: string,
  resolver: ServiceResolver = systemResolver(),
  random: () => number = Math.random,
): Promise<readonly ServiceTarget[]> {
  const records = await serviceRecords(resolver, `_reload-config._tcp.${overlayName}`);
  if (records.length === 0) return [{ host: overlayName, port: HTTPS_PORT }];
  // "A Target of "." means that the service is decidedly not available at this domain."
  const [only] = records;
  if (records.length === 1 && (only?.name === '.' || only?.name === '')) return [];
  return inOrder(records, random)
    .slice(0, TARGETS_MAX)
    .map(({ name, port }) => ({ host: name.replace(/\.$/, ''), port }));
}

async function serviceRecords(
  resolver: ServiceResolver,
  name: string,
): Promise<readonly ServiceRecord[]> {
  try {
    return (await resolver.resolveSrv(name)).slice(0, RECORDS_MAX);
  } catch {
    // No such name, no such record, or no DNS at all: the overlay's own name is the last resort,
    // and its connection reports what is wrong.
    return [];
  }
}

/** Lower priority first; within one, a random order in which weight counts (RFC 2782). */
function inOrder(records: readonly ServiceRecord[], random: () => number): ServiceRecord[] {
  const left = [...records];
  const ordered: ServiceRecord[] = [];
  while (left.length > 0) {
    const best = Math.min(...left.map(({ priority }) => priority));
    const candidates = left.filter(({ priority }) => priority === best);
    const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
    let at = random() * total;
    const chosen = candidates.find(({ weight }) => {
      at -= weight;
      return at < 0;
    });
    const [fallback] = candidates;
    const next = chosen ?? fallback;
    if (next === undefined) break;
    ordered.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return ordered;
}

function systemResolver(): ServiceResolver {
  return new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
}

const HTTPS_PORT = 443;
const RECORDS_MAX = 64;
const TARGETS_MAX = 4;
const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;
