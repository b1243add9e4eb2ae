import { validPrefixLength } from '../../xml/source-text.ts';

/**
 * UTF-8 that comes in pieces, as text. A character whose bytes are not all there waits for the
 * rest. What comes before a byte that is wrong is still given out, so it does not matter how the
 * bytes were cut.
 */
export class Utf8Text {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private unfinished: Uint8Array = NO_BYTES;
  /** From the first byte on that is not UTF-8, nothing more is read. */
  isBroken = false;

  /** Whether the last character so far lacks bytes. */
  get isUnfinished(): boolean {
    return this.unfinished.length > 0;
  }

  push(bytes: Uint8Array): string {
    if (this.isBroken) return '';
    const all = joined(this.unfinished, bytes);
    const complete = all.length - unfinishedLength(all);
    const whole = all.subarray(0, complete);
    this.unfinished = all.slice(complete);
    try {
      return this.decoder.decode(whole);
    } catch {
      this.isBroken = true;
      const valid = whole.subarray(0, validPrefixLength(whole));
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(valid, { stream: true });
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** How many bytes at the end begin a character that is not complete: 0 to 3. */
function unfinishedLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < characterLength(byte) ? back : 0;
  }
  return 0;
}

/** 0 for a byte that begins no character. */
function characterLength(leadByte: number): number {
  if (leadByte > 0xf4) return 0;
  if (leadByte >= 0xf0) return 4;
  return leadByte >= 0xe0 ? 3 : 2;
}

const NO_BYTES = new Uint8Array();
