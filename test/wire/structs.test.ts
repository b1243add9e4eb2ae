import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Codec, decode, encode } from '../../src/wire/codec.ts';
import { toHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { addressCases } from './address-cases.ts';
import { attachCases } from './attach-cases.ts';
import { headerCases } from './header-cases.ts';
import { securityCases } from './security-cases.ts';
import { storageCases } from './storage-cases.ts';
import { hexBytes, type StructCase } from './struct-case.ts';
import { topologyCases } from './topology-cases.ts';
import { valueCases } from './value-cases.ts';

const cases: readonly StructCase[] = [
  ...addressCases,
  ...headerCases,
  ...securityCases,
  ...topologyCases,
  ...attachCases,
  ...storageCases,
  ...valueCases,
];

for (const one of cases) describe(`${one.section}: ${one.name}`, () => testStruct(one));

function testStruct({ codec, vector, value, arbitrary }: StructCase): void {
  const bytes = hexBytes(vector);

  test('decodes the vector written by hand', () => {
    expect(decode(codec, bytes)).toEqual(value);
  });

  test('encodes to the vector written by hand', () => {
    expect(toHex(encode(codec, value))).toBe(vector);
  });

  test('is malformed when cut after any byte', () => {
    for (let length = 0; length < bytes.length; length++) {
      expectMalformed(codec, bytes.subarray(0, length));
    }
  });

  test('is malformed when one byte is left over', () => {
    const fault = expectMalformed(codec, new Uint8Array([...bytes, 0]));
    expect(fault.offset).toBeLessThanOrEqual(bytes.length);
  });

  test('decodes what it encoded, whatever the value', () => {
    fc.assert(
      fc.property(arbitrary, (any) => isDeepStrictEqual(decode(codec, encode(codec, any)), any)),
    );
  });

  test('answers to any bytes, and encodes what it took to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => decodesOrRefuses(codec, any)),
    );
  });

  test('answers to any change of a valid one', () => {
    const place = fc.nat({ max: 1000 });
    fc.assert(
      fc.property(arbitrary, place, fc.integer({ min: 1, max: 255 }), (any, at, change) => {
        const changed = encode(codec, any).slice();
        if (changed.length === 0) return;
        const index = at % changed.length;
        changed[index] = (changed[index] as number) ^ change;
        decodesOrRefuses(codec, changed);
      }),
    );
  });
}

test('the table lists every codec that src/wire exports', async () => {
  const listed = new Set(cases.map(({ codec }) => codec));
  const missing: string[] = [];
  for (const file of readdirSync(new URL('../../src/wire', import.meta.url))) {
    const name = file.replace(/\.ts$/, '');
    const exported: Record<string, unknown> = await import(`../../src/wire/${name}.ts`);
    for (const [key, thing] of Object.entries(exported)) {
      if (isCodec(thing) && !listed.has(thing) && !scalars.has(key)) missing.push(key);
    }
  }
  expect(missing).toEqual([]);
});

/** The presentation language's own types, tested in codec.test.ts; kindId is uint32. */
const scalars = new Set([
  'uint8',
  'uint16',
  'uint24',
  'uint32',
  'uint64',
  'boolean',
  'rest',
  'kindId',
]);

function isCodec(thing: unknown): thing is Codec<unknown> {
  return typeof thing === 'object' && thing !== null && 'read' in thing && 'write' in thing;
}

function expectMalformed(codec: Codec<unknown>, bytes: Uint8Array): MalformedMessage {
  const result = decode(codec, bytes);
  if (!(result instanceof MalformedMessage)) {
    throw new Error(`expected a MalformedMessage for ${toHex(bytes)}, got a value`);
  }
  expect(result.offset).toBeLessThanOrEqual(bytes.length);
  return result;
}

function decodesOrRefuses(codec: Codec<unknown>, bytes: Uint8Array): void {
  const result = decode(codec, bytes);
  if (result instanceof MalformedMessage) {
    if (result.offset > bytes.length) throw new Error(`offset ${result.offset} is not in it`);
    return;
  }
  const again = toHex(encode(codec, result));
  if (again !== toHex(bytes)) throw new Error(`encoded again to ${again}`);
}
