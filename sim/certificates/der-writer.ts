/** Writes DER for tests and simulations; it makes broken values as willingly as good ones. */

/** One element: identifier octet, length, contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  return new Uint8Array(Buffer.concat([Buffer.from([tag]), lengthOctets(body.length), body]));
}

export const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
export const set = (...contents: readonly Uint8Array[]) => der(0x31, ...contents);
export const octetString = (contents: Uint8Array) => der(0x04, contents);
export const utf8String = (text: string) => der(0x0c, Buffer.from(text));
export const boolean = (value: boolean) => der(0x01, Uint8Array.of(value ? 0xff : 0));
export const nullValue = () => der(0x05);

/** `[number]` around constructed contents. */
export const explicit = (number: number, ...contents: readonly Uint8Array[]) =>
  der(0xa0 | number, ...contents);

/** `[number]` in the place of a primitive type's tag. */
export const implicit = (number: number, contents: Uint8Array) => der(0x80 | number, contents);

export function integer(value: bigint | number): Uint8Array {
  let rest = BigInt(value);
  const octets: number[] = [];
  do {
    octets.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (rest !== 0n && rest !== -1n);
  const first = octets[0] ?? 0;
  if (rest === 0n && first >= 0x80) octets.unshift(0);
  if (rest === -1n && first < 0x80) octets.unshift(0xff);
  return der(0x02, Uint8Array.from(octets));
}

/** BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Uint8Array {
  return der(0x03, Uint8Array.of(0), octets);
}

/** BIT STRING with these bits set and no trailing zero bits. */
export function namedBits(bits: readonly number[]): Uint8Array {
  const last = Math.max(-1, ...bits);
  const octets = new Uint8Array(Math.floor(last / 8) + 1);
  for (const bit of bits) {
    const at = Math.floor(bit / 8);
    octets[at] = (octets[at] ?? 0) | (0x80 >> (bit % 8));
  }
  const unused = last < 0 ? 0 : 7 - (last % 8);
  return der(0x03, Uint8Array.of(unused), octets);
}

export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt);
  const octets = [first * 40n + second, ...others].flatMap((arc) => {
    const base128 = [Number(arc % 128n)];
    for (let rest = arc / 128n; rest > 0n; rest /= 128n) base128.unshift(128 + Number(rest % 128n));
    return base128;
  });
  return der(0x06, Uint8Array.from(octets));
}

/** UTCTime to 2049, GeneralizedTime from 2050 — RFC 5280 §4.1.2.5. */
export function time(unixMs: number): Uint8Array {
  const digits = new Date(unixMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isUtcTime = unixMs >= Date.UTC(1950, 0) && unixMs < Date.UTC(2050, 0);
  return isUtcTime ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}
