import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import { isUnspecifiedHost, type SocketAddress, toIpAddressPort } from './socket-address.ts';

/**
 * What a peer that listens at `bound` tells others to connect to: the address that its operator
 * gave, else the one it listens at, else those of its interfaces, IPv4 first. Loopback addresses
 * only when there is no other, since they lead nobody else here.
 */
export function advertisedAddresses(
  bound: SocketAddress,
  advertise: SocketAddress | undefined,
): IpAddressPort[] {
  const port = advertise === undefined || advertise.port === 0 ? bound.port : advertise.port;
  const hosts =
    advertise !== undefined
      ? [advertise.host]
      : isUnspecifiedHost(bound.host)
        ? interfaceHosts(bound.host)
        : [bound.host];
  const addresses = hosts.map((host) => toIpAddressPort({ host, port }));
  return addresses.filter((address) => address !== undefined).slice(0, ADDRESSES_MAX);
}

/** The IP address of a host name; an IP address is itself. Rejects when there is none. */
export async function resolveHost(address: SocketAddress): Promise<SocketAddress> {
  if (toIpAddressPort(address) !== undefined) return address;
  const found = await lookup(address.host);
  return { host: found.address, port: address.port };
}

function interfaceHosts(unspecified: string): string[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const reachable = found.filter(
    ({ internal, family, address }) =>
      !internal && !LINK_LOCAL.test(address) && (family === 'IPv4' || unspecified === '::'),
  );
  if (reachable.length === 0) return [unspecified === '::' ? '::1' : '127.0.0.1'];
  const order = (family: string) => (family === 'IPv4' ? 0 : 1);
  return reachable.sort((a, b) => order(a.family) - order(b.family)).map(({ address }) => address);
}

/** RFC 6940 §6.5.1.3 lets a node offer more; eight are looked at. */
const ADDRESSES_MAX = 8;
const LINK_LOCAL = /^(?:fe[89ab][0-9a-f]:|169\.254\.)/i;
