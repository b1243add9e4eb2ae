import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boolean,
  type Codec,
  checked,
  decode,
  encode,
  opaque,
  rest,
  struct,
  text,
  uint8,
  uint16,
  uint24,
  uint32,
  uint64,
  vector,
} from '../../src/wire/codec.ts';
import { fromHex, toHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { nodeId } from '../../src/wire/node-id.ts';
import { StoreReq } from '../../src/wire/store.ts';
import { Writer } from '../../src/wire/writer.ts';
import { hexBytes, NODE_1 } from './struct-case.ts';

function fault(codec: Codec<unknown>, hex: string): MalformedMessage {
  const result = decode(codec, hexBytes(hex));
  if (!(result instanceof MalformedMessage)) throw new Error(`expected a fault in ${hex}`);
  return result;
}

describe('RFC 6940 §6.3.1: integers are unsigned and big-endian', () => {
  const integers: [string, Codec<number>, number, string][] = [
    ['uint8', uint8, 0xff, 'ff'],
    ['uint16', uint16, 0xfffe, 'fffe'],
    ['uint24', uint24, 0x810203, '810203'],
    ['uint32', uint32, 0xfffefdfc, 'fffefdfc'],
  ];
  test.each(integers)('%s', (_, codec, value, hex) => {
    expect(toHex(encode(codec, value))).toBe(hex);
    expect(decode(codec, hexBytes(hex))).toBe(value);
    expect(fault(codec, hex.slice(2))).toBeInstanceOf(MalformedMessage);
    expect(() => encode(codec, -1)).toThrow(RangeError);
    expect(() => encode(codec, 0.5)).toThrow(RangeError);
    expect(() => encode(codec, 2 ** (4 * hex.length))).toThrow(RangeError);
  });

  test('uint64 is a bigint', () => {
    expect(decode(uint64, hexBytes('fffefdfcfbfaf9f8'))).toBe(0xfffefdfcfbfaf9f8n);
    expect(toHex(encode(uint64, 0xfffefdfcfbfaf9f8n))).toBe('fffefdfcfbfaf9f8');
    expect(() => encode(uint64, -1n)).toThrow(RangeError);
    expect(() => encode(uint64, 1n << 64n)).toThrow(RangeError);
  });
});

describe('RFC 6940 §6.3.1: other types', () => {
  test('a Boolean is 0 or 1, nothing else', () => {
    expect(decode(boolean, hexBytes('00'))).toBe(false);
    expect(decode(boolean, hexBytes('01'))).toBe(true);
    expect(fault(boolean, '02').detail).toBe('expected a Boolean (0 or 1), got 2');
  });

  test('the length of a vector counts bytes, not elements', () => {
    const pairs = vector(uint8, uint16);
    expect(decode(pairs, hexBytes('04 0001 0002'))).toEqual([1, 2]);
    expect(fault(pairs, '03 0001 00').detail).toBe('expected 2 bytes, 1 are left');
  });

  test('a vector of elements that take no bytes ends as a fault, not as a loop', () => {
    const nothing = vector(uint8, struct('Nothing', {}));
    expect(fault(nothing, '01 00').detail).toBe('an element of zero bytes in a vector');
  });

  test('a length that does not fit its prefix is refused when encoding', () => {
    expect(() => encode(opaque(uint8), new Uint8Array(256))).toThrow(RangeError);
    expect(encode(opaque(uint8), new Uint8Array(255))).toHaveLength(256);
    expect(encode(opaque(uint24), new Uint8Array(65_536))).toHaveLength(65_539);
  });

  test('text is strict UTF-8 and keeps a byte order mark', () => {
    expect(decode(text(uint8), hexBytes('05 efbbbf c3a9'))).toBe('\ufeff\u00e9');
    expect(toHex(encode(text(uint8), '\ufeff\u00e9'))).toBe('05efbbbfc3a9');
    expect(fault(text(uint8), '02 c328').detail).toBe('expected UTF-8 text');
  });

  test('rest takes what is left', () => {
    expect(decode(struct('Tail', { first: uint8, rest }), hexBytes('01 0203'))).toEqual({
      first: 1,
      rest: hexBytes('0203'),
    });
  });

  test('RFC 6940 §11.1: Node-IDs have the length of the overlay, 16 to 20 bytes', () => {
    const twenty = `${NODE_1}01020304`;
    expect(decode(nodeId, hexBytes(twenty), 20)).toBe(twenty);
    expect(decode(nodeId, hexBytes(twenty))).toBeInstanceOf(MalformedMessage);
  });

  test('checked adds a rule to a codec', () => {
    const even = checked(uint8, (value) =>
      value % 2 === 0 ? undefined : 'expected an even number',
    );
    expect(decode(even, hexBytes('04'))).toBe(4);
    expect(fault(even, '05').detail).toBe('expected an even number');
  });
});

describe('a fault names the culprit', () => {
  test('the innermost struct, its field and the offset in the whole input', () => {
    const found = fault(StoreReq, '00 00 00000008 00000002 00000000');
    expect(found).toMatchObject({
      struct: 'StoreKindData',
      field: 'generationCounter',
      offset: 10,
    });
    expect(found.describe()).toBe(
      'StoreKindData.generationCounter at byte 10: expected 8 bytes, 4 are left',
    );
  });

  test('outside of any struct it speaks of the message', () => {
    expect(fault(uint8, '').describe()).toBe('message at byte 0: expected 1 bytes, 0 are left');
  });

  test('an error of ours is not taken for a malformed message', () => {
    const broken: Codec<number> = {
      read: () => {
        throw new TypeError('a bug');
      },
      write: () => undefined,
    };
    expect(() => decode(struct('Broken', { field: broken }), hexBytes('00'))).toThrow(TypeError);
  });
});

test('a fixed offset is known only behind fields of fixed size', () => {
  const mixed = struct('Mixed', { a: uint16, b: opaque(uint8), c: uint8 });
  expect(mixed.offsetOf('b')).toBe(2);
  expect(() => mixed.offsetOf('c')).toThrow('Mixed.c has no fixed offset');
  expect(mixed.size).toBeUndefined();
  expect(struct('Fixed', { a: uint16, b: uint64 }).size).toBe(10);
});

test('Writer keeps every integer that falls on the boundary of its buffer', () => {
  for (let capacity = 1; capacity <= 20; capacity++) {
    const writer = new Writer(capacity);
    writer.uint8(1);
    writer.uint16(0x0203);
    writer.uint24(0x040506);
    writer.uint32(0x0708090a);
    writer.uint64(0x0b0c0d0e0f101112n);
    writer.prefixed(2, (inner) => inner.uint8(0x13));
    expect(toHex(writer.bytes())).toBe('0102030405060708090a0b0c0d0e0f101112000113');
  }
});

test('hex of any bytes, whole or in part, is what Buffer says', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 60 }), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      return (
        toHex(bytes) === Buffer.from(bytes).toString('hex') &&
        toHex(bytes, start) === Buffer.from(bytes.subarray(start)).toString('hex') &&
        Buffer.compare(fromHex(toHex(bytes)), bytes) === 0
      );
    }),
  );
  expect(() => fromHex('abc')).toThrow(RangeError);
  expect(() => fromHex('zz')).toThrow(RangeError);
});
