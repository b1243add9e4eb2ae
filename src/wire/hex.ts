/** Lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** The bytes of an even number of hex digits. Throws RangeError for anything else: our bug. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) {
    throw new RangeError(`expected an even number of hex digits, got "${hex.slice(0, 80)}"`);
  }
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
