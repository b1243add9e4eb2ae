import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWrittenElement } from '../../../src/xmpp/stanza/written-element.ts';
import { element, writeElement, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { readFramed } from '../../../src/xmpp/stream/read-framed.ts';
import { STREAM_LIMITS } from '../../../src/xmpp/stream/stream-limits.ts';
import '../../fast-check-seed.ts';

/** What a parser of XML reads; undefined: a fault. */
function parsed(text: string): XmppElement | undefined {
  const read = readFramed(Buffer.from(text, 'utf8'), STREAM_LIMITS);
  return read.type === 'element' ? read.element : undefined;
}

const texts = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((text) => text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''));
const namespaces = fc.constantFrom('jabber:client', 'urn:a', 'urn:b:0', 'http://etherx.jabber.org');
const names = fc.constantFrom('message', 'body', 'x', 'a-b.c_d');
const attributes = fc.dictionary(fc.constantFrom('to', 'from', 'id', 'xml:lang'), texts, {
  noNullPrototype: true,
});
const elements = fc.letrec<{ element: XmppElement }>((tie) => ({
  element: fc
    .tuple(
      names,
      namespaces,
      attributes,
      fc.array(fc.oneof({ depthSize: 'small' }, texts, tie('element')), { maxLength: 4 }),
    )
    .map(([name, namespace, values, children]) => element(name, namespace, values, children)),
})).element;

describe('an element in the form in which it is written', () => {
  test('is read as a parser of XML reads it', () => {
    fc.assert(
      fc.property(elements, (given) => {
        const text = writeElement(given);
        const read = readWrittenElement(text);
        expect(read).toBeDefined();
        expect(read).toEqual(parsed(text));
      }),
      { numRuns: 500 },
    );
  });

  test('with any character another one is read as a parser does, or not at all', () => {
    const pieces = fc.constantFrom('<', '>', '&', ';', '"', "'", ' ', '/', '\r', ']]>', 'xmlns=""');
    const changes = fc.oneof(pieces, fc.string({ maxLength: 2 }));
    fc.assert(
      fc.property(elements, fc.nat(), changes, fc.nat(3), (given, place, piece, removed) => {
        const text = writeElement(given);
        const at = place % text.length;
        const changed = text.slice(0, at) + piece + text.slice(at + removed);
        const read = readWrittenElement(changed);
        if (read !== undefined) expect(read).toEqual(parsed(changed));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['two attributes of one name', '<a b="1" b="2"/>'],
    ['a character reference of another form', '<a>&#x41;</a>'],
    ['an entity', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['a section of character data', '<a><![CDATA[b]]></a>'],
    ['a comment', '<a><!-- b --></a>'],
    ['a prefix', '<a xmlns:b="c"><b:d/></a>'],
    ['text behind it', '<a/>b'],
    ['another element behind it', '<a/><a/>'],
    ['an end that is none', '<a><b></a></b>'],
    ['no end', '<a>'],
    ['a line end', '<a>\n</a>'],
    ['a namespace of XML', '<a xmlns="http://www.w3.org/XML/1998/namespace"/>'],
    ['a namespace that ends', '<a xmlns="b"><c xmlns=""/></a>'],
    ['too many elements', `<a>${'<b/>'.repeat(300)}</a>`],
    ['too deep', `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`],
    ['nothing', ''],
  ])('%s is left to a parser', (_, text) => {
    expect(readWrittenElement(text)).toBeUndefined();
  });
});
