import type { SimRandom } from '../../sim/world/sim-random.ts';
import { mutateBytes } from './mutation.ts';

/** One mutated form of an XML document: its tags and values changed, or its bytes. */
export function mutateXml(document: string, random: SimRandom): Uint8Array {
  const pieces = document.split(/(?=<)|(?<=>)/);
  const count = 1 + random.index(3);
  for (let i = 0; i < count; i++) changePieces(pieces, random);
  const bytes = new Uint8Array(Buffer.from(pieces.join(''), 'utf8'));
  return random.chance(BYTES_SHARE) ? mutateBytes(bytes, bytes, random) : bytes;
}

function changePieces(pieces: string[], random: SimRandom): void {
  const at = random.index(pieces.length);
  const piece = pieces[at] ?? '';
  switch (random.index(8)) {
    case 0:
      pieces.splice(at, 1);
      return;
    case 1:
      pieces.splice(at, 0, pieces[random.index(pieces.length)] ?? '');
      return;
    case 2:
      pieces.splice(at, 0, ...pieces.slice(at, at + 1 + random.index(8)));
      return;
    case 3:
      pieces[at] = random.pick(VALUES) ?? '';
      return;
    case 4:
      pieces[at] = piece.replace(/="[^"]*"/, () => `="${random.pick(VALUES) ?? ''}"`);
      return;
    case 5:
      pieces[at] = piece.replace(/\d+/, () => random.pick(NUMBERS) ?? '');
      return;
    case 6:
      pieces.splice(at, 0, random.pick(MARKUP) ?? '');
      return;
    default:
      pieces.splice(at, 0, '<x>'.repeat(1 + random.index(NESTING_MAX)));
  }
}

const NUMBERS = [
  '-1',
  '0',
  '65535',
  '65536',
  '4294967296',
  '18446744073709551616',
  '1e9',
  '0x10',
  '',
];

const VALUES = [
  ...NUMBERS,
  'true',
  'TRUE',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2026-01-01T00:00:00.5+14:00',
  'AAAA',
  '====',
  '[::1]:99999',
  '999.999.999.999',
  '\u0000',
  '\uFFFE',
  '&amp;&lt;',
  ' '.repeat(2000),
  'é'.repeat(300),
];

const MARKUP = [
  '<!DOCTYPE x [<!ENTITY a "b">]>',
  '<!ENTITY a SYSTEM "file:///x">',
  '&a;',
  '&#x110000;',
  '&#0;',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<?xml version="1.1" encoding="UTF-16"?>',
  '<a xmlns=""/>',
  '<b xmlns:xml="x"/>',
  '<c:d/>',
  '<e f="1" f="2"/>',
];

const BYTES_SHARE = 0.3;
const NESTING_MAX = 100;
