import { randomInt } from 'node:crypto';
import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import type { Jid } from '../../../xmpp-address/jid.ts';
import type { SocketAddress } from '../../socket-address.ts';

/** How TLS begins: RFC 6120 §5, or XEP-0368. */
export type ServerEncryption = 'starttls' | 'direct';

/** Asks for SRV records; rejects with a system error whose `code` is ENOTFOUND or ENODATA. */
export type ServiceResolver = (name: string) => Promise<readonly SrvRecord[]>;

/** The server is not to be found, as a sentence. */
export class NoServerAddress extends Error {}

/**
 * Where the server of an account is, in the order to try (RFC 6120 §3.2, XEP-0368): what its SRV
 * records say, or without any the domain itself. Rejects with NoServerAddress.
 */
export async function serverAddresses(
  account: Jid,
  encryption: ServerEncryption,
  resolve: ServiceResolver = systemResolver(),
): Promise<readonly SocketAddress[]> {
  const { domainpart } = account;
  const host = hostName(domainpart);
  const service = encryption === 'direct' ? '_xmpps-client' : '_xmpp-client';
  const records = await servicesOf(`${service}._tcp.${host}`, resolve);
  if (records.length === 0) return [{ host, port: DEFAULT_PORTS[encryption] }];
  const [only] = records;
  if (records.length === 1 && (only?.name === '.' || only?.name === '')) {
    throw new NoServerAddress(`${domainpart} says that it has no ${service}: it serves no clients`);
  }
  return ordered(records)
    .slice(0, ADDRESSES_MAX)
    .map(({ name, port }) => ({ host: name, port }));
}

/** The name to look up and to expect in the certificate: A-labels, or an IP address. */
export function hostName(domain: string): string {
  const address = domain.replace(/^\[(.*)\]$/, '$1');
  return address !== domain ? address : domainToASCII(domain) || domain;
}

async function servicesOf(name: string, resolve: ServiceResolver): Promise<readonly SrvRecord[]> {
  try {
    return await resolve(name);
  } catch {
    // No records, or no resolver that answers: the domain itself remains, as RFC 6120 §3.2.2 says.
    return [];
  }
}

/** RFC 2782: by priority, and by chance with these weights among equals. */
function ordered(records: readonly SrvRecord[]): SrvRecord[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const chosen: SrvRecord[] = [];
  for (let next = drawn(left); next !== undefined; next = drawn(left)) {
    chosen.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return chosen;
}

function drawn(left: readonly SrvRecord[]): SrvRecord | undefined {
  const equals = left.filter(({ priority }) => priority === left[0]?.priority);
  const total = equals.reduce((sum, { weight }) => sum + weight, 0);
  const chance = randomInt(total + 1);
  let sum = 0;
  return equals.find(({ weight }) => {
    sum += weight;
    return sum >= chance;
  });
}

function systemResolver(): ServiceResolver {
  const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 2 });
  return (name) => resolver.resolveSrv(name);
}

export const DEFAULT_PORTS: Readonly<Record<ServerEncryption, number>> = {
  starttls: 5222,
  direct: 5223,
};
/** Addresses that are tried before a connection is given up. */
const ADDRESSES_MAX = 8;
const RESOLVE_MS = 3_000;
