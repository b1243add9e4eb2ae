import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { type AddressLookup, ListAddresses } from '../../../src/host/revocation/list-address.ts';
import { toIpAddressPort } from '../../../src/host/socket-address.ts';

function own(...hosts: string[]) {
  return hosts.flatMap((host) => toIpAddressPort({ host, port: 6084 }) ?? []);
}

const finding =
  (...addresses: string[]): AddressLookup =>
  (_, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

/** The addresses that a connection may be made to, or the refusal. */
function found(addresses: ListAddresses, url = 'http://crl.example.org/a.crl'): Promise<unknown> {
  return new Promise((resolve) => {
    addresses.lookupFor(new URL(url))('crl.example.org', { all: true }, (error, list) => {
      if (error !== null) resolve(error.message);
      else resolve((list as LookupAddress[]).map(({ address }) => address));
    });
  });
}

const INNER = ['127.0.0.1', '10.1.2.3', '192.168.1.1', '172.20.0.1', '169.254.169.254', '::1'];
const MORE = ['0.0.0.0', '100.64.0.1', '224.0.0.1', 'fe80::1', 'fd00::1', '::ffff:127.0.0.1'];

/** IPv4 addresses inside IPv6: mapped, compatible, of NAT64 (RFC 6052) and of 6to4 (RFC 3056). */
const EMBEDDED = ['::ffff:10.1.2.3', '::10.1.2.3', '64:ff9b::10.1.2.3', '2002:a01:203::1'];
/** RFC 6890 and RFC 3879: of nobody on the Internet. */
const SPECIAL = ['198.18.0.1', '192.0.0.8', 'fec0::1', '64:ff9b:1::1'];

describe('nobody makes a peer knock at doors of its own network', () => {
  test.each([...INNER, ...MORE, ...EMBEDDED, ...SPECIAL])(
    '%s is not asked by a peer with a public address',
    async (host) => {
      const addresses = new ListAddresses(own('203.0.113.7'), [], finding(host));
      expect(await found(addresses)).toMatch(/is not public/);
      const literal = new URL(`https://${host.includes(':') ? `[${host}]` : host}:8443/a.crl`);
      expect(() => addresses.checkLiteral(literal)).toThrow(/is not public/);
    },
  );

  test('a public address is, and of several only those', async () => {
    const addresses = new ListAddresses(own('127.0.0.1'), [], finding('198.51.100.1'));
    expect(await found(addresses)).toEqual(['198.51.100.1']);
    const mixed = new ListAddresses([], [], finding('10.0.0.1', '198.51.100.1', '2001:db8::1'));
    expect(await found(mixed)).toEqual(['198.51.100.1', '2001:db8::1']);
    const embedded = ['::ffff:198.51.100.1', '64:ff9b::198.51.100.1', '2002:c633:6401::1'];
    const translated = new ListAddresses([], [], finding(...embedded));
    expect(await found(translated)).toEqual(embedded);
  });

  test('one of the kind of an own address is, and no other', async () => {
    const home = own('192.168.1.5');
    expect(await found(new ListAddresses(home, [], finding('10.0.0.1')))).toEqual(['10.0.0.1']);
    expect(await found(new ListAddresses(home, [], finding('127.0.0.1')))).toMatch(/not public/);
  });

  test('the origin that the operator named is, at that port alone', async () => {
    const origins = ['https://127.0.0.1:8443'];
    const addresses = new ListAddresses(own('203.0.113.7'), origins);
    expect(() => addresses.checkLiteral(new URL('https://127.0.0.1:8443/crl/a.crl'))).not.toThrow();
    for (const other of ['https://127.0.0.1:8444/', 'http://127.0.0.1:8443/']) {
      expect(() => addresses.checkLiteral(new URL(other))).toThrow(/is not public/);
    }
  });
});
