import { describe, expect, test } from 'vitest';
import { childElement, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { lovers } from './lovers.ts';
import { body, condition } from './verona.ts';

describe('messages to a contact (RFC 6120 §10, RFC 6121 §8, XEP-0415 §6.2)', () => {
  test('RFC 6121 §5: Romeo writes, Juliet reads it, and it is acknowledged from end to end', () => {
    const { romeo, juliet, orchard, balcony } = lovers();
    orchard.sends(hello('wherefore'));
    const [message] = balcony.getsMessages();
    expect(message && body(message)).toBe('wherefore');
    expect(message?.attributes.get('from')).toBe('romeo@montague.lit/orchard');
    expect(orchard.handled).toBe(1);
    expect(romeo.keys('outbox/')).toEqual([]);
    expect([romeo.keys('archive/').length, juliet.keys('archive/').length]).toEqual([1, 1]);
  });

  test('a message is acknowledged and sent only when archive and outbox are durable', () => {
    const { romeo, orchard, balcony } = lovers();
    romeo.isDiskHeld = true;
    orchard.sends(hello('one'));
    orchard.sends(hello('two'));
    expect([orchard.handled, balcony.reads()]).toEqual([0, []]);
    romeo.releaseDisk();
    expect([orchard.handled, balcony.reads()]).toEqual([2, ['one', 'two']]);
  });

  test('XEP-0198 §4: nothing later is acknowledged before what waits for the disk', () => {
    const { romeo, orchard } = lovers();
    romeo.isDiskHeld = true;
    orchard.sends(hello('one'));
    orchard.sends('<iq type="get" id="p"><ping xmlns="urn:xmpp:ping"/></iq>');
    expect(orchard.handled).toBe(0);
    romeo.releaseDisk();
    expect(orchard.handled).toBe(2);
  });

  test('the receiving peer acknowledges only what is in its archive', () => {
    const { romeo, juliet, orchard } = lovers();
    juliet.isDiskHeld = true;
    orchard.sends(hello('one'));
    expect(romeo.keys('outbox/').length).toBe(1);
    juliet.releaseDisk();
    expect(romeo.keys('outbox/')).toEqual([]);
  });

  test('a full disk: no acknowledgement, the same order when it can be written again', () => {
    const { verona, romeo, orchard, balcony } = lovers();
    romeo.isDiskFull = true;
    orchard.sends(hello('one'));
    orchard.sends(hello('two'));
    expect(orchard.handled).toBe(0);
    expect(romeo.events.some(({ type }) => type === 'recordsNotWritten')).toBe(true);
    romeo.isDiskFull = false;
    orchard.sends(hello('three'));
    verona.passes(2_000);
    expect([orchard.handled, balcony.reads()]).toEqual([3, ['one', 'two', 'three']]);
  });

  test('RFC 6120 §8.3.3.8: an address that is none is answered with jid-malformed', () => {
    const { orchard } = lovers();
    orchard.sends('<message id="m" to="@capulet.lit"><body>?</body></message>');
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('jid-malformed');
    expect([error?.attributes.get('id'), orchard.handled]).toEqual(['m', 1]);
  });

  test('a message that no stream would take is refused with policy-violation', () => {
    const { orchard } = lovers();
    orchard.sends(hello('x'.repeat(245_000)));
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('policy-violation');
  });

  test('XEP-0359 §3: a message gets an origin-id, and keeps the one that it has', () => {
    const { orchard, balcony } = lovers();
    orchard.sends(hello('without'));
    orchard.sends(hello('with', ORIGIN));
    const ids = balcony.getsMessages().map((message) => idOf(message, 'origin-id'));
    expect(ids[0]).toMatch(/^[\w-]{20}$/);
    expect(ids[1]).toBe('o1');
  });

  test('XEP-0359 §5: the stanza-id is the receiving peer’s, a forged one is removed', () => {
    const { juliet, orchard, balcony } = lovers();
    const forged = '<stanza-id xmlns="urn:xmpp:sid:0" by="juliet@capulet.lit" id="forged"/>';
    orchard.sends(hello('one', forged));
    const [message] = balcony.getsMessages();
    expect(message && idOf(message, 'stanza-id')).not.toBe('forged');
    expect(message && idOf(message, 'stanza-id')).toMatch(/^[\w-]{20}$/);
    expect(juliet.keys('archive/').length).toBe(1);
  });

  test('a message sent again by its client is acknowledged, and delivered once', () => {
    const { orchard, balcony } = lovers();
    orchard.sends(hello('one', ORIGIN));
    orchard.sends(hello('one', ORIGIN));
    expect([orchard.handled, balcony.reads()]).toEqual([2, ['one']]);
  });

  test('a cut before the acknowledgement: sent again, recognised, acknowledged', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    juliet.isDiskHeld = true;
    orchard.sends(hello('one'));
    verona.cut(romeo, juliet);
    verona.connect(romeo, juliet);
    juliet.releaseDisk();
    expect([balcony.reads(), romeo.keys('outbox/')]).toEqual([['one'], []]);
  });
});

