import { MalformedMessage } from './malformed-message.ts';

/**
 * A cursor over received bytes. Integers are unsigned and big-endian (RFC 6940 §6.3.1). It never
 * copies: `take` returns views of the input.
 */
export class Reader {
  readonly bytes: Uint8Array;
  /** Bytes in a Node-ID of this overlay: 16 to 20 (RFC 6940 §11.1 node-id-length). */
  readonly nodeIdLength: number;
  offset: number;
  end: number;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, nodeIdLength: number = NODE_ID_LENGTH_DEFAULT) {
    this.bytes = bytes;
    this.nodeIdLength = nodeIdLength;
    this.offset = 0;
    this.end = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  uint8(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2));
  }

  uint24(): number {
    const at = this.advance(3);
    return this.view.getUint16(at) * 256 + this.view.getUint8(at + 2);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4));
  }

  uint64(): bigint {
    return this.view.getBigUint64(this.advance(8));
  }

  /** The next `length` bytes, as a view of the input. */
  take(length: number): Uint8Array {
    const at = this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  /**
   * Reads `length` bytes with `readInner`, which must use them up: left-over bytes are a fault.
   * Returns what `readInner` returned.
   */
  bounded<T>(length: number, readInner: (reader: Reader) => T): T {
    const start = this.offset;
    if (length > this.end - start) throw this.tooShort(length);
    const outerEnd = this.end;
    this.end = start + length;
    const value = readInner(this);
    this.expectEnd();
    this.end = outerEnd;
    return value;
  }

  expectEnd(): void {
    if (this.offset !== this.end) {
      throw this.fault(`expected the end, ${this.end - this.offset} bytes are left over`);
    }
  }

  fault(detail: string, offset: number = this.offset): MalformedMessage {
    return new MalformedMessage(detail, offset);
  }

  private advance(length: number): number {
    const at = this.offset;
    if (length > this.end - at) throw this.tooShort(length);
    this.offset = at + length;
    return at;
  }

  private tooShort(length: number): MalformedMessage {
    return this.fault(`expected ${length} bytes, ${this.end - this.offset} are left`);
  }
}

export const NODE_ID_LENGTH_DEFAULT = 16;
