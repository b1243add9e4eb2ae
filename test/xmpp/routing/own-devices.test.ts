import { describe, expect, test } from 'vitest';
import {
  REMOVALS_KEPT_MS,
  SYNC_PAGE_ENTRIES_MAX,
} from '../../../src/xmpp/routing/routing-limits.ts';
import { childElement, childElements } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import { body, type VeronaClient, type VeronaPeer } from './verona.ts';

describe('messages that an own device missed (XEP-0415 §6.2, XEP-0313)', () => {
  test('received while it was off: in its archive and at its clients, once, with their times', () => {
    const { verona, romeo, phone, orchard } = household();
    verona.cut(romeo, phone);
    orchard.gets();
    const juliet = verona.peers[1] as VeronaPeer;
    const balcony = [...juliet.clients.values()][0] as VeronaClient;
    for (const text of ['one', 'two', 'three']) balcony.sends(to('romeo@montague.lit', text));
    verona.passes(60_000);
    const pocket = phone.client('pocket');
    expect(pocket.reads()).toEqual([]);
    verona.connect(romeo, phone);
    const got = pocket.getsMessages();
    expect(got.map(body)).toEqual(['one', 'two', 'three']);
    expect(got.every((one) => childElement(one, 'delay', 'urn:xmpp:delay') !== undefined)).toBe(
      true,
    );
    expect(archived(pocket)).toEqual(archived(orchard));
    verona.cut(romeo, phone);
    verona.connect(romeo, phone);
    expect([pocket.reads(), archived(pocket).length]).toEqual([[], 3]);
  });

  test('sent while it was off: in its archive under the same stanza-id, and as a carbon', () => {
    const { verona, romeo, phone, orchard } = household();
    const pocket = phone.client('pocket');
    pocket.sends('<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>');
    verona.cut(romeo, phone);
    orchard.sends(to('juliet@capulet.lit', 'sent'));
    pocket.gets();
    verona.connect(romeo, phone);
    expect(pocket.getsMessages().length).toBe(1);
    expect(archived(pocket)).toEqual(archived(orchard));
  });

  test('in both directions, in order, over more than one page', () => {
    const { verona, romeo, phone, orchard } = household();
    const pocket = phone.client('pocket');
    verona.cut(romeo, phone);
    const count = SYNC_PAGE_ENTRIES_MAX * 2 + 7;
    for (let i = 0; i < count; i++) orchard.sends(to('juliet@capulet.lit', `${i}`));
    pocket.sends(to('juliet@capulet.lit', 'from the pocket'));
    verona.connect(romeo, phone);
    const expected = Array.from({ length: count }, (_, i) => `${i}`);
    expect(texts(phone)).toEqual(['from the pocket', ...expected]);
    expect(texts(romeo)).toEqual([...expected, 'from the pocket']);
  });

  test('what came both from the contact and from the other device is there once', () => {
    const { verona, romeo, juliet, phone, balcony } = household();
    verona.connect(juliet, phone);
    verona.cut(romeo, phone);
    balcony.sends(to('romeo@montague.lit', 'to both'));
    verona.connect(romeo, phone);
    expect([texts(phone), texts(romeo)]).toEqual([['to both'], ['to both']]);
  });

  test('nobody is there: it waits for the next client, also over a crash', () => {
    const { verona, romeo, phone, balcony } = household();
    verona.cut(romeo, phone);
    balcony.sends(to('romeo@montague.lit', 'later'));
    verona.connect(romeo, phone);
    phone.crash();
    verona.connect(romeo, phone);
    expect(phone.client('pocket', '<presence><priority>-1</priority></presence>').reads()).toEqual(
      [],
    );
    const desk = phone.login('desk');
    desk.sends('<presence/>');
    expect(desk.reads()).toEqual(['later']);
  });

  test('a device that is new has the archive, and its clients are not told of what is old', () => {
    const { verona, romeo, orchard } = lovers();
    orchard.sends(to('juliet@capulet.lit', 'old'));
    const tablet = verona.peer('romeo@montague.lit');
    const sofa = tablet.client('sofa');
    verona.connect(romeo, tablet);
    expect([sofa.reads(), texts(tablet)]).toEqual([[], ['old']]);
  });

  test('XEP-0280 §8: what was kept from other devices stays where it is', () => {
    const { verona, romeo, phone, balcony } = household();
    verona.cut(romeo, phone);
    const secret = '<body>secret</body><private xmlns="urn:xmpp:carbons:2"/>';
    balcony.sends(`<message type="chat" to="romeo@montague.lit">${secret}</message>`);
    verona.connect(romeo, phone);
    expect([texts(romeo), texts(phone)]).toEqual([['secret'], []]);
  });

  test('nobody else is told', () => {
    const { romeo, balcony, orchard } = lovers();
    orchard.sends(to('juliet@capulet.lit', 'one'));
    balcony.gets();
    balcony.sends(
      '<iq type="get" id="s" to="romeo@montague.lit">' +
        '<get xmlns="urn:xmpp-over-reload:own-devices:0" part="archive"/></iq>',
    );
    expect(balcony.gets().map(({ attributes }) => attributes.get('type'))).toEqual(['error']);
    expect(romeo.events.at(-1)?.type).toBe('stanzaRefused');
  });
});

