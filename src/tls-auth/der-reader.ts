/** Bytes that are not the DER that was expected; becomes a refusal before it leaves `tls-auth/`. */
export class MalformedDer extends Error {
  /** Byte offset in the whole input. */
  readonly offset: number;
  /** The named limit that was passed, where the bytes may well be DER. */
  readonly limit: string | undefined;

  constructor(detail: string, offset: number, limit?: string) {
    super(detail);
    this.name = 'MalformedDer';
    this.offset = offset;
    this.limit = limit;
  }
}

/** Identifier octets of the universal types that certificates use — X.690 §8.1.2. */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier octet of `[number]`, primitive (IMPLICIT on a string, integer, …). */
export function contextPrimitive(number: number): number {
  return 0x80 | number;
}

/** The identifier octet of `[number]`, constructed (EXPLICIT, or IMPLICIT on a SEQUENCE). */
export function contextConstructed(number: number): number {
  return 0xa0 | number;
}

/** One type-length-value; both byte fields are views of the input. */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Tag, length and contents. */
  readonly der: Uint8Array;
  /** Where `contents` begins in the whole input. */
  readonly contentsOffset: number;
}

/**
 * A strict cursor over DER (X.690 §10): definite lengths in their shortest form, tags of one octet,
 * nothing left over, nesting limited. It throws `MalformedDer` and nothing else, and never copies.
 */
export class DerReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private readonly depth: number;
  private offset: number;

  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length, depth = 0) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
    this.depth = depth;
  }

  get atEnd(): boolean {
    return this.offset === this.end;
  }

  /** The identifier octet of the next element; undefined at the end. */
  peekTag(): number | undefined {
    return this.offset < this.end ? this.bytes[this.offset] : undefined;
  }

  /** The next element, of whatever type. */
  any(): DerElement {
    const start = this.offset;
    const tag = this.octet();
    if ((tag & 0x1f) === 0x1f) throw this.fault('a tag of several octets', start);
    const length = this.length();
    if (length > this.end - this.offset) {
      throw this.fault(`${length} bytes announced, ${this.end - this.offset} are left`, start);
    }
    const contentsOffset = this.offset;
    this.offset += length;
    return {
      tag,
      contents: this.bytes.subarray(contentsOffset, this.offset),
      der: this.bytes.subarray(start, this.offset),
      contentsOffset,
    };
  }

  /** The next element, which must have this tag. */
  element(tag: number): DerElement {
    const start = this.offset;
    const found = this.peekTag();
    if (found !== tag) {
      const shown = found === undefined ? 'the end' : `tag ${hexOctet(found)}`;
      throw this.fault(`expected tag ${hexOctet(tag)}, got ${shown}`, start);
    }
    return this.any();
  }

  /** The next element if it has this tag. */
  optional(tag: number): DerElement | undefined {
    return this.peekTag() === tag ? this.any() : undefined;
  }

  /** Enters a constructed element; the caller ends with `expectEnd`. */
  enter(tag: number): DerReader {
    return this.inside(this.element(tag));
  }

  /** Enters the next element if it has this tag. */
  enterOptional(tag: number): DerReader | undefined {
    return this.peekTag() === tag ? this.enter(tag) : undefined;
  }

  /** A reader over the contents of an element that this reader returned. */
  inside(element: DerElement): DerReader {
    if (this.depth >= derDepthMax) {
      const detail = `nested deeper than ${derDepthMax}`;
      throw new MalformedDer(detail, element.contentsOffset, 'derDepthMax');
    }
    const end = element.contentsOffset + element.contents.length;
    return new DerReader(this.bytes, element.contentsOffset, end, this.depth + 1);
  }

  expectEnd(): void {
    if (this.offset !== this.end) {
      throw this.fault(`${this.end - this.offset} bytes are left over`, this.offset);
    }
  }

  fault(detail: string, offset: number = this.offset): MalformedDer {
    return new MalformedDer(detail, offset);
  }

  /** More of something than the limit of this name allows. */
  beyond(limit: string, max: number, what: string): MalformedDer {
    return new MalformedDer(`more than ${max} ${what}`, this.offset, limit);
  }

  private octet(): number {
    const value = this.offset < this.end ? this.bytes[this.offset] : undefined;
    if (value === undefined) throw this.fault('the input ends inside an element', this.offset);
    this.offset++;
    return value;
  }

  private length(): number {
    const start = this.offset;
    const first = this.octet();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0) throw this.fault('an indefinite length', start);
    if (count > 4) throw this.fault(`a length of ${count} octets`, start);
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.octet();
    if (length < 0x80 || length < 256 ** (count - 1)) {
      throw this.fault('a length not in its shortest form', start);
    }
    return length;
  }
}

function hexOctet(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}

/** Elements inside elements; a certificate needs about ten. */
const derDepthMax = 24;
