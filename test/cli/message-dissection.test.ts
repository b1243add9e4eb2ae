import { describe, expect, test } from 'vitest';
import {
  dissectLine,
  isFault,
  type JsonObject,
  reencodeLine,
} from '../../src/cli/message-dissection.ts';
import { encode } from '../../src/wire/codec.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { toHex } from '../../src/wire/hex.ts';
import { encodeFragment } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { StoreReq } from '../../src/wire/store.ts';
import { messageOf, messageSamples, sampleHeader } from '../wire/message-samples.ts';
import { SAMPLE_CERTIFICATE, SAMPLE_CERTIFICATE_SHA256 } from '../wire/sample-certificate.ts';
import { ascii, hexBytes, NODE_1, NODE_2, RESOURCE } from '../wire/struct-case.ts';

function dissected(line: string): JsonObject {
  const json = dissectLine(line);
  if (isFault(json)) throw new Error(JSON.stringify(json));
  return json;
}

function bodyOf(name: string): unknown {
  const sample = messageSamples.find((one) => one.name === name);
  if (sample === undefined) throw new Error(`there is no sample ${name}`);
  const { contents } = dissected(toHex(messageOf(sample)));
  return (contents as JsonObject).body;
}

describe('every message code', () => {
  test('has a sample', () => {
    const sampled = new Set(messageSamples.map(({ code }) => code));
    expect([...sampled].sort()).toEqual(Object.values(MessageCode).map(Number).sort());
  });

  for (const sample of messageSamples) {
    test(`${sample.name} is opened, and encoded again to the same bytes`, () => {
      const hex = toHex(messageOf(sample));
      expect(reencodeLine(hex)).toBe(hex);
      const { contents } = dissected(hex);
      expect(contents).toMatchObject({ code: sample.code, body: expect.any(Object) });
    });
  }

  test('JSON is all that comes out', () => {
    for (const sample of messageSamples) {
      const json = dissected(toHex(messageOf(sample)));
      expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    }
  });
});

describe('what is inside', () => {
  test('the header', () => {
    const { header } = dissected(toHex(messageOf({ code: 0x18, body: new Uint8Array(16) })));
    expect(header).toMatchObject({
      overlay: '9aa32b8d',
      transactionId: '0102030405060708',
      ttl: 100,
      viaList: [{ type: 'node', nodeId: NODE_2 }],
      destinationList: [{ type: 'node', nodeId: NODE_1 }],
    });
  });

  test('RFC 6940 §9: the value of TURN-SERVICE', () => {
    expect(bodyOf('StoreReq')).toMatchObject({
      kindData: [
        {
          kind: 2,
          kindName: 'TURN-SERVICE',
          values: [
            {
              storageTime: '1700000000000',
              value: {
                value: {
                  value: {
                    iteration: 1,
                    serverAddress: { type: 'ipv4', address: '192.0.2.9', port: 3478 },
                  },
                },
              },
            },
          ],
        },
        {
          kindName: 'CERTIFICATE_BY_USER',
          values: [
            {
              value: {
                index: 7,
                value: {
                  value: {
                    certificate: toHex(SAMPLE_CERTIFICATE),
                    sha256: SAMPLE_CERTIFICATE_SHA256,
                  },
                },
              },
            },
          ],
        },
      ],
    });
  });

  test('XEP-0415 §4.2: the values of XMPP-LOCATION', () => {
    expect(bodyOf('StoreReq of XMPP-LOCATION')).toMatchObject({
      kindData: [
        {
          values: [
            {
              value: {
                key: NODE_1,
                value: {
                  value: {
                    type: 'route',
                    priority: 5,
                    destinationList: [{ type: 'node', nodeId: NODE_1 }],
                  },
                },
              },
            },
            {
              value: {
                key: NODE_2,
                value: { value: { type: 'address', address: 'julia@example.org' } },
              },
            },
          ],
        },
      ],
    });
  });

  test('RFC 6940 §7.4.2.1: what a Fetch asks for, by the model of the Kind', () => {
    expect(bodyOf('FetchReq')).toMatchObject({
      specifiers: [
        { kind: 2, modelSpecifier: { model: 'single' } },
        { kind: 16, modelSpecifier: { model: 'array', ranges: [{ first: 1, last: 9 }] } },
      ],
    });
  });

  test('RFC 6940 §7.4.1.2: error_info is text, a StoreAns or a list of Kinds', () => {
    expect(bodyOf('Error_Not_Found')).toEqual({
      errorCode: 3,
      errorName: 'Error_Not_Found',
      errorInfo: { text: 'nobody here' },
    });
    expect(bodyOf('Error_Unknown_Kind')).toMatchObject({
      errorInfo: { kinds: [5, 0xf0000001] },
    });
    expect(bodyOf('Error_Generation_Counter_Too_Low')).toMatchObject({
      errorInfo: { kindResponses: [{ kind: 2, generationCounter: '9', replicas: [] }] },
    });
  });
});

