import { writeHex } from './hex.ts';

/** Collects bytes to send. Integers are unsigned and big-endian (RFC 6940 §6.3.1). */
export class Writer {
  private buffer: Uint8Array;
  private view: DataView;
  private length = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
    this.view = new DataView(this.buffer.buffer);
  }

  /** Begins anew; what `bytes` gave before is written over. */
  clear(): void {
    this.length = 0;
  }

  get capacity(): number {
    return this.buffer.length;
  }

  /** What was written so far: a view, valid until the next write. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  uint8(value: number): void {
    assertInteger(value, 0xff);
    const at = this.grow(1);
    this.view.setUint8(at, value);
  }

  uint16(value: number): void {
    assertInteger(value, 0xffff);
    const at = this.grow(2);
    this.view.setUint16(at, value);
  }

  uint24(value: number): void {
    assertInteger(value, 0xffffff);
    const at = this.grow(3);
    this.view.setUint16(at, value >>> 8);
    this.view.setUint8(at + 2, value & 0xff);
  }

  uint32(value: number): void {
    assertInteger(value, 0xffffffff);
    const at = this.grow(4);
    this.view.setUint32(at, value);
  }

  uint64(value: bigint): void {
    if (value < 0n || value > 0xffffffffffffffffn) throw new RangeError(`not a uint64: ${value}`);
    const at = this.grow(8);
    this.view.setBigUint64(at, value);
  }

  /** The bytes of an even number of hex digits. */
  hex(digits: string): void {
    const at = this.grow(digits.length / 2);
    writeHex(digits, this.buffer, at);
  }

  raw(bytes: Uint8Array): void {
    const at = this.grow(bytes.length);
    this.buffer.set(bytes, at);
  }

  /** Writes with `writeInner` and puts the number of bytes it wrote, `width` bytes wide, before. */
  prefixed(width: 1 | 2 | 3 | 4, writeInner: (writer: Writer) => void): void {
    const at = this.grow(width);
    writeInner(this);
    const length = this.length - at - width;
    if (length >= 2 ** (8 * width)) {
      throw new RangeError(`${length} bytes do not fit a length of ${width} bytes`);
    }
    const { buffer } = this;
    let left = length;
    for (let i = width - 1; i >= 0; i--) {
      buffer[at + i] = left;
      left >>>= 8;
    }
  }

  /** Where the next `count` bytes go. It may replace `view`: call it before naming `this.view`. */
  private grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length));
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}

/**
 * The bytes that `write` writes. The Writers are used again, and the result has a buffer of exactly
 * its length: a message of 800 bytes that is kept does not keep 2048, and none is allocated for it.
 */
export function written(write: (writer: Writer) => void): Uint8Array {
  return withWritten(write, copied);
}

/**
 * What `use` makes of the bytes that `write` writes. They are its own only until it returns: for
 * what is signed or compared and not kept.
 */
export function withWritten<T>(write: (writer: Writer) => void, use: (bytes: Uint8Array) => T): T {
  const writer = idle.pop() ?? new Writer(IDLE_BYTES);
  try {
    write(writer);
    return use(writer.bytes());
  } finally {
    writer.clear();
    if (writer.capacity <= IDLE_BYTES_MAX && idle.length < IDLE_MAX) idle.push(writer);
  }
}

/** In a buffer of exactly their length. */
function copied(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}

function assertInteger(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`expected an integer from 0 to ${max}, got ${value}`);
  }
}

/** Writers that nobody writes with now; several, because one `written` may call another. */
const idle: Writer[] = [];
const IDLE_MAX = 8;
const IDLE_BYTES = 4_096;
const IDLE_BYTES_MAX = 65_536;
