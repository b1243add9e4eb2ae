import { describe, expect, test } from 'vitest';
import { CLIENT_LIMITS_DEFAULT } from '../../../src/xmpp/client-session/client-limits.ts';
import {
  ClientDesk,
  managed,
  message,
  overTls,
  SM,
  streamErrorOf,
  tlsWith,
  written,
} from './client-desk.ts';

describe('stanzas of a bound session', () => {
  test('RFC 6120 §8.1.2.1: from is the full JID, whatever right spelling the client gave', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    for (const from of ['', " from='romeo@montague.lit'", " from='Romeo@MONTAGUE.lit/orchard'"]) {
      client.says(`<presence${from}/>`);
    }
    const froms = desk.stanzas.map(({ stanza }) => stanza.attributes.get('from'));
    expect(froms).toEqual(Array(3).fill('romeo@montague.lit/orchard'));
  });

  test('RFC 6120 §4.9.3.9: another from ends the stream, and the stanza goes nowhere', () => {
    for (const from of ['juliet@capulet.lit', 'romeo@montague.lit/tomb', 'montague.lit', '@']) {
      const desk = new ClientDesk();
      const heard = overTls(desk).binds('orchard').says(`<message from='${from}'/><presence/>`);
      expect(streamErrorOf(heard)).toBe('invalid-from');
      expect(desk.stanzas).toEqual([]);
      expect(desk.ended).toHaveLength(1);
      expect(desk.events).toContainEqual(
        expect.objectContaining({ type: 'stanzaRefused', from, condition: 'invalid-from' }),
      );
    }
  });

  test('RFC 6120 §8.1.5: the language of the stream, unless the stanza names its own', () => {
    const desk = new ClientDesk();
    const client = overTls(desk);
    client.opens();
    client.says("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
    client.opens("to='montague.lit' version='1.0' xml:lang='it'");
    client.says("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    client.says("<message/><message xml:lang='en'/>");
    const languages = desk.stanzas.map(({ stanza }) => stanza.attributes.get('xml:lang'));
    expect(languages).toEqual(['it', 'en']);
  });

  const faults: [what: string, condition: string, text: string][] = [
    ['§4.9.3.24: what is no stanza', 'unsupported-stanza-type', "<hello xmlns='x'/>"],
    [
      '§4.9.3.24: a stanza of another namespace',
      'unsupported-stanza-type',
      "<iq xmlns='jabber:server'/>",
    ],
    ['§4.9.3.13: what is not well-formed', 'not-well-formed', '<message></presence>'],
    ['§4.9.3.18: a comment', 'restricted-xml', '<message><!-- --></message>'],
    [
      '§4.9.3.14: a stanza that is too large',
      'policy-violation',
      `<message>${'x'.repeat(300_000)}`,
    ],
    ['§4.9.3.14: too many levels', 'policy-violation', '<message>'.repeat(100_000)],
    ['§4.9.3.1: text between stanzas', 'bad-format', 'hello'],
  ];
  test.each(faults)('RFC 6120 %s: %s, and the session ends', (_what, condition, text) => {
    const desk = new ClientDesk();
    const other = overTls(desk).binds('tomb');
    const client = overTls(desk).binds('orchard');
    const heard = client.says(text);
    expect(streamErrorOf(heard)).toBe(condition);
    expect(heard).toMatch(/<\/stream:stream>$/);
    expect(client.isClosed).toBe(true);
    expect(desk.ended).toEqual([{ session: 2, undelivered: [] }]);
    expect(other.isClosed).toBe(false);
  });

  test('RFC 3921 §3: the session request of older clients is answered and goes nowhere', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    const request =
      "<iq type='set' id='s1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
    expect(client.says(request)).toBe(
      '<iq type="result" id="s1" to="romeo@montague.lit/orchard"/>',
    );
    expect(desk.stanzas).toEqual([]);
  });

  test('a stanza that no stream with a device could carry is refused, the session goes on', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    const long = '"'.repeat(50_000);
    const heard = client.says(
      `<message to='juliet@capulet.lit' id='1'><body>${long}</body></message>`,
    );
    expect(heard).toMatch(
      /^<message type="error" id="1" [^>]*><error type="modify"><policy-violation/,
    );
    client.says(`<iq type='result' id='2'><x xmlns='urn:x'>${long}</x></iq>`);
    expect(desk.stanzas).toEqual([]);
    client.says('<presence/>');
    expect(desk.stanzas).toHaveLength(1);
  });

  test('several clients at once have sessions of their own', () => {
    const desk = new ClientDesk();
    const orchard = overTls(desk).binds('orchard');
    const tomb = overTls(desk).binds('tomb');
    desk.sessions.send(2, message('Eyes, look your last'));
    desk.deliver();
    expect([orchard.heard, tomb.heard]).toEqual(['', written('Eyes, look your last')]);
    desk.sessions.end(1, 'conflict', 'Go.');
    desk.deliver();
    expect([orchard.isClosed, tomb.isClosed]).toEqual([true, false]);
  });

  test('RFC 6120 §4.4: a lost connection without stream management ends the session', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    desk.sessions.send(1, message('x'));
    desk.deliver();
    client.loses();
    expect(desk.ended).toEqual([{ session: 1, undelivered: [] }]);
    desk.sessions.send(1, message('y'));
    desk.deliver();
  });
});

