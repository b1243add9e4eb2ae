import type { SimRandom } from '../../sim/world/sim-random.ts';
import { type DerNode, element, lengthOctets, withReplaced } from './der-tree.ts';

/** DER to mutate, and others to take parts from. */
export interface DerSeed {
  readonly der: Uint8Array;
  readonly nodes: readonly DerNode[];
}

/** One mutated form of a seed: elements changed where they stand, or bytes, or both. */
export function mutateDer(seed: DerSeed, others: readonly DerSeed[], random: SimRandom) {
  const node = random.pick(seed.nodes);
  const other = random.pick(others) ?? seed;
  if (node === undefined || random.chance(BYTES_ONLY_SHARE)) {
    return mutateBytes(seed.der, other.der, random);
  }
  const mutated = withReplaced(node, mutatedElement(node, other, random));
  return random.chance(BOTH_SHARE) ? mutateBytes(mutated, other.der, random) : mutated;
}

/** One mutated form of any bytes, by one to three changes. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: SimRandom): Uint8Array {
  let mutated = bytes;
  const count = 1 + random.index(3);
  for (let i = 0; i < count; i++) mutated = changeBytes(mutated, other, random);
  return mutated;
}

/** The bytes that stand in the place of an element. */
function mutatedElement(node: DerNode, other: DerSeed, random: SimRandom): Uint8Array {
  const { tag, der, contents } = node;
  switch (random.index(11)) {
    case 0:
      return NO_BYTES;
    case 1:
      return joined(Array.from({ length: repetitions(random) }, () => der));
    case 2:
      return random.pick(other.nodes)?.der ?? der;
    case 3:
      return element(random.pick(TAGS) ?? tag, [contents]);
    case 4:
      return element(random.index(256), [contents]);
    case 5:
      return nested(der, 1 + random.index(NESTING_MAX), random.pick(TAGS) ?? 0x30);
    case 6:
      return joined([Uint8Array.of(tag, ...wrongLength(contents.length, random)), contents]);
    case 7:
      return element(tag, [random.pick(CONTENTS) ?? contents]);
    case 8:
      return element(tag, [contents.subarray(0, random.index(contents.length + 1))]);
    case 9:
      return joined([random.pick(other.nodes)?.der ?? der, der]);
    default:
      return element(tag, [changeBytes(contents, other.der, random)]);
  }
}

/** A length that is not the right one, or not in its shortest form. */
function wrongLength(length: number, random: SimRandom): readonly number[] {
  switch (random.index(6)) {
    case 0:
      return [0x80];
    case 1:
      return [0x81, length & 0xff];
    case 2:
      return [0x84, 0xff, 0xff, 0xff, 0xff];
    case 3:
      return [0x85, 1, 0, 0, 0, 0];
    case 4:
      return lengthOctets(length + 1 + random.index(8));
    default:
      return lengthOctets(Math.max(0, length - 1 - random.index(8)));
  }
}

function repetitions(random: SimRandom): number {
  return random.chance(MANY_SHARE) ? MANY : 2 + random.index(3);
}

function nested(der: Uint8Array, depth: number, tag: number): Uint8Array {
  let result = der;
  for (let i = 0; i < depth; i++) result = element(tag, [result]);
  return result;
}

function changeBytes(bytes: Uint8Array, other: Uint8Array, random: SimRandom): Uint8Array {
  const at = random.index(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.index(16));
  switch (random.index(6)) {
    case 0:
    case 1: {
      const flipped = bytes.slice();
      const place = random.index(Math.max(1, bytes.length));
      if (place < flipped.length) flipped[place] = (flipped[place] ?? 0) ^ (1 << random.index(8));
      return flipped;
    }
    case 2: {
      const changed = bytes.slice();
      if (at < changed.length) changed[at] = random.pick(OCTETS) ?? 0;
      return changed;
    }
    case 3:
      return joined([bytes.subarray(0, at), bytes.subarray(end)]);
    case 4: {
      const from = random.index(other.length + 1);
      const part = other.subarray(from, from + random.index(32));
      return joined([bytes.subarray(0, at), part, bytes.subarray(at)]);
    }
    default:
      return random.chance(0.5)
        ? bytes.subarray(0, at)
        : joined([bytes.subarray(0, at), random.bytes(1 + random.index(8)), bytes.subarray(end)]);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const NO_BYTES = new Uint8Array(0);

/** Tags that the readers know, and their neighbours. */
const TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1c, 0x1e,
  0x1f, 0x24, 0x30, 0x31, 0x80, 0x81, 0x82, 0x84, 0x86, 0x87, 0x88, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4,
];

const OCTETS = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x2a, 0x2e, 0x40, 0x0a, 0x20];

const text = (value: string) => new Uint8Array(Buffer.from(value, 'latin1'));

/** Contents that are rare and legal, or nearly so. */
const CONTENTS: readonly Uint8Array[] = [
  NO_BYTES,
  Uint8Array.of(0),
  Uint8Array.of(0xff),
  Uint8Array.of(0x80),
  Uint8Array.of(0x7f, 0xff, 0xff, 0xff),
  Uint8Array.of(0x00, 0x80, 0x00, 0x00, 0x00),
  new Uint8Array(40).fill(0xff),
  new Uint8Array(5000).fill(0x41),
  // Object identifiers: anyPolicy, emailAddress, subjectAltName, nameConstraints, XmppAddr.
  Uint8Array.of(0x55, 0x1d, 0x20, 0x00),
  Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01),
  Uint8Array.of(0x55, 0x1d, 0x11),
  Uint8Array.of(0x55, 0x1d, 0x1e),
  Uint8Array.of(0x2b, 6, 1, 5, 5, 7, 8, 5),
  text('500101000000Z'),
  text('99991231235959Z'),
  text('00000101000000Z'),
  text('20260230000000Z'),
  text('*.example.org'),
  text('.example.org'),
  text('@'),
  text('reload://0110ffffffffffffffffffffffffffffffff@xmpp.org/'),
  text('reload://340282366920938463463374607431768211455@xmpp.org/'),
  text('http://[::1]:99999/%%%'),
  text('\uD83D\uDE00'),
  new Uint8Array(Buffer.from('ＪＵＬＩＥＴ\u200D\u0130ß', 'utf8')),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xd8, 0x00),
];

const BYTES_ONLY_SHARE = 0.2;
const BOTH_SHARE = 0.25;
const MANY_SHARE = 0.05;
const MANY = 300;
const NESTING_MAX = 40;