describe('rosters of own devices converge (RFC 6121 §2)', () => {
  test('a contact that was removed while a device was off does not come back from it', () => {
    const { verona, romeo, phone, orchard } = household();
    orchard.sends(set('jid="nurse@capulet.lit" name="Nurse"'));
    expect(contacts(phone)).toEqual(['nurse@capulet.lit']);
    verona.cut(romeo, phone);
    orchard.sends(set('jid="nurse@capulet.lit" subscription="remove"'));
    phone.crash();
    verona.connect(romeo, phone);
    expect([contacts(romeo), contacts(phone)]).toEqual([[], []]);
  });

  test('of two changes the later one counts, at both', () => {
    const { verona, romeo, phone, orchard } = household();
    const pocket = phone.client('pocket');
    orchard.sends(set('jid="nurse@capulet.lit" name="Nurse"'));
    verona.cut(romeo, phone);
    orchard.sends(set('jid="nurse@capulet.lit" name="Angelica"'));
    verona.passes(1_000);
    pocket.sends(set('jid="nurse@capulet.lit" name="Nanny"', '<group>House</group>'));
    verona.passes(1_000);
    orchard.sends(set('jid="peter@capulet.lit"'));
    verona.connect(romeo, phone);
    expect(roster(orchard)).toEqual(roster(pocket));
    expect(roster(orchard).items).toEqual([
      ['nurse@capulet.lit', 'Nanny', 'none'],
      ['peter@capulet.lit', undefined, 'none'],
    ]);
  });

  test('§2.6: devices with the same contacts have the same version', () => {
    const { orchard, phone } = household();
    const pocket = phone.client('pocket');
    for (const name of ['a', 'b', 'c']) orchard.sends(set(`jid="${name}@b.lit" name="x"`));
    orchard.sends(set('jid="a@b.lit" name="y"'));
    const { ver } = roster(orchard);
    expect(ver).toBe(roster(pocket).ver);
    pocket.sends(`<iq type="get" id="r"><query xmlns="jabber:iq:roster" ver="${ver}"/></iq>`);
    expect(pocket.gets()[0]?.children).toEqual([]);
  });

  test('§3.1.3: a request that came while a device was off reaches its clients', () => {
    const { verona, romeo, phone, balcony } = household();
    verona.cut(romeo, phone);
    balcony.sends('<presence type="subscribe" to="romeo@montague.lit"/>');
    const pocket = phone.client('pocket');
    verona.connect(romeo, phone);
    const asked = pocket.gets().filter(({ attributes }) => attributes.get('type') === 'subscribe');
    expect(asked.map(({ attributes }) => attributes.get('from'))).toEqual(['juliet@capulet.lit']);
  });

  test('a removal is forgotten after REMOVALS_KEPT_MS, and not before', () => {
    const { verona, romeo, orchard } = household();
    orchard.sends(set('jid="nurse@capulet.lit"'));
    orchard.sends(set('jid="nurse@capulet.lit" subscription="remove"'));
    verona.unixMs += REMOVALS_KEPT_MS - 1_000;
    orchard.sends(set('jid="peter@capulet.lit"'));
    orchard.sends(set('jid="peter@capulet.lit" subscription="remove"'));
    expect(romeo.keys('removed/').length).toBe(2);
    verona.unixMs += 2_000;
    orchard.sends(set('jid="abram@montague.lit"'));
    orchard.sends(set('jid="abram@montague.lit" subscription="remove"'));
    expect(romeo.keys('removed/').length).toBe(2);
  });
});

describe('personal events of own devices converge (XEP-0163)', () => {
  test('published, retracted and deleted while a device was off', () => {
    const { verona, romeo, phone, orchard } = household();
    const pocket = phone.client('pocket');
    for (const id of ['a', 'b']) orchard.sends(publish('urn:rooms', id));
    orchard.sends(publish('urn:nick', 'n'));
    expect(items(pocket, 'urn:rooms')).toEqual(['a', 'b']);
    verona.cut(romeo, phone);
    orchard.sends(retract('urn:rooms', 'a'));
    orchard.sends(publish('urn:rooms', 'c'));
    orchard.sends(
      `<iq type="set" id="d"><pubsub xmlns="${PUBSUB}#owner"><delete node="urn:nick"/></pubsub></iq>`,
    );
    verona.passes(1);
    pocket.sends(publish('urn:rooms', 'd'));
    phone.crash();
    verona.connect(romeo, phone);
    const desk = phone.client('desk');
    expect(items(desk, 'urn:rooms')).toEqual(['b', 'c', 'd']);
    expect(items(orchard, 'urn:rooms')).toEqual(['b', 'c', 'd']);
    expect([items(desk, 'urn:nick'), items(orchard, 'urn:nick')]).toEqual([[], []]);
  });

  test('a node that was deleted and made again keeps nothing of what it was', () => {
    const { verona, romeo, phone, orchard } = household();
    orchard.sends(publish('urn:rooms', 'old'));
    verona.cut(romeo, phone);
    orchard.sends(
      `<iq type="set" id="d"><pubsub xmlns="${PUBSUB}#owner"><delete node="urn:rooms"/></pubsub></iq>`,
    );
    orchard.sends(publish('urn:rooms', 'new'));
    verona.connect(romeo, phone);
    expect([items(orchard, 'urn:rooms'), items(phone.client('pocket'), 'urn:rooms')]).toEqual([
      ['new'],
      ['new'],
    ]);
  });
});

