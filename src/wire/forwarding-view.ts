import { type Codec, encode, readWhole, sequence } from './codec.ts';
import { type Destination, DestinationType, destination } from './destination.ts';
import {
  FIXED_HEADER_LENGTH,
  FixedHeader,
  ForwardingOption,
  RELO_TOKEN,
} from './forwarding-header.ts';
import { toHex } from './hex.ts';
import { MalformedMessage } from './malformed-message.ts';
import type { NodeId } from './node-id.ts';
import { NODE_ID_LENGTH_DEFAULT, type Reader } from './reader.ts';
import type { ResourceId } from './resource-id.ts';

/** What a forwarder changes in a header — RFC 6940 §6.1.2 and §6.1.3. */
export interface HeaderChange {
  /** Put at the end of the Via List: the node that the message came from. */
  readonly appendVia?: Destination;
  /** So many entries go from the front of the Destination List. */
  readonly dropDestinations?: number;
  /** These take the place of the dropped entries: what an opaque ID stood for. */
  readonly replaceDestinations?: readonly Destination[];
  /** One less, as each hop does just before it transmits; the TTL must not be 0. */
  readonly decrementTtl?: boolean;
}

/**
 * A message as a forwarder sees it (RFC 6940 §6.1): the ForwardingHeader read in place, each field
 * when it is asked for, and everything below it untouched.
 */
export class ForwardingView {
  readonly bytes: Uint8Array;
  private readonly nodeIdLength: number;
  private readonly view: DataView;

  private constructor(bytes: Uint8Array, nodeIdLength: number, view: DataView) {
    this.bytes = bytes;
    this.nodeIdLength = nodeIdLength;
    this.view = view;
  }

  /**
   * Checks the token and that `length` and the three list lengths agree with `bytes`; the version,
   * the overlay and the TTL are the forwarder's to judge. `bytes` is kept, not copied.
   */
  static over(
    bytes: Uint8Array,
    nodeIdLength: number = NODE_ID_LENGTH_DEFAULT,
  ): ForwardingView | MalformedMessage {
    const size = bytes.length;
    if (size >= FIXED_HEADER_LENGTH) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, size);
      const found = new ForwardingView(bytes, nodeIdLength, view);
      const consistent =
        view.getUint32(AT.reloToken) === RELO_TOKEN &&
        found.length === size &&
        found.headerLength <= size;
      if (consistent) return found;
    }
    return explain(bytes, nodeIdLength);
  }

  get overlay(): number {
    return this.view.getUint32(AT.overlay);
  }

  get configurationSequence(): number {
    return this.view.getUint16(AT.configurationSequence);
  }

  get version(): number {
    return this.view.getUint8(AT.version);
  }

  get ttl(): number {
    return this.view.getUint8(AT.ttl);
  }

  /** The `fragment` word; see `fragmentWord`. */
  get fragment(): number {
    return this.view.getUint32(AT.fragment);
  }

  /** Bytes of the whole message. */
  get length(): number {
    return this.view.getUint32(AT.length);
  }

  get transactionId(): bigint {
    return this.view.getBigUint64(AT.transactionId);
  }

  /** Bytes; 0 for no limit. */
  get maxResponseLength(): number {
    return this.view.getUint32(AT.maxResponseLength);
  }

  get viaListLength(): number {
    return this.view.getUint16(AT.viaListLength);
  }

  get destinationListLength(): number {
    return this.view.getUint16(AT.destinationListLength);
  }

  get optionsLength(): number {
    return this.view.getUint16(AT.optionsLength);
  }

  /** Bytes of the header with its lists; MessageContents, or a fragment's chunk, begin here. */
  get headerLength(): number {
    return (
      FIXED_HEADER_LENGTH + this.viaListLength + this.destinationListLength + this.optionsLength
    );
  }

  /** Where the Destination List begins. */
  get destinationListOffset(): number {
    return FIXED_HEADER_LENGTH + this.viaListLength;
  }

  /** What decides where the message goes; an empty Destination List is a fault. */
  firstDestination(): Destination | MalformedMessage {
    const start = this.destinationListOffset;
    const end = start + this.destinationListLength;
    const identifier = this.identifierAt(start, end);
    if (identifier !== undefined) return identifier;
    return this.readRange(start, end, (reader) => {
      const first = destination.read(reader);
      reader.offset = end;
      return first;
    });
  }

  /** Whether nothing follows the first entry of the Destination List. */
  firstDestinationIsLast(): boolean {
    return this.entriesLength(1) === this.destinationListLength;
  }

  viaList(): Destination[] | MalformedMessage {
    return this.readList(FIXED_HEADER_LENGTH, this.viaListLength, destination);
  }

  destinationList(): Destination[] | MalformedMessage {
    return this.readList(this.destinationListOffset, this.destinationListLength, destination);
  }

  options(): ForwardingOption[] | MalformedMessage {
    const start = this.destinationListOffset + this.destinationListLength;
    return this.readList(start, this.optionsLength, ForwardingOption);
  }

  /**
   * The message with `change` made, as new bytes; nothing below the header is encoded again. A
   * list that would outgrow its 65,535 bytes, or has fewer entries than are to be dropped, is a
   * fault. Throws RangeError for a TTL below 0: whoever forwards looks at the TTL first.
   */
  forwarded(change: HeaderChange): Uint8Array | MalformedMessage {
    const via = listBytes(change.appendVia === undefined ? [] : [change.appendVia]);
    const replacement = listBytes(change.replaceDestinations ?? []);
    const dropped = this.entriesLength(change.dropDestinations ?? 0);
    if (dropped === undefined) {
      return fault('destinationList', this.destinationListOffset, 'fewer entries than to drop');
    }
    const viaLength = this.viaListLength + via.length;
    const destinationLength = this.destinationListLength - dropped + replacement.length;
    if (viaLength > LIST_BYTES_MAX) {
      return fault('viaList', AT.viaListLength, 'no room for another entry');
    }
    if (destinationLength > LIST_BYTES_MAX) {
      return fault('destinationList', AT.destinationListLength, 'no room for more entries');
    }
    const start = this.destinationListOffset;
    const out = new Uint8Array(this.bytes.length + via.length + replacement.length - dropped);
    out.set(this.bytes.subarray(0, start));
    out.set(via, start);
    out.set(replacement, start + via.length);
    out.set(this.bytes.subarray(start + dropped), start + via.length + replacement.length);
    const view = new DataView(out.buffer);
    view.setUint32(AT.length, out.length);
    view.setUint16(AT.viaListLength, viaLength);
    view.setUint16(AT.destinationListLength, destinationLength);
    if (change.decrementTtl === true) view.setUint8(AT.ttl, lowered(this.ttl));
    return out;
  }

  /** Bytes of the first `count` destinations; undefined where there are fewer. */
  private entriesLength(count: number): number | undefined {
    const start = this.destinationListOffset;
    const end = start + this.destinationListLength;
    let offset = start;
    for (let i = 0; i < count; i++) {
      if (offset + 2 > end) return undefined;
      const compressed = this.view.getUint8(offset) >= 0x80;
      offset += compressed ? 2 : 2 + this.view.getUint8(offset + 1);
      if (offset > end) return undefined;
    }
    return offset - start;
  }

  /** A well-formed entry of type node or resource, which is what nearly every message has. */
  private identifierAt(start: number, end: number): Destination | undefined {
    if (end - start < 3) return undefined;
    const type = this.view.getUint8(start);
    const length = this.view.getUint8(start + 1);
    const next = start + 2 + length;
    if (next > end) return undefined;
    if (type === DestinationType.node && length === this.nodeIdLength) {
      return { type: 'node', nodeId: toHex(this.bytes, start + 2, next) as NodeId };
    }
    if (type === DestinationType.resource && this.view.getUint8(start + 2) === length - 1) {
      return { type: 'resource', resourceId: toHex(this.bytes, start + 3, next) as ResourceId };
    }
    return undefined;
  }

  private readList<T>(start: number, length: number, element: Codec<T>): T[] | MalformedMessage {
    return this.readRange(start, start + length, (reader) => sequence(element).read(reader));
  }

  /** Reads part of the message; offsets in faults count from the start of the whole. */
  private readRange<T>(
    start: number,
    end: number,
    read: (reader: Reader) => T,
  ): T | MalformedMessage {
    return readWhole(this.bytes, this.nodeIdLength, (reader) => {
      reader.offset = start;
      reader.end = end;
      return read(reader);
    });
  }
}

