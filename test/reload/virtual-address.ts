import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';

/** Where the peer with this number listens. */
export function virtualAddress(index: number): IpAddressPort {
  const address = Uint8Array.from([10, 0, index >>> 8, index & 0xff]);
  return { type: 'ipv4', address, port: 6084 };
}

export function sameAddress(a: IpAddressPort, b: IpAddressPort): boolean {
  if (a.type === 'unknown' || b.type === 'unknown') return false;
  return a.port === b.port && a.address.join() === b.address.join();
}
