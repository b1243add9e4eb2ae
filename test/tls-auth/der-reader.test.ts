import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contextConstructed,
  DerReader,
  DerTag,
  MalformedDer,
} from '../../src/tls-auth/der-reader.ts';
import { derTime, formatUnixMs } from '../../src/tls-auth/der-time.ts';
import {
  derBoolean,
  derIntegerHex,
  derNamedBits,
  derObjectIdentifier,
  derSmallInteger,
  derText,
} from '../../src/tls-auth/der-value.ts';
import {
  der,
  integer,
  namedBits,
  objectIdentifier,
  sequence,
  time,
} from '../../src/tls-auth/der-writer.ts';

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function reader(hex: string): DerReader {
  return new DerReader(bytes(hex));
}

describe('X.690 §8.1 and §10.1: identifier and length octets', () => {
  test('a short and a long length are read', () => {
    expect(reader('0403010203').any().contents).toEqual(bytes('010203'));
    const long = der(0x04, new Uint8Array(300));
    expect(new DerReader(long).any().contents.length).toBe(300);
  });

  test.each([
    ['3080 0000', 'an indefinite length'],
    ['048101 00', 'a length of one octet in two'],
    ['04820080', 'a length with a leading zero'],
    ['0485 0000000001 00', 'a length of five octets'],
    ['0402 00', 'a length beyond the end'],
    ['04', 'no length'],
    ['1f8101 00', 'a tag of several octets'],
  ])('%s is refused: %s', (hex) => {
    expect(() => reader(hex.replaceAll(' ', '')).any()).toThrow(MalformedDer);
  });

  test('left-over bytes are refused with their offset', () => {
    const inner = reader('30050201010500').enter(DerTag.sequence);
    inner.element(DerTag.integer);
    expect(() => inner.expectEnd()).toThrow(expect.objectContaining({ offset: 5 }));
  });

  test('nesting is limited', () => {
    let nested = sequence();
    for (let i = 0; i < 100; i++) nested = sequence(nested);
    let current = new DerReader(nested);
    expect(() => {
      for (let i = 0; i < 100; i++) current = current.enter(DerTag.sequence);
    }).toThrow(/nested deeper/);
  });

  test('an unexpected tag is named', () => {
    expect(() => reader('0500').element(DerTag.integer)).toThrow('expected tag 0x02, got tag 0x05');
    expect(() => reader('').element(DerTag.integer)).toThrow('got the end');
    expect(reader('0500').optional(contextConstructed(0))).toBeUndefined();
  });
});

describe('values', () => {
  test('X.690 §11.1: BOOLEAN is 00 or ff', () => {
    expect(derBoolean(reader('0101ff'))).toBe(true);
    expect(derBoolean(reader('010100'))).toBe(false);
    for (const hex of ['010101', '0100', '0102ffff']) {
      expect(() => derBoolean(reader(hex))).toThrow(MalformedDer);
    }
  });

  test('X.690 §8.3.2: INTEGER in its shortest form', () => {
    expect(derIntegerHex(reader('020200ff').any())).toBe('00ff');
    expect(derIntegerHex(reader('0201ff').any())).toBe('ff');
    for (const hex of ['0200', '0202007f', '0202ff80']) {
      expect(() => derIntegerHex(reader(hex).any())).toThrow(MalformedDer);
    }
  });

  test('small integers are 0 to 2^31-1', () => {
    expect(derSmallInteger(reader('02047fffffff').any())).toBe(0x7fffffff);
    for (const hex of ['0201ff', '02050080000000', '020500ffffffff']) {
      expect(() => derSmallInteger(reader(hex).any())).toThrow(MalformedDer);
    }
  });

  test('X.690 §11.2: named bits', () => {
    expect(derNamedBits(reader('03020780').any())).toEqual([0]);
    expect(derNamedBits(new DerReader(namedBits([0, 5, 8])).any())).toEqual([0, 5, 8]);
    expect(derNamedBits(reader('030100').any())).toEqual([]);
    for (const hex of ['0300', '030107', '030207ff', '03020880', '0306000000000000']) {
      expect(() => derNamedBits(reader(hex).any())).toThrow(MalformedDer);
    }
  });

  test('X.690 §8.19: object identifiers, with arcs of any size', () => {
    const uuid = '2.25.329800735698586629295641978511506172918';
    const wellKnown = ['1.3.6.1.5.5.7.8.5', '2.5.29.17', '0.9.2342.19200300.100.1.25', '2.999.3'];
    for (const oid of [...wellKnown, uuid, `${2n}.${2n ** 100n}.1`]) {
      expect(derObjectIdentifier(new DerReader(objectIdentifier(oid)).any())).toBe(oid);
    }
    for (const hex of ['0600', '06022a80', '06032a8001', `0641${'2a'.repeat(65)}`]) {
      expect(() => derObjectIdentifier(reader(hex).any())).toThrow(MalformedDer);
    }
  });

  test('strings of each type; octets that the type forbids are refused', () => {
    expect(derText(reader('0c02c3a9').any())).toBe('é');
    expect(derText(reader('130141').any())).toBe('A');
    expect(derText(reader('1401e9').any())).toBe('é');
    expect(derText(reader('1e0200e9').any())).toBe('é');
    expect(derText(reader('1c04000000e9').any())).toBe('é');
    expect(derText(reader('020101').any())).toBeUndefined();
    for (const hex of ['0c01ff', '1301e9', '1601e9', '1e0100', '1c0400110000']) {
      expect(() => derText(reader(hex).any())).toThrow(MalformedDer);
    }
  });
});

