import { expect, test } from 'vitest';
import {
  nodeMultipleResourceId,
  overlayHash,
  resourceIdOf,
} from '../../src/storage/resource-name.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';

const nodeId = '0123456789abcdef0123456789abcdef' as NodeId;

test('RFC 6940 §10.2: a Resource-ID is the first 16 bytes of SHA-1', () => {
  expect(resourceIdOf('alice@dht.example.net')).toBe('46f484b017fc57733452dcf442a8a79e');
  expect(resourceIdOf('alice@example.org')).toBe('45a6b241a242c97f0492d382c390dfa3');
});

test('RFC 6940 §7.3.2: a Node-ID is hashed as bytes', () => {
  expect(resourceIdOf(nodeIdBytes(nodeId))).toBe('2df9e5a437011d8ddd554bb874936f1f');
});

test('RFC 6940 §6.3.2: the overlay field is the low-order 32 bits of SHA-1', () => {
  expect(overlayHash('overlay.example.org')).toBe(0x9aa32b8d);
  expect(overlayHash('example.com')).toBe(0x65b0781f);
  expect(overlayHash('dht.example.net')).toBe(0x3b938eec);
});

test('RFC 6940 §7.3.4: i follows the Node-ID as one byte', () => {
  expect(nodeMultipleResourceId(nodeId, 1)).toBe('16faaab00a67d6bea0a78c668db62d33');
  expect(() => nodeMultipleResourceId(nodeId, 256)).toThrow(RangeError);
});

test('a name that is not ASCII is hashed as UTF-8', () => {
  const name = 'ζ@example.org';
  expect(resourceIdOf(name)).toBe(resourceIdOf(new TextEncoder().encode(name)));
});
