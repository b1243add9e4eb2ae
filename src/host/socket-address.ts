import { isIP, isIPv4, isIPv6 } from 'node:net';
import { formatIpAddress, parseIpAddress } from '../overlay-config/ip-address-text.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';

/** Where a socket listens or connects to; `host` is an IP address or a name. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `HOST:PORT` or `[IPV6]:PORT`. Returns a sentence for anything else. */
export function parseSocketAddress(text: string): SocketAddress | string {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? -1);
  if (match === null || port > PORT_MAX) {
    return `"${text}" is not HOST:PORT; write for example 127.0.0.1:6084 or [::1]:6084`;
  }
  const [, ipv6, name] = match;
  if (ipv6 !== undefined) {
    return isIPv6(ipv6) ? { host: ipv6, port } : `"${ipv6}" is not an IPv6 address`;
  }
  return { host: name ?? '', port };
}

/** `127.0.0.1:6084` or `[::1]:6084`. */
export function formatSocketAddress(address: SocketAddress): string {
  return isIPv6(address.host)
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

/** The wire form of an IP address; undefined for a name. IPv4 inside IPv6 becomes IPv4. */
export function toIpAddressPort(address: SocketAddress): IpAddressPort | undefined {
  const bytes = parseIpAddress(unmapped(address.host));
  if (bytes === undefined) return undefined;
  const type = bytes.length === 4 ? 'ipv4' : 'ipv6';
  return { type, address: bytes, port: address.port };
}

/** What a socket can connect to; undefined for an address type that we do not know. */
export function fromIpAddressPort(value: IpAddressPort): SocketAddress | undefined {
  if (value.type === 'unknown') return undefined;
  return { host: formatIpAddress(value.address), port: value.port };
}

/** 127.0.0.0/8, ::1 and the name `localhost`. */
export function isLoopbackHost(host: string): boolean {
  const plain = unmapped(host);
  return plain === '::1' || plain === 'localhost' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** `0.0.0.0` or `::`: every interface. */
export function isUnspecifiedHost(host: string): boolean {
  return isIP(host) !== 0 && /^[0:.]+$/.test(host);
}

/** `::ffff:192.0.2.1`, as a dual-stack listener sees an IPv4 client, is 192.0.2.1. */
function unmapped(host: string): string {
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return match?.[1] ?? host;
}

const PORT_MAX = 65_535;
