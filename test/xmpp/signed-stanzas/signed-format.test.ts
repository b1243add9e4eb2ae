import { createVerify, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeKey } from '../../../sim/certificates/certificate-maker.ts';
import { signStanza } from '../../../src/xmpp/signed-stanzas/sign-stanza.ts';
import {
  readSignedContent,
  type SignedContent,
} from '../../../src/xmpp/signed-stanzas/signed-content.ts';
import {
  SIGNED_BYTES_MAX,
  SIGNED_DATA_CHARACTERS_MAX,
  SIGNED_NAMESPACE,
} from '../../../src/xmpp/signed-stanzas/signed-limits.ts';
import {
  formatTimestamp,
  parseTimestamp,
  TimestampSource,
} from '../../../src/xmpp/signed-stanzas/signed-timestamp.ts';
import { StanzaRefusal } from '../../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import {
  childElement,
  element,
  textOf,
  writeElement,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import '../../fast-check-seed.ts';
import { xml } from '../routing/verona.ts';
import { chat, JULIET, ROMEO, SignedWorld } from './signed-world.ts';

const world = new SignedWorld();
const juliet = world.device(JULIET);
const SIGNED_AT = Date.UTC(2010, 5, 29, 2, 15, 21, 12);

function signed(text: string, signer = juliet): XmppElement {
  const outer = signStanza(signer, xml(text), SIGNED_AT, { id: '6410ed123' });
  if (outer instanceof StanzaRefusal) throw new Error(outer.describe());
  return outer;
}

function content(given: XmppElement): SignedContent {
  const read = readSignedContent(given);
  if (read instanceof StanzaRefusal) throw new Error(read.describe());
  return read;
}

function code(given: XmppElement): string {
  const read = readSignedContent(given);
  return read instanceof StanzaRefusal ? read.code : 'read';
}

function part(outer: XmppElement, name: string): XmppElement {
  const parent = childElement(outer, 'signed', SIGNED_NAMESPACE);
  const found = parent && childElement(parent, name, SIGNED_NAMESPACE);
  if (found === undefined) throw new Error(`no <${name}/>`);
  return found;
}

/** A stanza that carries this envelope with this signature. */
function carrying(
  envelope: string,
  { algorithm = 'ECDSA-SHA256', signature = 'AAAA', isBase64 = true } = {},
): XmppElement {
  const data = isBase64 ? Buffer.from(envelope).toString('base64') : envelope;
  return element('message', 'jabber:client', { from: JULIET, to: ROMEO, type: 'chat' }, [
    element('signed', SIGNED_NAMESPACE, {}, [
      element('signature', SIGNED_NAMESPACE, { algorithm }, [signature]),
      element('data', SIGNED_NAMESPACE, {}, [data]),
    ]),
  ]);
}

function envelope(stanza: string, timestamp = '2010-06-29T02:15:21.012Z'): string {
  const data = Buffer.from(stanza).toString('base64');
  return `<plain xmlns="urn:xmpp:signed:0" timestamp="${timestamp}">${data}</plain>`;
}

const INNER = `<message xmlns="jabber:client" from="${JULIET}/balcony" to="${ROMEO}"><body>O</body></message>`;

