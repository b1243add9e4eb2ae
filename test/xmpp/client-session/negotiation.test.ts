import { describe, expect, test } from 'vitest';
import { PASSWORD_FAILURES_FREE } from '../../../src/xmpp/sasl/sasl-limits.ts';
import {
  bindRequest,
  ClientDesk,
  overTls,
  PASSWORD,
  ROMEOS_CERTIFICATE,
  SASL,
  type ScriptedClient,
  STRANGE_CERTIFICATE,
  tlsWith,
} from './client-desk.ts';

const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/** The one condition of a stream error, and that the stream has ended behind it. */
function streamErrorOf(heard: string): string | undefined {
  const error = /<stream:error[^>]*><([a-z-]+) xmlns="urn:ietf:params:xml:ns:xmpp-streams"\/>/;
  const end = /<\/stream:stream>$|<close xmlns="[^"]*"\/>$/;
  return end.test(heard) ? error.exec(heard)?.[1] : undefined;
}

function mechanismsOf(features: string): string[] {
  return [...features.matchAll(/<mechanism>([^<]*)</g)].map(([, name]) => name ?? '');
}

describe('a client logs in over STARTTLS', () => {
  test('with its certificate, step by step', () => {
    const desk = new ClientDesk();
    const client = desk.connect('tcp');
    const header =
      '<?xml version="1.0"?><stream:stream xmlns="jabber:client" ' +
      'xmlns:stream="http://etherx.jabber.org/streams" from="montague.lit" id="ID" ' +
      'xml:lang="en" version="1.0">';
    expect(client.opens().replace(/[0-9a-f]{32}/, 'ID')).toBe(
      `${header}<stream:features><starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"><required/>` +
        '</starttls></stream:features>',
    );
    expect(client.says(STARTTLS)).toBe('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    expect(client.tlsStarts).toBe(1);
    client.finishesTls(ROMEOS_CERTIFICATE);
    const features = client.opens("to='montague.lit' from='romeo@montague.lit' version='1.0'");
    expect(features).toMatch(/ to="romeo@montague.lit" /);
    expect(mechanismsOf(features)).toEqual(['EXTERNAL', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
    expect(client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`)).toBe(
      `<success xmlns="${SASL}"/>`,
    );
    expect(client.opens().replace(/[0-9a-f]{32}/, 'ID')).toBe(
      `${header}<stream:features><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>` +
        '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session>' +
        '<sm xmlns="urn:xmpp:sm:3"/></stream:features>',
    );
    expect(client.says(bindRequest('orchard'))).toBe(
      '<iq type="result" id="b1"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">' +
        '<jid>romeo@montague.lit/orchard</jid></bind></iq>',
    );
    client.says("<message to='juliet@capulet.lit'><body>O, speak again</body></message>");
    expect(desk.stanzas[0]?.stanza.attributes.get('from')).toBe('romeo@montague.lit/orchard');
    expect(client.says('</stream:stream>')).toBe('</stream:stream>');
    expect(client.isClosed).toBe(true);
    expect(desk.ended).toEqual([{ session: 1, undelivered: [] }]);
  });

  test('with its password, bound to the TLS connection', () => {
    const desk = new ClientDesk();
    const client = desk.connect('tcp', tlsWith());
    const features = client.opens();
    expect(mechanismsOf(features)).toEqual(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
    expect(features).toContain('<channel-binding type="tls-exporter"/>');
    expect(client.scrams('SCRAM-SHA-256-PLUS', PASSWORD)).toMatch(/^<success/);
    client.opens();
    expect(client.says(bindRequest(''))).toContain('romeo@montague.lit/made-1');
    expect(desk.events.map(({ type }) => type)).toEqual(['clientAuthenticated', 'clientBound']);
  });

  test('all at once: what follows the login is read as a new stream', () => {
    const desk = new ClientDesk();
    const client = overTls(desk);
    const header =
      "<stream:stream to='montague.lit' version='1.0' xmlns='jabber:client' " +
      "xmlns:stream='http://etherx.jabber.org/streams'>";
    const auth = `<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`;
    client.says(`${header}${auth}${header}${bindRequest('orchard')}<presence/>`);
    expect(desk.stanzas).toHaveLength(1);
  });
});

describe('a client logs in over WebSocket', () => {
  test('RFC 7395 §3.4: each message is one element; no STARTTLS and no EXTERNAL', () => {
    const desk = new ClientDesk();
    const client = desk.connect('websocket', tlsWith(ROMEOS_CERTIFICATE));
    const features = client.opens();
    expect(features).toMatch(
      /^<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="montague.lit"/,
    );
    expect(mechanismsOf(features)).toEqual(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
    expect(client.scrams('SCRAM-SHA-256', PASSWORD)).toMatch(/^<success/);
    client.opens();
    expect(client.says(bindRequest('balcony'))).toMatch(/^<iq xmlns="jabber:client" type="result"/);
    client.says("<presence xmlns='jabber:client'/>");
    expect(desk.stanzas).toHaveLength(1);
    expect(client.says("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")).toBe(
      '<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>',
    );
    expect(desk.ended).toHaveLength(1);
  });

  test('EXTERNAL is refused even when it is tried', () => {
    const client = new ClientDesk().connect('websocket', tlsWith(ROMEOS_CERTIFICATE));
    client.opens();
    expect(client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`)).toContain(
      '<invalid-mechanism/>',
    );
  });

  const faults: [what: string, condition: string, message: string][] = [
    ['RFC 7395 §3.3.2: a header of another namespace', 'invalid-namespace', "<open xmlns='x'/>"],
    ['RFC 7395 §3.3.3: two elements', 'not-well-formed', '<a/><b/>'],
    ['RFC 7395 §3.3.3: white space', 'bad-format', ' '],
  ];
  test.each(faults)('%s: %s', (_what, condition, message) => {
    const client = new ClientDesk().connect('websocket', tlsWith());
    const heard = client.says(message);
    expect(heard).toMatch(/^<open [^>]*\/><stream:error/);
    expect(streamErrorOf(heard)).toBe(condition);
    expect(client.isClosed).toBe(true);
  });
});

describe('the stream header (RFC 6120 §4.7)', () => {
  const headers: [what: string, condition: string, attributes: string][] = [
    ['§4.9.3.6: another domain', 'host-unknown', "to='capulet.lit' version='1.0'"],
    ['§4.9.3.6: no domain', 'host-unknown', "version='1.0'"],
    ['§4.9.3.25: no version', 'unsupported-version', "to='montague.lit'"],
    ['§4.9.3.25: an earlier version', 'unsupported-version', "to='montague.lit' version='0.9'"],
    [
      '§4.9.3.9: a from that is no address',
      'invalid-from',
      "to='montague.lit' from='@' version='1.0'",
    ],
  ];
  test.each(headers)('%s: %s', (_what, condition, attributes) => {
    const client = new ClientDesk().connect('tcp');
    expect(streamErrorOf(client.opens(attributes))).toBe(condition);
    expect(client.isClosed).toBe(true);
  });

  const streams: [what: string, condition: string, text: string][] = [
    ['§4.9.3.10: another stream namespace', 'invalid-namespace', "<s:stream xmlns:s='x'>"],
    [
      '§4.9.3.10: another content namespace',
      'invalid-namespace',
      "<s:stream to='montague.lit' version='1.0' xmlns='jabber:server' xmlns:s='http://etherx.jabber.org/streams'>",
    ],
    [
      '§4.9.3.1: another element',
      'bad-format',
      "<s:features xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>",
    ],
    ['§4.9.3.13: another protocol', 'not-well-formed', 'GET / HTTP/1.1\r\n'],
    ['§4.9.3.18: a document type', 'restricted-xml', '<!DOCTYPE x>'],
    [
      '§4.9.3.22: another encoding',
      'unsupported-encoding',
      "<?xml version='1.0' encoding='latin1'?>",
    ],
    ['§4.9.3.14: a header that does not end', 'policy-violation', `<s ${'x'.repeat(20_000)}`],
  ];
  test.each(streams)('%s: %s, inside a stream of its own', (_what, condition, text) => {
    const client = new ClientDesk().connect('tcp');
    const heard = client.says(text);
    expect(heard).toMatch(/^<\?xml version="1.0"\?><stream:stream /);
    expect(streamErrorOf(heard)).toBe(condition);
  });

  test('§4.7.2, §4.7.5: the domain is compared prepared, a later minor version is taken', () => {
    const client = new ClientDesk().connect('tcp');
    expect(client.opens("to='MONTAGUE.lit.' version='1.7'")).toContain('<stream:features>');
  });

  test('§4.7.3: each stream has another id', () => {
    const client = overTls(new ClientDesk()).logsIn();
    const ids = [...client.heard.matchAll(/ id="([0-9a-f]{32})"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('TLS comes first (RFC 6120 §5)', () => {
  test('§5.3.1: a login before TLS is refused, and three of them end the stream', () => {
    const client = new ClientDesk().connect('tcp');
    client.opens();
    const auth = `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>biwsbj1hLHI9Yg==</auth>`;
    expect(client.says(auth)).toBe(`<failure xmlns="${SASL}"><encryption-required/></failure>`);
    expect(streamErrorOf(client.says(auth, auth))).toBe('policy-violation');
  });

  test('§5.4.3.1: what comes in the clear behind starttls ends the connection', () => {
    const desk = new ClientDesk();
    const client = desk.connect('tcp');
    client.opens();
    const heard = client.says(`${STARTTLS}<stream:stream to='montague.lit'>`);
    expect(heard).toBe('<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/></stream:stream>');
    expect([client.isClosed, client.tlsStarts]).toEqual([true, 0]);
  });

  test('§4.9.3.12: a stanza before TLS', () => {
    const client = new ClientDesk().connect('tcp');
    client.opens();
    expect(streamErrorOf(client.says('<message/>'))).toBe('not-authorized');
  });

  test('a certificate that counts for nobody is not offered EXTERNAL', () => {
    const desk = new ClientDesk();
    const client = desk.connect('tcp', tlsWith(STRANGE_CERTIFICATE));
    expect(mechanismsOf(client.opens())).not.toContain('EXTERNAL');
    expect(desk.events[0]).toMatchObject({ type: 'clientRefused', reason: 'nobody knows it' });
  });

  test('without certificate and password nobody can log in, and the client hears why', () => {
    const client = new ClientDesk({ hasPassword: false }).connect('tcp', tlsWith());
    const heard = client.opens();
    expect(streamErrorOf(heard)).toBe('policy-violation');
    expect(heard).toContain('xor passwd');
  });
});

describe('SASL (RFC 6120 §6)', () => {
  const opened = (desk: ClientDesk): ScriptedClient => {
    const client = overTls(desk);
    client.opens();
    return client;
  };
  const requests: [what: string, condition: string, text: string][] = [
    ['§6.5.7: another mechanism', 'invalid-mechanism', `<auth xmlns='${SASL}' mechanism='PLAIN'/>`],
    ['§6.5.7: no mechanism', 'invalid-mechanism', `<auth xmlns='${SASL}'>=</auth>`],
    [
      '§6.5.5: no base64',
      'incorrect-encoding',
      `<auth xmlns='${SASL}' mechanism='EXTERNAL'>a b</auth>`,
    ],
    [
      '§6.5.5: base64 without padding',
      'incorrect-encoding',
      `<auth xmlns='${SASL}' mechanism='EXTERNAL'>YQ</auth>`,
    ],
    ['§6.5.1: a client that gives up', 'aborted', `<abort xmlns='${SASL}'/>`],
    [
      '§6.5.8: a response without a handshake',
      'malformed-request',
      `<response xmlns='${SASL}'>=</response>`,
    ],
    ['§6.5.8: an element that is none of SASL', 'malformed-request', `<success xmlns='${SASL}'/>`],
    [
      '§6.5.6: another identity',
      'invalid-authzid',
      `<auth xmlns='${SASL}' mechanism='EXTERNAL'>anVsaWV0QGNhcHVsZXQubGl0</auth>`,
    ],
  ];
  test.each(requests)('%s: %s', (_what, condition, text) => {
    const client = opened(new ClientDesk());
    expect(client.says(text)).toBe(`<failure xmlns="${SASL}"><${condition}/></failure>`);
    expect(client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`)).toMatch(/^<success/);
  });

  test('§6.3.10: without an initial response the client is asked for it', () => {
    const client = opened(new ClientDesk());
    expect(client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'/>`)).toBe(
      `<challenge xmlns="${SASL}"/>`,
    );
    expect(client.says(`<response xmlns='${SASL}'/>`)).toMatch(/^<success/);
  });

  test('§6.4.2: a new handshake takes the place of the one before', () => {
    const client = opened(new ClientDesk());
    client.says(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>biwsbj1hLHI9Yg==</auth>`);
    expect(client.scrams('SCRAM-SHA-256', PASSWORD)).toMatch(/^<success/);
  });

  test('§6.4.5: the third wrong password ends the stream with policy-violation', () => {
    const client = opened(new ClientDesk());
    expect(client.scrams('SCRAM-SHA-256', 'x')).toContain('<not-authorized/>');
    expect(client.scrams('SCRAM-SHA-256-PLUS', 'y')).toContain('<not-authorized/>');
    expect(streamErrorOf(client.scrams('SCRAM-SHA-256', 'z'))).toBe('policy-violation');
  });

  test('after many wrong passwords even the right one waits, a certificate does not', () => {
    const desk = new ClientDesk();
    for (let i = 0; i < PASSWORD_FAILURES_FREE; i += 1) opened(desk).scrams('SCRAM-SHA-256', 'x');
    const client = opened(desk);
    expect(client.scrams('SCRAM-SHA-256', PASSWORD)).toContain('<temporary-auth-failure/>');
    expect(client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`)).toMatch(/^<success/);
    desk.advance(1_000);
    expect(opened(desk).scrams('SCRAM-SHA-256', PASSWORD)).toMatch(/^<success/);
  });

  test('§6.4.6: a from in the header that is not who logged in', () => {
    const client = overTls(new ClientDesk());
    client.opens("to='montague.lit' from='mercutio@montague.lit' version='1.0'");
    const heard = client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`);
    expect(streamErrorOf(heard)).toBe('invalid-from');
  });

  test('§4.9.3.12: a stanza before the login', () => {
    expect(streamErrorOf(opened(new ClientDesk()).says('<presence/>'))).toBe('not-authorized');
  });

  test('a certificate that was revoked since it was offered logs nobody in', () => {
    const desk = new ClientDesk();
    const client = opened(desk);
    desk.acceptsCertificate = false;
    const heard = client.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`);
    expect(streamErrorOf(heard)).toBe('not-authorized');
  });
});

describe('limits before a session is bound', () => {
  test('§4.9.3.4: a login that takes too long, at whatever step', () => {
    const desk = new ClientDesk();
    const silent = desk.connect('tcp');
    const half = overTls(desk).logsIn();
    desk.advance(60_000);
    expect(streamErrorOf(silent.heard)).toBe('connection-timeout');
    expect(streamErrorOf(half.heard)).toBe('connection-timeout');
    expect([silent.isClosed, half.isClosed]).toEqual([true, true]);
  });

  test('connections that do not log in, and connections in a time', () => {
    const desk = new ClientDesk({ limits: { negotiatingMax: 2 } });
    const [first, second, third] = [1, 2, 3].map(() => desk.connect('tcp'));
    expect(streamErrorOf(first?.heard ?? '')).toBe('resource-constraint');
    second?.loses();
    desk.connect('tcp');
    expect([first, second, third].map((client) => client?.isClosed)).toEqual([true, true, false]);

    const busy = new ClientDesk({ limits: { connectionsPerWindowMax: 3 } });
    for (let i = 0; i < 3; i += 1) busy.connect('tcp').loses();
    expect(busy.connect('tcp').isClosed).toBe(true);
    busy.advance(10_000);
    expect(busy.connect('tcp').isClosed).toBe(false);
  });

  test('whoever floods keeps nobody out who comes from somewhere else', () => {
    const desk = new ClientDesk({ limits: { negotiatingMax: 8, connectionsPerWindowMax: 20 } });
    const flooding = Array.from({ length: 30 }, () => desk.connect('tcp', tlsWith(), FAR));
    const honest = desk.connect('tcp', tlsWith(ROMEOS_CERTIFICATE), NEAR);
    for (let i = 0; i < 30; i += 1) flooding.push(desk.connect('tcp', tlsWith(), FAR));
    expect(flooding.filter(({ isClosed }) => !isClosed)).toHaveLength(7);
    honest.binds('orchard');
    expect(honest.isClosed).toBe(false);
  });

  test('wrong passwords of strangers do not lock out a client that comes from where it always does', () => {
    const desk = new ClientDesk();
    const at = (address: string) => {
      const client = desk.connect('tcp', tlsWith(), address);
      client.opens();
      return client;
    };
    expect(at(NEAR).scrams('SCRAM-SHA-256', PASSWORD)).toMatch(/^<success/);
    for (let i = 0; i < PASSWORD_FAILURES_FREE; i += 1)
      at(`${FAR}${i}`).scrams('SCRAM-SHA-256', 'x');
    expect(at(FAR).scrams('SCRAM-SHA-256', PASSWORD)).toContain('<temporary-auth-failure/>');
    expect(at(NEAR).scrams('SCRAM-SHA-256', PASSWORD)).toMatch(/^<success/);
    for (let i = 0; i < PASSWORD_FAILURES_FREE; i += 1) at(NEAR).scrams('SCRAM-SHA-256', 'x');
    expect(at(NEAR).scrams('SCRAM-SHA-256', PASSWORD)).toContain('<temporary-auth-failure/>');
  });

  test('less is taken before the login than after it', () => {
    const long = 'x'.repeat(20_000);
    const stranger = overTls(new ClientDesk());
    stranger.opens();
    expect(streamErrorOf(stranger.says(`<auth xmlns='${SASL}'>${long}</auth>`))).toBe(
      'policy-violation',
    );
    const desk = new ClientDesk();
    overTls(desk).binds('orchard').says(`<message><body>${long}</body></message>`);
    expect(desk.stanzas).toHaveLength(1);
  });
});

const NEAR = '192.0.2.1';
const FAR = '203.0.113.9';
