import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  element,
  writeElement,
  type XmppElement,
  type XmppNode,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { readFramed } from '../../../src/xmpp/stream/read-framed.ts';
import {
  DIRECT_STREAM_LIMITS,
  ROUTED_BYTES_MAX,
  STREAM_LIMITS,
} from '../../../src/xmpp/stream/stream-limits.ts';
import { type StreamEvent, StreamReader } from '../../../src/xmpp/stream/stream-reader.ts';
import '../../fast-check-seed.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const HEADER =
  "<?xml version='1.0'?><stream:stream to='montague.lit' version='1.0' xml:lang='en' " +
  "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

function eventsOf(reader: StreamReader): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) events.push(event);
  return events;
}

function read(...pieces: (string | Uint8Array)[]): StreamEvent[] {
  const reader = new StreamReader(STREAM_LIMITS);
  return pieces.flatMap((piece) => {
    reader.push(typeof piece === 'string' ? utf8(piece) : piece);
    return eventsOf(reader);
  });
}

function conditionOf(...pieces: (string | Uint8Array)[]): string | undefined {
  const last = read(...pieces).at(-1);
  return last?.type === 'fault' ? last.condition : last?.type;
}

describe('RFC 6120 §4: what a stream carries', () => {
  test('§4.7: the header with its attributes and the content namespace', () => {
    expect(read(HEADER)).toEqual([
      {
        type: 'opened',
        header: element('stream', 'http://etherx.jabber.org/streams', {
          to: 'montague.lit',
          version: '1.0',
          'xml:lang': 'en',
        }),
        contentNamespace: 'jabber:client',
      },
    ]);
  });

  test('first-level elements one by one, with their bytes', () => {
    const message = "<message to='a@b'><body>Wherefore é&amp;<![CDATA[<&]]> </body></message>";
    expect(read(`${HEADER} \r\n${message}\n<presence/></stream:stream>`).slice(1)).toEqual([
      {
        type: 'element',
        element: element('message', 'jabber:client', { to: 'a@b' }, [
          element('body', 'jabber:client', {}, ['Wherefore é&<& ']),
        ]),
        bytes: utf8(message).length,
      },
      { type: 'element', element: element('presence', 'jabber:client'), bytes: 11 },
      { type: 'closed' },
    ]);
  });

  test('§4.8: prefixes bound in the header hold in stanzas, an attribute keeps its namespace', () => {
    const header = HEADER.replace('xmlns:stream', "xmlns:p='urn:p' xmlns:stream");
    expect(read(`${header}<message><p:x p:y='1' y='2'/></message>`)[1]).toMatchObject({
      element: element('message', 'jabber:client', {}, [
        element('x', 'urn:p', { '{urn:p}y': '1', y: '2' }),
      ]),
    });
  });

  test('§4.3.3: after a restart the rest of the bytes is a new stream', () => {
    const reader = new StreamReader(STREAM_LIMITS);
    reader.push(utf8(`${HEADER}<auth xmlns='a'/>${HEADER}<iq/>`));
    expect(reader.next()?.type).toBe('opened');
    expect(reader.next()).toMatchObject({ element: { name: 'auth' } });
    expect(reader.hasUnread).toBe(true);
    reader.restart();
    expect(eventsOf(reader).map(({ type }) => type)).toEqual(['opened', 'element']);
    expect(reader.hasUnread).toBe(false);
  });

  test('nothing is read behind the end of a stream or a fault', () => {
    expect(read(`${HEADER}</stream:stream><iq/>`, '<iq/>').at(-1)).toEqual({ type: 'closed' });
    expect(read(`${HEADER}<iq>&x;</iq><iq/>`, '<iq/>')).toHaveLength(2);
  });
});