/** Why `ForwardingView.over` refuses: found by decoding field by field. */
function explain(bytes: Uint8Array, nodeIdLength: number): MalformedMessage {
  const fixed = readWhole(bytes, nodeIdLength, (reader) => {
    const value = FixedHeader.read(reader);
    reader.offset = reader.end;
    return value;
  });
  if (fixed instanceof MalformedMessage) return fixed;
  if (fixed.length !== bytes.length) {
    const detail = `expected the length of the message, ${bytes.length}, got ${fixed.length}`;
    return fault('length', AT.length, detail);
  }
  const lists = fixed.viaListLength + fixed.destinationListLength + fixed.optionsLength;
  const left = bytes.length - FIXED_HEADER_LENGTH;
  return fault('viaListLength', AT.viaListLength, `lists of ${lists} bytes, ${left} are left`);
}

function fault(field: string, offset: number, detail: string): MalformedMessage {
  const found = new MalformedMessage(detail, offset);
  found.struct = 'ForwardingHeader';
  found.field = field;
  return found;
}

function listBytes(values: readonly Destination[]): Uint8Array {
  return values.length === 0 ? NOTHING : encode(destinations, [...values]);
}

function lowered(ttl: number): number {
  if (ttl === 0) throw new RangeError('a message with TTL 0 is not forwarded (RFC 6940 §6.3.2)');
  return ttl - 1;
}

const destinations = sequence(destination);
const NOTHING = new Uint8Array(0);
/** A list's length is 16 bits wide (RFC 6940 §6.3.2). */
const LIST_BYTES_MAX = 65535;

const AT = {
  reloToken: FixedHeader.offsetOf('reloToken'),
  overlay: FixedHeader.offsetOf('overlay'),
  configurationSequence: FixedHeader.offsetOf('configurationSequence'),
  version: FixedHeader.offsetOf('version'),
  ttl: FixedHeader.offsetOf('ttl'),
  fragment: FixedHeader.offsetOf('fragment'),
  length: FixedHeader.offsetOf('length'),
  transactionId: FixedHeader.offsetOf('transactionId'),
  maxResponseLength: FixedHeader.offsetOf('maxResponseLength'),
  viaListLength: FixedHeader.offsetOf('viaListLength'),
  destinationListLength: FixedHeader.offsetOf('destinationListLength'),
  optionsLength: FixedHeader.offsetOf('optionsLength'),
} as const;
