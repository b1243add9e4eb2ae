import { FIXED_HEADER_LENGTH, FixedHeader, fragmentWord } from '../wire/forwarding-header.ts';
import type { ForwardingView } from '../wire/forwarding-view.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerLoads } from './peer-loads.ts';
import { REASSEMBLY_TIMEOUT_MS } from './timing.ts';

/**
 * Cuts a message into fragments of at most `bytesMax` bytes — RFC 6940 §6.7: each has the whole
 * header with its lists and at least 256 bytes of the rest, in parts of nearly equal size. A
 * message whose header leaves no room for that stays whole.
 */
export function fragmentMessage(message: Uint8Array, bytesMax: number): Uint8Array[] {
  const headerLength = messageHeaderLength(message);
  const body = message.subarray(headerLength);
  const roomBytes = bytesMax - headerLength;
  if (message.length <= bytesMax || roomBytes < FRAGMENT_BODY_BYTES_MIN) return [message];
  const count = Math.min(
    Math.ceil(body.length / roomBytes),
    Math.floor(body.length / FRAGMENT_BODY_BYTES_MIN),
  );
  const fragments: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const from = Math.floor((body.length * i) / count);
    const to = Math.floor((body.length * (i + 1)) / count);
    const fragment = new Uint8Array(headerLength + to - from);
    fragment.set(message.subarray(0, headerLength));
    fragment.set(body.subarray(from, to), headerLength);
    const view = new DataView(fragment.buffer);
    view.setUint32(FRAGMENT_AT, fragmentWord(from, i === count - 1));
    view.setUint32(LENGTH_AT, fragment.length);
    fragments.push(fragment);
  }
  return fragments;
}

/** Whether the header says that this is a whole message, not a fragment. */
export function isWhole(view: ForwardingView): boolean {
  const word = view.fragment;
  // High bit 0: a message of an earlier protocol; it must not be read as a fragment (§6.7).
  if (word < FRAGMENTED_BIT) return true;
  return (word & OFFSET_MASK) === 0 && (word & LAST_BIT) !== 0;
}

/** Puts fragments together at their destination — RFC 6940 §6.7. */
export class Reassembler {
  private readonly env: PeerEnvironment;
  private readonly open = new Map<string, Reassembly>();
  private heldBytes = 0;

  constructor(env: PeerEnvironment) {
    this.env = env;
  }

  get loads(): Pick<PeerLoads, 'reassemblies' | 'reassemblyBytes'> {
    return { reassemblies: this.open.size, reassemblyBytes: this.heldBytes };
  }

  /**
   * Takes a fragment that came from `from`. Returns the whole message once nothing is missing, its
   * header being that of the fragment that completed it.
   */
  add(view: ForwardingView, from: NodeId): Uint8Array | undefined {
    const key = `${view.transactionId}:${from}`;
    const chunk = view.bytes.subarray(view.headerLength);
    const offset = view.fragment & OFFSET_MASK;
    const last = (view.fragment & LAST_BIT) !== 0;
    const reassembly = this.open.get(key) ?? this.begin(key);
    const end = offset + chunk.length;
    const messageMax = this.env.configuration.maxMessageSizeBytes;
    const chunkMin = last ? 1 : FRAGMENT_BODY_BYTES_MIN;
    if (reassembly === undefined || end > messageMax || chunk.length < chunkMin) {
      this.env.drop('reassembly-limit', `a fragment of ${chunk.length} bytes at ${offset}`);
      return undefined;
    }
    if (reassembly.chunks.get(offset)?.length !== chunk.length) {
      if (this.heldBytes + chunk.length > this.env.limits.reassemblyBytesMax) {
        this.giveUp(key);
        this.env.drop('reassembly-limit', 'no room for another fragment');
        return undefined;
      }
      this.heldBytes += chunk.length - (reassembly.chunks.get(offset)?.length ?? 0);
      reassembly.chunks.set(offset, chunk.slice());
    }
    if (last) reassembly.totalBytes = end;
    const body = assembled(reassembly);
    if (body === undefined) return undefined;
    this.giveUp(key);
    return withWholeHeader(view, body);
  }

  giveUp(key: string): void {
    const reassembly = this.open.get(key);
    if (reassembly === undefined) return;
    for (const chunk of reassembly.chunks.values()) this.heldBytes -= chunk.length;
    this.open.delete(key);
    this.env.deadlines.cancel(`reassembly:${key}`);
  }

  private begin(key: string): Reassembly | undefined {
    if (this.open.size >= this.env.limits.reassembliesMax) return undefined;
    const reassembly: Reassembly = { chunks: new Map(), totalBytes: undefined };
    this.open.set(key, reassembly);
    this.env.after(`reassembly:${key}`, { type: 'reassembly', key }, REASSEMBLY_TIMEOUT_MS);
    return reassembly;
  }
}

interface Reassembly {
  /** By offset. A retransmission may be cut differently: chunks may overlap. */
  readonly chunks: Map<number, Uint8Array>;
  totalBytes: number | undefined;
}

function assembled(reassembly: Reassembly): Uint8Array | undefined {
  if (reassembly.totalBytes === undefined) return undefined;
  const inOrder = [...reassembly.chunks].sort(([a], [b]) => a - b);
  let coveredTo = 0;
  for (const [offset, chunk] of inOrder) {
    if (offset > coveredTo) return undefined;
    coveredTo = Math.max(coveredTo, offset + chunk.length);
  }
  if (coveredTo !== reassembly.totalBytes) return undefined;
  const body = new Uint8Array(coveredTo);
  for (const [offset, chunk] of inOrder) body.set(chunk, offset);
  return body;
}

function withWholeHeader(view: ForwardingView, body: Uint8Array): Uint8Array {
  const header = view.bytes.subarray(0, view.headerLength);
  const message = new Uint8Array(header.length + body.length);
  message.set(header);
  message.set(body, header.length);
  const fields = new DataView(message.buffer);
  fields.setUint32(FRAGMENT_AT, fragmentWord(0, true));
  fields.setUint32(LENGTH_AT, message.length);
  return message;
}

function messageHeaderLength(message: Uint8Array): number {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return (
    FIXED_HEADER_LENGTH +
    view.getUint16(FixedHeader.offsetOf('viaListLength')) +
    view.getUint16(FixedHeader.offsetOf('destinationListLength')) +
    view.getUint16(FixedHeader.offsetOf('optionsLength'))
  );
}

/** RFC 6940 §6.7: every fragment carries at least this much of the message's body. */
const FRAGMENT_BODY_BYTES_MIN = 256;
const FRAGMENT_AT = FixedHeader.offsetOf('fragment');
const LENGTH_AT = FixedHeader.offsetOf('length');
const FRAGMENTED_BIT = 0x80000000;
const LAST_BIT = 0x40000000;
const OFFSET_MASK = 0x00ffffff;
