import { CandType, type IceCandidate, OverlayLinkType } from '../wire/attach.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { PeerOptions } from './peer-options.ts';

/** Where this node waits for connections of an application, or else for links. */
export function applicationAddresses(
  options: Pick<PeerOptions, 'addresses' | 'applications'>,
  application: number,
): readonly IpAddressPort[] {
  return options.applications?.get(application) ?? options.addresses;
}

/** The passive candidates that this node offers — RFC 6940 §6.5.1.1 and §6.6.5. */
export function ownCandidates(addresses: readonly IpAddressPort[]): IceCandidate[] {
  return addresses.slice(0, OWN_CANDIDATES_MAX).map((address, index) => ({
    address,
    overlayLink: OverlayLinkType.tlsTcpFhNoIce,
    foundation: new TextEncoder().encode(String(index + 1)),
    priority: hostPriority(index),
    type: CandType.host,
    extensions: [],
  }));
}

/**
 * The addresses of another node that may be connected to, best first. Nobody makes this node scan
 * its own host or network: loopback, link-local, multicast and unspecified addresses count only
 * where an own address is of the same kind.
 */
export function reachableAddresses(
  candidates: readonly IceCandidate[],
  ownAddresses: readonly IpAddressPort[],
  candidatesMax: number,
): IpAddressPort[] {
  const ownKinds = new Set(ownAddresses.map(addressKind));
  return candidates
    .slice(0, candidatesMax)
    .filter((candidate) => candidate.overlayLink === OverlayLinkType.tlsTcpFhNoIce)
    .filter((candidate) => candidate.type === CandType.host)
    .sort((a, b) => b.priority - a.priority)
    .map((candidate) => candidate.address)
    .filter((address) => {
      if (address.type === 'unknown' || address.port === 0) return false;
      const kind = addressKind(address);
      return kind === 'ordinary' || ownKinds.has(kind);
    });
}

export type AddressKind =
  | 'ordinary'
  | 'loopback'
  | 'link-local'
  | 'multicast'
  | 'unspecified'
  | 'unknown';

/** RFC 6890's special ranges, as far as they must not be connected to on another's word. */
export function addressKind(address: IpAddressPort): AddressKind {
  if (address.type === 'unknown') return 'unknown';
  const bytes = address.type === 'ipv4' ? address.address : embeddedIpv4(address.address);
  if (bytes.length === 4) return ipv4Kind(bytes);
  const [first = 0, second = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) return 'unspecified';
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return 'loopback';
  if (first === 0xff) return 'multicast';
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link-local';
  return 'ordinary';
}

function ipv4Kind(bytes: Uint8Array): AddressKind {
  const [first = 0, second = 0] = bytes;
  if (first === 0) return 'unspecified';
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'link-local';
  if (first >= 224) return 'multicast';
  return 'ordinary';
}

/**
 * The IPv4 address that an IPv6 address leads to: ::ffff:a.b.c.d and ::a.b.c.d are spellings of it
 * (RFC 4291 §2.5.5), 64:ff9b::a.b.c.d goes through a translator (RFC 6052), 2002:… through 6to4
 * (RFC 3056). Other addresses as they are.
 */
export function embeddedIpv4(bytes: Uint8Array): Uint8Array {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('hex');
  if (head.startsWith('2002')) return bytes.subarray(2, 6);
  const isLow = head === ZEROS && (bytes[12] !== 0 || bytes[13] !== 0);
  return isLow || head === MAPPED || head === TRANSLATED ? bytes.subarray(12) : bytes;
}

/** RFC 8445 §5.1.2 for host candidates of the one component. */
function hostPriority(index: number): number {
  const typePreference = 126;
  const localPreference = 65535 - index;
  return typePreference * 2 ** 24 + localPreference * 2 ** 8 + 255;
}

/** The first 96 bits of addresses that hold another. */
const ZEROS = '00'.repeat(12);
const MAPPED = `${'00'.repeat(10)}ffff`;
const TRANSLATED = `0064ff9b${'00'.repeat(8)}`;
const OWN_CANDIDATES_MAX = 8;