describe('clients that are not what they should be', () => {
  const { idleMs, answerMsMax, waitingBytesMax, unhandledMax } = CLIENT_LIMITS_DEFAULT;

  test('XEP-0199: a silent client is pinged, and one that answers stays', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    desk.advance(idleMs);
    const id = /id="([0-9a-f]+)"/.exec(client.heard)?.[1];
    expect(client.heard).toBe(
      `<iq type="get" from="montague.lit" to="romeo@montague.lit/orchard" id="${id}">` +
        '<ping xmlns="urn:xmpp:ping"/></iq>',
    );
    client.says(`<iq type='result' id='${id}' to='montague.lit'/>`);
    desk.advance(idleMs - 1);
    expect(client.isClosed).toBe(false);
    expect(desk.stanzas).toEqual([]);
  });

  test('RFC 6120 §4.6.1: white space is a sign of life', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    for (let i = 0; i < 10; i += 1) {
      desk.advance(idleMs - 1);
      client.says(' ');
    }
    expect(client.heard).toBe('');
  });

  test('a half-open connection ends with connection-timeout; a session that resumes waits', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    const plain = overTls(desk).binds('tomb');
    desk.advance(idleMs + answerMsMax);
    expect(streamErrorOf(client.heard)).toBe('connection-timeout');
    expect(streamErrorOf(plain.heard)).toBe('connection-timeout');
    expect(desk.ended).toEqual([{ session: 2, undelivered: [] }]);
  });

  test('a client that does not acknowledge loses its connection, not its session', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    desk.sessions.send(1, message('1'));
    desk.advance(answerMsMax - 1);
    client.says('<presence/>');
    desk.advance(1);
    expect(streamErrorOf(client.heard)).toBe('connection-timeout');
    expect(desk.ended).toEqual([]);
  });

  test('a client that never reads: its stream ends, the session can be resumed', () => {
    const desk = new ClientDesk();
    const { client, previd } = managed(desk);
    const large = message('x'.repeat(100_000));
    let count = 0;
    while (!client.isClosed) {
      desk.sessions.send(1, large);
      desk.deliver();
      count += 1;
    }
    expect(count).toBe(Math.ceil(waitingBytesMax / 100_000));
    expect(streamErrorOf(client.heard)).toBe('policy-violation');
    expect(desk.ended).toEqual([]);
    const again = overTls(desk).logsIn();
    const resumed = again.says(`<resume xmlns='${SM}' previd='${previd}' h='${count - 1}'/>`);
    expect(resumed).toContain('<resumed');
  });

  test('a client that reads is not disturbed by how much it is', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    for (let i = 0; i < 100; i += 1) {
      desk.sessions.send(1, message('x'.repeat(100_000)));
      desk.deliver();
      desk.sessions.drained(client.connection, 0);
    }
    expect(client.isClosed).toBe(false);
  });

  test('there is room for more while the client keeps up with it', () => {
    const desk = new ClientDesk({ limits: { waitingBytesMax: 40_000, unacknowledgedMax: 40 } });
    const client = overTls(desk).binds('orchard');
    desk.sessions.drained(client.connection, 0);
    desk.sessions.send(1, message('x'.repeat(10_000)));
    expect([desk.sessions.hasRoom(1), desk.sessions.hasRoom(2)]).toEqual([false, false]);
    desk.sessions.drained(client.connection, 0);
    expect(desk.sessions.hasRoom(1)).toBe(true);
    client.says(`<enable xmlns='${SM}'/>`);
    for (let i = 0; i < 11; i += 1) desk.sessions.send(1, message('x'));
    expect(desk.sessions.hasRoom(1)).toBe(false);
    client.says(`<a xmlns='${SM}' h='11'/>`);
    expect(desk.sessions.hasRoom(1)).toBe(true);
  });

  test('what waits for a session that is away is bounded', () => {
    const desk = new ClientDesk({ limits: { unacknowledgedMax: 5 } });
    const { client } = managed(desk);
    client.loses();
    for (let i = 0; i < 6; i += 1) desk.sessions.send(1, message(String(i)));
    expect(desk.ended.map(({ undelivered }) => undelivered.length)).toEqual([6]);
    const bytes = new ClientDesk({ limits: { unacknowledgedBytesMax: 1_000 } });
    managed(bytes).client.loses();
    bytes.sessions.send(1, message('x'.repeat(1_000)));
    expect(bytes.ended).toHaveLength(1);
  });

  test('more stanzas than can be dealt with end the stream', () => {
    const desk = new ClientDesk();
    desk.handlesAtOnce = false;
    const client = overTls(desk).binds('orchard');
    const heard = client.says('<message/>'.repeat(unhandledMax + 1));
    expect(streamErrorOf(heard)).toBe('policy-violation');
  });
});

