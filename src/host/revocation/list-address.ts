import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressKind, embeddedIpv4 } from '../../reload/candidates.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import { type HostResolver, HttpsFetchError } from '../https-fetch.ts';
import { toIpAddressPort } from '../socket-address.ts';

/** Finds the addresses of a host, all of them. */
export type AddressLookup = (
  hostname: string,
  done: (error: Error | null, addresses: readonly FoundAddress[]) => void,
) => void;

interface FoundAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * Where a peer may fetch revocation lists. The URLs stand in certificates that any authority below
 * a root may have issued, so nobody must make a peer knock at doors of its own network: loopback,
 * link-local, private, multicast and unspecified addresses count only where an own address is of
 * the same kind, or at the origin that the operator named himself.
 */
export class ListAddresses implements HostResolver {
  private readonly ownKinds: ReadonlySet<string>;
  private readonly trustedOrigins: ReadonlySet<string>;
  private readonly find: AddressLookup;

  /** `trustedOrigins`: such as `https://127.0.0.1:8443`. */
  constructor(
    own: readonly IpAddressPort[],
    trustedOrigins: readonly string[],
    find: AddressLookup = systemLookup,
  ) {
    this.ownKinds = new Set(own.map(networkKind));
    this.trustedOrigins = new Set(trustedOrigins);
    this.find = find;
  }

  checkLiteral(url: URL): void {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (this.mayConnect(url, host)) return;
    throw new HttpsFetchError('address-refused', `cannot fetch ${url}: ${refusal(host)}`);
  }

  lookupFor(url: URL): LookupFunction {
    return (hostname, options, callback) => {
      this.find(hostname, (error, found) => {
        if (error !== null) return callback(error, []);
        const allowed = found.filter(({ address }) => this.mayConnect(url, address));
        const [first] = allowed;
        if (first === undefined) {
          const what = refusal(found.map(({ address }) => address).join(', '));
          const message = `cannot fetch ${url}: ${what}`;
          return callback(new HttpsFetchError('address-refused', message), []);
        }
        if (options.all === true) callback(null, [...allowed]);
        else callback(null, first.address, first.family);
      });
    };
  }

  private mayConnect(url: URL, address: string): boolean {
    if (this.trustedOrigins.has(url.origin)) return true;
    const parsed = toIpAddressPort({ host: address, port: 0 });
    if (parsed === undefined) return false;
    const kind = networkKind(parsed);
    return kind === 'public' || this.ownKinds.has(kind);
  }
}

function refusal(address: string): string {
  return `${address} is not public, and this peer is not in such a network`;
}

function networkKind(address: IpAddressPort): string {
  const kind = addressKind(address);
  if (kind !== 'ordinary') return kind;
  return isPrivate(address) ? 'private' : 'public';
}

/** RFC 1918, RFC 6598 and RFC 4193, and what RFC 6890 and RFC 3879 keep for other inner uses. */
function isPrivate(address: IpAddressPort): boolean {
  if (address.type === 'unknown') return false;
  const bytes = address.type === 'ipv6' ? embeddedIpv4(address.address) : address.address;
  const [first = 0, second = 0, third = 0] = bytes;
  if (bytes.length === 16) {
    const isLocalTranslation = Buffer.from(bytes.subarray(0, 6)).equals(LOCAL_TRANSLATION);
    const isSiteLocal = first === 0xfe && (second & 0xc0) === 0xc0;
    return (first & 0xfe) === 0xfc || isSiteLocal || isLocalTranslation;
  }
  return (
    first === 10 ||
    (first === 172 && (second & 0xf0) === 16) ||
    (first === 192 && (second === 168 || (second === 0 && third === 0))) ||
    (first === 198 && (second & 0xfe) === 18) ||
    (first === 100 && (second & 0xc0) === 64)
  );
}

/** 64:ff9b:1::/48, RFC 8215. */
const LOCAL_TRANSLATION = Buffer.from('0064ff9b0001', 'hex');

function systemLookup(hostname: string, done: Parameters<AddressLookup>[1]): void {
  lookup(hostname, { all: true }, done);
}
