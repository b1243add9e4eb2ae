import fc from 'fast-check';
import { XmlDocument, XmlLibError } from 'libxml2-wasm';
import { expect, test } from 'vitest';
import { readXml } from '../../src/xml/read-xml.ts';
import { XmlFault } from '../../src/xml/xml-fault.ts';

const document =
  '<?xml version="1.0"?><a xmlns="u:u" xmlns:p="v:v" x="1">t&#xe9;<p:b y=\'&lt;\' p:z="2"/>' +
  '<![CDATA[]]]>]<!-- c --><?p i?><c><d/></c>😀</a>';
const pieces = [
  ...['<', '>', '/', '=', '"', "'", '&', ';', ':', ' ', '!', '-', '--', ']', ']]>', '?', 'x', 'p'],
  ...['<a>', '</a>', '<!--', '-->', '&amp;', '\n', '\r', '#', '<?', '?>', 'xml', 'xmlns', '1', '.'],
  ...[' xmlns:q="w:w"', '·', ''],
];

/** libxml2's opinion; undefined where it only dislikes a namespace name or the version. */
function isWellFormed(text: string): boolean | undefined {
  try {
    XmlDocument.fromString(text).dispose();
    return true;
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error;
    return /not a valid URI|is not absolute/.test(error.message) ? undefined : false;
  }
}

/** Whether an edit fell between the halves of a surrogate pair: no UTF-8 says that. */
const isCutInHalf = (text: string) => Buffer.from(text).toString() !== text;

test('what is read and what is refused is the same as with libxml2', () => {
  const edit = fc.tuple(fc.nat(document.length), fc.nat(3), fc.constantFrom(...pieces));
  let read = 0;
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 3 }), (changes) => {
      let text = document;
      for (const [at, length, piece] of changes) {
        text = text.slice(0, at) + piece + text.slice(at + length);
      }
      const theirs = isWellFormed(text);
      if (isCutInHalf(text) || theirs === undefined) return;
      const ours = readXml(new TextEncoder().encode(text));
      if (theirs) read += 1;
      // We insist on version 1.0 where libxml2 takes any, and refuse <?x ?y?>.
      if (ours instanceof XmlFault && /version|instruction/.test(ours.detail)) return;
      expect(ours instanceof XmlFault).toBe(!theirs);
    }),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(500);
});
