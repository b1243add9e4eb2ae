import { FixedHeader } from '../../src/wire/forwarding-header.ts';
import { FrameType } from '../../src/wire/framed-message.ts';

/** What an onlooker reads from a message on a link, without decoding it. */
export interface ProbedMessage {
  /** Message code; undefined for a fragment that is not the first. */
  readonly code: number | undefined;
  readonly ttl: number;
  /** transaction_id in hex would cost: two halves, which together name it. */
  readonly transactionHigh: number;
  readonly transactionLow: number;
  /** Bytes of the frame, its header included. */
  readonly frameBytes: number;
}

/**
 * Calls `seen` for each message in `bytes`, which are whole frames as a Peer sends them, and
 * `ackBytes` for the acknowledgements.
 */
export function probeFrames(
  bytes: Uint8Array,
  seen: (message: ProbedMessage) => void,
  ackBytes?: (count: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === FrameType.ack) {
      ackBytes?.(ACK_BYTES);
      at += ACK_BYTES;
      continue;
    }
    if (bytes[at] !== FrameType.data || at + FRAME_HEAD_BYTES > bytes.length) return;
    const length = (view.getUint16(at + 5) << 8) | view.getUint8(at + 7);
    const start = at + FRAME_HEAD_BYTES;
    at = start + length;
    if (at > bytes.length || length < HEADER_BYTES) return;
    seen(probeMessage(view, start, length + FRAME_HEAD_BYTES));
  }
}

/** Told of each frame: cheaper than `probeFrames`, because nothing is made for a message. */
export interface FrameCounter {
  /** `code` is undefined for a fragment that is not the first; the frame's header counts. */
  countMessage(code: number | undefined, frameBytes: number): void;
  countAcknowledgement(frameBytes: number): void;
}

/** Counts the whole frames in `bytes`, as a Peer sends them. */
export function countFrames(bytes: Uint8Array, counter: FrameCounter): void {
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === FrameType.ack) {
      counter.countAcknowledgement(ACK_BYTES);
      at += ACK_BYTES;
      continue;
    }
    if (bytes[at] !== FrameType.data || at + FRAME_HEAD_BYTES > bytes.length) return;
    const length = uint24(bytes, at + 5);
    const start = at + FRAME_HEAD_BYTES;
    at = start + length;
    if (at > bytes.length || length < HEADER_BYTES) return;
    counter.countMessage(codeOf(bytes, start), length + FRAME_HEAD_BYTES);
  }
}

function codeOf(bytes: Uint8Array, start: number): number | undefined {
  // The offset is the lower 24 bits of the fragment field.
  if (uint24(bytes, start + AT_FRAGMENT + 1) !== 0) return undefined;
  const lists =
    uint16(bytes, start + AT_VIA_LENGTH) +
    uint16(bytes, start + AT_DESTINATION_LENGTH) +
    uint16(bytes, start + AT_OPTIONS_LENGTH);
  const codeAt = start + HEADER_BYTES + lists;
  return codeAt + 2 <= bytes.length ? uint16(bytes, codeAt) : undefined;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function uint24(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) << 8) | (bytes[at + 2] as number);
}

function probeMessage(view: DataView, start: number, frameBytes: number): ProbedMessage {
  const lists =
    view.getUint16(start + AT_VIA_LENGTH) +
    view.getUint16(start + AT_DESTINATION_LENGTH) +
    view.getUint16(start + AT_OPTIONS_LENGTH);
  const codeAt = start + HEADER_BYTES + lists;
  const isFirst = (view.getUint32(start + AT_FRAGMENT) & FRAGMENT_OFFSET_MASK) === 0;
  const hasCode = isFirst && codeAt + 2 <= view.byteLength;
  return {
    code: hasCode ? view.getUint16(codeAt) : undefined,
    ttl: view.getUint8(start + AT_TTL),
    transactionHigh: view.getUint32(start + AT_TRANSACTION),
    transactionLow: view.getUint32(start + AT_TRANSACTION + 4),
    frameBytes,
  };
}

/** RFC 6940 §6.3.2: the high bit is always 1, the next one says "last", 24 bits are the offset. */
const FRAGMENT_OFFSET_MASK = 0x00ffffff;
const FRAME_HEAD_BYTES = 8;
const ACK_BYTES = 9;
const AT_TTL = FixedHeader.offsetOf('ttl');
const AT_FRAGMENT = FixedHeader.offsetOf('fragment');
const AT_TRANSACTION = FixedHeader.offsetOf('transactionId');
const AT_VIA_LENGTH = FixedHeader.offsetOf('viaListLength');
const AT_DESTINATION_LENGTH = FixedHeader.offsetOf('destinationListLength');
const AT_OPTIONS_LENGTH = FixedHeader.offsetOf('optionsLength');
const HEADER_BYTES = AT_OPTIONS_LENGTH + 2;
