import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSigningRequest, type SigningRequest } from '../../../src/ca/signing-request.ts';
import { generatePrivateKey, KEY_TYPES } from '../../../src/host/enrollment/enrollment-key.ts';
import { encodeSigningRequest } from '../../../src/host/enrollment/enrollment-request.ts';

const JULIET = 'juliet@capulet.lit';
let key: KeyObject;
let request: Uint8Array;

beforeAll(async () => {
  key = await generatePrivateKey('p256');
  request = encodeSigningRequest(key, JULIET);
});

describe('readSigningRequest (RFC 2986)', () => {
  it.each(KEY_TYPES)('RFC 6940 §11.3 (302): reads a request for a %s key', async (type) => {
    const read = readSigningRequest(encodeSigningRequest(await generatePrivateKey(type), JULIET));
    expect(read).toMatchObject({ userNames: [JULIET, JULIET] });
  });

  it('asks for a name that is not ASCII as an XmppAddr alone', () => {
    const read = readSigningRequest(encodeSigningRequest(key, 'jülîet@capulet.lit'));
    expect((read as SigningRequest).userNames).toEqual(['jülîet@capulet.lit']);
  });

  it('refuses a request that another key has signed: no proof of possession', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    expect(readSigningRequest(signedBy(other, request))).toEqual({
      detail: 'its signature does not belong to its key',
    });
    expect(readSigningRequest(signedBy(key, request))).toHaveProperty('userNames');
  });

  it('refuses RSA with 1,024 bits', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const weak = encodeSigningRequest(privateKey, JULIET);
    expect(readSigningRequest(weak)).toEqual({ detail: expect.stringContaining('its key') });
  });

  it('refuses a compressed point: one key would have two encodings', () => {
    const compressed = withCompressedPoint(request, key);
    expect(readSigningRequest(compressed)).toEqual({
      detail: expect.stringContaining('not uncompressed'),
    });
  });

  it('refuses bytes before, behind and inside', () => {
    expect(readSigningRequest(Uint8Array.of(0, ...request))).toHaveProperty('detail');
    expect(readSigningRequest(Uint8Array.of(...request, 0))).toHaveProperty('detail');
    expect(readSigningRequest(request.subarray(0, -1))).toHaveProperty('detail');
    expect(readSigningRequest(new Uint8Array())).toHaveProperty('detail');
    expect(readSigningRequest(new Uint8Array(8_193))).toHaveProperty('detail');
  });

  it('answers any change of any byte with a fault and never throws', () => {
    const position = fc.nat({ max: request.length - 1 });
    fc.assert(
      fc.property(position, fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(request);
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(readSigningRequest(changed)).toHaveProperty('detail');
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readSigningRequest(bytes)).toHaveProperty('detail');
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The same request, signed with `signer`: the last element of the outer SEQUENCE is replaced. */
function signedBy(signer: KeyObject, der: Uint8Array): Uint8Array {
  const { info, algorithm } = partsOf(der);
  const signature = sign('sha256', info, signer);
  return sequence([info, algorithm, bitString(signature)]);
}

function withCompressedPoint(der: Uint8Array, signer: KeyObject): Uint8Array {
  const { info, algorithm } = partsOf(der);
  const at = Buffer.from(info).indexOf(Buffer.from('03420004', 'hex'));
  const x = info.subarray(at + 4, at + 36);
  const isOdd = ((info[at + 67] ?? 0) & 1) === 1;
  const point = bitString(Uint8Array.of(isOdd ? 3 : 2, ...x));
  const algorithmId = info.subarray(at - 21, at);
  const keyInfo = sequence([algorithmId, point]);
  // Version and empty subject before, attributes behind.
  const changed = sequence([info.subarray(3, 8), keyInfo, info.subarray(at + 68)]);
  return sequence([changed, algorithm, bitString(sign('sha256', changed, signer))]);
}

/** A request with a P-256 key has an outer header of four bytes and an inner one of three. */
function partsOf(der: Uint8Array): { info: Uint8Array; algorithm: Uint8Array } {
  const infoLength = 3 + (der[6] ?? 0);
  const info = der.subarray(4, 4 + infoLength);
  return { info, algorithm: der.subarray(4 + infoLength, 4 + infoLength + 12) };
}

function bitString(octets: Uint8Array): Uint8Array {
  return Uint8Array.of(0x03, octets.length + 1, 0, ...octets);
}

function sequence(parts: readonly Uint8Array[]): Uint8Array {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const header =
    length < 128
      ? [0x30, length]
      : length < 256
        ? [0x30, 0x81, length]
        : [0x30, 0x82, length >> 8, length & 0xff];
  return Uint8Array.of(...header, ...contents);
}
