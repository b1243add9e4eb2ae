import { describe, expect, test } from 'vitest';
import { carbonContent } from '../../../src/xmpp/routing/carbon.ts';
import { lovers } from './lovers.ts';
import { body, condition, type VeronaClient } from './verona.ts';

describe('which client gets it (RFC 6121 §8.5)', () => {
  test('RFC 6121 §8.5.2.1: the bare JID: all clients whose priority is not negative', () => {
    const { juliet, orchard, balcony } = lovers();
    const chamber = juliet.client('chamber', '<presence><priority>5</priority></presence>');
    const hidden = juliet.client('hidden', '<presence><priority>-5</priority></presence>');
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect([balcony.reads(), chamber.reads(), hidden.reads()]).toEqual([['one'], ['one'], []]);
  });

  test('RFC 6121 §8.5.3.1: a full JID: that client alone', () => {
    const { juliet, orchard, balcony } = lovers();
    const chamber = juliet.client('chamber');
    orchard.sends(to('juliet@capulet.lit/balcony', 'one'));
    expect([balcony.reads(), chamber.reads()]).toEqual([['one'], []]);
  });

  test('RFC 6121 §8.5.3.2.1: chat to a client that is gone goes to the others', () => {
    const { orchard, balcony } = lovers();
    orchard.sends(to('juliet@capulet.lit/tomb', 'one'));
    expect(balcony.reads()).toEqual(['one']);
  });

  test.each([
    ['normal', 'service-unavailable'],
    ['groupchat', 'service-unavailable'],
    ['headline', undefined],
    ['error', undefined],
  ])('RFC 6121 §8.5.3.2.1: %s to a client that is gone: %s', (type, expected) => {
    const { orchard, balcony } = lovers();
    orchard.sends(to('juliet@capulet.lit/tomb', 'one', type));
    const [error] = orchard.gets();
    expect([balcony.reads(), error && condition(error)]).toEqual([[], expected]);
  });

  test.each([
    ['groupchat', 'service-unavailable'],
    ['error', undefined],
  ])('RFC 6121 §8.5.2.1.1: %s to the bare JID: %s', (type, expected) => {
    const { orchard, balcony } = lovers();
    orchard.sends(to('juliet@capulet.lit', 'one', type));
    const [error] = orchard.gets();
    expect([balcony.reads(), error && condition(error)]).toEqual([[], expected]);
  });

  test('RFC 6121 §8.5.2.1.1: a headline is for who is there', () => {
    const { juliet, orchard, balcony } = lovers();
    orchard.sends(to('juliet@capulet.lit', 'one', 'headline'));
    expect(balcony.reads()).toEqual(['one']);
    balcony.leaves();
    orchard.sends(to('juliet@capulet.lit', 'two', 'headline'));
    expect(juliet.keys('offline/')).toEqual([]);
  });

  test('RFC 6120 §10.3.1: without `to` it is for the own account', () => {
    const { orchard, balcony } = lovers();
    orchard.sends('<message type="chat"><body>note</body></message>');
    expect([orchard.reads(), balcony.reads()]).toEqual([['note'], []]);
  });

  test('RFC 6120 §7.7.2.2: who binds a resource that is taken gets it', () => {
    const { juliet, orchard, balcony } = lovers();
    const again = juliet.client('balcony');
    orchard.sends(to('juliet@capulet.lit/balcony', 'one'));
    expect([balcony.reads(), again.reads()]).toEqual([[], ['one']]);
  });
});

