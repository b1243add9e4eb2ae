import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { element, writeElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import {
  acknowledgement,
  acknowledgementRequest,
  handledCountOf,
  handledCountTooHigh,
  ReceivedCount,
  UnacknowledgedQueue,
} from '../../../src/xmpp/stream/stream-management.ts';
import '../../fast-check-seed.ts';

describe('XEP-0198 §4: counting', () => {
  test('an acknowledgement takes the oldest of what waits', () => {
    const queue = new UnacknowledgedQueue<string>();
    for (const stanza of ['one', 'two', 'three']) queue.push(stanza);
    expect(queue.acknowledge(2)).toEqual(['one', 'two']);
    expect(queue.acknowledge(2)).toEqual([]);
    expect(queue.sentCount).toBe(3);
    expect(queue.takeAll()).toEqual(['three']);
    expect([queue.sentCount, queue.size]).toEqual([3, 0]);
  });

  test('more than was sent is too high, less than was acknowledged before is no news', () => {
    const queue = new UnacknowledgedQueue<string>();
    for (const stanza of ['one', 'two']) queue.push(stanza);
    expect(queue.acknowledge(3)).toBe('too-high');
    expect(queue.acknowledge(2)).toEqual(['one', 'two']);
    expect(queue.acknowledge(1)).toEqual([]);
    expect(queue.acknowledge(3)).toBe('too-high');
    expect(queue.sentCount).toBe(2);
  });

  test('after 2^32 - 1 comes 0', () => {
    const queue = new UnacknowledgedQueue<number>();
    const received = new ReceivedCount();
    Object.assign(queue, { acknowledged: 2 ** 32 - 2 });
    Object.assign(received, { handled: 2 ** 32 - 2 });
    for (let stanza = 0; stanza < 4; stanza += 1) queue.push(stanza);
    for (let stanza = 0; stanza < 3; stanza += 1) received.receive();
    for (let stanza = 0; stanza < 3; stanza += 1) received.handle();
    expect(received.handledCount).toBe(1);
    expect(queue.sentCount).toBe(2);
    expect(queue.acknowledge(received.handledCount)).toEqual([0, 1, 2]);
    expect(queue.all).toEqual([3]);
  });

  test('§5: what came before a resumption and is not dealt with is not taken twice', () => {
    const received = new ReceivedCount();
    for (let stanza = 0; stanza < 3; stanza += 1) expect(received.receive()).toBe(true);
    received.handle();
    expect(received.resume()).toBe(1);
    received.handle();
    expect([received.receive(), received.receive(), received.receive()]).toEqual([
      false,
      false,
      true,
    ]);
    expect([received.handledCount, received.pendingCount]).toEqual([2, 2]);
  });

  test('any sequence of acknowledgements gives each stanza once and in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(5))), fc.nat(2 ** 32 - 1), (steps, start) => {
        const queue = new UnacknowledgedQueue<number>();
        Object.assign(queue, { acknowledged: start });
        let sent = 0;
        const given: number[] = [];
        for (const [pushes, count] of steps) {
          for (let i = 0; i < pushes; i += 1) queue.push(sent++);
          const taken = queue.acknowledge((start + given.length + count) % 2 ** 32);
          if (taken === 'too-high') expect(given.length + count).toBeGreaterThan(sent);
          else given.push(...taken);
        }
        expect([...given, ...queue.takeAll()]).toEqual(Array.from({ length: sent }, (_, i) => i));
      }),
    );
  });

  test('an h is an unsigned number of 32 bits', () => {
    const countOf = (h: string) => handledCountOf(element('a', 'urn:xmpp:sm:3', { h }));
    expect(countOf('4294967295')).toBe(4_294_967_295);
    expect(countOf('007')).toBe(7);
    for (const h of ['4294967296', '-1', '1.0', '', ' 1', '0x1', '1e3', '９']) {
      expect(countOf(h)).toBeUndefined();
    }
    expect(handledCountOf(element('a', 'urn:xmpp:sm:3'))).toBeUndefined();
  });
});

describe('XEP-0198: what is sent', () => {
  test('§4: requests and acknowledgements', () => {
    expect(writeElement(acknowledgementRequest())).toBe('<r xmlns="urn:xmpp:sm:3"/>');
    expect(writeElement(acknowledgement(7))).toBe('<a xmlns="urn:xmpp:sm:3" h="7"/>');
  });

  test('§6: the error for an h that is too high', () => {
    expect(writeElement(handledCountTooHigh(10, 8), 'jabber:client')).toBe(
      '<error xmlns="http://etherx.jabber.org/streams">' +
        '<undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>' +
        '<text xmlns="urn:ietf:params:xml:ns:xmpp-streams" xml:lang="en">' +
        'You acknowledged 10 stanzas, but only 8 were sent to you.</text>' +
        '<handled-count-too-high xmlns="urn:xmpp:sm:3" h="10" send-count="8"/></error>',
    );
  });
});
