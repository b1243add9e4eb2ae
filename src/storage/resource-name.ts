import { createHash } from 'node:crypto';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import { type ResourceId, resourceIdFromBytes } from '../wire/resource-id.ts';
import { joinBytes } from './join-bytes.ts';

/**
 * The Resource-ID of a Resource Name: the first 16 bytes of its SHA-1 (RFC 6940 §10.2). A string
 * counts as its UTF-8 bytes; a Node-ID is passed as bytes (`nodeIdBytes`).
 */
export function resourceIdOf(name: string | Uint8Array): ResourceId {
  return resourceIdFromBytes(sha1(name).subarray(0, RESOURCE_ID_BYTES));
}

/** The overlay field of the ForwardingHeader: the low-order 32 bits of SHA-1 (RFC 6940 §6.3.2). */
export function overlayHash(name: string): number {
  return sha1(name).readUInt32BE(SHA1_BYTES - 4);
}

/**
 * H(Node-ID ‖ i) of the policy NODE-MULTIPLE (RFC 6940 §7.3.4). The RFC leaves the width of i open;
 * it is one byte, like TurnServer.iteration, and counts from 1 (§9).
 */
export function nodeMultipleResourceId(nodeId: NodeId, i: number): ResourceId {
  if (!Number.isInteger(i) || i < 0 || i > 255) throw new RangeError(`not one byte: ${i}`);
  return resourceIdOf(joinBytes([nodeIdBytes(nodeId), Uint8Array.of(i)]));
}

function sha1(name: string | Uint8Array): Buffer {
  return createHash('sha1').update(name).digest();
}

const SHA1_BYTES = 20;
const RESOURCE_ID_BYTES = 16;
