import { describe, expect, test } from 'vitest';
import {
  formatSocketAddress,
  fromIpAddressPort,
  isLoopbackHost,
  isUnspecifiedHost,
  parseSocketAddress,
  toIpAddressPort,
} from '../../src/host/socket-address.ts';

describe('socket addresses', () => {
  test.each(['127.0.0.1:6084', '[::1]:0', 'peer.example.org:65535'])('%s is read', (text) => {
    const address = parseSocketAddress(text);
    expect(typeof address).toBe('object');
    if (typeof address === 'object') expect(formatSocketAddress(address)).toBe(text);
  });

  test.each(['', '6084', '127.0.0.1', '127.0.0.1:', '::1:6084', 'a:65536', '[a]:1', 'a b'])(
    '"%s" is refused with a sentence',
    (text) => {
      expect(typeof parseSocketAddress(text)).toBe('string');
    },
  );

  test('IPv4 inside IPv6 is IPv4', () => {
    expect(toIpAddressPort({ host: '::ffff:192.0.2.1', port: 6084 })).toEqual({
      type: 'ipv4',
      address: Uint8Array.of(192, 0, 2, 1),
      port: 6084,
    });
  });

  test('the wire form leads back to the same address', () => {
    for (const host of ['192.0.2.1', '2001:db8::1', '::1']) {
      const wire = toIpAddressPort({ host, port: 1 });
      expect(wire === undefined ? undefined : fromIpAddressPort(wire)).toEqual({ host, port: 1 });
    }
    expect(toIpAddressPort({ host: 'localhost', port: 1 })).toBeUndefined();
    expect(fromIpAddressPort({ type: 'unknown', code: 9, data: new Uint8Array() })).toBeUndefined();
  });

  test('loopback and unspecified hosts', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopbackHost)).toBe(true);
    expect(['0.0.0.0', '192.0.2.1', '127.example.org'].some(isLoopbackHost)).toBe(false);
    expect(['0.0.0.0', '::'].every(isUnspecifiedHost)).toBe(true);
    expect(['127.0.0.1', '::1', 'localhost'].some(isUnspecifiedHost)).toBe(false);
  });
});
