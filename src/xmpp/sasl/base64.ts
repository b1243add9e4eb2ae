/**
 * The bytes of canonical base64: padded, without white space, with padding bits of zero (RFC 6120
 * §6.3.5, RFC 5802 §2.1). Undefined for anything else.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
