import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NEGOTIATION_UNREAD_BYTES_MAX,
  UNREAD_BYTES_MAX,
} from '../../../src/xmpp/client-session/client-limits.ts';
import {
  bindRequest,
  ClientDesk,
  managed,
  message,
  overTls,
  ROMEOS_CERTIFICATE,
  SASL,
  type ScriptedClient,
  SM,
  streamErrorOf,
  tlsWith,
} from './client-desk.ts';
import '../../fast-check-seed.ts';

const HEADER =
  "<?xml version='1.0'?><stream:stream to='montague.lit' version='1.0' xmlns='jabber:client' " +
  "xmlns:stream='http://etherx.jabber.org/streams'>";

describe('clients that ask and never read the answers', () => {
  /** How often `text` is answered until the client is cut off. */
  function answersTo(client: ScriptedClient, text: string): number {
    let answers = 0;
    for (; !client.isClosed && answers < 10_000; answers += 1) {
      if (client.says(text) === '') throw new Error('no answer');
    }
    return answers;
  }

  test('acknowledgements that are asked for take no more memory than stanzas', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    desk.sessions.drained(client.connection, UNREAD_BYTES_MAX - 10_000);
    expect(answersTo(client, `<r xmlns='${SM}'/>`)).toBeGreaterThan(100);
    expect(streamErrorOf(client.heard)).toBe('policy-violation');
    expect(client.heard.length).toBeLessThan(20_000);
  });

  test('before the login much less', () => {
    const client = overTls(new ClientDesk());
    client.opens();
    const first = Buffer.from('n,,n=romeo,r=x').toString('base64');
    answersTo(client, `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${first}</auth>`);
    expect(streamErrorOf(client.heard)).toBe('policy-violation');
    expect(client.heard.length).toBeLessThan(NEGOTIATION_UNREAD_BYTES_MAX + 10_000);
  });
});

/** What clients say, right and wrong, in any order. */
const sentence = fc.oneof(
  fc.constantFrom(
    HEADER,
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='montague.lit' version='1.0'/>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    `<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`,
    `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>biwsbj1yb21lbyxyPXg=</auth>`,
    `<response xmlns='${SASL}'>Yz1iaXdzLHI9eCxwPXg=</response>`,
    `<abort xmlns='${SASL}'/>`,
    bindRequest('orchard'),
    bindRequest(''),
    `<enable xmlns='${SM}' resume='true'/>`,
    `<resume xmlns='${SM}' previd='x' h='0'/>`,
    `<r xmlns='${SM}'/>`,
    `<a xmlns='${SM}' h='0'/>`,
    `<a xmlns='${SM}' h='1'/>`,
    "<message to='juliet@capulet.lit'><body>x</body></message>",
    "<presence from='romeo@montague.lit/orchard'/>",
    "<iq type='result' id='1'/>",
    "<iq type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    '</stream:stream>',
    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    ' \n',
    '<',
  ),
  fc.string({ maxLength: 20 }),
);

describe('clients that say anything at any time', () => {
  const act = fc.oneof(
    { weight: 8, arbitrary: sentence },
    fc.constantFrom('lose', 'advance', 'send', 'handle', 'tls', 'trust', 'drain'),
  );

  test('each is answered or ended; nothing is thrown, sent after the end, or told twice', () => {
    const isTcp = fc.boolean();
    const hasTls = fc.boolean();
    fc.assert(
      fc.property(isTcp, hasTls, fc.array(act, { maxLength: 30 }), (tcp, tls, acts) => {
        const desk = new ClientDesk();
        desk.handlesAtOnce = false;
        const shown = tls || !tcp ? tlsWith(ROMEOS_CERTIFICATE) : undefined;
        const client = desk.connect(tcp ? 'tcp' : 'websocket', shown);
        for (const one of acts) {
          if (one === 'lose') client.loses();
          else if (one === 'advance') desk.advance(70_000);
          else if (one === 'send') desk.sessions.send(1, message('1'));
          else if (one === 'handle') desk.sessions.handled(1);
          else if (one === 'tls') client.finishesTls(ROMEOS_CERTIFICATE);
          else if (one === 'trust') desk.sessions.trustChanged();
          else if (one === 'drain') desk.sessions.drained(client.connection, 0);
          else client.says(one);
          desk.deliver();
        }
        client.loses();
        desk.advance(10_000_000);
        expect(new Set(desk.ended.map(({ session }) => session)).size).toBe(desk.ended.length);
        const bound = desk.events.filter(({ type }) => type === 'clientBound').length;
        expect(desk.ended).toHaveLength(bound);
      }),
      { numRuns: 500 },
    );
  });

  test('mutated bytes of a whole session never deliver a stanza from somebody else', () => {
    const auth = `<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`;
    const stanza = "<message from='romeo@montague.lit' to='juliet@capulet.lit'/>";
    const whole = `${HEADER}${auth}${HEADER}${bindRequest('orchard')}${stanza}${stanza}`;
    const original = new TextEncoder().encode(whole);
    const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = original.slice();
        for (const [index, byte] of changes) bytes[index] = byte;
        const desk = new ClientDesk();
        const client = overTls(desk);
        desk.sessions.received(client.connection, bytes);
        desk.deliver();
        for (const { stanza: given } of desk.stanzas) {
          expect(given.attributes.get('from')).toMatch(/^romeo@montague\.lit\/./);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