describe('RFC 5280 §4.1.2.5: Time', () => {
  const utcTime = (text: string) => new DerReader(der(0x17, Buffer.from(text)));
  const generalizedTime = (text: string) => new DerReader(der(0x18, Buffer.from(text)));

  test('UTCTime: 50 to 99 are 1950 to 1999, 00 to 49 are 2000 to 2049', () => {
    expect(derTime(utcTime('500101000000Z'))).toBe(Date.UTC(1950, 0, 1));
    expect(derTime(utcTime('491231235959Z'))).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
  });

  test('GeneralizedTime holds any year, also one that UTCTime could', () => {
    expect(derTime(generalizedTime('20020228000000Z'))).toBe(Date.UTC(2002, 1, 28));
    expect(derTime(generalizedTime('99991231235959Z'))).toBe(Date.UTC(9999, 11, 31, 23, 59, 59));
  });

  test.each([
    '110415000000',
    '1104150000Z',
    '110415000000+0100',
    '110431000000Z',
    '110229000000Z',
    '111301000000Z',
    '110415240000Z',
    '110415006000Z',
    '110415000060Z',
    '11041500000aZ',
  ])('UTCTime %s is refused', (text) => {
    expect(() => derTime(utcTime(text))).toThrow(MalformedDer);
  });

  test.each(['20110415000000.5Z', '201104150000Z', '20110415000000'])(
    'GeneralizedTime %s is refused',
    (text) => {
      expect(() => derTime(generalizedTime(text))).toThrow(MalformedDer);
    },
  );

  test('every second from 1950 to 9999 is read and printed as the Date object has it', () => {
    const seconds = fc.integer({
      min: Date.UTC(1950, 0) / 1000,
      max: Date.UTC(9999, 11, 31) / 1000,
    });
    fc.assert(
      fc.property(seconds, (second) => {
        const unixMs = second * 1000;
        expect(derTime(new DerReader(time(unixMs)))).toBe(unixMs);
        expect(formatUnixMs(unixMs)).toBe(new Date(unixMs).toISOString().replace('.000', ''));
      }),
    );
  });
});

test('integers survive the way through writer and reader', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
      const hex = derIntegerHex(new DerReader(integer(value)).any());
      expect(BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`))).toBe(value);
    }),
  );
});

test('arbitrary bytes: every element or MalformedDer, and it ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
      const open = [new DerReader(input)];
      try {
        for (let current = open.pop(); current !== undefined; current = open.pop()) {
          while (!current.atEnd) open.push(current.inside(current.any()));
        }
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedDer);
      }
    }),
  );
});
