import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { BIND_FEATURES, HEADER, mechanismFeatures, ServerDesk, TLS_13 } from './server-desk.ts';

const STARTTLS =
  "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

function clear(): ServerDesk {
  const desk = new ServerDesk();
  desk.do({ type: 'connected', tls: undefined });
  return desk;
}

describe('RFC 7590 §3.1, RFC 6120 §5: TLS before anything else', () => {
  it('the header in the clear names the server and not the account', () => {
    const sent = new ServerDesk().do({ type: 'connected', tls: undefined });
    expect(sent).toContain('to="capulet.example"');
    expect(sent).not.toContain('juliet');
  });

  it('asks for TLS, and begins anew over it', () => {
    const desk = clear();
    expect(desk.says(`${HEADER}${STARTTLS}`)).toContain('<starttls');
    desk.says(PROCEED);
    expect(desk.outputs.at(-1)).toEqual({ type: 'startTls' });
    expect(desk.do({ type: 'tlsUp', tls: TLS_13 })).toContain('from="juliet@capulet.example"');
  });

  it('without the offer nothing is said: somebody may have taken it away', () => {
    const desk = clear();
    const sent = desk.says(`${HEADER}${mechanismFeatures('PLAIN', 'SCRAM-SHA-256')}`);
    expect(sent).toBe('</stream:stream>');
    expect(desk.failure?.code).toBe('no-tls');
  });

  it('a refusal to begin it ends the connection', () => {
    const desk = clear();
    desk.says(`${HEADER}${STARTTLS}`);
    desk.says("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    expect(desk.failure?.code).toBe('no-tls');
  });

  it('what is said in the clear behind <proceed/> ends the connection', () => {
    const desk = clear();
    desk.says(`${HEADER}${STARTTLS}`);
    desk.says(`${PROCEED}${HEADER}${BIND_FEATURES}`);
    expect(desk.failure?.code).toBe('no-tls');
    expect(desk.outputs.some(({ type }) => type === 'startTls')).toBe(false);
  });
});

describe('RFC 6120 §6: the choice of the mechanism', () => {
  it('PLAIN is never used', () => {
    const desk = new ServerDesk();
    desk.offers('PLAIN', 'X-OAUTH2', 'DIGEST-MD5');
    expect(desk.failure?.code).toBe('mechanism');
    expect(desk.failure?.reason).toContain('offered is PLAIN, X-OAUTH2, DIGEST-MD5');
  });

  it.each([
    [
      ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'],
      'SCRAM-SHA-256-PLUS',
      'p=tls-exporter,,',
    ],
    [['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256'], 'SCRAM-SHA-1-PLUS', 'p=tls-exporter,,'],
    [['SCRAM-SHA-1', 'PLAIN', 'SCRAM-SHA-256'], 'SCRAM-SHA-256', 'y,,'],
    [['PLAIN', 'SCRAM-SHA-1', 'EXTERNAL'], 'SCRAM-SHA-1', 'y,,'],
  ])('of %j it takes %s', (offered, mechanism, gs2Header) => {
    const sent = new ServerDesk().offers(...offered);
    const [, name, data = ''] = /<auth[^>]* mechanism="([^"]+)">([^<]+)</.exec(sent) ?? [];
    expect(name).toBe(mechanism);
    expect(Buffer.from(data, 'base64').toString()).toMatch(new RegExp(`^${gs2Header}n=juliet,r=`));
  });

  it('XEP-0440: without a binding that both know it is SCRAM without one, and says so', () => {
    const desk = new ServerDesk();
    desk.do({ type: 'connected', tls: TLS_13 });
    const features = mechanismFeatures('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256').replace(
      '</stream:features>',
      "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-unique'/>" +
        '</sasl-channel-binding></stream:features>',
    );
    const sent = desk.says(`${HEADER}${features}`);
    const [, data = ''] = /mechanism="SCRAM-SHA-256">([^<]+)</.exec(sent) ?? [];
    expect(Buffer.from(data, 'base64').toString()).toMatch(/^n,,/);
  });

  it('XEP-0178: EXTERNAL with a certificate, by name where the certificate does not tell', () => {
    const named = new ServerDesk({ certificate: 'names-account' });
    expect(named.offers('SCRAM-SHA-1', 'EXTERNAL')).toContain('mechanism="EXTERNAL">=<');
    const other = new ServerDesk({ certificate: 'names-another' });
    const identity = Buffer.from('juliet@capulet.example').toString('base64');
    expect(other.offers('EXTERNAL')).toContain(`mechanism="EXTERNAL">${identity}<`);
  });

  it('where the certificate is refused the password follows', () => {
    const desk = new ServerDesk({ certificate: 'names-account', password: 'r0meo' });
    desk.offers('SCRAM-SHA-1', 'EXTERNAL');
    const sent = desk.says(`<failure ${SASL}><not-authorized/></failure>`);
    expect(sent).toContain('mechanism="SCRAM-SHA-1"');
    desk.says(`<failure ${SASL}><not-authorized/><text>No such thing.</text></failure>`);
    expect(desk.failure).toEqual({
      code: 'credentials',
      condition: 'not-authorized',
      reason:
        'capulet.example refuses the password for juliet@capulet.example: ' +
        'not-authorized ("No such thing.")',
    });
  });
});

