/** Lower-case hex of `bytes`, or of those from `start` up to `end`. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start > SHORT_BYTES_MAX) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('hex');
  }
  // Identifiers and hashes pass through here for every message; a Buffer around each one would cost
  // more than the conversion.
  let digits = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    scratch[digits] = asciiDigit(byte >>> 4);
    scratch[digits + 1] = asciiDigit(byte & 15);
    digits += 2;
  }
  return scratch.toString('latin1', 0, digits);
}

/** The bytes of an even number of hex digits. Throws RangeError for anything else: our bug. */
export function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >>> 1);
  writeHex(hex, bytes, 0);
  return bytes;
}

/** Puts the bytes of an even number of hex digits into `bytes` from `at` on, where they fit. */
export function writeHex(hex: string, bytes: Uint8Array, at: number): void {
  let isHex = hex.length % 2 === 0;
  for (let i = 0; i < hex.length; i += 2) {
    const high = digitValue(hex.charCodeAt(i));
    const low = digitValue(hex.charCodeAt(i + 1));
    if ((high | low) < 0) isHex = false;
    bytes[at + (i >>> 1)] = (high << 4) | low;
  }
  if (isHex) return;
  throw new RangeError(`expected an even number of hex digits, got "${hex.slice(0, 80)}"`);
}

/** −1 for what is no hex digit. */
function digitValue(code: number): number {
  if (code >= ASCII_0 && code <= ASCII_0 + 9) return code - ASCII_0;
  const lowerCase = code | 0x20;
  const value = lowerCase - ASCII_A_MINUS_10;
  return value >= 10 && value <= 15 ? value : -1;
}

function asciiDigit(value: number): number {
  return value + (value < 10 ? ASCII_0 : ASCII_A_MINUS_10);
}

/** A SHA-256; longer than any Node-ID (RFC 6940 §11.1) and Resource-ID of ours. */
const SHORT_BYTES_MAX = 32;
const ASCII_0 = 48;
const ASCII_A_MINUS_10 = 87;
const scratch = Buffer.alloc(2 * SHORT_BYTES_MAX);
