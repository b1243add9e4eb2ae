import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import {
  FIXED_HEADER_LENGTH,
  FixedHeader,
  fragmentWord,
} from '../../src/wire/forwarding-header.ts';
import { toHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import {
  decodeHeader,
  decodeMessage,
  encodeFragment,
  encodeMessage,
  type HeaderFields,
} from '../../src/wire/message.ts';
import { MessageContents } from '../../src/wire/message-contents.ts';
import { SecurityBlock } from '../../src/wire/security-block.ts';
import { anyContents, anyHeader } from './header-cases.ts';
import { anySecurityBlock, SIGNATURE_VALUE } from './security-cases.ts';
import { hexBytes, NODE_1 } from './struct-case.ts';

const header: HeaderFields = {
  overlay: 0x9aa32b8d,
  configurationSequence: 22,
  version: 10,
  ttl: 100,
  fragment: 0xc0000000,
  transactionId: 0x0102030405060708n,
  maxResponseLength: 0,
  viaList: [],
  destinationList: [{ type: 'node', nodeId: NODE_1 }],
  options: [],
};
const contents = hexBytes('0017 00000002 0000 00000000');
const securityBlock = encode(SecurityBlock, { certificates: [], signature: SIGNATURE_VALUE });

function decoded(bytes: Uint8Array) {
  const message = decodeMessage(bytes);
  if (message instanceof MalformedMessage) throw new Error(message.describe());
  return message;
}

describe('RFC 6940 §6.3: a message is header, contents and security block', () => {
  test('an empty ping', () => {
    const bytes = encodeMessage(header, contents, securityBlock);
    const length = (56 + 12 + securityBlock.length).toString(16).padStart(8, '0');
    expect(toHex(bytes.subarray(0, 56))).toBe(
      `d2454c4f9aa32b8d00160a64c0000000${length}0102030405060708000000000000001200000110${NODE_1}`,
    );
    expect(decoded(bytes)).toEqual({
      header: { ...header, length: bytes.length },
      headerLength: 56,
      contents: { code: 0x17, body: hexBytes('0000'), extensions: [] },
      contentsBytes: contents,
      securityBlock: { certificates: [], signature: SIGNATURE_VALUE },
    });
  });

  test('any message decodes to what was encoded', () => {
    fc.assert(
      fc.property(anyHeader, anyContents, anySecurityBlock, (fields, body, block) => {
        const body1 = encode(MessageContents, body);
        const bytes = encodeMessage(fields, body1, encode(SecurityBlock, block));
        const message = decoded(bytes);
        expect(message.header).toEqual({ ...fields, length: bytes.length });
        expect(message.contents).toEqual(body);
        expect(toHex(message.contentsBytes)).toBe(toHex(body1));
        expect(message.securityBlock).toEqual(block);
      }),
    );
  });

  test('a message that is cut after any byte is malformed', () => {
    const bytes = encodeMessage(header, contents, securityBlock);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeMessage(bytes.subarray(0, length))).toBeInstanceOf(MalformedMessage);
    }
  });

  test('a cut message whose length was corrected is still malformed', () => {
    const bytes = encodeMessage(header, contents, securityBlock);
    for (let length = FIXED_HEADER_LENGTH; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      new DataView(cut.buffer).setUint32(16, length);
      expect(decodeMessage(cut)).toBeInstanceOf(MalformedMessage);
    }
  });

  test('the length of the header must be that of the message', () => {
    const bytes = encodeMessage(header, contents, securityBlock);
    for (const wrong of [0, bytes.length - 1, bytes.length + 1, 0xffffffff]) {
      const changed = bytes.slice();
      new DataView(changed.buffer).setUint32(16, wrong);
      expect(decodeMessage(changed)).toMatchObject({
        struct: 'ForwardingHeader',
        field: 'length',
        offset: 16,
      });
    }
  });

  test('bytes after the security block are malformed', () => {
    const bytes = encodeMessage(header, contents, new Uint8Array([...securityBlock, 0]));
    expect(decodeMessage(bytes)).toMatchObject({
      detail: 'expected the end, 1 bytes are left over',
    });
  });

  test('the token must be right', () => {
    const bytes = encodeMessage(header, contents, securityBlock);
    bytes[3] = 0x50;
    expect(decodeMessage(bytes)).toMatchObject({ field: 'reloToken', offset: 0 });
  });

  test('any bytes behind any header are answered', () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 200 }), (fields, body) => {
        decodeMessage(encodeFragment(fields, body));
        decodeMessage(body);
        decodeHeader(body);
      }),
    );
  });
});

test('RFC 6940 §6.3.2: the fixed part of the header has 38 bytes', () => {
  expect(FixedHeader.size).toBe(FIXED_HEADER_LENGTH);
});

describe('RFC 6940 §6.7: fragments', () => {
  test('the fragment word', () => {
    expect(fragmentWord(0, true)).toBe(0xc0000000);
    expect(fragmentWord(0, false)).toBe(0x80000000);
    expect(fragmentWord(0x123456, true)).toBe(0xc0123456);
  });

  test('have a header of their own and then a chunk that is left alone', () => {
    const chunk = hexBytes('deadbeef');
    const fragment = fragmentWord(256, false);
    const bytes = encodeFragment({ ...header, fragment }, chunk);
    expect(decodeHeader(bytes)).toEqual({
      header: { ...header, fragment, length: 60 },
      headerLength: 56,
    });
    expect(toHex(bytes.subarray(56))).toBe('deadbeef');
  });

  test('the length must be that of the fragment', () => {
    const bytes = encodeFragment(header, hexBytes('deadbeef'));
    expect(decodeHeader(bytes.subarray(0, 59))).toMatchObject({ field: 'length' });
  });
});