describe('RFC 5802 §5: the server proves that it knows the password', () => {
  it('a success without a proof is none', () => {
    const desk = new ServerDesk();
    desk.offers('SCRAM-SHA-256');
    desk.says(`<success ${SASL}/>`);
    expect(desk.failure?.code).toBe('protocol');
    expect(desk.failure?.reason).toContain('did not prove');
  });

  it('a challenge with another nonce, and one with a single iteration', () => {
    for (const challenge of ['r=other,s=AAAA,i=4096', 'r=other,s=AAAA,i=1']) {
      const desk = new ServerDesk();
      desk.offers('SCRAM-SHA-256');
      const data = Buffer.from(challenge).toString('base64');
      expect(desk.says(`<challenge ${SASL}>${data}</challenge>`)).toBe('</stream:stream>');
      expect(desk.failure?.code).toBe('protocol');
    }
  });

  it('a wrong signature ends the login', () => {
    const desk = new ServerDesk();
    const sent = desk.offers('SCRAM-SHA-256');
    const [, first = ''] = /mechanism="SCRAM-SHA-256">([^<]+)</.exec(sent) ?? [];
    const [, nonce] = /r=(.+)$/.exec(Buffer.from(first, 'base64').toString()) ?? [];
    const challenge = Buffer.from(`r=${nonce}more,s=AAAA,i=4096`).toString('base64');
    expect(desk.says(`<challenge ${SASL}>${challenge}</challenge>`)).toContain('<response');
    const wrong = Buffer.from('v=AAAA').toString('base64');
    desk.says(`<success ${SASL}>${wrong}</success>`);
    expect(desk.failure?.reason).toBe('the server does not know the password');
    expect(desk.isReady).toBe(false);
  });
});