describe('what changes while a client is there', () => {
  test('RFC 6120 §13.7.2.3: a certificate that counts no more ends its sessions, also those away', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    const away = overTls(desk).binds('tomb');
    away.says(`<enable xmlns='${SM}' resume='true'/>`);
    away.loses();
    const password = desk.connect('tcp', tlsWith());
    password.opens();
    const loggedIn = overTls(desk).logsIn();
    desk.sessions.trustChanged();
    desk.deliver();
    expect(desk.ended).toEqual([]);
    desk.acceptsCertificate = false;
    desk.sessions.trustChanged();
    desk.deliver();
    expect(streamErrorOf(client.heard)).toBe('reset');
    expect(streamErrorOf(loggedIn.heard)).toBe('reset');
    expect(desk.ended.map(({ session }) => session)).toEqual([1, 2]);
    expect(password.isClosed).toBe(false);
  });

  test('RFC 6120 §13.7.2.3: a certificate that ends while the session goes on ends it', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    for (let hour = 0; hour < 3; hour += 1) {
      for (let minute = 0; minute < 60; minute += 2) {
        desk.advance(120_000);
        client.says(' ');
      }
    }
    expect(client.isClosed).toBe(false);
    desk.acceptsCertificate = false;
    for (let minute = 0; minute < 60; minute += 2) {
      desk.advance(120_000);
      if (!client.isClosed) client.says(' ');
    }
    expect(streamErrorOf(client.heard)).toBe('reset');
  });

  test('RFC 6120 §4.9.3.20: a peer that stops says so to all', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    const half = overTls(desk).logsIn();
    desk.sessions.send(1, message('1'));
    desk.sessions.leave();
    desk.deliver();
    expect(streamErrorOf(client.heard)).toBe('system-shutdown');
    expect(streamErrorOf(half.heard)).toBe('system-shutdown');
    expect(desk.ended).toEqual([{ session: 1, undelivered: [message('1')] }]);
  });
});
