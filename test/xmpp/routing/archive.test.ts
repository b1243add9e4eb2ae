import { describe, expect, test } from 'vitest';
import {
  childElement,
  childElements,
  textOf,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import { body, condition, type VeronaClient } from './verona.ts';

describe('the archive (XEP-0313)', () => {
  test('§3.2: what was sent and what came, in order, with ids and stamps', () => {
    const { juliet } = talk();
    const chamber = juliet.client('chamber');
    const { messages, fin } = query(chamber, '');
    expect(messages.map(bodyOf)).toEqual(['one', 'two', 'three', 'four']);
    expect(fin?.attributes.get('complete')).toBe('true');
    const [first] = messages;
    expect(first && resultOf(first)?.attributes.get('queryid')).toBe('q1');
    expect(first && stampOf(first)).toBe('2026-11-21T08:00:00Z');
  });

  test('XEP-0359 §5: the id of a received message is its stanza-id', () => {
    const { balcony } = talk();
    const [live] = balcony.getsMessages();
    const stanzaId = live && childElement(live, 'stanza-id', 'urn:xmpp:sid:0');
    const [first] = query(balcony, '').messages;
    expect(first && resultOf(first)?.attributes.get('id')).toBe(stanzaId?.attributes.get('id'));
  });

  test('§4.1: with, start and end', () => {
    const { verona, juliet, balcony } = talk();
    const nurse = verona.peer('nurse@capulet.lit');
    const kitchen = nurse.client('kitchen');
    verona.connect(juliet, nurse);
    kitchen.sends('<message to="juliet@capulet.lit" type="chat"><body>madam</body></message>');
    const found = (fields: Record<string, string>) =>
      query(balcony, form(fields)).messages.map(bodyOf);
    expect(found({ with: 'nurse@capulet.lit' })).toEqual(['madam']);
    expect(found({ with: 'romeo@montague.lit/orchard' })).toEqual(['one', 'two', 'three']);
    expect(found({ start: '2026-11-21T08:01:00Z' })).toEqual(['two', 'three', 'four', 'madam']);
    expect(found({ end: '2026-11-21T08:01:00Z' })).toEqual(['one', 'two']);
  });

  test('XEP-0059 §2.2, §2.3, §2.5: forward, backward, and the last page', () => {
    const { balcony } = talk();
    const first = query(balcony, '<set xmlns="http://jabber.org/protocol/rsm"><max>3</max></set>');
    expect(first.messages.map(bodyOf)).toEqual(['one', 'two', 'three']);
    expect([first.fin?.attributes.get('complete'), rsm(first.fin, 'count')]).toEqual([
      undefined,
      '4',
    ]);
    const next = query(balcony, set(`<after>${rsm(first.fin, 'last')}</after>`));
    expect(next.messages.map(bodyOf)).toEqual(['four']);
    expect(next.fin?.attributes.get('complete')).toBe('true');
    const last = query(balcony, set('<max>1</max><before/>'));
    expect(last.messages.map(bodyOf)).toEqual(['four']);
    const back = query(balcony, set(`<max>2</max><before>${rsm(last.fin, 'first')}</before>`));
    expect(back.messages.map(bodyOf)).toEqual(['two', 'three']);
    const counted = query(balcony, set('<max>0</max>'));
    expect([counted.messages, rsm(counted.fin, 'count')]).toEqual([[], '4']);
  });

  test('XEP-0059 §2.1: a page of large messages is shorter than the client wants it', () => {
    const { orchard, balcony } = talk();
    for (let i = 0; i < 10; i += 1) {
      orchard.sends(
        `<message to="juliet@capulet.lit"><body>${String(i).repeat(200_000)}</body></message>`,
      );
    }
    balcony.gets();
    const seen: (string | undefined)[] = [];
    for (let after = ''; ; ) {
      const { messages, fin } = query(balcony, set(`<max>100</max>${after}`));
      seen.push(...messages.map((message) => bodyOf(message)?.slice(0, 3)));
      expect([1, 2, 6]).toContain(messages.length);
      if (fin?.attributes.get('complete') === 'true') break;
      after = `<after>${rsm(fin, 'last')}</after>`;
    }
    const digits = Array.from({ length: 10 }, (_, digit) => String(digit).repeat(3));
    expect(seen).toEqual(['one', 'two', 'thr', 'fou', ...digits]);
    const last = query(balcony, set('<before/>'));
    expect(last.messages.map((message) => bodyOf(message)?.slice(0, 3))).toEqual(['888', '999']);
  });

  test.each([
    ['an id that is not there', set('<after>nowhere</after>'), 'item-not-found'],
    ['a time that is none', form({ start: 'yesterday' }), 'bad-request'],
    ['an address that is none', form({ with: '@' }), 'bad-request'],
    ['a page of no number', set('<max>many</max>'), 'bad-request'],
  ])('§4: %s is refused', (_name, inside, expected) => {
    const { balcony } = talk();
    balcony.gets();
    balcony.sends(`<iq type="set" id="m"><query xmlns="urn:xmpp:mam:2">${inside}</query></iq>`);
    const [error] = balcony.gets();
    expect(error && condition(error)).toBe(expected);
  });

  test('§4.1.5: the form that can be filled in', () => {
    const { balcony } = talk();
    balcony.gets();
    balcony.sends('<iq type="get" id="f"><query xmlns="urn:xmpp:mam:2"/></iq>');
    const [answer] = balcony.gets();
    const inner = answer && childElement(answer, 'query', 'urn:xmpp:mam:2');
    const filled = inner && childElement(inner, 'x', 'jabber:x:data');
    const names = filled && childElements(filled).map(({ attributes }) => attributes.get('var'));
    expect(names).toEqual(['FORM_TYPE', 'with', 'start', 'end']);
  });

  test('the archive is there after a crash, and nobody else reads it', () => {
    const { romeo, orchard } = talk();
    orchard.gets();
    orchard.sends(
      '<iq type="set" id="m" to="juliet@capulet.lit"><query xmlns="urn:xmpp:mam:2"/></iq>',
    );
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('service-unavailable');
    romeo.crash();
    const street = romeo.client('street');
    expect(query(street, '').messages.map(bodyOf)).toEqual(['one', 'two', 'three', 'four']);
  });

  test('a damaged record is left out, told of, and removed', () => {
    const { romeo } = talk();
    const [key = ''] = romeo.keys('archive/');
    romeo.store.set(key, Buffer.from('[1,"id"'));
    romeo.crash();
    const street = romeo.client('street');
    expect(query(street, '').messages.map(bodyOf)).toEqual(['two', 'three', 'four']);
    expect(romeo.events).toContainEqual({ type: 'recordDropped', key });
    expect(romeo.keys('archive/')).not.toContain(key);
  });
});

/** Three messages of Romeo, a minute apart, and one of Juliet. */
function talk() {
  const all = lovers();
  const { verona, orchard, balcony } = all;
  for (const text of ['one', 'two', 'three']) {
    orchard.sends(`<message to="juliet@capulet.lit" type="chat"><body>${text}</body></message>`);
    verona.passes(60_000);
  }
  balcony.sends('<message to="romeo@montague.lit" type="chat"><body>four</body></message>');
  return all;
}

function query(client: VeronaClient, inside: string) {
  const before = client.gets();
  client.sends(
    `<iq type="set" id="m"><query xmlns="urn:xmpp:mam:2" queryid="q1">${inside}</query></iq>`,
  );
  const answers = client.gets();
  for (const stanza of before) client.take(stanza);
  const iq = answers.at(-1);
  const fin = iq && childElement(iq, 'fin', 'urn:xmpp:mam:2');
  return { messages: answers.slice(0, -1), fin };
}

function form(fields: Record<string, string>): string {
  const texts = Object.entries({ FORM_TYPE: 'urn:xmpp:mam:2', ...fields }).map(
    ([name, value]) => `<field var="${name}"><value>${value}</value></field>`,
  );
  return `<x xmlns="jabber:x:data" type="submit">${texts.join('')}</x>`;
}

function set(inside: string): string {
  return `<set xmlns="http://jabber.org/protocol/rsm">${inside}</set>`;
}

function rsm(fin: XmppElement | undefined, name: string): string | undefined {
  const page = fin && childElement(fin, 'set', 'http://jabber.org/protocol/rsm');
  const found = page && childElement(page, name, 'http://jabber.org/protocol/rsm');
  return found && textOf(found);
}

function resultOf(message: XmppElement): XmppElement | undefined {
  return childElement(message, 'result', 'urn:xmpp:mam:2');
}

function forwardedIn(message: XmppElement): XmppElement | undefined {
  const result = resultOf(message);
  return result && childElement(result, 'forwarded', 'urn:xmpp:forward:0');
}

function bodyOf(message: XmppElement): string | undefined {
  const forwarded = forwardedIn(message);
  const inner = forwarded && childElement(forwarded, 'message', 'jabber:client');
  return inner && body(inner);
}

function stampOf(message: XmppElement): string | undefined {
  const forwarded = forwardedIn(message);
  const delay = forwarded && childElement(forwarded, 'delay', 'urn:xmpp:delay');
  return delay?.attributes.get('stamp');
}