describe('what is not known stays bytes and survives', () => {
  function roundTrip(code: number, body: Uint8Array): unknown {
    const hex = toHex(messageOf({ code, body }));
    expect(reencodeLine(hex)).toBe(hex);
    return (dissected(hex).contents as JsonObject).body;
  }

  test('the body of an unknown code, such as RFC 7851 path_track', () => {
    expect(roundTrip(0x27, ascii('abc'))).toBe('616263');
    expect(roundTrip(0x28, ascii(''))).toBe('');
    expect(roundTrip(0x7ffe, ascii('abc'))).toBe('616263');
  });

  test('the values of an unknown Kind', () => {
    const kindData = [{ kind: 0xf0000001, generationCounter: 1n, values: ascii('abc') }];
    const body = encode(StoreReq, { resource: RESOURCE, replicaNumber: 0, kindData });
    expect(roundTrip(MessageCode.storeReq, body)).toMatchObject({
      kindData: [{ kindName: null, values: '616263' }],
    });
  });

  test('error_info that is not what its code promises, or no UTF-8', () => {
    expect(roundTrip(MessageCode.error, hexBytes('000c 0002 0505'))).toMatchObject({
      errorInfo: '0505',
    });
    expect(roundTrip(MessageCode.error, hexBytes('0003 0002 ff00'))).toMatchObject({
      errorInfo: 'ff00',
    });
  });
});

describe('RFC 6940 §6.6.2: frames', () => {
  const message = messageOf({ code: MessageCode.pingReq, body: hexBytes('0000') });

  test('a data frame holds a message', () => {
    const hex = toHex(encode(FramedMessage, { type: 'data', sequence: 5, message }));
    expect(dissected(hex)).toEqual({
      frame: { type: 'data', sequence: 5 },
      ...dissected(toHex(message)),
    });
    expect(reencodeLine(hex)).toBe(hex);
  });

  test('an ack frame does not', () => {
    expect(dissected('810000000500000002')).toEqual({
      frame: { type: 'ack', ackSequence: 5, received: 2 },
    });
    expect(reencodeLine('810000000500000002')).toBe('810000000500000002');
  });

  test('offsets count from the start of the frame', () => {
    const broken = message.slice();
    broken[3] = 0;
    const hex = toHex(encode(FramedMessage, { type: 'data', sequence: 5, message: broken }));
    expect(dissectLine(hex)).toMatchObject({
      error: { struct: 'ForwardingHeader', field: 'reloToken', offset: 8 },
    });
  });
});

test('RFC 6940 §6.7: of a fragment the header is read and the chunk kept', () => {
  const hex = toHex(encodeFragment({ ...sampleHeader, fragment: 0x80000100 }, ascii('abc')));
  expect(dissected(hex)).toMatchObject({
    header: { ttl: 100 },
    fragment: { offset: 256, isLast: false, data: '616263' },
  });
  expect(reencodeLine(hex)).toBe(hex);
});

describe('a line that does not decode says where', () => {
  test('the innermost struct, its field and the offset in the line', () => {
    const hex = toHex(messageOf({ code: MessageCode.pingAns, body: new Uint8Array(15) }));
    const error = {
      struct: 'PingAns',
      field: 'time',
      offset: 88,
      detail: 'expected 8 bytes, 7 are left',
    };
    expect(dissectLine(hex)).toEqual({ error });
    expect(reencodeLine(hex)).toEqual({ error });
  });

  test('offsets inside stored values are those of the line too', () => {
    const kindData = [{ kind: 2, generationCounter: 1n, values: hexBytes('00000001 00') }];
    const body = encode(StoreReq, { resource: RESOURCE, replicaNumber: 0, kindData });
    const hex = toHex(messageOf({ code: MessageCode.storeReq, body }));
    // 74 of the header, 6 of the contents, 38 of the StoreReq, 4 of StoredData.length.
    expect(dissectLine(hex)).toMatchObject({
      error: { struct: 'StoredData', field: 'storageTime', offset: 74 + 6 + 38 + 4 },
    });
  });

  test.each([
    ['', 'ForwardingHeader', 0],
    ['abc', '', 1],
    ['xy', '', 0],
    ['d2454cg4', '', 3],
    ['80', 'FramedMessage', 1],
    ['7f', 'ForwardingHeader', 0],
  ])('%j', (line, struct, offset) => {
    expect(dissectLine(line)).toMatchObject({ error: { struct, offset } });
  });

  test('white space around the line is ignored', () => {
    expect(dissected(' 810000000500000002\r\n')).toEqual(dissected('810000000500000002'));
  });

  test('another length of Node-IDs', () => {
    const hex = toHex(messageOf({ code: MessageCode.pingReq, body: hexBytes('0000') }));
    expect(dissectLine(hex, { nodeIdLength: 20 })).toMatchObject({
      error: { struct: 'Destination' },
    });
  });
});
