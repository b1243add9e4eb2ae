import fc from 'fast-check';
import {
  AppAttachReqAns,
  AttachReqAns,
  IceCandidate,
  IceExtension,
} from '../../src/wire/attach.ts';
import { anyIpAddressPort } from './address-cases.ts';
import {
  anyText,
  anyUint8,
  anyUint16,
  anyUint32,
  ascii,
  bytesUpTo,
  hexBytes,
  listOf,
  record,
  structCase,
} from './struct-case.ts';

const anyExtension = record<IceExtension>({ name: bytesUpTo(20), value: bytesUpTo(20) });

const commonFields = {
  address: anyIpAddressPort,
  overlayLink: anyUint8,
  foundation: bytesUpTo(32),
  priority: anyUint32,
  extensions: listOf(anyExtension),
};

const anyCandidate: fc.Arbitrary<IceCandidate> = fc.oneof(
  record({ ...commonFields, type: fc.constant(1) }),
  record({ ...commonFields, type: fc.constantFrom(2, 4), relatedAddress: anyIpAddressPort }),
);

const HOST_VECTOR = '01 06 c0000201 17c4 04 01 31 01000000 01 0000';
const HOST_VALUE: IceCandidate = {
  address: { type: 'ipv4', address: hexBytes('c0000201'), port: 6084 },
  overlayLink: 4,
  foundation: ascii('1'),
  priority: 0x01000000,
  type: 1,
  extensions: [],
};
const RELAY_VECTOR = `01 06 c0000201 17c4 01 02 3132 00000007 04
  01 06 0a000001 1388 0006 0001 61 0001 62`;
const RELAY_VALUE: IceCandidate = {
  address: { type: 'ipv4', address: hexBytes('c0000201'), port: 6084 },
  overlayLink: 1,
  foundation: ascii('12'),
  priority: 7,
  type: 4,
  relatedAddress: { type: 'ipv4', address: hexBytes('0a000001'), port: 5000 },
  extensions: [{ name: ascii('a'), value: ascii('b') }],
};

/** RFC 6940 §6.5.1.1 and §6.5.2.1. */
export const attachCases = [
  structCase('IceExtension', 'RFC 6940 §6.5.1.1', {
    codec: IceExtension,
    vector: '0001 61 0002 6263',
    value: { name: ascii('a'), value: ascii('bc') },
    arbitrary: anyExtension,
  }),
  structCase('IceCandidate host', 'RFC 6940 §6.5.1.1', {
    codec: IceCandidate,
    vector: HOST_VECTOR,
    value: HOST_VALUE,
    arbitrary: anyCandidate,
  }),
  structCase('IceCandidate relay', 'RFC 6940 §6.5.1.1', {
    codec: IceCandidate,
    vector: RELAY_VECTOR,
    value: RELAY_VALUE,
    arbitrary: anyCandidate,
  }),
  structCase('AttachReqAns', 'RFC 6940 §6.5.1.1', {
    codec: AttachReqAns,
    vector: `02 7566 02 7077 07 70617373697665 0033 ${HOST_VECTOR} ${RELAY_VECTOR} 01`,
    value: {
      ufrag: ascii('uf'),
      password: ascii('pw'),
      role: 'passive',
      candidates: [HOST_VALUE, RELAY_VALUE],
      sendUpdate: true,
    },
    arbitrary: record({
      ufrag: bytesUpTo(40),
      password: bytesUpTo(40),
      role: anyText,
      candidates: listOf(anyCandidate),
      sendUpdate: fc.boolean(),
    }),
  }),
  structCase('AppAttachReqAns', 'RFC 6940 §6.5.2.1', {
    codec: AppAttachReqAns,
    vector: `00 00 1466 06 616374697665 0012 ${HOST_VECTOR}`,
    value: {
      ufrag: ascii(''),
      password: ascii(''),
      application: 5222,
      role: 'active',
      candidates: [HOST_VALUE],
    },
    arbitrary: record({
      ufrag: bytesUpTo(40),
      password: bytesUpTo(40),
      application: anyUint16,
      role: anyText,
      candidates: listOf(anyCandidate),
    }),
  }),
];
