import { describe, expect, test } from 'vitest';
import {
  childElement,
  childElements,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import { condition, type VeronaClient } from './verona.ts';

const BLOCKING = 'urn:xmpp:blocking';
const JULIET = 'juliet@capulet.lit';

describe('blocking (XEP-0191)', () => {
  test('§3.2: who is blocked writes and asks in vain, and nothing of it is kept', () => {
    const { romeo, orchard, balcony } = friends();
    block(orchard, JULIET);
    orchard.gets();
    balcony.sends(message('romeo@montague.lit'));
    balcony.sends(
      '<iq type="get" id="p" to="romeo@montague.lit/orchard"><ping xmlns="urn:xmpp:ping"/></iq>',
    );
    balcony.sends('<presence to="romeo@montague.lit"/>');
    balcony.sends('<presence type="subscribe" to="romeo@montague.lit"/>');
    const answers = balcony.gets().filter(({ name }) => name !== 'presence');
    expect(answers.map(condition)).toEqual(['service-unavailable', 'service-unavailable']);
    expect([orchard.gets(), romeo.keys('archive/')]).toEqual([[], []]);
  });

  test('§3.2: each of both is away for the other; unblocked, they see each other again', () => {
    const { orchard, balcony } = friends();
    block(orchard, JULIET);
    expect(shown(balcony)).toEqual(['unavailable romeo@montague.lit/orchard']);
    expect(shown(orchard)).toEqual([`unavailable ${JULIET}/balcony`]);
    balcony.sends('<presence><show>away</show></presence>');
    orchard.sends('<presence><show>dnd</show></presence>');
    expect(shown(balcony)).toEqual([`available ${JULIET}/balcony`]);
    expect(shown(orchard)).toEqual(['available romeo@montague.lit/orchard']);
    unblock(orchard, JULIET);
    expect(shown(balcony)).toEqual(['available romeo@montague.lit/orchard']);
    expect(shown(orchard)).toEqual([`available ${JULIET}/balcony`]);
  });

  test.each([
    '<message type="chat" to="juliet@capulet.lit/balcony"><body>x</body></message>',
    '<iq type="get" id="p" to="juliet@capulet.lit/balcony"><ping xmlns="urn:xmpp:ping"/></iq>',
    '<presence to="juliet@capulet.lit"/>',
  ])('§3.2: who blocks does not write either: %s', (stanza) => {
    const { orchard, balcony } = friends();
    block(orchard, JULIET);
    balcony.gets();
    orchard.gets();
    orchard.sends(stanza);
    const [error] = orchard.gets();
    const inner = error && childElement(error, 'error');
    expect(error && condition(error)).toBe('not-acceptable');
    const reason = inner && childElement(inner, 'blocked', `${BLOCKING}:errors`);
    expect([reason !== undefined, balcony.gets()]).toEqual([true, []]);
  });

  test('§3.1, §3.3: the list is told, pushed to those who asked for it, and outlives a crash', () => {
    const { romeo, orchard } = lovers();
    const [street, square] = [romeo.client('street'), romeo.client('square')];
    expect(list(street)).toEqual([]);
    block(orchard, JULIET, 'tybalt@capulet.lit');
    expect(pushes(street)).toEqual([`block ${JULIET} tybalt@capulet.lit`]);
    expect(pushes(square)).toEqual([]);
    romeo.crash();
    const desk = romeo.client('desk');
    expect(list(desk).sort()).toEqual([JULIET, 'tybalt@capulet.lit']);
    unblock(romeo.client('lane'), JULIET);
    expect(pushes(desk)).toEqual([`unblock ${JULIET}`]);
    expect(list(desk)).toEqual(['tybalt@capulet.lit']);
  });

  test('§3.4: without items everybody is unblocked', () => {
    const { orchard } = lovers();
    block(orchard, JULIET, 'capulet.lit');
    orchard.sends(`<iq type="set" id="u"><unblock xmlns="${BLOCKING}"/></iq>`);
    expect(list(orchard)).toEqual([]);
  });

  test.each([
    ['capulet.lit', true],
    [`${JULIET}/balcony`, true],
    ['capulet.lit/balcony', true],
    [`${JULIET}/tomb`, false],
    ['montague.lit', false],
  ])('§3: %s covers Juliet on her balcony: %s', (address, isCovered) => {
    const { orchard, balcony } = lovers();
    block(orchard, address);
    balcony.sends(message('romeo@montague.lit'));
    expect(orchard.reads().length).toBe(isCovered ? 0 : 1);
  });

  test.each([
    ['<block xmlns="urn:xmpp:blocking"/>', 'bad-request'],
    ['<block xmlns="urn:xmpp:blocking"><item/></block>', 'jid-malformed'],
    ['<block xmlns="urn:xmpp:blocking"><item jid="romeo@montague.lit"/></block>', 'not-allowed'],
  ])('%s is refused', (payload, expected) => {
    const { orchard } = lovers();
    orchard.sends(`<iq type="set" id="b">${payload}</iq>`);
    expect(orchard.gets().map(condition)).toEqual([expected]);
  });

  test('nobody else reads the list', () => {
    const { orchard, balcony } = lovers();
    block(orchard, 'tybalt@capulet.lit');
    balcony.sends(
      `<iq type="get" id="l" to="romeo@montague.lit"><blocklist xmlns="${BLOCKING}"/></iq>`,
    );
    expect(balcony.gets().map(condition)).toEqual(['forbidden']);
  });

  test('all own devices block, also one that was off', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    const phone = verona.peer('romeo@montague.lit');
    verona.connect(romeo, phone);
    verona.connect(juliet, phone);
    const pocket = phone.client('pocket');
    block(orchard, JULIET);
    balcony.sends(message('romeo@montague.lit'));
    expect([pocket.reads(), list(pocket)]).toEqual([[], [JULIET]]);
    verona.cut(romeo, phone);
    unblock(orchard, JULIET);
    block(orchard, 'tybalt@capulet.lit');
    phone.crash();
    verona.connect(romeo, phone);
    expect(list(phone.client('desk'))).toEqual(['tybalt@capulet.lit']);
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

function block(client: VeronaClient, ...jids: string[]): void {
  client.sends(`<iq type="set" id="b"><block xmlns="${BLOCKING}">${itemsOf(jids)}</block></iq>`);
}

function unblock(client: VeronaClient, ...jids: string[]): void {
  client.sends(
    `<iq type="set" id="u"><unblock xmlns="${BLOCKING}">${itemsOf(jids)}</unblock></iq>`,
  );
}

function itemsOf(jids: readonly string[]): string {
  return jids.map((jid) => `<item jid="${jid}"/>`).join('');
}

function list(client: VeronaClient): (string | undefined)[] {
  client.gets();
  client.sends(`<iq type="get" id="l"><blocklist xmlns="${BLOCKING}"/></iq>`);
  const answer = client.gets().find(({ name }) => name === 'iq');
  const found = answer && childElement(answer, 'blocklist', BLOCKING);
  return found === undefined ? [] : childElements(found).map(jidOf);
}

/** What it was told of changes of the list. */
function pushes(client: VeronaClient): string[] {
  const iqs = client.gets().filter(({ attributes }) => attributes.get('type') === 'set');
  return iqs.flatMap((iq) =>
    childElements(iq).map((change) => [change.name, ...childElements(change).map(jidOf)].join(' ')),
  );
}

function jidOf(item: XmppElement): string | undefined {
  return item.attributes.get('jid');
}

function message(to: string): string {
  return `<message type="chat" to="${to}" id="m"><body>hello</body></message>`;
}

/** The presence that a client got: type and from. */
function shown(client: VeronaClient): string[] {
  return client
    .gets()
    .filter(({ name }) => name === 'presence')
    .map(({ attributes }) => `${attributes.get('type') ?? 'available'} ${attributes.get('from')}`);
}