describe('XEP-0285 §2: the form of a signed stanza', () => {
  const outer = signed(chat('Wherefore art thou?'));

  test('XEP-0285 §2, step 9: it has kind, type and addresses of what it signs, but another id', () => {
    expect(outer.name).toBe('message');
    expect(outer.attributes.get('type')).toBe('chat');
    expect(outer.attributes.get('from')).toBe(`${JULIET}/balcony`);
    expect(outer.attributes.get('to')).toBe(ROMEO);
    expect(outer.attributes.get('id')).toBe('6410ed123');
    expect(outer.children).toHaveLength(1);
  });

  test('XEP-0285 §2, step 4: the envelope is a plain element with timestamp and base64', () => {
    const text = Buffer.from(textOf(part(outer, 'data')), 'base64').toString();
    const form =
      /^<plain xmlns="urn:xmpp:signed:0" timestamp="2010-06-29T02:15:21\.012Z">([A-Za-z0-9+/=]+)<\/plain>$/;
    const [, data = ''] = form.exec(text) ?? [];
    const inner = Buffer.from(data, 'base64').toString();
    expect(inner).toBe(writeElement(xml(chat('Wherefore art thou?'))));
  });

  test('XEP-0285 §2, step 6: another program finds the signature true over the envelope', () => {
    const data = Buffer.from(textOf(part(outer, 'data')), 'base64');
    const signature = Buffer.from(textOf(part(outer, 'signature')), 'base64');
    expect(part(outer, 'signature').attributes.get('algorithm')).toBe('ECDSA-SHA256');
    const { publicKey } = new X509Certificate(juliet.node.certificate.der);
    expect(createVerify('sha256').update(data).verify(publicKey, signature)).toBe(true);
  });

  test('an RSA key signs as RSA-SHA256', () => {
    const rsa = signed(chat('O'), world.device(JULIET, { key: makeKey('rsa2048') }));
    expect(part(rsa, 'signature').attributes.get('algorithm')).toBe('RSA-SHA256');
    expect(content(rsa).algorithm.name).toBe('RSA-SHA256');
  });

  test('what is read is what was signed, byte for byte', () => {
    const read = content(outer);
    expect(read.timestampUnixMs).toBe(SIGNED_AT);
    expect(writeElement(read.stanza)).toBe(writeElement(xml(chat('Wherefore art thou?'))));
    expect(Buffer.from(read.envelope)).toEqual(Buffer.from(textOf(part(outer, 'data')), 'base64'));
  });

  test('XEP-0285 §2.1: base64 in indented lines, as in the example, is read', () => {
    const lines = (text: string) => `\n    ${text.match(/.{1,64}/g)?.join('\n    ')}\n  `;
    const inner = `<plain xmlns="urn:xmpp:signed:0"\n timestamp="2010-06-29T02:15:21.012Z">${lines(
      Buffer.from(INNER).toString('base64'),
    )}</plain>\n`;
    const given = carrying(lines(Buffer.from(inner).toString('base64')), { isBase64: false });
    expect(content(given).from.text).toBe(`${JULIET}/balcony`);
  });

  test('XEP-0285 §2, step 8 to the letter: an envelope that is not base64 is read as well', () => {
    const read = content(carrying(envelope(INNER), { isBase64: false }));
    expect(Buffer.from(read.envelope).toString()).toBe(envelope(INNER));
  });

  test('every stanza that is signed is read again as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        fc.pre(!/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(text));
        const stanza = element(
          'message',
          'jabber:client',
          { from: JULIET, to: ROMEO, type: 'chat', id: text },
          [element('body', 'jabber:client', {}, [text])],
        );
        const outer = signStanza(juliet, stanza, SIGNED_AT, { id: 'x' });
        if (outer instanceof StanzaRefusal) throw new Error(outer.describe());
        expect(writeElement(content(outer).stanza)).toBe(writeElement(stanza));
      }),
      { numRuns: 200 },
    );
  });
});