describe('carbons (XEP-0280)', () => {
  test('§7: a received message to a full JID, for the other clients that enabled them', () => {
    const { juliet, orchard, balcony } = lovers();
    const chamber = enabled(juliet.client('chamber'));
    orchard.sends(to('juliet@capulet.lit/balcony', 'one'));
    expect(balcony.reads()).toEqual(['one']);
    const [copy] = chamber.getsMessages();
    const content = copy && carbonContent(copy);
    expect(copy?.attributes.get('from')).toBe('juliet@capulet.lit');
    expect(copy?.attributes.get('to')).toBe('juliet@capulet.lit/chamber');
    expect([content?.direction, content && body(content.message)]).toEqual(['received', 'one']);
  });

  test('§8: a sent message, for the others and not for the sender', () => {
    const { romeo, orchard } = lovers();
    const street = enabled(romeo.client('street'));
    enabled(orchard);
    orchard.sends(to('juliet@capulet.lit', 'one'));
    const [copy] = street.getsMessages();
    const content = copy && carbonContent(copy);
    expect([content?.direction, content && body(content.message)]).toEqual(['sent', 'one']);
    expect(orchard.getsMessages()).toEqual([]);
  });

  test('§7.1: to the bare JID everybody has the message itself, and no copy', () => {
    const { juliet, orchard, balcony } = lovers();
    const chamber = enabled(juliet.client('chamber'));
    enabled(balcony);
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect([chamber.reads(), balcony.reads()]).toEqual([['one'], ['one']]);
  });

  test.each([
    ['private', '<private xmlns="urn:xmpp:carbons:2"/>', 'chat'],
    ['no-copy (XEP-0334 §4.3)', '<no-copy xmlns="urn:xmpp:hints"/>', 'chat'],
    ['an error', '', 'error'],
    ['groupchat', '', 'groupchat'],
    ['normal without a body', 'nothing', 'normal'],
  ])('§6.1: none of what is %s', (_name, more, type) => {
    const { romeo, orchard } = lovers();
    const street = enabled(romeo.client('street'));
    const content = more === 'nothing' ? '' : `<body>one</body>${more}`;
    orchard.sends(`<message to="juliet@capulet.lit" type="${type}">${content}</message>`);
    expect(street.getsMessages()).toEqual([]);
  });

  test('§5: disabled again', () => {
    const { romeo, orchard } = lovers();
    const street = enabled(romeo.client('street'));
    street.sends('<iq type="set" id="c"><disable xmlns="urn:xmpp:carbons:2"/></iq>');
    street.gets();
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect(street.getsMessages()).toEqual([]);
  });

  test('§11: a copy that a client or a contact forges is refused', () => {
    const { romeo, orchard, balcony } = lovers();
    const inner =
      '<message xmlns="jabber:client" from="nurse@capulet.lit" to="juliet@capulet.lit">';
    const forged =
      '<message to="juliet@capulet.lit"><received xmlns="urn:xmpp:carbons:2">' +
      `<forwarded xmlns="urn:xmpp:forward:0">${inner}<body>lie</body></message></forwarded>` +
      '</received></message>';
    orchard.sends(forged);
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('not-allowed');
    romeo.sendsToDevices('juliet@capulet.lit', forged, orchard.address);
    expect(balcony.getsMessages()).toEqual([]);
  });
});

describe('several devices of one user (XEP-0415 §6.2)', () => {
  test('all devices of the addressee get it; its copy from the other one is recognised', () => {
    const { juliet, tablet, orchard, balcony, garden } = devices();
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect([balcony.reads(), garden.reads()]).toEqual([['one'], ['one']]);
    expect(juliet.keys('archive/').length).toBe(1);
    expect(tablet.keys('archive/').length).toBe(1);
  });

  test('a device that the sender does not reach gets it from the other one', () => {
    const { verona, romeo, tablet, orchard, garden } = devices();
    verona.cut(romeo, tablet);
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect([garden.reads(), tablet.keys('archive/').length]).toEqual([['one'], 1]);
    expect(romeo.keys('outbox/')).toEqual([]);
  });

  test('the outbox keeps it while a connected device owes, and not for one that is lost', () => {
    const { verona, romeo, tablet, orchard } = devices();
    tablet.isDiskHeld = true;
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect(romeo.keys('outbox/').length).toBe(1);
    verona.cut(romeo, tablet);
    expect(romeo.keys('outbox/')).toEqual([]);
  });

  test('what one device sent is a carbon at the other, and in its archive', () => {
    const { tablet, balcony, garden } = devices();
    enabled(garden);
    balcony.sends(to('romeo@montague.lit', 'sweet'));
    const [copy] = garden.getsMessages();
    const content = copy && carbonContent(copy);
    expect([content?.direction, content && body(content.message)]).toEqual(['sent', 'sweet']);
    expect(tablet.keys('archive/').length).toBe(1);
  });

  test('a full JID at the other device: that client has it, the rest a copy', () => {
    const { orchard, balcony, garden } = devices();
    enabled(balcony);
    orchard.sends(to('juliet@capulet.lit/garden', 'one'));
    expect(garden.reads()).toEqual(['one']);
    const [copy] = balcony.getsMessages();
    expect(copy && carbonContent(copy)?.direction).toBe('received');
  });

  test('XEP-0415 §6.2: a copy is never passed on', () => {
    const { verona, juliet, tablet, orchard, garden } = devices();
    const phone = verona.peer('juliet@capulet.lit');
    verona.connect(tablet, phone);
    const pocket = phone.client('pocket');
    orchard.sends(to('juliet@capulet.lit', 'one'));
    expect([garden.reads(), pocket.reads()]).toEqual([['one'], ['one']]);
    expect(juliet.keys('archive/').length).toBe(1);
    expect(phone.keys('archive/').length).toBe(1);
  });
});

/** Juliet has another device, with a client in the garden. */
function devices() {
  const all = lovers();
  const tablet = all.verona.peer('juliet@capulet.lit');
  const garden = tablet.client('garden');
  all.verona.connect(all.romeo, tablet);
  all.verona.connect(all.juliet, tablet);
  all.balcony.gets();
  garden.gets();
  return { ...all, tablet, garden };
}

function to(address: string, text: string, type = 'chat'): string {
  return `<message to="${address}" type="${type}"><body>${text}</body></message>`;
}

function enabled(client: VeronaClient): VeronaClient {
  client.sends('<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>');
  client.gets();
  return client;
}
