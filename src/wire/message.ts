/**
 * A whole message: ForwardingHeader ‖ MessageContents ‖ SecurityBlock (RFC 6940 §6.3). A fragment
 * (§6.7) is a ForwardingHeader and then a chunk of the rest: `decodeHeader` reads that.
 */
import { inField, readWhole } from './codec.ts';
import { FixedHeader, ForwardingHeader } from './forwarding-header.ts';
import type { MalformedMessage } from './malformed-message.ts';
import { MessageContents } from './message-contents.ts';
import type { Reader } from './reader.ts';
import { SecurityBlock } from './security-block.ts';
import { written } from './writer.ts';

export interface Message {
  readonly header: ForwardingHeader;
  /** Bytes of the ForwardingHeader with its lists. */
  readonly headerLength: number;
  readonly contents: MessageContents;
  /** MessageContents exactly as received: what the signature covers (RFC 6940 §6.3.4). */
  readonly contentsBytes: Uint8Array;
  readonly securityBlock: SecurityBlock;
}

export interface DecodedHeader {
  readonly header: ForwardingHeader;
  /** Bytes of the ForwardingHeader with its lists; the rest of the message begins here. */
  readonly headerLength: number;
}

/** What the sender chooses of a ForwardingHeader; `length` follows from the rest. */
export type HeaderFields = Omit<ForwardingHeader, 'length'>;

/** Reads a message that is not a fragment. All of `bytes` must be used up. */
export function decodeMessage(
  bytes: Uint8Array,
  nodeIdLength?: number,
): Message | MalformedMessage {
  return readWhole(bytes, nodeIdLength, (reader) => {
    const { header, headerLength } = readHeader(reader);
    const contents = MessageContents.read(reader);
    const contentsBytes = bytes.subarray(headerLength, reader.offset);
    const securityBlock = SecurityBlock.read(reader);
    return { header, headerLength, contents, contentsBytes, securityBlock };
  });
}

/** Reads the ForwardingHeader of a message or a fragment and leaves what follows it alone. */
export function decodeHeader(
  bytes: Uint8Array,
  nodeIdLength?: number,
): DecodedHeader | MalformedMessage {
  return readWhole(bytes, nodeIdLength, (reader) => {
    const decoded = readHeader(reader);
    reader.take(reader.remaining);
    return decoded;
  });
}

/**
 * A message to send. `contents` and `securityBlock` are in wire form, because the signature inside
 * the one covers the bytes of the other. Throws RangeError for a header that does not fit: our bug.
 */
export function encodeMessage(
  header: HeaderFields,
  contents: Uint8Array,
  securityBlock: Uint8Array,
): Uint8Array {
  return encodeWithHeader(header, [contents, securityBlock]);
}

/** A fragment to send: its own header and a chunk of the original's rest (RFC 6940 §6.7). */
export function encodeFragment(header: HeaderFields, chunk: Uint8Array): Uint8Array {
  return encodeWithHeader(header, [chunk]);
}

function readHeader(reader: Reader): DecodedHeader {
  const header = ForwardingHeader.read(reader);
  if (header.length !== reader.bytes.length) {
    inField('ForwardingHeader', 'length', () => {
      throw reader.fault(
        `expected the length of the message, ${reader.bytes.length}, got ${header.length}`,
        LENGTH_OFFSET,
      );
    });
  }
  return { header, headerLength: reader.offset };
}

function encodeWithHeader(header: HeaderFields, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = written((writer) => {
    ForwardingHeader.write(writer, { ...header, length: 0 });
    for (const part of parts) writer.raw(part);
  });
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(LENGTH_OFFSET, bytes.length);
  return bytes;
}

const LENGTH_OFFSET = FixedHeader.offsetOf('length');
