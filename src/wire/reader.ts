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

  constructor(bytes: Uint8Array, nodeIdLength: number = NODE_ID_LENGTH_DEFAULT) {
    this.bytes = bytes;
    this.nodeIdLength = nodeIdLength;
    this.offset = 0;
    this.end = bytes.length;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  uint8(): number {
    return this.bytes[this.advance(1)] as number;
  }

  uint16(): number {
    const at = this.advance(2);
    return this.byte(at) * 0x100 + this.byte(at + 1);
  }

  uint24(): number {
    const at = this.advance(3);
    return this.byte(at) * 0x10000 + this.byte(at + 1) * 0x100 + this.byte(at + 2);
  }

  uint32(): number {
    const at = this.advance(4);
    return (
      this.byte(at) * 0x1000000 +
      this.byte(at + 1) * 0x10000 +
      this.byte(at + 2) * 0x100 +
      this.byte(at + 3)
    );
  }

  uint64(): bigint {
    const { buffer, byteOffset } = this.bytes;
    return new DataView(buffer, byteOffset + this.advance(8), 8).getBigUint64(0);
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

  private byte(at: number): number {
    return this.bytes[at] as number;
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