describe('RFC 6120 §4.9.3: refused', () => {
  const faults: [what: string, condition: string, input: string | Uint8Array][] = [
    ['§11.1: a comment', 'restricted-xml', `${HEADER}<iq><!-- c --></iq>`],
    ['§11.1: a comment between stanzas', 'restricted-xml', `${HEADER}<!-- c -->`],
    ['§11.1: a processing instruction', 'restricted-xml', `${HEADER}<?p i?>`],
    ['§11.1: a document type', 'restricted-xml', `<!DOCTYPE a>${HEADER}`],
    ['§11.1: an entity of its own', 'restricted-xml', `${HEADER}<iq>&foo;</iq>`],
    ['§11.3: an unbound prefix', 'not-well-formed', `${HEADER}<message><foo:body>`],
    ['§11.3: an unbound prefix of an attribute', 'not-well-formed', `${HEADER}<iq a:b=''/>`],
    ['§11.3: mismatched tags', 'not-well-formed', `${HEADER}<message><body></message>`],
    ['§11.3: a duplicate attribute', 'not-well-formed', `${HEADER}<iq a='' a=''/>`],
    ['§11.3: a control character', 'not-well-formed', `${HEADER}<iq>\u0001</iq>`],
    ['§11.3: a reference to a control character', 'not-well-formed', `${HEADER}<iq>&#0;</iq>`],
    ['§11.3: a second declaration', 'not-well-formed', `${HEADER}<?xml version='1.0'?>`],
    ['§11.3: a name that begins with a digit', 'not-well-formed', `${HEADER}<stream:1/>`],
    ['§11.3: another protocol', 'not-well-formed', 'GET / HTTP/1.1\r\n\r\n'],
    ['§11.6: a byte order mark', 'not-well-formed', `\ufeff${HEADER}`],
    [
      '§11.6: UTF-16 by its declaration',
      'unsupported-encoding',
      "<?xml version='1.0' encoding='UTF-16'?>",
    ],
    ['§11.6: UTF-16 in fact', 'unsupported-encoding', new Uint8Array([0xff, 0xfe, 60, 0])],
    [
      '§4.9.3.22: no UTF-8',
      'unsupported-encoding',
      new Uint8Array([...utf8(HEADER), 60, 0xc0, 0xbc]),
    ],
    ['§4.9.3.22: a surrogate', 'unsupported-encoding', new Uint8Array([60, 0xed, 0xa0, 0x80, 62])],
    ['§4.9.3.1: text between stanzas', 'bad-format', `${HEADER}hello<iq/>`],
    ['§4.9.3.1: a character reference between stanzas', 'bad-format', `${HEADER}&#32;<iq/>`],
    ['§4.9.3.1: CDATA between stanzas', 'bad-format', `${HEADER}<![CDATA[ ]]><iq/>`],
  ];
  test.each(faults)('%s: %s', (_what, condition, input) => {
    expect(conditionOf(input)).toBe(condition);
  });

  test('what came before it is still told', () => {
    const bytes = new Uint8Array([...utf8(`${HEADER}<iq/>`), 0xff]);
    expect(read(bytes).map(({ type }) => type)).toEqual(['opened', 'element', 'fault']);
  });
});