/** Romeo has a phone that is connected to his peer, and Juliet to the latter alone. */
function household() {
  const all = lovers();
  const phone = all.verona.peer('romeo@montague.lit');
  all.verona.connect(all.romeo, phone);
  return { ...all, phone };
}

function to(address: string, text: string): string {
  return `<message type="chat" to="${address}" id="${text}"><body>${text}</body></message>`;
}

/** The bodies in the archive of a peer, as it is on disk. */
function texts(peer: VeronaPeer): unknown[] {
  return peer
    .keys('archive/')
    .sort()
    .map((key) => {
      const record = JSON.parse(Buffer.from(peer.store.get(key) ?? '').toString());
      const parts = record[4][3] as [string, string, unknown[], unknown[]][];
      return parts.find(([name]) => name === 'body')?.[3][0];
    });
}

/** Stanza-ids and texts, as a client sees them. */
function archived(client: VeronaClient): string[] {
  client.gets();
  client.sends('<iq type="set" id="m"><query xmlns="urn:xmpp:mam:2"/></iq>');
  return client.getsMessages().map((message) => {
    const result = childElement(message, 'result', 'urn:xmpp:mam:2');
    const forwarded = result && childElement(result, 'forwarded', 'urn:xmpp:forward:0');
    const delay = forwarded && childElement(forwarded, 'delay', 'urn:xmpp:delay');
    const inner = forwarded && childElement(forwarded, 'message', 'jabber:client');
    return [
      result?.attributes.get('id'),
      delay?.attributes.get('stamp'),
      inner && body(inner),
    ].join(' ');
  });
}

function contacts(peer: VeronaPeer): string[] {
  return peer
    .keys('roster/')
    .map((key) => JSON.parse(Buffer.from(peer.store.get(key) ?? '').toString()).jid)
    .sort();
}

function roster(client: VeronaClient) {
  client.gets();
  client.sends('<iq type="get" id="g"><query xmlns="jabber:iq:roster"/></iq>');
  const [answer] = client.gets();
  const query = answer && childElement(answer, 'query', 'jabber:iq:roster');
  const shown = (query === undefined ? [] : childElements(query)).map(({ attributes }) => [
    attributes.get('jid'),
    attributes.get('name'),
    attributes.get('subscription'),
  ]);
  return { ver: query?.attributes.get('ver'), items: shown.sort() };
}

function set(attributes: string, groups = ''): string {
  const item = `<item ${attributes}>${groups}</item>`;
  return `<iq type="set" id="s"><query xmlns="jabber:iq:roster">${item}</query></iq>`;
}

function publish(node: string, id: string): string {
  const field = (name: string, value: string) =>
    `<field var="${name}"><value>${value}</value></field>`;
  const form = field('FORM_TYPE', `${PUBSUB}#publish-options`) + field('pubsub#max_items', '10');
  return (
    `<iq type="set" id="p"><pubsub xmlns="${PUBSUB}"><publish node="${node}"><item id="${id}">` +
    `<x xmlns="urn:x">${id}</x></item></publish><publish-options>` +
    `<x xmlns="jabber:x:data" type="submit">${form}</x></publish-options></pubsub></iq>`
  );
}

function retract(node: string, id: string): string {
  return (
    `<iq type="set" id="r"><pubsub xmlns="${PUBSUB}"><retract node="${node}">` +
    `<item id="${id}"/></retract></pubsub></iq>`
  );
}

function items(client: VeronaClient, node: string): (string | undefined)[] {
  client.gets();
  client.sends(
    `<iq type="get" id="g"><pubsub xmlns="${PUBSUB}"><items node="${node}"/></pubsub></iq>`,
  );
  const answer = client.gets().find(({ name }) => name === 'iq');
  const pubsub = answer && childElement(answer, 'pubsub', PUBSUB);
  const list = pubsub && childElement(pubsub, 'items', PUBSUB);
  return list === undefined
    ? []
    : childElements(list).map(({ attributes }) => attributes.get('id'));
}

const PUBSUB = 'http://jabber.org/protocol/pubsub';
