import { describe, expect, test } from 'vitest';
import {
  childElement,
  childElements,
  textOf,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import { condition, type VeronaClient, type VeronaPeer } from './verona.ts';

const PUBSUB = 'http://jabber.org/protocol/pubsub';
const DISCO = 'http://jabber.org/protocol/disco#info';
/** The example of XEP-0115 §5.2. */
const EXODUS =
  '<identity category="client" type="pc" name="Exodus 0.9.1"/>' +
  '<feature var="http://jabber.org/protocol/caps"/>' +
  '<feature var="http://jabber.org/protocol/disco#info"/>' +
  '<feature var="http://jabber.org/protocol/disco#items"/>' +
  '<feature var="http://jabber.org/protocol/muc"/>';

describe('personal events (XEP-0163)', () => {
  test('XEP-0172 §4.4: a nickname reaches the own clients and who sees the presence', () => {
    const { romeo, orchard, balcony } = contacts();
    const street = wanting(romeo, 'street', NICK);
    orchard.sends(
      publish(NICK, 'current', '<nick xmlns="http://jabber.org/protocol/nick">Ro</nick>'),
    );
    expect([events(street), events(balcony)]).toEqual([[`${NICK} Ro`], [`${NICK} Ro`]]);
    orchard.sends(
      publish(NICK, 'current', '<nick xmlns="http://jabber.org/protocol/nick">R</nick>'),
    );
    expect(items(balcony, NICK, 'romeo@montague.lit')).toEqual(['R']);
  });

  test('§4.3.4: who comes later gets the last item; also after a crash', () => {
    const { verona, romeo, juliet, orchard, balcony } = contacts();
    orchard.sends(
      publish(NICK, 'current', '<nick xmlns="http://jabber.org/protocol/nick">Ro</nick>'),
    );
    balcony.gets();
    romeo.crash();
    verona.connect(romeo, juliet);
    expect(events(balcony)).toEqual([`${NICK} Ro`]);
    expect(events(wanting(romeo, 'street', NICK))).toEqual([`${NICK} Ro`]);
  });

  test('XEP-0402 §3: bookmarks: many items, for the user alone, retracted one by one', () => {
    const { orchard, balcony } = contacts();
    const options = {
      'pubsub#persist_items': 'true',
      'pubsub#max_items': 'max',
      'pubsub#send_last_published_item': 'never',
      'pubsub#access_model': 'whitelist',
    };
    const room = '<conference xmlns="urn:xmpp:bookmarks:1" autojoin="true">x</conference>';
    orchard.sends(publish(BOOKMARKS, 'a@rooms.lit', room, options));
    orchard.sends(publish(BOOKMARKS, 'b@rooms.lit', room, options));
    expect(items(orchard, BOOKMARKS).length).toBe(2);
    expect([events(balcony), refusal(balcony, BOOKMARKS)]).toEqual([[], 'item-not-found']);
    orchard.gets();
    orchard.sends(
      `<iq type="set" id="r"><pubsub xmlns="${PUBSUB}"><retract node="${BOOKMARKS}">` +
        '<item id="a@rooms.lit"/></retract></pubsub></iq>',
    );
    expect(items(orchard, BOOKMARKS).length).toBe(1);
  });

  test('XEP-0060 §7.1.5: options that the node does not have: precondition-not-met', () => {
    const { orchard } = contacts();
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">Ro</nick>'));
    orchard.gets();
    orchard.sends(publish(NICK, 'x', '<nick xmlns="u:n"/>', { 'pubsub#access_model': 'open' }));
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('conflict');
  });

  test('XEP-0060 §8.4: a node is deleted', () => {
    const { romeo, orchard } = contacts();
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">Ro</nick>'));
    orchard.sends(
      `<iq type="set" id="d"><pubsub xmlns="${PUBSUB}#owner"><delete node="${NICK}"/></pubsub></iq>`,
    );
    expect(romeo.keys('pep/')).toEqual([]);
  });

  test('§4.2: own clients hear of the nodes that they want to hear of, and of no others', () => {
    const { romeo, orchard } = contacts();
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">Ro</nick>'));
    orchard.sends(publish('urn:mood', 'current', '<mood xmlns="urn:mood">sad</mood>'));
    const street = wanting(romeo, 'street', 'urn:mood');
    expect(events(street)).toEqual(['urn:mood sad']);
    const square = romeo.client('square');
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">R</nick>'));
    orchard.sends(publish('urn:mood', 'current', '<mood xmlns="urn:mood">glad</mood>'));
    expect([events(street), events(square)]).toEqual([['urn:mood glad'], []]);
  });

  test('§4.2, §4.3.4: of clients of contacts those that want it, each at its full JID', () => {
    const { juliet, orchard, balcony } = contacts();
    orchard.sends('<presence type="subscribe" to="juliet@capulet.lit"/>');
    balcony.sends('<presence type="subscribed" to="romeo@montague.lit"/>');
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">Ro</nick>'));
    balcony.gets();
    const chamber = wanting(juliet, 'chamber', NICK);
    expect([events(chamber), events(balcony)]).toEqual([[`${NICK} Ro`], []]);
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">R</nick>'));
    const [told] = chamber.getsMessages();
    expect(told?.attributes.get('to')).toBe('juliet@capulet.lit/chamber');
    expect(balcony.getsMessages()).toEqual([]);
  });

  test('XEP-0115 §8: what a hash proves is asked for once, and what it does not, each time', () => {
    const { romeo } = contacts();
    const proved = '<presence><c xmlns="http://jabber.org/protocol/caps" hash="sha-1" ';
    const exodus = `${proved}node="exodus" ver="QgayPKawpkPSDYmwT/WM94uAlu0="/></presence>`;
    const first = romeo.login('first');
    first.sends(exodus);
    const asked = discoQueries(first);
    expect(asked.map(({ attributes }) => attributes.get('from'))).toEqual(['romeo@montague.lit']);
    for (const query of asked) first.sends(discoAnswer(query, EXODUS));
    const second = romeo.login('second');
    second.sends(exodus);
    expect(discoQueries(second)).toEqual([]);
    for (const resource of ['third', 'fourth']) {
      const client = romeo.login(resource);
      client.sends(exodus.replace('Qgay', 'Lies'));
      const queries = discoQueries(client);
      expect(queries.length).toBe(1);
      for (const query of queries) client.sends(discoAnswer(query, EXODUS));
    }
  });

  test('XEP-0060 §8.1, §8.2: a node is made, shown with its options, and configured', () => {
    const { romeo, orchard, balcony } = contacts();
    const secret = form({ 'pubsub#access_model': 'whitelist', 'pubsub#max_items': '2' });
    const create = `<create node="urn:n"/><configure>${secret}</configure>`;
    orchard.sends(`<iq type="set" id="c"><pubsub xmlns="${PUBSUB}">${create}</pubsub></iq>`);
    for (const id of ['a', 'b', 'c']) orchard.sends(publish('urn:n', id, '<x xmlns="u:x"/>'));
    expect([items(orchard, 'urn:n').length, refusal(balcony, 'urn:n')]).toEqual([
      2,
      'item-not-found',
    ]);
    const shown = asOwner(orchard, 'get', '<configure node="urn:n"/>');
    expect(options(shown)).toMatchObject({
      FORM_TYPE: `${PUBSUB}#node_config`,
      'pubsub#access_model': 'whitelist',
      'pubsub#max_items': '2',
    });
    const open = form({ 'pubsub#access_model': 'open', 'pubsub#max_items': '1' });
    asOwner(orchard, 'set', `<configure node="urn:n">${open}</configure>`);
    romeo.crash();
    const street = romeo.login('street');
    expect(options(asOwner(street, 'get', '<configure node="urn:n"/>'))).toMatchObject({
      'pubsub#access_model': 'open',
      'pubsub#max_items': '1',
    });
    expect(items(street, 'urn:n').length).toBe(1);
  });

  test.each([
    ['set', `<configure node="urn:n">${form({ 'pubsub#access_model': 'roster' })}</configure>`],
    ['set', `<configure node="urn:n">${form({ 'pubsub#unheard_of': '1' })}</configure>`],
    ['set', '<configure node="urn:n"/>'],
    ['get', '<configure node="urn:none"/>'],
    ['get', '<affiliations node="urn:n"/>'],
  ] as const)('XEP-0060 §8.2: what no node here has is refused: %s %s', (type, action) => {
    const { orchard } = contacts();
    orchard.sends(publish('urn:n', 'a', '<x xmlns="u:x"/>'));
    const answer = asOwner(orchard, type, action);
    expect(answer && condition(answer)).toMatch(
      /^(not-acceptable|item-not-found|feature-not-implemented)$/,
    );
  });

  test('XEP-0060 §8.3: how a node is without being configured', () => {
    const { orchard } = contacts();
    const answer = asOwner(orchard, 'get', '<default/>');
    expect(options(answer)).toMatchObject({ 'pubsub#access_model': 'presence' });
  });

  test('nobody else configures', () => {
    const { orchard, balcony } = contacts();
    orchard.sends(publish('urn:n', 'a', '<x xmlns="u:x"/>'));
    const answer = asOwner(balcony, 'get', '<configure node="urn:n"/>', 'romeo@montague.lit');
    expect(answer && condition(answer)).toBe('forbidden');
  });

  test('nobody else publishes', () => {
    const { romeo, balcony } = contacts();
    const iq = publish(NICK, 'current', '<nick xmlns="u:n">no</nick>');
    balcony.sends(iq.replace('<iq ', '<iq to="romeo@montague.lit" '));
    const [error] = balcony.gets();
    expect(error && condition(error)).toBe('forbidden');
    expect(romeo.keys('pep/')).toEqual([]);
  });

  test('what one own device takes, the others take too', () => {
    const { verona, romeo, orchard } = contacts();
    const phone = verona.peer('romeo@montague.lit');
    verona.connect(romeo, phone);
    const pocket = wanting(phone, 'pocket', NICK);
    orchard.sends(publish(NICK, 'current', '<nick xmlns="u:n">Ro</nick>'));
    expect(events(pocket)).toEqual([`${NICK} Ro`]);
    expect(phone.keys('pep/')).toEqual(romeo.keys('pep/'));
  });

  test('XEP-0054 §3.1: there is no vCard', () => {
    const { orchard } = contacts();
    orchard.gets();
    orchard.sends('<iq type="get" id="v"><vCard xmlns="vcard-temp"/></iq>');
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('item-not-found');
  });
});

/** Juliet sees Romeo's presence. */
function contacts() {
  const all = lovers();
  const { orchard, balcony } = all;
  balcony.sends('<presence type="subscribe" to="romeo@montague.lit"/>');
  orchard.sends('<presence type="subscribed" to="juliet@capulet.lit"/>');
  balcony.gets();
  orchard.gets();
  return all;
}

/** A client whose capabilities (XEP-0115) say that it wants to hear of these nodes. */
function wanting(peer: VeronaPeer, resource: string, ...nodes: string[]): VeronaClient {
  const client = peer.login(resource);
  const caps = `hash="none" node="urn:client" ver="${resource}"`;
  client.sends(`<presence><c xmlns="http://jabber.org/protocol/caps" ${caps}/></presence>`);
  // Its peer asks, and the peer of each contact that it sees.
  const features = nodes.map((node) => `<feature var="${node}+notify"/>`).join('');
  for (const query of discoQueries(client)) client.sends(discoAnswer(query, features));
  return client;
}

function discoQueries(client: VeronaClient): XmppElement[] {
  return client.gets().filter((stanza) => childElement(stanza, 'query', DISCO) !== undefined);
}

function discoAnswer(query: XmppElement, features: string): string {
  const { attributes } = query;
  return (
    `<iq type="result" id="${attributes.get('id')}" to="${attributes.get('from')}">` +
    `<query xmlns="${DISCO}">${features}</query></iq>`
  );
}

function publish(
  node: string,
  id: string,
  payload: string,
  options: Record<string, string> = {},
): string {
  const fields = Object.entries({ FORM_TYPE: `${PUBSUB}#publish-options`, ...options }).map(
    ([name, value]) => `<field var="${name}"><value>${value}</value></field>`,
  );
  const form = `<x xmlns="jabber:x:data" type="submit">${fields.join('')}</x>`;
  const wanted =
    Object.keys(options).length === 0 ? '' : `<publish-options>${form}</publish-options>`;
  return (
    `<iq type="set" id="p"><pubsub xmlns="${PUBSUB}"><publish node="${node}">` +
    `<item id="${id}">${payload}</item></publish>${wanted}</pubsub></iq>`
  );
}

/** The events that a client got: node and text. */
function events(client: VeronaClient): string[] {
  return client.getsMessages().flatMap((message) => {
    const event = childElement(message, 'event', `${PUBSUB}#event`);
    const changed = event && childElements(event)[0];
    return changed === undefined ? [] : [`${changed.attributes.get('node')} ${deepText(changed)}`];
  });
}

function items(client: VeronaClient, node: string, to = ''): string[] {
  const answer = ask(client, node, to);
  const pubsub = answer && childElement(answer, 'pubsub', PUBSUB);
  const list = pubsub && childElement(pubsub, 'items', PUBSUB);
  return list === undefined ? [] : childElements(list).map(deepText);
}

function refusal(client: VeronaClient, node: string): string | undefined {
  const answer = ask(client, node, 'romeo@montague.lit');
  return answer && condition(answer);
}

function ask(client: VeronaClient, node: string, to: string): XmppElement | undefined {
  client.gets();
  const address = to === '' ? '' : `to="${to}"`;
  client.sends(
    `<iq type="get" id="g" ${address}><pubsub xmlns="${PUBSUB}"><items node="${node}"/></pubsub></iq>`,
  );
  return client.gets().find(({ name }) => name === 'iq');
}

function form(fields: Record<string, string>): string {
  const all = Object.entries({ FORM_TYPE: `${PUBSUB}#node_config`, ...fields });
  const shown = all.map(([name, value]) => `<field var="${name}"><value>${value}</value></field>`);
  return `<x xmlns="jabber:x:data" type="submit">${shown.join('')}</x>`;
}

function asOwner(
  client: VeronaClient,
  type: string,
  action: string,
  to = '',
): XmppElement | undefined {
  client.gets();
  const address = to === '' ? '' : `to="${to}"`;
  const pubsub = `<pubsub xmlns="${PUBSUB}#owner">${action}</pubsub>`;
  client.sends(`<iq type="${type}" id="o" ${address}>${pubsub}</iq>`);
  return client.gets().find(({ name }) => name === 'iq');
}

/** The fields of the form in an answer to the owner. */
function options(answer: XmppElement | undefined): Record<string, string> {
  const pubsub = answer && childElement(answer, 'pubsub', `${PUBSUB}#owner`);
  const [action] = pubsub === undefined ? [] : childElements(pubsub);
  const x = action && childElement(action, 'x', 'jabber:x:data');
  const fields = x === undefined ? [] : childElements(x);
  return Object.fromEntries(
    fields.map((field) => {
      const value = childElement(field, 'value', 'jabber:x:data');
      return [field.attributes.get('var') ?? '', value === undefined ? '' : textOf(value)];
    }),
  );
}

function deepText(given: XmppElement): string {
  return textOf(given) + childElements(given).map(deepText).join('');
}

const NICK = 'http://jabber.org/protocol/nick';
const BOOKMARKS = 'urn:xmpp:bookmarks:1';
