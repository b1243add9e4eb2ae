import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readXml, type XmlReadOptions } from '../../src/xml/read-xml.ts';
import {
  attributeValue,
  elementBytes,
  outerNamespaces,
  type XmlElement,
} from '../../src/xml/xml-element.ts';
import { XmlFault } from '../../src/xml/xml-fault.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function read(text: string, options?: XmlReadOptions): XmlElement {
  const result = readXml(utf8(text), options);
  if (result instanceof XmlFault) throw result;
  return result;
}

function fault(input: string | Uint8Array, options?: XmlReadOptions): XmlFault {
  const result = readXml(typeof input === 'string' ? utf8(input) : input, options);
  if (!(result instanceof XmlFault)) throw new Error('expected a fault');
  return result;
}

function child(element: XmlElement, index: number): XmlElement {
  const found = element.children[index];
  if (found === undefined) throw new Error(`no child ${index}`);
  return found;
}

describe('the element tree', () => {
  test('has names with their namespaces, attributes, text and lines', () => {
    const root = read(
      '<?xml version="1.0" encoding="utf-8"?>\n<!-- c --><a xmlns="urn:a" xmlns:b="urn:b"\n' +
        ' x="1" b:x="2">one<b:c/>&amp;<![CDATA[<two>]]><?pi x?><d>\r\n\r\n<e/></d></a>\n',
    );
    expect(root).toMatchObject({ namespace: 'urn:a', localName: 'a', prefix: '', line: 2 });
    expect(root.text).toBe('one&<two>');
    expect(attributeValue(root, 'x')).toBe('1');
    expect(root.attributes).toEqual([
      { namespace: '', localName: 'x', prefix: '', value: '1' },
      { namespace: 'urn:b', localName: 'x', prefix: 'b', value: '2' },
    ]);
    expect(child(root, 0)).toMatchObject({ namespace: 'urn:b', localName: 'c', prefix: 'b' });
    expect(child(child(root, 1), 0)).toMatchObject({ namespace: 'urn:a', line: 5 });
  });

  test('takes prefixes that are bound from outside', () => {
    const root = read('<a><p:b/></a>', { namespaces: { '': 'urn:a', p: 'urn:p' } });
    expect(root.namespace).toBe('urn:a');
    expect(child(root, 0).namespace).toBe('urn:p');
    expect([...outerNamespaces(root)]).toEqual([
      ['', 'urn:a'],
      ['p', 'urn:p'],
    ]);
  });

  test('tells which prefixes an element leaves to what surrounds it', () => {
    const root = read(
      '<o xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:q"><c xmlns:q="urn:r" p:x="" y="">' +
        '<q:d xml:lang="en"/><e xmlns=""/></c></o>',
    );
    expect([...outerNamespaces(child(root, 0))]).toEqual([
      ['', 'urn:a'],
      ['p', 'urn:p'],
    ]);
    expect(outerNamespaces(root).size).toBe(0);
  });
});

describe('the byte offsets of an element', () => {
  test('are those of the UTF-8 input, not of the decoded text', () => {
    const bytes = utf8('<?xml version="1.0"?><é>ü€😀<k\r\n a="😀>"\t>€\r\n</k\n>😀<k/></é>');
    const root = readXml(bytes);
    if (root instanceof XmlFault) throw root;
    expect(textOf(elementBytes(child(root, 0), bytes))).toBe('<k\r\n a="😀>"\t>€\r\n</k\n>');
    expect(textOf(elementBytes(child(root, 1), bytes))).toBe('<k/>');
    expect(textOf(elementBytes(root, bytes))).toMatch(/^<é>.*<\/é>$/s);
  });

  test('count a byte order mark', () => {
    const bytes = new Uint8Array([0xef, 0xbb, 0xbf, ...utf8('<?xml version="1.0"?><a><b/></a>')]);
    const root = readXml(bytes);
    if (root instanceof XmlFault) throw root;
    expect(root.startByte).toBe(24);
    expect(textOf(elementBytes(child(root, 0), bytes))).toBe('<b/>');
  });

  test('hold the element itself for any tree and any spelling of it', () => {
    const space = fc.constantFrom('', ' ', '\n', '\r\n', '\r', '\t');
    const text = fc.constantFrom(
      '',
      'x',
      'ß',
      '€',
      '😀',
      '\r\n',
      '&lt;',
      '<!--<k>-->',
      '<?p <k>?>',
    );
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc
        .tuple(space, fc.array(fc.oneof(text, tie('tree')), { maxLength: 4 }), space)
        .map(([a, inner, b]) => `<k${a}>${inner.join('')}</k${b}>`),
    }));
    fc.assert(
      fc.property(tree, (document) => {
        const bytes = utf8(document);
        const root = readXml(bytes);
        if (root instanceof XmlFault) throw root;
        const visit = (element: XmlElement): void => {
          const own = textOf(elementBytes(element, bytes));
          const again = read(own);
          expect(again.text).toBe(element.text);
          expect(again.children.length).toBe(element.children.length);
          for (const inner of element.children) visit(inner);
        };
        visit(root);
        expect(root).toMatchObject({ startByte: 0, endByte: bytes.length });
      }),
    );
  });
});

