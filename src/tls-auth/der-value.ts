import { toHex } from '../wire/hex.ts';
import { type DerElement, type DerReader, DerTag, MalformedDer } from './der-reader.ts';

/** BOOLEAN: one octet, 00 or ff — X.690 §11.1. */
export function derBoolean(reader: DerReader): boolean {
  const element = reader.element(DerTag.boolean);
  const octet = element.contents[0];
  if (element.contents.length !== 1 || (octet !== 0 && octet !== 0xff)) {
    throw new MalformedDer('expected a BOOLEAN of 00 or ff', element.contentsOffset);
  }
  return octet === 0xff;
}

/** INTEGER of any size: its content octets as lower-case hex, in the shortest form. */
export function derIntegerHex(element: DerElement): string {
  const [first, second] = element.contents;
  if (first === undefined) throw new MalformedDer('an empty INTEGER', element.contentsOffset);
  if (second !== undefined && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)) {
    throw new MalformedDer('an INTEGER not in its shortest form', element.contentsOffset);
  }
  return toHex(element.contents);
}

/** INTEGER from 0 to 2^31-1. */
export function derSmallInteger(element: DerElement): number {
  const hex = derIntegerHex(element);
  const isNegative = (element.contents[0] ?? 0) >= 0x80;
  if (element.contents.length > 4 || isNegative) {
    throw new MalformedDer('expected an INTEGER from 0 to 2^31-1', element.contentsOffset);
  }
  return Number.parseInt(hex, 16);
}

/** BIT STRING of whole octets, such as a key or a signature. */
export function derBitStringOctets(element: DerElement): Uint8Array {
  const unused = element.contents[0];
  if (unused !== 0) {
    throw new MalformedDer('expected a BIT STRING of whole octets', element.contentsOffset);
  }
  return element.contents.subarray(1);
}

/** BIT STRING with named bits: the numbers of those that are set — X.690 §11.2. */
export function derNamedBits(element: DerElement): number[] {
  if (element.contents.length > namedBitsLengthMax) {
    throw new MalformedDer('too long for named bits', element.contentsOffset);
  }
  const [unused, ...octets] = element.contents;
  if (unused === undefined || unused > 7 || (octets.length === 0 && unused !== 0)) {
    throw new MalformedDer('expected a BIT STRING', element.contentsOffset);
  }
  const last = octets.at(-1) ?? 0;
  if ((last & ((1 << unused) - 1)) !== 0) {
    throw new MalformedDer('unused bits of a BIT STRING are set', element.contentsOffset);
  }
  const bits: number[] = [];
  octets.forEach((octet, index) => {
    for (let bit = 0; bit < 8; bit++) {
      if ((octet & (0x80 >> bit)) !== 0) bits.push(index * 8 + bit);
    }
  });
  return bits;
}

/** OBJECT IDENTIFIER as dotted decimals. */
export function derObjectIdentifier(element: DerElement): string {
  const { contents } = element;
  if (contents.length === 0 || contents.length > objectIdentifierLengthMax) {
    throw new MalformedDer(
      `expected an OBJECT IDENTIFIER of 1 to ${objectIdentifierLengthMax} octets`,
      element.contentsOffset,
    );
  }
  const arcs: string[] = [];
  let start = 0;
  for (let at = 0; at < contents.length; at++) {
    if (at === start && contents[at] === 0x80) {
      throw new MalformedDer('an arc not in its shortest form', element.contentsOffset);
    }
    if (((contents[at] ?? 0) & 0x80) !== 0) continue;
    const arc = base128(contents.subarray(start, at + 1));
    if (arcs.length === 0) {
      const first = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      arcs.push(String(first), String(typeof arc === 'bigint' ? arc - 80n : arc - first * 40));
    } else {
      arcs.push(String(arc));
    }
    start = at + 1;
  }
  if (start !== contents.length) {
    throw new MalformedDer('an arc without end', element.contentsOffset);
  }
  return arcs.join('.');
}

/** Arcs have no size limit (UUIDs are 128 bits); nearly all fit a number. */
function base128(octets: Uint8Array): number | bigint {
  if (octets.length <= 7) {
    return octets.reduce((value, octet) => value * 128 + (octet & 0x7f), 0);
  }
  return octets.reduce((value, octet) => (value << 7n) | BigInt(octet & 0x7f), 0n);
}

/**
 * The text of a string type; undefined for types that are none. Teletex strings are read as
 * ISO 8859-1, as everybody does. Octets that the type forbids are a fault.
 */
export function derText(element: DerElement): string | undefined {
  switch (element.tag) {
    case DerTag.utf8String:
      return derUtf8(element);
    case DerTag.printableString:
    case DerTag.ia5String:
      return derAscii(element);
    case DerTag.teletexString:
      return latin1(element.contents);
    case DerTag.bmpString:
      return derWide(element, 2);
    case DerTag.universalString:
      return derWide(element, 4);
    default:
      return undefined;
  }
}

/** The contents as UTF-8, whatever the tag. */
export function derUtf8(element: DerElement): string {
  try {
    return strictUtf8.decode(element.contents);
  } catch {
    throw new MalformedDer('expected UTF-8', element.contentsOffset);
  }
}

/** The contents as ASCII, whatever the tag: IA5String. */
export function derAscii(element: DerElement): string {
  const at = element.contents.findIndex((octet) => octet >= 0x80);
  if (at >= 0) throw new MalformedDer('expected ASCII', element.contentsOffset + at);
  return latin1(element.contents);
}

function derWide(element: DerElement, width: 2 | 4): string {
  const { contents } = element;
  if (contents.length % width !== 0) {
    throw new MalformedDer(`expected characters of ${width} octets`, element.contentsOffset);
  }
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  let text = '';
  for (let at = 0; at < contents.length; at += width) {
    const code = width === 2 ? view.getUint16(at) : view.getUint32(at);
    if (code > 0x10ffff) {
      throw new MalformedDer('a character beyond Unicode', element.contentsOffset + at);
    }
    text += width === 2 ? String.fromCharCode(code) : String.fromCodePoint(code);
  }
  return text;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes. */
const objectIdentifierLengthMax = 64;

/** Bytes; the longest list of named bits, KeyUsage, takes three. */
const namedBitsLengthMax = 5;
