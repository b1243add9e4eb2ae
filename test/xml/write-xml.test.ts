import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readXml } from '../../src/xml/read-xml.ts';
import { emptyElement, parentElement, textElement } from '../../src/xml/write-xml.ts';
import { attributeValue } from '../../src/xml/xml-element.ts';
import { XmlFault } from '../../src/xml/xml-fault.ts';

const xmlText = fc
  .string({ unit: 'binary' })
  .filter((text) => !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text));

test('what is written reads back the same, in text and in attributes', () => {
  fc.assert(
    fc.property(xmlText, xmlText, (text, value) => {
      const root = readXml(new TextEncoder().encode(textElement('a', text, { x: value })));
      if (root instanceof XmlFault) throw root;
      expect(root.text).toBe(text);
      expect(attributeValue(root, 'x')).toBe(value);
    }),
  );
});

test('children stand on lines of their own', () => {
  const inner = emptyElement('b', { port: '6084' });
  expect(parentElement('a', { x: '"' }, [inner])).toBe('<a x="&quot;">\n<b port="6084"/>\n</a>');
});

test.each(['\u0000', '\u000b', '\ufffe', '\ud800'])('%j cannot be carried', (text) => {
  expect(() => textElement('a', text)).toThrow(RangeError);
});
