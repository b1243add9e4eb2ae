import { describe, expect, test } from 'vitest';
import {
  childElement,
  childElements,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import type { VeronaClient } from './verona.ts';

describe('subscriptions between peers (RFC 6121 §3)', () => {
  test('§3.1: Romeo asks, Juliet agrees, and he sees her', () => {
    const { orchard, balcony } = lovers();
    orchard.sends('<presence type="subscribe" to="juliet@capulet.lit"/>');
    expect(shown(balcony)).toEqual(['subscribe romeo@montague.lit']);
    balcony.sends('<presence type="subscribed" to="romeo@montague.lit"/>');
    expect(shown(orchard)).toEqual([
      'subscribed juliet@capulet.lit',
      'available juliet@capulet.lit/balcony',
    ]);
  });

  test('§3.1.3: the request waits for a client of hers, over a crash of her peer', () => {
    const { juliet, orchard, balcony } = lovers();
    balcony.leaves();
    orchard.sends('<presence type="subscribe" to="juliet@capulet.lit"/>');
    juliet.crash();
    const chamber = juliet.login('chamber');
    chamber.sends('<presence/>');
    expect(shown(chamber)).toContain('subscribe romeo@montague.lit');
  });

  test('§3.1.2: the request waits for her peer, over a crash of his', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    verona.cut(romeo, juliet);
    orchard.sends('<presence type="subscribe" to="juliet@capulet.lit"/>');
    expect(orchard.handled).toBe(1);
    romeo.crash();
    verona.connect(romeo, juliet);
    expect(shown(balcony)).toEqual(['subscribe romeo@montague.lit']);
  });

  test('§3.2, §3.3: cancelled and ended: nothing is seen any more', () => {
    const { orchard, balcony } = friends();
    balcony.sends('<presence type="unsubscribed" to="romeo@montague.lit"/>');
    expect(shown(orchard)).toContain('unavailable juliet@capulet.lit/balcony');
    balcony.sends('<presence><status>here</status></presence>');
    expect(shown(orchard)).toEqual([]);
    balcony.sends('<presence type="unsubscribe" to="romeo@montague.lit"/>');
    orchard.sends('<presence><status>here</status></presence>');
    expect(shown(balcony).filter((one) => one.startsWith('available romeo'))).toEqual([]);
  });
});