describe('XEP-0285: what is no signed stanza', () => {
  test.each([
    ['RSA-SHA1', 'unsupported-algorithm'],
    ['ECDSA-SHA1', 'unsupported-algorithm'],
    ['', 'unsupported-algorithm'],
    ['ECDSA-SHA512', 'read'],
    ['RSA-SHA384', 'read'],
  ])('the algorithm "%s" is %s', (algorithm, expected) => {
    expect(code(carrying(envelope(INNER), { algorithm }))).toBe(expected);
  });

  test.each([
    ['without milliseconds', '2010-06-29T02:15:21Z'],
    ['with an offset', '2010-06-29T02:15:21.012+00:00'],
    ['with two digits of the fraction', '2010-06-29T02:15:21.01Z'],
    ['of no day', '2010-02-30T02:15:21.012Z'],
    ['in small letters', '2010-06-29t02:15:21.012z'],
    ['that is none', 'now'],
  ])('XEP-0285 §5: a timestamp %s is malformed', (_, timestamp) => {
    expect(code(carrying(envelope(INNER, timestamp)))).toBe('malformed');
  });

  test.each([
    ['no XML', 'O Romeo'],
    ['cut off', INNER.slice(0, -3)],
    ['two stanzas', INNER + INNER],
    ['no stanza', '<body xmlns="jabber:client">O</body>'],
    ['of another namespace', INNER.replace('jabber:client', 'jabber:server')],
    ['without a sender', INNER.replace(/ from="[^"]*"/, '')],
    ['from a domain', INNER.replace(/from="[^"]*"/, 'from="capulet.lit"')],
    ['without an addressee', INNER.replace(/ to="[^"]*"/, '')],
    ['to no address', INNER.replace(/ to="[^"]*"/, ' to="@"')],
    ['a document type', `<!DOCTYPE a [<!ENTITY b "c">]>${INNER}`],
    ['nested too deeply', INNER.replace('O', `${'<a>'.repeat(60)}${'</a>'.repeat(60)}`)],
  ])('a stanza-string that is %s is malformed', (_, inner) => {
    expect(code(carrying(envelope(inner)))).toBe('malformed');
  });

  test.each([
    ['no envelope', 'O Romeo'],
    ['another element', envelope(INNER).replaceAll('plain', 'clear')],
    ['of another namespace', envelope(INNER).replace(':0"', ':1"')],
    ['with an element inside', envelope(INNER).replace('</plain>', '<a/></plain>')],
    ['without a timestamp', envelope(INNER).replace(/ timestamp="[^"]*"/, '')],
    ['empty', '<plain xmlns="urn:xmpp:signed:0" timestamp="2010-06-29T02:15:21.012Z"/>'],
    ['no base64', envelope(INNER).replace('</plain>', '!</plain>')],
    ['with padding bits that are not zero', envelope('x').replace(/>..==/, '>eB==')],
  ])('an envelope that is %s is malformed', (_, given) => {
    expect(code(carrying(given))).toBe('malformed');
  });

  test('a signature that is no base64 is malformed', () => {
    for (const signature of ['', '!', 'AAA', 'AAAA'.repeat(1000)]) {
      expect(code(carrying(envelope(INNER), { signature }))).toBe('malformed');
    }
  });

  test('several signed payloads, or parts of one, are refused by name', () => {
    const outer = signed(chat('O'));
    const [payload] = outer.children as [XmppElement];
    expect(code({ ...outer, children: [payload, payload] })).toBe('several-signatures');
    const [signature, data] = payload.children as [XmppElement, XmppElement];
    for (const children of [
      [signature, data, data],
      [signature, signature, data],
      [signature],
      [data],
      [],
      [signature, data, element('body', 'jabber:client', {}, ['no'])],
      [signature, 'text', data],
    ]) {
      expect(code({ ...outer, children: [{ ...payload, children }] })).toBe('malformed');
    }
    expect(code({ ...outer, children: [{ ...payload, children: [data, signature] }] })).toBe(
      'read',
    );
  });

  test('a signed stanza within a signed stanza is refused', () => {
    const inner = writeElement(signed(chat('O')));
    expect(code(carrying(envelope(inner)))).toBe('nested-signature');
  });

  test('what is over a limit is refused before it is decoded', () => {
    const large = chat('x'.repeat(SIGNED_BYTES_MAX));
    const outer = signStanza(juliet, xml(large), SIGNED_AT, { id: 'x' });
    expect(outer instanceof StanzaRefusal && outer.code).toBe('malformed');
    const data = 'AAAA'.repeat(SIGNED_DATA_CHARACTERS_MAX / 4 + 1);
    expect(code(carrying(data, { isBase64: false }))).toBe('malformed');
    expect(code(carrying(`<${data}`, { isBase64: false }))).toBe('malformed');
  });

  test('no content makes the reader throw', () => {
    const pieces = fc.constantFrom('<plain', '</plain>', ' xmlns="urn:xmpp:signed:0"', '>', 'AAAA');
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isBase64) => {
        expect(readSignedContent(carrying(text, { isBase64 }))).toBeInstanceOf(StanzaRefusal);
      }),
      { numRuns: 300 },
    );
  });
});

describe('XEP-0285 §5: timestamps', () => {
  test('have 24 characters, and are read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 0) }), (unixMs) => {
        const text = formatTimestamp(unixMs);
        expect(text).toHaveLength(24);
        expect(text).toBe(new Date(unixMs).toISOString());
        expect(parseTimestamp(text)).toBe(unixMs);
      }),
    );
  });

  test('of one signer increase, also while the clock stands still or goes back a little', () => {
    const source = new TimestampSource();
    const times = [1_000_000, 1_000_000, 999_000, 1_000_500, 1_000_500].map((now) =>
      source.next(now),
    );
    expect(times).toEqual([1_000_000, 1_000_001, 1_000_002, 1_000_500, 1_000_501]);
  });

  test('follow a clock that was set back for good', () => {
    const source = new TimestampSource();
    source.next(10_000_000);
    expect(source.next(1_000_000)).toBe(1_000_000);
  });
});
