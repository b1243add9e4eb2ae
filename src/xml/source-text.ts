import { XmlFault } from './xml-fault.ts';

/** The text of well-formed UTF-8, or a fault that names the first byte which is not. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const valid = validPrefixLength(bytes);
    const before = new TextDecoder('utf-8').decode(bytes.subarray(0, valid));
    const lines = before.split('\n');
    const column = [...(lines.at(-1) ?? '')].length + 1;
    throw new XmlFault(`expected UTF-8, byte ${valid} is not`, lines.length, column);
  }
}

/**
 * A cursor over text decoded from UTF-8 that tells the byte offset and line of an index. It only
 * moves forward, so all questions together cost one pass.
 */
export class SourceCursor {
  private readonly text: string;
  private index = 0;
  /** Offset in the UTF-8 input of the index moved to last. */
  byte: number;
  /** From 1; a line ends with LF, CR or CR LF (XML §2.11). */
  line = 1;

  constructor(text: string, firstByte: number) {
    this.text = text;
    this.byte = firstByte;
  }

  /** Moves to `index` (UTF-16 units), which may not lie before the last one. */
  moveTo(index: number): void {
    if (index < this.index) throw new RangeError(`cursor at ${this.index} asked for ${index}`);
    for (; this.index < index; this.index += 1) this.step(this.text.charCodeAt(this.index));
  }

  private step(unit: number): void {
    if (unit === LINE_FEED) this.line += 1;
    // CR LF is one line end: its LF counts.
    if (unit === CARRIAGE_RETURN && this.text.charCodeAt(this.index + 1) !== LINE_FEED) {
      this.line += 1;
    }
    if (unit < 0x80) this.byte += 1;
    else if (unit < 0x800) this.byte += 2;
    // Each half of a surrogate pair stands for two of its four bytes.
    else this.byte += unit >= 0xd800 && unit < 0xe000 ? 2 : 3;
  }
}

/** The longest prefix that is well-formed UTF-8 up to an unfinished last character. */
export function validPrefixLength(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length + 1;
  while (invalid - valid > 1) {
    const middle = valid + Math.floor((invalid - valid) / 2);
    if (isUtf8Prefix(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isUtf8Prefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