describe('RFC 6120 §7: binding', () => {
  it('a bound address of another account is refused', () => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.offers('EXTERNAL');
    desk.says(`<success ${SASL}/>`);
    const [, id = ''] = /id="([0-9a-f]+)"/.exec(desk.says(`${HEADER}${BIND_FEATURES}`)) ?? [];
    desk.says(
      `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        '<jid>romeo@capulet.example/x</jid></bind></iq>',
    );
    expect(desk.failure?.reason).toContain('but the server bound romeo@capulet.example/x');
  });

  it('nothing is taken for a stanza before', () => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.offers('EXTERNAL');
    desk.says(`<success ${SASL}/>`);
    desk.says(`${HEADER}${BIND_FEATURES}<message from='romeo@montague.example'/>`);
    expect(desk.outputs.some(({ type }) => type === 'stanza')).toBe(false);
    expect(desk.failure?.code).toBe('protocol');
  });
});

describe('a server that does not answer', () => {
  const steps: [string, (desk: ServerDesk) => void][] = [
    ['opened its stream', (desk) => desk.do({ type: 'connected', tls: TLS_13 })],
    [
      'said what it offers',
      (desk) => {
        desk.do({ type: 'connected', tls: TLS_13 });
        desk.says(HEADER);
      },
    ],
    [
      'answered the request for TLS',
      (desk) => {
        desk.do({ type: 'connected', tls: undefined });
        desk.says(`${HEADER}${STARTTLS}`);
      },
    ],
    ['gone on with the login', (desk) => desk.offers('EXTERNAL')],
    [
      'bound a resource',
      (desk) => {
        desk.offers('EXTERNAL');
        desk.says(`<success ${SASL}/>`);
        desk.says(`${HEADER}${BIND_FEATURES}`);
      },
    ],
  ];

  it.each(steps)('has not %s: the connection ends, also when it dribbles spaces', (what, go) => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    go(desk);
    desk.pass(6_000);
    desk.says(' ');
    desk.pass(3_999);
    expect(desk.failure).toBeUndefined();
    desk.pass(1);
    expect(desk.failure?.code).toBe('timeout');
    expect(desk.failure?.reason).toBe(`capulet.example has not ${what} within 10 s`);
    expect(desk.hasDeadline).toBe(false);
  });

  it('XEP-0199: a silent one is asked, and what it sends is enough; then the stream ends', () => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.logIn();
    expect(desk.isReady).toBe(true);
    const ping = desk.pass(60_000);
    expect(ping).toContain('<ping xmlns="urn:xmpp:ping"/>');
    desk.says('<message/>');
    expect(desk.pass(59_999)).toBe('');
    expect(desk.pass(20_000)).toContain('urn:xmpp:ping');
    desk.pass(1);
    expect(desk.failure?.reason).toBe('capulet.example has been silent for 80 s');
  });

  it('a request ends with a sentence, and so do all when the connection ends', () => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.logIn();
    const payload = element('query', 'urn:example');
    for (const [request, timeoutMs] of [
      [1, 5_000],
      [2, 90_000],
    ] as const) {
      const content = { to: 'montague.example', type: 'get', payload, timeoutMs } as const;
      desk.do({ type: 'request', request, content });
    }
    desk.pass(5_000);
    const reason = 'montague.example has not answered within 5 s';
    expect(desk.outputs.at(-1)).toMatchObject({ request: 1, outcome: { reason } });
    desk.says('</stream:stream>');
    const answers = desk.outputs.filter(({ type }) => type === 'answer');
    expect(answers).toHaveLength(2);
    expect(answers[1]).toMatchObject({
      outcome: { reason: 'capulet.example has ended the stream' },
    });
  });
});

describe('RFC 6120 §8.1.2.1: an answer comes from whom was asked', () => {
  it.each([
    ['montague.example', "from='montague.example'", true],
    ['montague.example', '', false],
    ['montague.example', "from='capulet.example'", false],
    ['montague.example', "from='romeo@montague.example'", false],
    [undefined, '', true],
    [undefined, "from='juliet@capulet.example'", true],
    [undefined, "from='capulet.example'", true],
    [undefined, "from='romeo@montague.example'", false],
    ['capulet.example', '', true],
    ['capulet.example', "from='capulet.example'", true],
    ['juliet@capulet.example', '', true],
    ['juliet@capulet.example', "from='montague.example'", false],
  ])('asked is %s, the answer has %s: %s', (to, from, isAnswer) => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.logIn();
    const payload = element('query', 'urn:example');
    const content = { to, type: 'get', payload, timeoutMs: 5_000 } as const;
    const [, id = ''] =
      /id="([0-9a-f]+)"/.exec(desk.do({ type: 'request', request: 1, content })) ?? [];
    desk.says(`<iq type='result' id='${id}' ${from}/>`);
    expect(desk.outputs.some(({ type }) => type === 'answer')).toBe(isAnswer);
  });
});

describe('whatever a server sends', () => {
  it('RFC 6120 §4.9: a stream error ends it with the condition and the text', () => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.logIn();
    desk.says(
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced\nby another</text></stream:error>",
    );
    expect(desk.failure).toEqual({
      code: 'stream-error',
      condition: 'conflict',
      reason: 'capulet.example has ended the stream: conflict ("Replaced by another")',
    });
  });

  const servers = HEADER.replace('jabber:client', 'jabber:server');
  it.each([
    ['a stream between servers', servers, 'invalid-namespace'],
    ['another domain', HEADER.replace('capulet', 'montague'), 'invalid-from'],
    ['no version', HEADER.replace("version='1.0' ", ''), 'unsupported-version'],
    ['a DTD', '<!DOCTYPE x>', 'restricted-xml'],
    ['crossed tags', `${HEADER}<a><b></a>`, 'not-well-formed'],
    ['a stanza before the features', `${HEADER}<message/>`, 'bad-format'],
    ['deep nesting', `${HEADER}${'<a>'.repeat(100)}`, 'policy-violation'],
    ['much before the login', `${HEADER}<a b='${'c'.repeat(20_000)}`, 'policy-violation'],
  ])('%s ends the stream', (_what, bytes, condition) => {
    const desk = new ServerDesk();
    desk.do({ type: 'connected', tls: TLS_13 });
    expect(desk.says(bytes)).toContain(`<${condition}`);
    expect(desk.failure?.condition).toBe(condition);
    expect(desk.hasDeadline).toBe(false);
    expect(desk.says(HEADER)).toBe('');
  });

  it('is no reason to throw, and the stream ends at most once', () => {
    const pieces = fc.constantFrom(
      HEADER,
      STARTTLS,
      PROCEED,
      BIND_FEATURES,
      mechanismFeatures('EXTERNAL', 'SCRAM-SHA-256'),
      `<success ${SASL}/>`,
      `<challenge ${SASL}>cj1h</challenge>`,
      `<failure ${SASL}><not-authorized/></failure>`,
      "<iq type='result' id='x'/>",
      "<iq type='get' id='y' from='a@b'><ping xmlns='urn:xmpp:ping'/></iq>",
      "<message from='@@'/>",
      '<stream:error/>',
      '</stream:stream>',
      '<r xmlns="urn:xmpp:sm:3"/>',
      '<',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), (texts) => {
        const desk = new ServerDesk({ certificate: 'names-account', password: 'r0meo' });
        desk.do({ type: 'connected', tls: TLS_13 });
        for (const text of texts) desk.says(text);
        desk.pass(1_000_000);
        expect(desk.failure).toBeDefined();
        expect(desk.hasDeadline).toBe(false);
      }),
    );
  });

  it('a server that does not read is left', () => {
    const desk = new ServerDesk({ certificate: 'names-account' });
    desk.logIn();
    desk.do({ type: 'drained', pendingBytes: 8_388_609 });
    expect(desk.failure?.reason).toContain('reads too slowly');
  });
});