describe('§4.9.3.14: over a limit', () => {
  test('bytes of a stanza, and of one that never ends', () => {
    const { stanzaBytesMax } = STREAM_LIMITS;
    const body = 'x'.repeat(stanzaBytesMax - '<iq></iq>'.length);
    expect(conditionOf(`${HEADER}<iq>${body}</iq>`)).toBe('element');
    expect(conditionOf(`${HEADER}<iq>${body}x</iq>`)).toBe('policy-violation');
    const megabyte = 'x'.repeat(1_048_576);
    for (const start of [
      '<iq>',
      "<iq a='",
      '<',
      '</',
      '<!--',
      '<![CDATA[',
      '<iq>&',
      '<!DOCTYPE ',
    ]) {
      expect(conditionOf(HEADER, start, megabyte)).toBe('policy-violation');
    }
    expect(conditionOf(`<a b='${megabyte}`)).toBe('policy-violation');
  });

  test('100,000 levels', () => {
    expect(conditionOf(`${HEADER}${'<a>'.repeat(100_000)}`)).toBe('policy-violation');
    const deep = `${'<a>'.repeat(64)}${'</a>'.repeat(64)}`;
    expect(conditionOf(`${HEADER}${deep}`)).toBe('element');
    expect(conditionOf(`${HEADER}<b>${deep}</b>`)).toBe('policy-violation');
  });

  test('attributes, names, and elements of one stanza but not of all', () => {
    const attributes = Array.from({ length: 65 }, (_, i) => `a${i}=''`).join(' ');
    expect(conditionOf(`${HEADER}<iq ${attributes}/>`)).toBe('policy-violation');
    expect(conditionOf(`${HEADER}<${'a'.repeat(257)}/>`)).toBe('policy-violation');
    expect(conditionOf(`${HEADER}<iq ${'a'.repeat(257)}=''/>`)).toBe('policy-violation');
    expect(conditionOf(`${HEADER}<iq>${'<a/>'.repeat(8_192)}`)).toBe('policy-violation');
    expect(conditionOf(`${HEADER}${`<iq>${'<a/>'.repeat(5_000)}</iq>`.repeat(3)}`)).toBe('element');
  });

  test('one namespace for many elements is not written as often', () => {
    const long = 'x'.repeat(100_000);
    const many = '<p:a/>'.repeat(8_000);
    expect(conditionOf(`${HEADER}<iq xmlns:p='${long}'>${many}`)).toBe('policy-violation');
    expect(conditionOf(`${HEADER}<iq xmlns:p='${long}'><p:a>${many}</p:a></iq>`)).toBe('element');
    const attributes = `<a p:x='' p:y=''/>`.repeat(100);
    expect(conditionOf(`${HEADER}<iq xmlns:p='${long}'>${attributes}`)).toBe('policy-violation');
    const framed = utf8(`<iq xmlns:p='${long}'>${many}</iq>`);
    expect(readFramed(framed, STREAM_LIMITS)).toMatchObject({ condition: 'policy-violation' });
  });

  test('what of a client is routed passes a stream with a device, however it is written', () => {
    const attributes = Array.from({ length: 31 }, (_, i) => `p${i}:x='"' xmlns:p${i}='u${i}'`);
    const stanzas = [
      `<message><body>${'"\n'.repeat(22_000)}</body></message>`,
      `<message ${attributes.join(' ')}/>`,
      `${'<message>'.repeat(64)}${'</message>'.repeat(64)}`,
      `<message>${'<x/>'.repeat(8_191)}</message>`,
      `<message xmlns:p='u'><p:${'a'.repeat(254)}/></message>`,
    ];
    for (const stanza of stanzas) {
      const event = read(`${HEADER}${stanza}`)[1];
      if (event?.type !== 'element') throw new Error(event?.type);
      expect(utf8(writeElement(event.element)).length).toBeLessThan(ROUTED_BYTES_MAX);
      const wrapped = element('message', 'jabber:client', { from: 'a@b' }, [
        element('sent', 'urn:xmpp:carbons:2', {}, [
          element('forwarded', 'urn:xmpp:forward:0', {}, [event.element]),
        ]),
      ]);
      const device = new StreamReader(DIRECT_STREAM_LIMITS);
      device.push(utf8(`${HEADER}${writeElement(wrapped, 'jabber:client')}`));
      expect(eventsOf(device)[1]).toMatchObject({ type: 'element' });
    }
    const tooMuch = `<message><body>${'"'.repeat(100_000)}</body></message>`;
    expect(conditionOf(`${HEADER}${tooMuch}`)).toBe('policy-violation');
  });

  test('a billion laughs: no entity is ever defined', () => {
    const lines = Array.from(
      { length: 10 },
      (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`,
    );
    const bomb = `<!DOCTYPE l [<!ENTITY l0 "lol">${lines.join('')}]><l>&l10;</l>`;
    expect(conditionOf(bomb)).toBe('restricted-xml');
  });

  test('§4.6.1: a gigabyte of white space is no stanza and takes no memory', () => {
    const reader = new StreamReader(STREAM_LIMITS);
    reader.push(utf8(HEADER));
    const spaces = utf8(' \n\r\t'.repeat(16_384));
    eventsOf(reader);
    const before = process.memoryUsage().heapUsed;
    for (let pushed = 0; pushed < 2 ** 30; pushed += spaces.length) {
      reader.push(spaces);
      expect(reader.next()).toBeUndefined();
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 28);
    reader.push(utf8('<iq/>'));
    expect(reader.next()).toMatchObject({ type: 'element', bytes: 5 });
  });
});

describe('any stream', () => {
  const name = fc.constantFrom('message', 'body', 'x', 'é', 'a-b');
  const namespace = fc.constantFrom(
    '',
    'jabber:client',
    'urn:x',
    'a}b',
    'http://www.w3.org/XML/1998/namespace',
  );
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', '\r', '\n', '\t', '<', '>', '&', '"', "'", ']', 'é', '€', '😀'),
    minLength: 1,
    maxLength: 6,
  });
  const key = fc.constantFrom('a', 'xml:lang', '{urn:x}a', '{urn:x}b', '{u\nv}c', '{u}v}d');
  const { tree } = fc.letrec<{ tree: XmppElement }>((tie) => ({
    tree: fc
      .record({
        name,
        namespace,
        attributes: fc.dictionary(key, text, { maxKeys: 3 }),
        children: fc.array(fc.oneof(text, tie('tree')) as fc.Arbitrary<XmppNode>, { maxLength: 3 }),
      })
      .map(({ name: n, namespace: ns, attributes, children }) =>
        element(n, ns, attributes, joinedText(children)),
      ),
  }));

  test('is the same however it is cut', () => {
    const piece = fc.oneof(
      tree.map((one) => writeElement(one, 'jabber:client')),
      fc.constantFrom(
        ' \n',
        '<a>&#233;<![CDATA[>]]></a>',
        '<!-- -->',
        '&',
        '<iq',
        '</stream:stream>',
      ),
    );
    const bad = fc.constantFrom([], [0xff], [0xe2, 0x82], [0xe0, 0x80, 0x80]);
    const cuts = fc.array(fc.nat(600), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), bad, cuts, (pieces, end, places) => {
        const bytes = new Uint8Array([...utf8(HEADER + pieces.join('')), ...end, ...utf8('<iq/>')]);
        const whole = read(bytes);
        const borders = [0, ...places.sort((a, b) => a - b), bytes.length];
        expect(read(...borders.map((from, i) => bytes.subarray(from, borders[i + 1])))).toEqual(
          whole,
        );
        expect(read(...Array.from(bytes, (byte) => new Uint8Array([byte])))).toEqual(whole);
      }),
    );
  });

  test('that was read can be written, and reads the same', () => {
    fc.assert(
      fc.property(tree, (one) => {
        const written = writeElement(one, 'jabber:client');
        const [, event] = read(`${HEADER}${written}`);
        expect(event).toEqual({ type: 'element', element: one, bytes: utf8(written).length });
        expect(readFramed(utf8(writeElement(one)), STREAM_LIMITS)).toMatchObject({ element: one });
      }),
    );
  });

  test('of mutated bytes gives events and throws nothing', () => {
    const original = utf8(
      `${HEADER}<message xmlns:p='v' x="1">t&#xe9;<p:b y='&lt;'/><![CDATA[]]]>]😀</message><iq/>`,
    );
    const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = original.slice();
        for (const [index, byte] of changes) bytes[index] = byte;
        for (const event of read(bytes)) {
          if (event.type !== 'element') continue;
          const again = read(`${HEADER}${writeElement(event.element, 'jabber:client')}`)[1];
          expect(again).toMatchObject({ element: event.element });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('RFC 7395 §3.3: a WebSocket message', () => {
  const framed = (input: string | Uint8Array) =>
    readFramed(typeof input === 'string' ? utf8(input) : input, STREAM_LIMITS);

  test('is one element', () => {
    const open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='montague.lit'/>";
    expect(framed(open)).toEqual({
      type: 'element',
      element: element('open', 'urn:ietf:params:xml:ns:xmpp-framing', { to: 'montague.lit' }),
      bytes: open.length,
    });
    expect(framed('<a>x<b>y</b></a>\n')).toMatchObject({ type: 'element' });
  });

  const faults: [what: string, condition: string, input: string | Uint8Array][] = [
    ['nothing', 'bad-format', ''],
    ['white space in front', 'bad-format', ' <iq/>'],
    ['text', 'bad-format', 'hello'],
    ['half an element', 'not-well-formed', '<iq><a/>'],
    ['two elements', 'not-well-formed', '<iq/><iq/>'],
    ['text behind', 'not-well-formed', '<iq/>x'],
    ['an unbound prefix', 'not-well-formed', '<stream:features/>'],
    ['a comment', 'restricted-xml', '<iq><!-- --></iq>'],
    ['a comment behind', 'restricted-xml', '<iq/><!-- -->'],
    ['no UTF-8', 'unsupported-encoding', new Uint8Array([60, 0xff])],
    ['a cut-off character', 'unsupported-encoding', new Uint8Array([...utf8('<a/>'), 0xe2])],
    ['too many levels', 'policy-violation', '<a>'.repeat(65)],
    ['too many bytes', 'policy-violation', new Uint8Array(262_145)],
  ];
  test.each(faults)('is refused: %s (%s)', (_what, condition, input) => {
    expect(framed(input)).toMatchObject({ type: 'fault', condition });
  });
});

function joinedText(children: readonly XmppNode[]): XmppNode[] {
  const joined: XmppNode[] = [];
  for (const child of children) {
    const last = joined.at(-1);
    if (typeof child === 'string' && typeof last === 'string') joined.splice(-1, 1, last + child);
    else joined.push(child);
  }
  return joined;
}