describe('refused, with line and column', () => {
  const faults: [what: string, input: string | Uint8Array, says: RegExp][] = [
    ['nothing', '', /line 1, .*root element/],
    ['text only', 'hello', /text data outside/],
    ['mismatched tags', '<a>\n<b></a>', /line 2, .*unexpected close tag/],
    ['an unclosed tag', '<a><b>', /unclosed tag: b/],
    ['two roots', '<a/>\n<b/>', /line 2, .*only one root/],
    ['an unbound prefix', '<a>\n  <p:b/></a>', /line 2, column \d+: unbound .*"p"/],
    ['an unbound prefix of an attribute', '<a p:x="1"/>', /unbound/],
    ['a duplicate attribute', '<a x="1" x="2"/>', /duplicate attribute/],
    [
      'a duplicate through two prefixes',
      '<a xmlns:p="u" xmlns:q="u" p:x="" q:x=""/>',
      /duplicate attribute/,
    ],
    ['an attribute without quotes', '<a x=1/>', /unquoted/],
    ['an attribute without a value', '<a x/>', /disallowed|without value/],
    ['"<" in an attribute', '<a x="<"/>', /disallowed/],
    ['a document type', '<!DOCTYPE a><a/>', /document type declaration is not allowed/],
    ['an entity that XML does not define', '<a>&nbsp;</a>', /undefined entity/],
    ['an entity named like a property', '<a>&constructor;&__proto__;</a>', /undefined entity/],
    ['a reference to no character', '<a>&#0;</a>', /malformed character entity/],
    ['"]]>" in text', '<a>]]></a>', /disallowed/],
    ['"--" in a comment', '<a><!-- -- --></a>', /malformed comment/],
    ['a processing instruction without a blank', '<a><?p?x?></a>', /processing instruction/],
    ['a control character', '<a>\u0001</a>', /disallowed/],
    ['XML 1.1', '<?xml version="1.1"?><a/>', /expected XML version 1.0, got 1.1/],
    ['another encoding', '<?xml version="1.0" encoding="latin1"?><a/>', /UTF-8, got latin1/],
    ['a late declaration', ' <?xml version="1.0"?><a/>', /declaration must be at the start/],
    ['a name of two colons', '<a xmlns:b="u"><b:c:d/></a>', /malformed name/],
    ['a local name that begins with a digit', '<a xmlns:b="u"><b:1/></a>', /malformed name/],
    ['a namespace name with blanks around', '<a xmlns=" u"/>', /without white space/],
    ['a prefix bound to nothing', '<a xmlns:b=""/>', /undefine prefix/],
    ['the prefix xmlns', '<xmlns:a/>', /xmlns/],
    ['bytes that are not UTF-8', new Uint8Array([60, 97, 10, 0xff]), /line 2, .*byte 3 is not/],
    ['an overlong form', new Uint8Array([60, 97, 62, 0xc0, 0xbc]), /UTF-8/],
    ['an encoded surrogate', new Uint8Array([60, 97, 62, 0xed, 0xa0, 0x80]), /UTF-8/],
    ['a cut-off character', new Uint8Array([60, 97, 62, 0xe2, 0x82]), /UTF-8/],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 60, 0, 97, 0, 47, 0, 62, 0]), /UTF-8/],
  ];
  test.each(faults)('%s', (_what, input, says) => {
    expect(fault(input).describe()).toMatch(says);
  });
});

describe('hostile input', () => {
  test('a billion laughs: no entity is ever defined', () => {
    const definitions = Array.from(
      { length: 10 },
      (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`,
    );
    const bomb = `<!DOCTYPE l [<!ENTITY l0 "lol">${definitions.join('')}]><l>&l10;</l>`;
    expect(fault(bomb).detail).toMatch(/document type declaration/);
  });

  test('an external entity is not looked at', () => {
    const input = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>';
    expect(fault(input).detail).toMatch(/document type declaration/);
  });

  test('50,000 levels end at the 65th', () => {
    const begin = performance.now();
    expect(fault('<a>'.repeat(50_000)).detail).toMatch(/64 elements within each other/);
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(read(`${'<a>'.repeat(64)}${'</a>'.repeat(64)}`).localName).toBe('a');
  });

  test('more bytes than the limit are not even decoded', () => {
    expect(fault(new Uint8Array(1_048_577)).detail).toMatch(/at most 1048576 bytes, got 1048577/);
  });

  test('a huge attribute, a huge name, many attributes, many elements', () => {
    expect(fault(`<a x="${'y'.repeat(65_537)}"/>`).detail).toMatch(/at most 65536 characters/);
    expect(fault(`<${'a'.repeat(257)}/>`).detail).toMatch(/name of at most 256/);
    expect(fault(`<a ${'x'.repeat(257)}=""/>`).detail).toMatch(/name of at most 256/);
    const attributes = Array.from({ length: 65 }, (_, i) => `x${i}=""`).join(' ');
    expect(fault(`<a ${attributes}/>`).detail).toMatch(/at most 64 attributes/);
    const namespaces = Array.from({ length: 65 }, (_, i) => `xmlns:x${i}="u"`).join(' ');
    expect(fault(`<a ${namespaces}/>`).detail).toMatch(/at most 64 attributes/);
    const many = `<a>${'<b/>'.repeat(65_536)}</a>`;
    expect(fault(many).detail).toMatch(/at most 65536 elements/);
  });

  test('a mutated document is read or refused, and nothing is thrown', () => {
    const document = utf8(
      '<?xml version="1.0"?><a xmlns="u" xmlns:p="v" x="1">t&#xe9;<p:b y=\'&lt;\'/><![CDATA[]]]>' +
        ']<!-- c --><?p i?>😀</a>',
    );
    const edits = fc.array(fc.tuple(fc.nat(document.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.nat(document.length), (changes, length) => {
        const bytes = document.slice(0, length);
        for (const [index, byte] of changes) if (index < length) bytes[index] = byte;
        expect(readXml(bytes)).toBeDefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