describe('availability (RFC 6121 §4)', () => {
  test('§4.2, §4.4: what a client says of itself is seen by subscribers and own clients', () => {
    const { romeo, orchard, balcony } = friends();
    const street = romeo.client('street');
    orchard.gets();
    balcony.gets();
    street.sends('<presence><show>away</show></presence>');
    expect(shown(balcony)).toEqual(['available romeo@montague.lit/street']);
    expect(shown(orchard)).toEqual(['available romeo@montague.lit/street']);
  });

  test('§4.2.2: a client that comes sees who is there', () => {
    const { romeo, balcony } = friends();
    balcony.gets();
    const street = romeo.login('street');
    street.sends('<presence/>');
    expect(shown(street)).toEqual([
      'available romeo@montague.lit/street',
      'available romeo@montague.lit/orchard',
      'available juliet@capulet.lit/balcony',
    ]);
  });

  test('§4.5: unavailable, also of a client that is just gone', () => {
    const { orchard, balcony } = friends();
    balcony.sends('<presence type="unavailable"/>');
    expect(shown(orchard)).toEqual(['unavailable juliet@capulet.lit/balcony']);
    balcony.sends('<presence/>');
    orchard.gets();
    balcony.leaves();
    expect(shown(orchard)).toEqual(['unavailable juliet@capulet.lit/balcony']);
  });

  test('§4.6: directed presence, and its end, to somebody without a subscription', () => {
    const { orchard, balcony } = lovers();
    orchard.sends('<presence to="juliet@capulet.lit/balcony"/>');
    expect(shown(balcony)).toEqual(['available romeo@montague.lit/orchard']);
    orchard.leaves();
    expect(shown(balcony)).toEqual(['unavailable romeo@montague.lit/orchard']);
  });

  test('somebody without a subscription is not seen', () => {
    const { orchard, balcony } = lovers();
    orchard.sends('<presence/>');
    expect(shown(balcony)).toEqual([]);
  });

  test('§4.3: when a device comes it is asked; when it is lost its clients are gone', () => {
    const { verona, romeo, juliet, orchard } = friends();
    verona.cut(romeo, juliet);
    expect(shown(orchard)).toEqual(['unavailable juliet@capulet.lit/balcony']);
    verona.connect(romeo, juliet);
    expect(shown(orchard)).toEqual(['available juliet@capulet.lit/balcony']);
  });

  test('two devices of one user: each speaks for its own clients', () => {
    const { verona, romeo, juliet, orchard } = friends();
    const tablet = verona.peer('juliet@capulet.lit');
    verona.connect(juliet, tablet);
    tablet.client('garden');
    expect(shown(orchard)).toEqual([]);
    verona.connect(romeo, tablet);
    verona.cut(romeo, juliet);
    expect(shown(orchard)).toEqual([
      'available juliet@capulet.lit/garden',
      'unavailable juliet@capulet.lit/balcony',
    ]);
  });

  test('two devices of one user with the same resource: there until the last one goes', () => {
    const { verona, romeo, juliet, orchard, balcony } = friends();
    const tablet = verona.peer('juliet@capulet.lit');
    const other = tablet.client('balcony');
    verona.connect(juliet, tablet);
    verona.connect(romeo, tablet);
    shown(orchard);
    other.sends('<presence><show>away</show></presence>');
    expect(shown(orchard)).toEqual(['available juliet@capulet.lit/balcony']);
    other.leaves();
    const [seen] = orchard.gets();
    expect([seen?.attributes.get('type'), seen?.children.length]).toEqual([undefined, 0]);
    expect(shown(balcony).at(-1)).toBe('available juliet@capulet.lit/balcony');
    balcony.leaves();
    expect(shown(orchard)).toEqual(['unavailable juliet@capulet.lit/balcony']);
  });

  test('RFC 6120 §7.7.2.2: a resource of another own device is not given away twice', () => {
    const { verona, romeo } = lovers();
    const phone = verona.peer('romeo@montague.lit');
    verona.connect(romeo, phone);
    const session = 77;
    phone.turn(() => {
      expect(phone.router.sessionBinding(session, 'orchard')).toMatch(/^orchard-.{12}$/);
      expect(phone.router.sessionBinding(session + 1, 'street')).toBe('street');
    });
  });

  test('a new device takes over the contacts, and is silent to whom it does not know', () => {
    const { verona, romeo, juliet, orchard } = friends();
    const tablet = verona.peer('juliet@capulet.lit');
    verona.connect(romeo, tablet);
    expect(shown(orchard)).toEqual([]);
    verona.connect(juliet, tablet);
    expect(tablet.keys('roster/')).toEqual(juliet.keys('roster/'));
  });

  test('§4.7.2.3: a priority that is none is refused', () => {
    const { orchard } = lovers();
    orchard.sends('<presence><priority>high</priority></presence>');
    expect(shown(orchard)).toEqual(['error romeo@montague.lit']);
  });
});

