import { DerTag } from './der-reader.ts';
import { formatUnixMs } from './der-time.ts';

/** Writes DER (X.690 §10). It says what it is told to: broken values as willingly as good ones. */

/** One element: identifier octet, length, contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of contents) length += part.length;
  const octets = lengthOctets(length);
  const element = new Uint8Array(1 + octets.length + length);
  element[0] = tag;
  element.set(octets, 1);
  let at = 1 + octets.length;
  for (const part of contents) {
    element.set(part, at);
    at += part.length;
  }
  return element;
}

export const sequence = (...contents: readonly Uint8Array[]) => der(DerTag.sequence, ...contents);
export const set = (...contents: readonly Uint8Array[]) => der(DerTag.set, ...contents);
export const octetString = (contents: Uint8Array) => der(DerTag.octetString, contents);
export const utf8String = (text: string) => der(DerTag.utf8String, Buffer.from(text));
export const boolean = (value: boolean) => der(DerTag.boolean, Uint8Array.of(value ? 0xff : 0));
export const nullValue = () => der(DerTag.null);

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
  return der(DerTag.integer, Uint8Array.from(octets));
}

/** BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Uint8Array {
  return der(DerTag.bitString, Uint8Array.of(0), octets);
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
  return der(DerTag.bitString, Uint8Array.of(unused), octets);
}

export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt);
  const octets = [first * 40n + second, ...others].flatMap((arc) => {
    const base128 = [Number(arc % 128n)];
    for (let rest = arc / 128n; rest > 0n; rest /= 128n) base128.unshift(128 + Number(rest % 128n));
    return base128;
  });
  return der(DerTag.objectIdentifier, Uint8Array.from(octets));
}

/** UTCTime from 1950 to 2049, else GeneralizedTime, in whole seconds — RFC 5280 §4.1.2.5. */
export function time(unixMs: number): Uint8Array {
  const digits = formatUnixMs(unixMs).replace(/[-:T]/g, '');
  const isUtcTime = unixMs >= YEAR_1950_UNIX_MS && unixMs < YEAR_2050_UNIX_MS;
  return isUtcTime
    ? der(DerTag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : der(DerTag.generalizedTime, Buffer.from(digits, 'latin1'));
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

const YEAR_1950_UNIX_MS = -631_152_000_000;
const YEAR_2050_UNIX_MS = 2_524_608_000_000;
