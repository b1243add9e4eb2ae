/** The client's side of XEP-0417 §6, with an honest authority. */
import { describe, expect, it } from 'vitest';
import { testNodeId } from '../../../sim/certificates/certificate-maker.ts';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { octetsOf, X509_NAMESPACE } from '../../../src/xmpp/x509/x509-element.ts';
import { AUTHORITY, ExchangeWorld, PAGE, SIGNING_REQUEST, USER } from './exchange-world.ts';

describe('XEP-0417 §6.1: the request', () => {
  it('is an IQ get to the authority, with the request, the device and a transaction', () => {
    const { request, content } = new ExchangeWorld({ name: 'My Second Phone' });
    expect(request.attributes.get('type')).toBe('get');
    expect(request.attributes.get('to')).toBe(AUTHORITY);
    expect(content.attributes.get('name')).toBe('My Second Phone');
    expect(octetsOf(content)).toEqual(SIGNING_REQUEST);
  });

  it('its transaction has letters and digits alone, 64 at most: the authority signs it', () => {
    expect(new ExchangeWorld().transaction).toMatch(/^[A-Za-z0-9]{16,64}$/);
  });

  it('another transaction has another id and another transaction', () => {
    const [one, two] = [new ExchangeWorld({ seed: 1 }), new ExchangeWorld({ seed: 2 })];
    expect(one.id).not.toBe(two.id);
    expect(one.transaction).not.toBe(two.transaction);
    expect(one.content.children).toEqual(two.content.children);
  });
});

describe('XEP-0417 §6.2: the challenge', () => {
  it('its page is shown once, however often it comes', () => {
    const world = new ExchangeWorld();
    world.comes(world.challenge());
    world.comes(world.challenge());
    expect(world.pages).toEqual([PAGE]);
    expect(world.end).toBeUndefined();
  });

  it('the user has more time than the authority', () => {
    const world = new ExchangeWorld();
    world.comes(world.challenge());
    world.nowMs += 600_000;
    world.do({ type: 'tick' });
    expect(world.end).toBeUndefined();
    world.comes(world.response(world.issued()));
    expect(world.end).toBe('issued');
  });

  it('further pages give no further time', () => {
    const world = new ExchangeWorld();
    world.comes(world.challenge());
    world.nowMs += 1_799_000;
    world.comes(world.challenge({ uri: `${PAGE}/2` }));
    world.nowMs += 1_000;
    world.do({ type: 'tick' });
    expect(world.end).toBe('timeout');
  });

  for (const uri of [
    'http://ca.shakespeare.lit/csr',
    'javascript:alert(1)',
    'https://user:secret@ca.shakespeare.lit/',
    'https:///csr',
    'https://ca.shakespeare.lit/\u001b[2J',
    'https://ca.shakespeare.lit/a b',
    `https://ca.shakespeare.lit/${'x'.repeat(2_048)}`,
  ]) {
    it(`a page that is no plain HTTPS URL is not shown: ${JSON.stringify(uri.slice(0, 50))}`, () => {
      const world = new ExchangeWorld();
      world.comes(world.challenge({ uri }));
      expect(world.refusals).toEqual(['challenge-uri']);
      expect(world.pages).toEqual([]);
    });
  }
});

describe('XEP-0417 §6.3: the response', () => {
  it('a chain of the own key and address, from the authority that was asked, is taken', () => {
    const world = new ExchangeWorld();
    const chain = world.issued({ nodeId: testNodeId(7) });
    const [output] = world.comes(world.response([...chain, world.root.certificate]));
    expect(output).toMatchObject({
      type: 'issued',
      node: { userName: USER, nodeId: testNodeId(7), chain },
    });
  });

  const bad: readonly [name: string, content: ReturnType<typeof element>[]][] = [
    ['nothing', []],
    ['an empty chain', [element('x509-cert-chain', X509_NAMESPACE)]],
    ['another element', [element('query', 'jabber:iq:roster')]],
    [
      'a certificate that is not base64',
      [
        element('x509-cert-chain', X509_NAMESPACE, {}, [
          element('x509-cert', X509_NAMESPACE, {}, ['%%%']),
        ]),
      ],
    ],
    [
      'a certificate that is not DER',
      [
        element('x509-cert-chain', X509_NAMESPACE, {}, [
          element('x509-cert', X509_NAMESPACE, {}, ['AAAA']),
        ]),
      ],
    ],
  ];
  for (const [name, content] of bad) {
    it(`a response with ${name} ends the transaction for good`, () => {
      const world = new ExchangeWorld();
      const [output] = world.comes(world.answer('result', content));
      expect(output).toMatchObject({
        type: 'failed',
        failure: { code: 'malformed-response', isTemporary: false },
      });
    });
  }
});

describe('XEP-0417 §6.4, §6.5: errors and timeouts', () => {
  it('an error of the type wait is temporary', () => {
    const world = new ExchangeWorld();
    const [output] = world.comes(world.error('wait', 'resource-constraint'));
    expect(output).toMatchObject({ failure: { code: 'error-answer', isTemporary: true } });
  });

  for (const condition of ['gone', 'redirect']) {
    it(`<${condition}/> is permanent whatever its type, and its URI is not looked at`, () => {
      const world = new ExchangeWorld();
      const evil = 'xmpp:ca.evil.lit';
      const [output] = world.comes(
        world.answer('error', [
          element('error', 'jabber:client', { type: 'wait' }, [
            element(condition, 'urn:ietf:params:xml:ns:xmpp-stanzas', {}, [evil]),
          ]),
        ]),
      );
      expect(output).toMatchObject({ failure: { code: 'error-answer', isTemporary: false } });
      expect(JSON.stringify(output)).not.toContain(evil);
    });
  }

  it('a failed challenge is told as such, and is permanent', () => {
    const world = new ExchangeWorld();
    world.comes(world.challenge());
    const failed = element('x509-challenge-failed', X509_NAMESPACE);
    const [output] = world.comes(world.error('auth', 'forbidden', [failed]));
    expect(output).toMatchObject({ failure: { code: 'challenge-failed', isTemporary: false } });
  });

  it('no answer in time is a temporary failure', () => {
    const world = new ExchangeWorld();
    const [output] = world.waits();
    expect(output).toMatchObject({ failure: { code: 'timeout', isTemporary: true } });
  });

  it('a connection that ends is a temporary failure', () => {
    const world = new ExchangeWorld();
    const [output] = world.do({ type: 'lost', reason: 'the server has gone' });
    expect(output).toMatchObject({ failure: { code: 'lost', isTemporary: true } });
  });
});