describe('roster (RFC 6121 §2)', () => {
  test('§2.3, §2.1.6: an item is added, and pushed to all clients that asked for the roster', () => {
    const { romeo, orchard } = lovers();
    const street = romeo.client('street');
    for (const client of [orchard, street]) client.sends(GET);
    street.gets();
    orchard.sends(set('jid="juliet@capulet.lit" name="Juliet"', '<group>Friends</group>'));
    const item = rosterOf(street.gets()[0])[0];
    expect(item?.attributes).toEqual(
      new Map([
        ['jid', 'juliet@capulet.lit'],
        ['name', 'Juliet'],
        ['subscription', 'none'],
      ]),
    );
    expect(item && childElements(item).length).toBe(1);
  });

  test('§2.1.5: answered when it is durable; there after a crash', () => {
    const { romeo, orchard } = lovers();
    romeo.isDiskHeld = true;
    orchard.sends(set('jid="juliet@capulet.lit"'));
    expect([orchard.handled, orchard.gets()]).toEqual([0, []]);
    romeo.releaseDisk();
    expect([orchard.handled, orchard.gets().length]).toEqual([1, 1]);
    romeo.crash();
    const street = romeo.login('street');
    street.sends(GET);
    expect(rosterOf(street.gets()[0]).map((item) => item.attributes.get('jid'))).toEqual([
      'juliet@capulet.lit',
    ]);
  });

  test('§2.6: who has this version gets an empty answer', () => {
    const { orchard } = lovers();
    orchard.sends(set('jid="juliet@capulet.lit"'));
    orchard.gets();
    orchard.sends(GET);
    const [roster] = orchard.gets();
    const query = roster && childElement(roster, 'query', 'jabber:iq:roster');
    const ver = query?.attributes.get('ver');
    orchard.sends(`<iq type="get" id="r"><query xmlns="jabber:iq:roster" ver="${ver}"/></iq>`);
    const [answer] = orchard.gets();
    expect([answer?.attributes.get('type'), answer?.children.length]).toEqual(['result', 0]);
  });

  test('§2.5: removed: both subscriptions end', () => {
    const { orchard, balcony } = friends();
    orchard.sends(set('jid="juliet@capulet.lit" subscription="remove"'));
    expect(shown(balcony)).toEqual([
      'unsubscribe romeo@montague.lit',
      'unsubscribed romeo@montague.lit',
      'unavailable romeo@montague.lit/orchard',
    ]);
    orchard.gets();
    orchard.sends(GET);
    expect(rosterOf(orchard.gets()[0])).toEqual([]);
  });

  test.each([
    ['two items', '<item jid="a@b.lit"/><item jid="c@b.lit"/>', 'bad-request'],
    ['no address', '<item jid="@"/>', 'bad-request'],
    ['a full JID', '<item jid="a@b.lit/c"/>', 'bad-request'],
    ['an empty group', '<item jid="a@b.lit"><group/></item>', 'not-acceptable'],
    ['removing nobody', '<item jid="a@b.lit" subscription="remove"/>', 'item-not-found'],
  ])('§2.3.3: %s is refused', (_name, items, expected) => {
    const { orchard } = lovers();
    orchard.sends(`<iq type="set" id="s"><query xmlns="jabber:iq:roster">${items}</query></iq>`);
    const [error] = orchard.gets();
    const inner = error && childElement(error, 'error');
    expect(inner && childElements(inner)[0]?.name).toBe(expected);
  });

  test('somebody else neither reads nor changes it', () => {
    const { romeo, orchard, balcony } = friends();
    balcony.sends(
      '<iq type="get" id="r" to="romeo@montague.lit"><query xmlns="jabber:iq:roster"/></iq>',
    );
    expect(balcony.gets()[0]?.attributes.get('type')).toBe('error');
    expect([romeo.keys('roster/').length, orchard.gets()]).toEqual([1, []]);
  });

  test('a change reaches the rosters of the other own devices', () => {
    const { verona, romeo, orchard } = lovers();
    const phone = verona.peer('romeo@montague.lit');
    verona.connect(romeo, phone);
    orchard.sends(set('jid="nurse@capulet.lit" name="Nurse"'));
    expect(phone.keys('roster/')).toEqual(romeo.keys('roster/'));
    expect(phone.keys('roster/').length).toBe(1);
    orchard.sends(set('jid="nurse@capulet.lit" subscription="remove"'));
    expect(phone.keys('roster/')).toEqual([]);
  });
});

/** Each sees the other. */
function friends() {
  const all = lovers();
  all.orchard.sends('<presence type="subscribe" to="juliet@capulet.lit"/>');
  all.balcony.sends('<presence type="subscribed" to="romeo@montague.lit"/>');
  all.balcony.sends('<presence type="subscribe" to="romeo@montague.lit"/>');
  all.orchard.sends('<presence type="subscribed" to="juliet@capulet.lit"/>');
  all.orchard.gets();
  all.balcony.gets();
  return all;
}

/** The presence that a client got: type and from. */
function shown(client: VeronaClient): string[] {
  return client
    .gets()
    .filter(({ name }) => name === 'presence')
    .map(({ attributes }) => `${attributes.get('type') ?? 'available'} ${attributes.get('from')}`);
}

function rosterOf(iq: XmppElement | undefined): readonly XmppElement[] {
  const query = iq && childElement(iq, 'query', 'jabber:iq:roster');
  return query === undefined ? [] : childElements(query);
}

function set(attributes: string, groups = ''): string {
  const item = `<item ${attributes}>${groups}</item>`;
  return `<iq type="set" id="s"><query xmlns="jabber:iq:roster">${item}</query></iq>`;
}

const GET = '<iq type="get" id="g"><query xmlns="jabber:iq:roster"/></iq>';
