import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  basicConstraints,
  generalName,
  subjectAltName,
} from '../../../../sim/certificates/extension-maker.ts';
import { makeRequest } from '../../../ca/request-maker.ts';
import { JULIET } from '../authority-fixture.ts';
import {
  BALCONY,
  CA,
  type CsrOptions,
  challengeOf,
  csrStanza,
  errorOf,
  newRequest,
  requestFor,
  sharedAttached,
} from './component-fixture.ts';
import '../../../fast-check-seed.ts';

const shared = sharedAttached();
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
let stanzas = 0;

/** What a request is answered with. */
async function refusalOf(der: Uint8Array, options: CsrOptions = {}) {
  const id = `refused-${stanzas++}`;
  return errorOf(await shared().server.ask(csrStanza(der, { ...options, id }), id));
}

const romeo = { type: 'xmppAddr', value: 'romeo@montague.lit' } as const;
const juliet = { type: 'xmppAddr', value: JULIET } as const;
const names = (...addresses: string[]) =>
  subjectAltName(addresses.map((address) => generalName.xmppAddr(address)));

describe('what bad requests over XMPP get', () => {
  it('not base64: bad-request, and the error says by whom (XEP-0417 §6.4)', async () => {
    const { der } = newRequest();
    for (const content of [
      '%%%',
      '',
      base64(der).slice(0, -1),
      `${base64(der)}!`,
      '<x xmlns="y"/>',
    ]) {
      expect(await refusalOf(der, { content })).toEqual({
        condition: 'bad-request',
        type: 'modify',
        by: CA,
        text: 'The content of <x509-csr/> must be base64 alone.',
        isChallengeFailed: false,
      });
    }
  });

  it('not DER: bad-request', async () => {
    for (const der of [randomBytes(300), newRequest().der.subarray(1), Uint8Array.of(0x30, 0x80)]) {
      expect(await refusalOf(der)).toMatchObject({
        condition: 'bad-request',
        text: expect.stringContaining('no PKCS #10 request in DER'),
      });
    }
  });

  it('a signature that fails: not-acceptable', async () => {
    const { der } = newRequest();
    const broken = der.slice();
    broken[der.length - 1] = (broken[der.length - 1] ?? 0) ^ 1;
    expect(await refusalOf(broken)).toMatchObject({
      condition: 'not-acceptable',
      text: expect.stringContaining('its signature does not belong to its key'),
    });
  });

  it('another’s XmppAddr: not-allowed', async () => {
    expect(await refusalOf(newRequest('romeo@montague.lit').der)).toMatchObject({
      condition: 'not-allowed',
      text: expect.stringContaining('ask for yourself'),
    });
    const mine = newRequest().der;
    expect(await refusalOf(mine, { from: 'romeo@montague.lit/orchard' })).toMatchObject({
      condition: 'not-allowed',
    });
  });

  it('a name that XML cannot carry is told all the same', async () => {
    expect(await refusalOf(newRequest('a\ufffe@montague.lit').der)).toMatchObject({
      condition: 'not-allowed',
      text: expect.stringContaining('a\ufffd@montague.lit'),
    });
  });

  it('an id of 10,000 characters: not-acceptable, without it', async () => {
    const { server } = shared();
    server.send(csrStanza(newRequest().der, { id: 'i'.repeat(10_000) }));
    const answer = await server.stanza(
      ({ name, attributes }) => name === 'iq' && !attributes.has('id'),
    );
    expect(errorOf(answer)).toMatchObject({ condition: 'not-acceptable' });
  });

  it('no XmppAddr, or two of them: bad-request', async () => {
    for (const wishes of [[], [names(JULIET, JULIET)], [names(JULIET, romeo.value)]]) {
      expect(await refusalOf(makeRequest({ wishes }))).toMatchObject({
        condition: 'bad-request',
        text: expect.stringContaining('exactly one XmppAddr'),
      });
    }
    const alsoMail = [juliet, { type: 'rfc822Name', value: romeo.value } as const];
    expect(await refusalOf(requestFor(alsoMail))).toMatchObject({ condition: 'not-allowed' });
  });

  it('the wish of being an authority: not-acceptable', async () => {
    const wishes = [basicConstraints(true, 0), names(JULIET)];
    expect(await refusalOf(makeRequest({ wishes }))).toMatchObject({
      condition: 'not-acceptable',
      text: expect.stringContaining('basicConstraints cA'),
    });
  });

  it('a name of 10,000 characters: not-acceptable', async () => {
    const { der } = newRequest();
    expect(await refusalOf(der, { name: 'n'.repeat(10_000) })).toMatchObject({
      condition: 'not-acceptable',
      text: '"name" has 10000 characters; write 256 at most.',
    });
  });

  it.each(['', 'two words', 'a-b', 'ä', 'x'.repeat(65), 'https://evil'])(
    'the transaction %j: bad-request',
    async (transaction) => {
      expect(await refusalOf(newRequest().der, { transaction })).toMatchObject({
        condition: 'bad-request',
        text: expect.stringContaining('1 to 64 letters and digits'),
      });
    },
  );

  it('RFC 7622: a sender that is no address, or that cannot be certified', async () => {
    const { der } = newRequest();
    expect(await refusalOf(der, { from: 'a@b@c' })).toMatchObject({ condition: 'jid-malformed' });
    expect(await refusalOf(der, { from: 'capulet.lit' })).toMatchObject({
      condition: 'not-acceptable',
    });
  });

  it('RFC 7622: the sender is prepared here, the request counts as it stands', async () => {
    const { server } = shared();
    const from = 'JULIET@Capulet.LIT/Balcony';
    server.send(csrStanza(newRequest().der, { from, transaction: 'prepared' }));
    await challengeOf(server, 'prepared');
    expect(await refusalOf(newRequest('Juliet@capulet.lit').der)).toMatchObject({
      condition: 'not-allowed',
    });
  });
});

