import fc from 'fast-check';
import {
  FixedHeader,
  ForwardingHeader,
  ForwardingOption,
} from '../../src/wire/forwarding-header.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { emptyBody, MessageContents, MessageExtension } from '../../src/wire/message-contents.ts';
import { anyDestination } from './address-cases.ts';
import {
  anyUint8,
  anyUint16,
  anyUint32,
  anyUint64,
  ascii,
  bytesUpTo,
  hexBytes,
  listOf,
  NODE_1,
  record,
  structCase,
} from './struct-case.ts';

const anyOption = record<ForwardingOption>({
  type: anyUint8,
  flags: anyUint8,
  value: bytesUpTo(40),
});

export const anyHeader = record<ForwardingHeader>({
  overlay: anyUint32,
  configurationSequence: anyUint16,
  version: anyUint8,
  ttl: anyUint8,
  fragment: anyUint32,
  length: anyUint32,
  transactionId: anyUint64,
  maxResponseLength: anyUint32,
  viaList: listOf(anyDestination),
  destinationList: listOf(anyDestination),
  options: listOf(anyOption),
});

const anyExtension = record<MessageExtension>({
  type: anyUint16,
  critical: fc.boolean(),
  contents: bytesUpTo(40),
});

export const anyContents = record<MessageContents>({
  code: anyUint16,
  body: bytesUpTo(80),
  extensions: listOf(anyExtension),
});

const anyFrame: fc.Arbitrary<FramedMessage> = fc.oneof(
  record({ type: fc.constant('data' as const), sequence: anyUint32, message: bytesUpTo(80) }),
  record({ type: fc.constant('ack' as const), ackSequence: anyUint32, received: anyUint32 }),
);

const fixedPart = 'd2454c4f 9aa32b8d 0016 0a 64 c0000000 00000044 0102030405060708 00000000';

/** Header, contents and frame: RFC 6940 §6.3.2, §6.3.3 and §6.6.2. */
export const headerCases = [
  structCase('FixedHeader', 'RFC 6940 §6.3.2', {
    codec: FixedHeader,
    vector: `${fixedPart} 0000 0012 0000`,
    value: {
      reloToken: 0xd2454c4f,
      overlay: 0x9aa32b8d,
      configurationSequence: 22,
      version: 10,
      ttl: 100,
      fragment: 0xc0000000,
      length: 0x44,
      transactionId: 0x0102030405060708n,
      maxResponseLength: 0,
      viaListLength: 0,
      destinationListLength: 18,
      optionsLength: 0,
    },
    arbitrary: record({
      reloToken: fc.constant(0xd2454c4f),
      overlay: anyUint32,
      configurationSequence: anyUint16,
      version: anyUint8,
      ttl: anyUint8,
      fragment: anyUint32,
      length: anyUint32,
      transactionId: anyUint64,
      maxResponseLength: anyUint32,
      viaListLength: anyUint16,
      destinationListLength: anyUint16,
      optionsLength: anyUint16,
    }),
  }),
  structCase('ForwardingHeader to one node', 'RFC 6940 §6.3.2', {
    codec: ForwardingHeader,
    vector: `${fixedPart} 0000 0012 0000 01 10 ${NODE_1}`,
    value: {
      overlay: 0x9aa32b8d,
      configurationSequence: 22,
      version: 10,
      ttl: 100,
      fragment: 0xc0000000,
      length: 0x44,
      transactionId: 0x0102030405060708n,
      maxResponseLength: 0,
      viaList: [],
      destinationList: [{ type: 'node', nodeId: NODE_1 }],
      options: [],
    },
    arbitrary: anyHeader,
  }),
  structCase('ForwardingHeader with all three lists', 'RFC 6940 §6.3.2', {
    codec: ForwardingHeader,
    vector: `${fixedPart} 0014 0004 0007 01 10 ${NODE_1} 8001 03 02 01 ab 7f 02 0003 616263`,
    value: {
      overlay: 0x9aa32b8d,
      configurationSequence: 22,
      version: 10,
      ttl: 100,
      fragment: 0xc0000000,
      length: 0x44,
      transactionId: 0x0102030405060708n,
      maxResponseLength: 0,
      viaList: [
        { type: 'node', nodeId: NODE_1 },
        { type: 'compressed', id: 0x8001 },
      ],
      destinationList: [{ type: 'opaque', id: hexBytes('ab') }],
      options: [{ type: 0x7f, flags: 2, value: ascii('abc') }],
    },
    arbitrary: anyHeader,
  }),
  structCase('ForwardingOption', 'RFC 6940 §6.3.2.3', {
    codec: ForwardingOption,
    vector: '02 05 0003 616263',
    value: { type: 2, flags: 5, value: ascii('abc') },
    arbitrary: anyOption,
  }),
  structCase('MessageContents of an empty PingReq', 'RFC 6940 §6.3.3', {
    codec: MessageContents,
    vector: '0017 00000002 0000 00000000',
    value: { code: 0x17, body: hexBytes('0000'), extensions: [] },
    arbitrary: anyContents,
  }),
  structCase('MessageContents with an extension', 'RFC 6940 §6.3.3', {
    codec: MessageContents,
    vector: 'ffff 00000000 0000000a 0002 01 00000003 616263',
    value: {
      code: 0xffff,
      body: hexBytes(''),
      extensions: [{ type: 2, critical: true, contents: ascii('abc') }],
    },
    arbitrary: anyContents,
  }),
  structCase('MessageExtension', 'RFC 6940 §6.3.3', {
    codec: MessageExtension,
    vector: '4000 00 00000003 657874',
    value: { type: 0x4000, critical: false, contents: ascii('ext') },
    arbitrary: anyExtension,
  }),
  structCase('Empty body of LeaveAns, UpdateAns and ConfigUpdateAns', 'RFC 6940 §6.4.2.2', {
    codec: emptyBody,
    vector: '',
    value: {},
    arbitrary: fc.constant({}),
  }),
  structCase('FramedMessage data', 'RFC 6940 §6.6.2', {
    codec: FramedMessage,
    vector: '80 00000000 000003 616263',
    value: { type: 'data', sequence: 0, message: ascii('abc') },
    arbitrary: anyFrame,
  }),
  structCase('FramedMessage ack of 5 having also 4', 'RFC 6940 §6.6.2', {
    codec: FramedMessage,
    vector: '81 00000005 00000002',
    value: { type: 'ack', ackSequence: 5, received: 2 },
    arbitrary: anyFrame,
  }),
];
