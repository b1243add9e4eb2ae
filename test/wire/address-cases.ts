import fc from 'fast-check';
import { type Destination, destination } from '../../src/wire/destination.ts';
import { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import { nodeId } from '../../src/wire/node-id.ts';
import { type ResourceId, resourceId } from '../../src/wire/resource-id.ts';
import {
  anyNodeId,
  anyResourceId,
  anyUint16,
  ascii,
  bytesUpTo,
  hexBytes,
  NODE_1,
  record,
  structCase,
} from './struct-case.ts';

export const anyDestination: fc.Arbitrary<Destination> = fc.oneof(
  record({ type: fc.constant('node' as const), nodeId: anyNodeId }),
  record({
    type: fc.constant('resource' as const),
    resourceId: anyResourceId.filter((id) => id.length <= 2 * 254),
  }),
  record({ type: fc.constant('opaque' as const), id: bytesUpTo(254) }),
  record({
    type: fc.constant('compressed' as const),
    id: fc.integer({ min: 0x8000, max: 0xffff }),
  }),
  record({
    type: fc.constant('unknown' as const),
    code: fc.integer({ min: 4, max: 127 }),
    data: bytesUpTo(255),
  }),
);

export const anyIpAddressPort: fc.Arbitrary<IpAddressPort> = fc.oneof(
  record({
    type: fc.constant('ipv4' as const),
    address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    port: anyUint16,
  }),
  record({
    type: fc.constant('ipv6' as const),
    address: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    port: anyUint16,
  }),
  record({
    type: fc.constant('unknown' as const),
    code: fc.integer({ min: 3, max: 255 }),
    data: bytesUpTo(255),
  }),
);

/** Data types of RFC 6940 §6.3.1.1 and §6.3.2.2. */
export const addressCases = [
  structCase('NodeId', 'RFC 6940 §6.3.1.1', {
    codec: nodeId,
    vector: '0123456789abcdef 0123456789abcdef',
    value: NODE_1,
    arbitrary: anyNodeId,
  }),
  structCase('ResourceId "FOO"', 'RFC 6940 §6.3.1.1', {
    codec: resourceId,
    vector: '03 46 4f 4f',
    value: '464f4f' as ResourceId,
    arbitrary: anyResourceId,
  }),
  structCase('IpAddressPort 192.0.2.1:6084', 'RFC 6940 §6.3.1.1', {
    codec: IpAddressPort,
    vector: '01 06 c0 00 02 01 17 c4',
    value: { type: 'ipv4', address: hexBytes('c0000201'), port: 6084 },
    arbitrary: anyIpAddressPort,
  }),
  structCase('IpAddressPort [2001:db8::1]:6084', 'RFC 6940 §6.3.1.1', {
    codec: IpAddressPort,
    vector: '02 12 20010db8 00000000 00000000 00000001 17c4',
    value: { type: 'ipv6', address: hexBytes('20010db8000000000000000000000001'), port: 6084 },
    arbitrary: anyIpAddressPort,
  }),
  structCase('IpAddressPort of an unknown type', 'RFC 6940 §6.3.1.1', {
    codec: IpAddressPort,
    vector: '07 03 616263',
    value: { type: 'unknown', code: 7, data: ascii('abc') },
    arbitrary: anyIpAddressPort,
  }),
  structCase('Destination node', 'RFC 6940 §6.3.2.2', {
    codec: destination,
    vector: `01 10 ${NODE_1}`,
    value: { type: 'node', nodeId: NODE_1 },
    arbitrary: anyDestination,
  }),
  structCase('Destination resource "FOO"', 'RFC 6940 §6.3.2.2', {
    codec: destination,
    vector: '02 04 03 46 4f 4f',
    value: { type: 'resource', resourceId: '464f4f' as ResourceId },
    arbitrary: anyDestination,
  }),
  structCase('Destination opaque', 'RFC 6940 §6.3.2.2', {
    codec: destination,
    vector: '03 02 01 ab',
    value: { type: 'opaque', id: hexBytes('ab') },
    arbitrary: anyDestination,
  }),
  structCase('Destination of two bytes', 'RFC 6940 §6.3.2.2', {
    codec: destination,
    vector: '81 23',
    value: { type: 'compressed', id: 0x8123 },
    arbitrary: anyDestination,
  }),
  structCase('Destination of an unknown type', 'RFC 6940 §6.3.2.2', {
    codec: destination,
    vector: '04 02 abcd',
    value: { type: 'unknown', code: 4, data: hexBytes('abcd') },
    arbitrary: anyDestination,
  }),
];