describe('what a program sends in the user’s name', () => {
  test('acknowledged when a device of the addressee has it on disk', () => {
    const { romeo, juliet, balcony } = lovers();
    juliet.isDiskHeld = true;
    romeo.turn(() => romeo.router.sendMessage(1, 'juliet@capulet.lit', 'soft'));
    romeo.settle();
    expect(romeo.outcomes).toEqual([]);
    juliet.releaseDisk();
    expect([romeo.outcomes, balcony.reads()]).toEqual([[{ type: 'acknowledged' }], ['soft']]);
  });

  test.each([
    ['@', 'jid-malformed'],
    ['romeo@montague.lit', 'not-acceptable'],
    ['capulet.lit', 'not-acceptable'],
  ])('to %s: %s', (to, expected) => {
    const { romeo } = lovers();
    romeo.turn(() => romeo.router.sendMessage(1, to, 'soft'));
    expect(romeo.outcomes).toMatchObject([{ type: 'refused', condition: expected }]);
  });
});

describe('who is offline (XEP-0160, XEP-0203)', () => {
  test('Juliet’s peer is away: looked for, kept over a crash, delivered in order with a stamp', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    verona.cut(romeo, juliet);
    orchard.sends(hello('one'));
    orchard.sends(hello('two'));
    expect([orchard.handled, balcony.reads()]).toEqual([2, []]);
    expect(romeo.streams.reached).toEqual(['juliet@capulet.lit']);
    verona.passes(60_000);
    romeo.crash();
    verona.passes(60_000);
    expect(romeo.streams.reached.length).toBeGreaterThan(1);
    verona.connect(romeo, juliet);
    const messages = balcony.getsMessages();
    expect(messages.map(body)).toEqual(['one', 'two']);
    expect(messages.map(stampOf)).toEqual(['2026-11-21T08:00:00Z', '2026-11-21T08:00:00Z']);
    expect(romeo.keys('outbox/')).toEqual([]);
  });

  test('attempts to reach her follow after pauses that grow, and at once when she appears', () => {
    const { verona, romeo, juliet, orchard } = lovers();
    verona.cut(romeo, juliet);
    orchard.sends(hello('one'));
    const tried = () => {
      romeo.turn(() => romeo.router.addressTried(juliet.device.user, 0, 0, 'not found'));
      const before = romeo.streams.reached.length;
      let waited = 0;
      while (romeo.streams.reached.length === before && waited < 3_600_000) {
        verona.passes(1_000);
        waited += 1_000;
      }
      return waited;
    };
    expect([tried(), tried(), tried(), tried()]).toEqual([5_000, 15_000, 60_000, 300_000]);
  });

  test('streams to somebody who is no contact are not wanted for ever', () => {
    const { verona, romeo, juliet, orchard } = lovers();
    verona.cut(romeo, juliet);
    orchard.sends(hello('one'));
    verona.passes(3_600_000);
    expect(romeo.streams.released).toEqual([]);
    verona.connect(romeo, juliet);
    verona.passes(3_600_000);
    expect(romeo.streams.released).toEqual(['juliet@capulet.lit']);
  });

  test('after 14 days the sender is told by recipient-unavailable, and the message is gone', () => {
    const { verona, romeo, juliet, orchard } = lovers();
    verona.cut(romeo, juliet);
    orchard.sends(hello('one'));
    verona.passes(14 * 24 * 3_600_000 + 7_200_000);
    const [error] = orchard.getsMessages();
    expect(error && condition(error)).toBe('recipient-unavailable');
    expect(romeo.keys('outbox/')).toEqual([]);
    expect(romeo.events.some(({ type }) => type === 'messageGivenUp')).toBe(true);
  });

  test('RFC 6121 §8.5.2.2: nobody is logged in: it waits for the next client, and comes once', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    balcony.leaves();
    orchard.sends(hello('one'));
    expect(juliet.keys('offline/').length).toBe(1);
    juliet.crash();
    verona.passes(60_000);
    const chamber = juliet.login('chamber');
    chamber.sends('<presence><priority>-1</priority></presence>');
    expect(chamber.reads()).toEqual([]);
    chamber.sends('<presence/>');
    const [message] = chamber.getsMessages();
    expect([message && body(message), message && stampOf(message)]).toEqual([
      'one',
      '2026-11-21T08:00:00Z',
    ]);
    const tomb = juliet.client('tomb');
    expect([tomb.reads(), juliet.keys('offline/')]).toEqual([[], []]);
  });

  test('what waits is handed over as fast as the client reads, so that nobody locks it out', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    balcony.leaves();
    for (const text of ['one', 'two', 'three', 'four', 'five']) orchard.sends(hello(text));
    const chamber = juliet.login('chamber');
    chamber.takesMax = 3;
    chamber.sends('<presence/>');
    const first = chamber.reads();
    expect(first.length).toBeLessThan(4);
    expect(juliet.keys('offline/').length).toBe(5 - first.length);
    verona.passes(200);
    expect([...first, ...chamber.reads()]).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(juliet.keys('offline/')).toEqual([]);
  });

  test('what is not handed over yet waits for the next client', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    balcony.leaves();
    for (const text of ['one', 'two', 'three']) orchard.sends(hello(text));
    const chamber = juliet.login('chamber');
    chamber.takesMax = 2;
    chamber.sends('<presence/>');
    const first = chamber.reads();
    chamber.leaves();
    verona.passes(1_000);
    const tomb = juliet.login('tomb');
    tomb.sends('<presence/>');
    expect([first, tomb.reads()]).toEqual([['one'], ['two', 'three']]);
  });

  test('XEP-0198 §4: what a client never acknowledged waits for the next one', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    orchard.sends(hello('one'));
    const undelivered = balcony.getsMessages();
    balcony.leaves(undelivered);
    verona.passes(1_000);
    const chamber = juliet.login('chamber');
    chamber.sends('<presence/>');
    const [message] = chamber.getsMessages();
    expect(message && body(message)).toBe('one');
    expect(message && stampOf(message)).toBe('2026-11-21T08:00:00Z');
  });

  test('XEP-0198 §4: another client that got it already does not get it again', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    const chamber = juliet.client('chamber');
    verona.passes(1_000);
    orchard.sends(hello('one'));
    expect(chamber.reads()).toEqual(['one']);
    balcony.leaves(balcony.getsMessages());
    expect([chamber.reads(), juliet.keys('offline/')]).toEqual([[], []]);
  });

  test('RFC 6120 §7.7.2.2: who comes back without resuming gets it at once, and nobody twice', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    const chamber = juliet.client('chamber');
    verona.passes(1_000);
    orchard.sends(hello('to all'));
    orchard.sends(
      '<message to="juliet@capulet.lit/balcony" type="chat"><body>alone</body></message>',
    );
    verona.passes(60_000);
    expect(chamber.reads()).toEqual(['to all']);
    balcony.undelivered = balcony.getsMessages();
    const again = juliet.login('balcony');
    expect(again.gets()).toEqual([]);
    again.sends('<presence/>');
    const got = again.getsMessages();
    expect(got.map(body)).toEqual(['to all', 'alone']);
    expect(got.every((message) => stampOf(message) !== undefined)).toBe(true);
    expect([chamber.reads(), juliet.keys('offline/')]).toEqual([[], []]);
  });

  test('what it gets so comes as fast as it reads, and the rest waits when it goes', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    for (const text of ['one', 'two', 'three', 'four', 'five']) orchard.sends(hello(text));
    balcony.undelivered = balcony.getsMessages();
    const again = juliet.login('balcony');
    again.takesMax = 3;
    again.sends('<presence/>');
    expect(again.reads()).toEqual(['one', 'two']);
    verona.passes(200);
    expect(again.reads()).toEqual(['three', 'four', 'five']);
    balcony.undelivered = [];
    again.undelivered = [];
    orchard.sends(hello('six'));
    orchard.sends(hello('seven'));
    again.undelivered = again.getsMessages();
    const last = juliet.login('balcony');
    last.takesMax = 2;
    last.sends('<presence/>');
    expect(last.reads()).toEqual(['six']);
    last.leaves();
    verona.passes(1_000);
    const tomb = juliet.login('tomb');
    tomb.sends('<presence/>');
    expect(tomb.reads()).toEqual(['seven']);
  });

  test('who comes back and goes before it takes messages leaves them to the others', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    orchard.sends(hello('one'));
    verona.passes(1_000);
    balcony.undelivered = balcony.getsMessages();
    juliet.login('balcony').leaves();
    expect(
      juliet.client('chamber', '<presence><priority>-1</priority></presence>').reads(),
    ).toEqual([]);
    expect(juliet.keys('offline/').length).toBe(1);
  });

  test('XEP-0334 §4.2: no-store is for who is there; with text its sender is told', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    const hint = '<no-store xmlns="urn:xmpp:hints"/>';
    orchard.sends(hello('now', hint));
    expect([balcony.reads(), juliet.keys('archive/')]).toEqual([['now'], []]);
    verona.cut(romeo, juliet);
    orchard.sends(hello('later', hint));
    const [error] = orchard.gets();
    expect(error && condition(error)).toBe('recipient-unavailable');
    expect([orchard.handled, romeo.keys('outbox/')]).toEqual([2, []]);
  });

  test('XEP-0334 §4.1: no-permanent-store waits, is recognised, and is in no archive', () => {
    const { juliet, orchard, balcony } = lovers();
    balcony.leaves();
    orchard.sends(hello('secret', '<no-permanent-store xmlns="urn:xmpp:hints"/>'));
    const chamber = juliet.login('chamber');
    chamber.sends('<presence/>');
    expect(chamber.reads()).toEqual(['secret']);
    const texts = [...juliet.store.values()].map((value) => Buffer.from(value).toString());
    expect(texts.some((text) => text.includes('secret'))).toBe(false);
  });

  test('XEP-0085: a chat state is for who is online, and is stored nowhere', () => {
    const { romeo, juliet, orchard, balcony } = lovers();
    const composing = '<composing xmlns="http://jabber.org/protocol/chatstates"/>';
    orchard.sends(`<message to="juliet@capulet.lit" type="chat">${composing}</message>`);
    expect(balcony.getsMessages().length).toBe(1);
    balcony.leaves();
    orchard.sends(`<message to="juliet@capulet.lit" type="chat">${composing}</message>`);
    expect([romeo.keys('archive/'), juliet.keys('')]).toEqual([[], []]);
  });
});

function hello(text: string, more = ''): string {
  return `<message to="juliet@capulet.lit" type="chat"><body>${text}</body>${more}</message>`;
}

function idOf(message: XmppElement, name: string): string | undefined {
  return childElement(message, name, 'urn:xmpp:sid:0')?.attributes.get('id');
}

function stampOf(message: XmppElement): string | undefined {
  return childElement(message, 'delay', 'urn:xmpp:delay')?.attributes.get('stamp');
}

const ORIGIN = '<origin-id xmlns="urn:xmpp:sid:0" id="o1"/>';
