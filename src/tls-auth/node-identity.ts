import { createHash } from 'node:crypto';
import { isInvalidNodeId, isWildcard, type NodeId, nodeIdFromBytes } from '../wire/node-id.ts';
import { NODE_ID_LENGTH_DEFAULT } from '../wire/reader.ts';
import type { CertificateProfile } from './trust-settings.ts';

/** What a reload URI must fit. */
export interface ReloadUriRules {
  /** instance-name of the overlay; compared without regard to ASCII case, as hosts are. */
  readonly overlayName: string;
  /** Bytes. */
  readonly nodeIdLength: number;
  /** `rfc6940` takes the Destination form alone, `xep-0416` also the bare and decimal ones. */
  readonly profile: CertificateProfile;
}

/** Why a URI names no node of this overlay. */
export class NodeIdentityFault {
  /** The part that is wrong, in the terms of RFC 6940 §14.15. */
  readonly part: 'destination' | 'overlay' | 'specifier';
  readonly detail: string;

  constructor(part: NodeIdentityFault['part'], detail: string) {
    this.part = part;
    this.detail = detail;
  }
}

/** Whether a URI of a certificate claims to be a reload URI; then it must be a good one. */
export function isReloadUri(uri: string): boolean {
  return /^reload:/i.test(uri);
}

/**
 * The Node-ID in `reload://…@overlay/` — RFC 6940 §14.15, XEP-0416 §3.2. The specifier is empty,
 * the final slash may be missing.
 */
export function nodeIdFromReloadUri(
  uri: string,
  rules: ReloadUriRules,
): NodeId | NodeIdentityFault {
  const shown = uri.slice(0, shownLengthMax);
  const match = /^reload:\/\/([0-9a-f]+)@([^/@?#]+)(\/.*)?$/is.exec(uri);
  const [, destination, overlay, specifier] = match ?? [];
  if (destination === undefined || overlay === undefined) {
    const detail = `expected reload://NODE-ID@overlay/, got "${shown}"`;
    return new NodeIdentityFault('destination', detail);
  }
  if (overlay.toLowerCase() !== rules.overlayName.toLowerCase()) {
    const detail = `expected the overlay ${rules.overlayName}, got "${shown}"`;
    return new NodeIdentityFault('overlay', detail);
  }
  if (specifier !== undefined && specifier !== '/') {
    return new NodeIdentityFault('specifier', `expected an empty specifier, got "${shown}"`);
  }
  const destinationForm = nodeIdFromDestination(destination, rules.nodeIdLength);
  const id =
    destinationForm ??
    (rules.profile === 'rfc6940' ? undefined : parseNodeId(destination, rules.nodeIdLength));
  if (id !== undefined && !isNobody(id)) return id;
  const forms = rules.profile === 'rfc6940' ? 'a Destination in hex' : 'one of the three forms';
  const detail = `expected a Node-ID as ${forms}, got "${shown}"`;
  return new NodeIdentityFault('destination', detail);
}

/** The URI as we write it: the form of RFC 6940 §14.15, a Destination in hex. */
export function reloadUri(nodeId: NodeId, overlayName: string): string {
  return `reload://${destinationPrefix(nodeId.length / 2)}${nodeId}@${overlayName}/`;
}

/**
 * A Node-ID as a person or a certificate writes it, read in this order: the hex of a Destination
 * (36 digits that begin 0110, for 16 bytes); 32 hex digits, one a letter at least; a decimal number
 * below 2^128 without leading zeros, but not of 32 digits, since those could be hex as well.
 * Undefined for anything else, for all zeros (nobody) and all ones (everybody).
 */
export function parseNodeId(
  text: string,
  nodeIdLength: number = NODE_ID_LENGTH_DEFAULT,
): NodeId | undefined {
  const digits = text.toLowerCase();
  const id = nodeIdFromDestination(digits, nodeIdLength) ?? bareNodeId(digits, nodeIdLength);
  return id === undefined || isNobody(id) ? undefined : id;
}

/**
 * The Node-ID of a self-signed certificate — RFC 6940 §11.3.1: the high-order bytes of the digest
 * over the SubjectPublicKeyInfo, before which stands the index (from 1) if it is one of several.
 */
export function selfSignedNodeId(
  subjectPublicKeyInfo: Uint8Array,
  digest: 'sha1' | 'sha256',
  nodeIdLength: number,
  index?: number,
): NodeId {
  const hash = createHash(digest);
  if (index !== undefined) {
    const indexBytes = Buffer.alloc(4);
    indexBytes.writeUInt32BE(index);
    hash.update(indexBytes);
  }
  return nodeIdFromBytes(hash.update(subjectPublicKeyInfo).digest().subarray(0, nodeIdLength));
}

function nodeIdFromDestination(digits: string, nodeIdLength: number): NodeId | undefined {
  const prefix = destinationPrefix(nodeIdLength);
  if (digits.length !== prefix.length + 2 * nodeIdLength || !digits.startsWith(prefix)) {
    return undefined;
  }
  return hexNodeId(digits.slice(prefix.length));
}

/** Type `node` and the length: the first two bytes of a Destination — RFC 6940 §6.3.2.2. */
function destinationPrefix(nodeIdLength: number): string {
  return `01${nodeIdLength.toString(16).padStart(2, '0')}`;
}

function bareNodeId(digits: string, nodeIdLength: number): NodeId | undefined {
  const hexLength = 2 * nodeIdLength;
  if (digits.length === hexLength) return /[a-f]/.test(digits) ? hexNodeId(digits) : undefined;
  // 2^160, the largest Node-ID, has 49 decimal digits: longer ones are not even converted.
  if (!/^[1-9][0-9]{0,48}$/.test(digits)) return undefined;
  const hex = BigInt(digits).toString(16);
  return hex.length > hexLength ? undefined : (hex.padStart(hexLength, '0') as NodeId);
}

function hexNodeId(digits: string): NodeId | undefined {
  return /^[0-9a-f]+$/i.test(digits) ? (digits.toLowerCase() as NodeId) : undefined;
}

function isNobody(id: NodeId): boolean {
  return isInvalidNodeId(id) || isWildcard(id);
}

/** Characters of a refused URI that an error message repeats. */
const shownLengthMax = 120;
