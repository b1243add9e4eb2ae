import { describe, expect, test } from 'vitest';
import {
  childElement,
  childElements,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import { condition } from './verona.ts';

describe('requests and answers (RFC 6120 §8.2.3, §10)', () => {
  test('XEP-0199 §4: the peer answers a ping, as the account and as the server', () => {
    const { orchard } = lovers();
    for (const to of ['', 'to="romeo@montague.lit"', 'to="montague.lit"']) {
      orchard.sends(`<iq type="get" id="p" ${to}><ping xmlns="urn:xmpp:ping"/></iq>`);
      const [answer] = orchard.gets();
      expect([answer?.attributes.get('type'), answer?.attributes.get('id')]).toEqual([
        'result',
        'p',
      ]);
    }
  });

  test('RFC 6120 §10.3.3: an unknown request is answered with service-unavailable', () => {
    const { orchard } = lovers();
    orchard.sends('<iq type="get" id="u"><query xmlns="urn:nobody:knows"/></iq>');
    expect(conditionOf(orchard.gets()[0])).toBe('service-unavailable');
  });

  test.each([
    ['no id', '<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>'],
    ['no type', '<iq id="x"><ping xmlns="urn:xmpp:ping"/></iq>'],
    ['another type', '<iq id="x" type="ask"><ping xmlns="urn:xmpp:ping"/></iq>'],
    ['no child', '<iq id="x" type="get"/>'],
    ['two children', '<iq id="x" type="get"><a xmlns="u:a"/><b xmlns="u:b"/></iq>'],
  ])('RFC 6120 §8.2.3: %s: bad-request', (_name, iq) => {
    const { orchard } = lovers();
    orchard.sends(iq);
    expect(conditionOf(orchard.gets()[0])).toBe('bad-request');
  });

  test('RFC 6121 §8.5.3: a request to her client, and its answer', () => {
    const { orchard, balcony } = lovers();
    orchard.sends(ask('juliet@capulet.lit/balcony'));
    const [request] = balcony.gets();
    expect(request?.attributes.get('from')).toBe('romeo@montague.lit/orchard');
    balcony.sends('<iq type="result" id="q" to="romeo@montague.lit/orchard"/>');
    expect(orchard.gets().map(({ attributes }) => attributes.get('from'))).toEqual([
      'juliet@capulet.lit/balcony',
    ]);
  });

  test('an answer that nobody asked for goes nowhere', () => {
    const { orchard, balcony } = lovers();
    balcony.sends('<iq type="result" id="q" to="romeo@montague.lit/orchard"/>');
    expect(orchard.gets()).toEqual([]);
  });

  test('RFC 6121 §8.5.3.2.3: to a client that is not there: service-unavailable', () => {
    const { orchard } = lovers();
    orchard.sends(ask('juliet@capulet.lit/tomb'));
    expect(conditionOf(orchard.gets()[0])).toBe('service-unavailable');
  });

  test('a resource at one of two devices is found, the other one’s refusal is not passed on', () => {
    const { verona, romeo, orchard } = lovers();
    const tablet = verona.peer('juliet@capulet.lit');
    const garden = tablet.client('garden');
    verona.connect(romeo, tablet);
    orchard.sends(ask('juliet@capulet.lit/garden'));
    expect(orchard.gets()).toEqual([]);
    garden.sends('<iq type="result" id="q" to="romeo@montague.lit/orchard"/>');
    expect(orchard.gets().map(({ attributes }) => attributes.get('type'))).toEqual(['result']);
  });

  test('RFC 6120 §8.3.3.17: no answer in time: remote-server-timeout', () => {
    const { verona, orchard, balcony } = lovers();
    orchard.sends(ask('juliet@capulet.lit/balcony'));
    verona.passes(61_000);
    expect(conditionOf(orchard.gets()[0])).toBe('remote-server-timeout');
    balcony.sends('<iq type="result" id="q" to="romeo@montague.lit/orchard"/>');
    expect(orchard.gets()).toEqual([]);
  });

  test('RFC 6120 §8.3.3.16: somebody who is not in the overlay: remote-server-not-found', () => {
    const { romeo, orchard } = lovers();
    orchard.sends(ask('nurse@capulet.lit/kitchen'));
    const [nurse] = romeo.streams.reached.slice(-1);
    expect(nurse).toBe('nurse@capulet.lit');
    romeo.turn(() => nurse && romeo.router.addressTried(nurse, 0, 0, 'there is no location'));
    expect(conditionOf(orchard.gets()[0])).toBe('remote-server-not-found');
    orchard.sends(ask('conference.capulet.lit'));
    expect(conditionOf(orchard.gets()[0])).toBe('remote-server-not-found');
  });

  test('she is found only then: the request goes to her', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    verona.cut(romeo, juliet);
    orchard.sends(ask('juliet@capulet.lit/balcony'));
    verona.connect(romeo, juliet);
    expect(balcony.gets().filter(({ name }) => name === 'iq').length).toBe(1);
  });

  test('the stream is lost before the answer: remote-server-timeout at once', () => {
    const { verona, romeo, juliet, orchard } = lovers();
    orchard.sends(ask('juliet@capulet.lit/balcony'));
    verona.cut(romeo, juliet);
    expect(conditionOf(orchard.gets()[0])).toBe('remote-server-timeout');
  });

  test('XEP-0198 §4: a request that its client never acknowledged is answered for it', () => {
    const { orchard, balcony } = lovers();
    orchard.sends(ask('juliet@capulet.lit/balcony'));
    balcony.leaves(balcony.gets());
    expect(conditionOf(orchard.gets()[0])).toBe('service-unavailable');
  });
});

