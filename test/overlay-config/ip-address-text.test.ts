import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpAddress, parseIpAddress } from '../../src/overlay-config/ip-address-text.ts';

const addressBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
    .map((bytes) => Uint8Array.from(bytes)),
);

test('an address reads back as it was written, and Node takes it for one', () => {
  fc.assert(
    fc.property(addressBytes, (bytes) => {
      const text = formatIpAddress(bytes);
      expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
      expect(parseIpAddress(text)).toEqual(bytes);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1::', '1::'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
])('RFC 5952: %s is written %s', (text, canonical) => {
  const bytes = parseIpAddress(text);
  expect(bytes && formatIpAddress(bytes)).toBe(canonical);
});

test('text that is nearly an address is judged as Node judges it', () => {
  const part = fc.constantFrom(
    '0',
    '1',
    '12',
    '255',
    '256',
    '01',
    'ff',
    'ffff',
    '10000',
    ':',
    '::',
  );
  const near = fc.array(fc.oneof(part, fc.constantFrom(':', '.')), { maxLength: 14 });
  fc.assert(
    fc.property(near, (parts) => {
      const text = parts.join('');
      expect(parseIpAddress(text) !== undefined).toBe(isIP(text) !== 0);
    }),
    { numRuns: 5_000 },
  );
});

test.each(['', 'peer.example', 'fe80::1%eth0', '[::1]', '1.2.3.4:80', ' ::1', '1::2::3', ':::'])(
  '"%s" is no address',
  (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  },
);

test('other lengths are our bug', () => {
  expect(() => formatIpAddress(new Uint8Array(5))).toThrow(RangeError);
});