describe('other stanzas', () => {
  const ask = async (payload: string, type = 'get', to = CA) => {
    const id = `other-${stanzas++}`;
    const iq = `<iq type='${type}' from='${BALCONY}' to='${to}' id='${id}'>${payload}</iq>`;
    return shared().server.ask(iq, id);
  };

  it('are refused by name', async () => {
    const conditions = new Map([
      ['', 'bad-request'],
      ["<a xmlns='x'/><b xmlns='x'/>", 'bad-request'],
      ["<query xmlns='jabber:iq:roster'/>", 'service-unavailable'],
      ["<x509-register xmlns='urn:xmpp:x509:0'/>", 'bad-request'],
      ["<x509-revoke xmlns='urn:xmpp:x509:0'/>", 'bad-request'],
    ]);
    for (const [payload, condition] of conditions) {
      expect(errorOf(await ask(payload))).toMatchObject({ condition, by: CA });
    }
    const ping = "<ping xmlns='urn:xmpp:ping'/>";
    expect(errorOf(await ask(ping, 'get', `someone@${CA}`))).toMatchObject({
      condition: 'service-unavailable',
    });
  });

  it('errors, results, messages and presence get no answer', async () => {
    const { server } = shared();
    const before = server.received.length;
    for (const stanza of [
      `<iq type='error' from='${BALCONY}' to='${CA}' id='e'/>`,
      `<iq type='result' from='${BALCONY}' to='${CA}' id='r'/>`,
      `<iq type='get' to='${CA}' id='n'><ping xmlns='urn:xmpp:ping'/></iq>`,
      `<message from='${BALCONY}' to='${CA}'><body>hello</body></message>`,
      `<presence type='subscribe' from='${BALCONY}' to='${CA}'/>`,
    ]) {
      server.send(stanza);
    }
    expect((await ask("<ping xmlns='urn:xmpp:ping'/>")).attributes.get('type')).toBe('result');
    expect(server.received.length).toBe(before + 1);
  });

  it('whatever is asked in an iq, one answer comes and the component stays', async () => {
    const text = fc
      .stringMatching(/^[\x20-\x7e]{0,40}$/)
      .map((value) => value.replace(/[<&'>]/g, '.'));
    const payload = fc.oneof(
      fc
        .tuple(
          fc.constantFrom('x509-csr', 'x509-revoke', 'x509-ca-list', 'x509-cert'),
          text,
          text,
          text,
        )
        .map(
          ([name, transaction, called, content]) =>
            `<${name} xmlns='urn:xmpp:x509:0' transaction='${transaction}' name='${called}'>` +
            `${content}</${name}>`,
        ),
      fc
        .tuple(fc.uint8Array({ maxLength: 200 }), text)
        .map(
          ([bytes, signature]) =>
            "<x509-revoke xmlns='urn:xmpp:x509:0'>" +
            `<x509-cert>${base64(bytes)}</x509-cert>` +
            `<x509-signature>${signature}</x509-signature></x509-revoke>`,
        ),
      text.map((node) => `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`),
    );
    await fc.assert(
      fc.asyncProperty(payload, fc.constantFrom('get', 'set'), async (inside, type) => {
        const answer = await ask(inside, type);
        expect(['result', 'error']).toContain(answer.attributes.get('type'));
      }),
      { numRuns: 60 },
    );
    expect(shared().server.attachments).toBe(1);
  });
});