describe('service discovery (XEP-0030)', () => {
  test('§3: the server and the account say what is there', () => {
    const { orchard } = lovers();
    orchard.sends(info('montague.lit'));
    const server = orchard.gets()[0];
    expect(childrenOf(server, 'identity')).toEqual(['server/im']);
    expect(childrenOf(server, 'feature')).toContain('urn:xmpp:ping');
    orchard.sends(info('romeo@montague.lit'));
    const account = orchard.gets()[0];
    expect(childrenOf(account, 'identity')).toContain('account/registered');
    expect(childrenOf(account, 'feature')).toContain('urn:xmpp:carbons:2');
  });

  test('§3: every namespace that is told is answered', () => {
    const { orchard } = lovers();
    orchard.sends(info('romeo@montague.lit'));
    for (const feature of childrenOf(orchard.gets()[0], 'feature')) {
      if (FORMATS.has(feature) || feature.includes('/pubsub#')) continue;
      orchard.sends(`<iq type="get" id="f"><query xmlns="${feature}"/></iq>`);
      expect([feature, conditionOf(orchard.gets()[0])]).not.toEqual([
        feature,
        'service-unavailable',
      ]);
    }
  });

  test('§8: the clients are told to who may see the presence, and to nobody else', () => {
    const { orchard, balcony } = lovers();
    const items = '<query xmlns="http://jabber.org/protocol/disco#items"/>';
    balcony.sends(`<iq type="get" id="i" to="romeo@montague.lit">${items}</iq>`);
    expect(conditionOf(balcony.gets()[0])).toBe('service-unavailable');
    balcony.sends('<presence type="subscribe" to="romeo@montague.lit"/>');
    orchard.sends('<presence type="subscribed" to="juliet@capulet.lit"/>');
    balcony.gets();
    balcony.sends(`<iq type="get" id="i" to="romeo@montague.lit">${items}</iq>`);
    const [answer] = balcony.gets();
    const query = answer && childElements(answer)[0];
    expect(query && childElements(query).map(({ attributes }) => attributes.get('jid'))).toEqual([
      'romeo@montague.lit/orchard',
    ]);
  });
});

function ask(to: string): string {
  return `<iq type="get" id="q" to="${to}"><query xmlns="jabber:iq:version"/></iq>`;
}

function info(to: string): string {
  const query = '<query xmlns="http://jabber.org/protocol/disco#info"/>';
  return `<iq type="get" id="d" to="${to}">${query}</iq>`;
}

function conditionOf(stanza: XmppElement | undefined): string | undefined {
  return stanza && condition(stanza);
}

/** Identities as category/type, features by name. */
function childrenOf(answer: XmppElement | undefined, name: string): string[] {
  const query = answer && childElement(answer, 'query', 'http://jabber.org/protocol/disco#info');
  const found = query === undefined ? [] : childElements(query).filter((one) => one.name === name);
  return found.map(({ attributes }) =>
    name === 'feature'
      ? String(attributes.get('var'))
      : `${attributes.get('category')}/${attributes.get('type')}`,
  );
}

/** Features that are formats inside others, not requests of their own. */
const FORMATS: ReadonlySet<string> = new Set([
  'http://jabber.org/protocol/rsm',
  'jabber:x:data',
  'urn:xmpp:sid:0',
]);
