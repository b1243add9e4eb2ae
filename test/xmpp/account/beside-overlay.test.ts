import { describe, expect, it } from 'vitest';
import { body } from '../routing/verona.ts';
import { chat, JULIET, lovers, serverOf, unreached, waits } from './account-lovers.ts';

describe('XEP-0415 §8: the overlay is primary', () => {
  it('while the overlay delivers, nothing goes by the server', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('overlay');
    verona.connect(romeo, juliet);
    orchard.sends(chat(JULIET, 'one'));
    verona.passes(60_000);
    expect([balcony.reads(), server.sent, waits(romeo)]).toEqual([['one'], [], 0]);
  });

  it('whoever is not found in the overlay gets it by the server at once, marked, and once', () => {
    const { verona, romeo, orchard, balcony } = lovers('overlay');
    orchard.sends(chat(JULIET, 'one'));
    expect([balcony.reads(), waits(romeo)]).toEqual([[], 1]);
    unreached(romeo, JULIET);
    const [message] = balcony.getsMessages();
    expect(message && body(message)).toBe('one');
    expect(message && serverOf(message)).toBe('capulet.lit');
    expect(waits(romeo)).toBe(0);
    orchard.sends(chat(JULIET, 'two'));
    expect(balcony.reads()).toEqual(['two']);
    verona.passes(600_000);
    expect(balcony.reads()).toEqual([]);
  });

  it('what no device acknowledges within ten seconds goes by the server, too', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('overlay');
    verona.connect(romeo, juliet);
    juliet.isDiskHeld = true;
    orchard.sends(chat(JULIET, 'one'));
    verona.passes(9_000);
    expect(server.sent).toEqual([]);
    verona.passes(1_100);
    expect(server.sent.map(body)).toEqual(['one']);
    juliet.releaseDisk();
    expect([balcony.reads(), waits(romeo), waits(juliet)]).toEqual([['one'], 0, 0]);
  });

  it('it stays in the outbox until the server has acknowledged it', () => {
    const { verona, server, romeo, orchard, balcony } = lovers('overlay');
    server.isSlow = true;
    orchard.sends(chat(JULIET, 'one'));
    unreached(romeo, JULIET);
    expect([server.sent.length, waits(romeo)]).toEqual([1, 1]);
    server.isSlow = false;
    verona.settle();
    expect([balcony.reads(), waits(romeo)]).toEqual([['one'], 0]);
  });

  it('a session that was lost: it goes again, and is recognised', () => {
    const { verona, server, romeo, orchard, balcony } = lovers('overlay');
    server.isSlow = true;
    orchard.sends(chat(JULIET, 'one'));
    unreached(romeo, JULIET);
    server.of(romeo).goes();
    romeo.turn(() => romeo.router.serverPath?.lostByServer([1]));
    server.of(romeo).comes();
    expect(server.sent.map(body).filter((text) => text === 'one')).toHaveLength(2);
    server.isSlow = false;
    verona.settle();
    expect([balcony.reads(), waits(romeo)]).toEqual([['one'], 0]);
  });

  it('kill -9 before the acknowledgement: the next process sends it, and it is there once', () => {
    const { verona, server, romeo, orchard, balcony } = lovers('overlay');
    server.isSlow = true;
    orchard.sends(chat(JULIET, 'one'));
    unreached(romeo, JULIET);
    romeo.crash();
    server.of(romeo).comes();
    romeo.turn(() => romeo.router.start());
    server.isSlow = false;
    verona.settle();
    verona.passes(11_000);
    expect([balcony.reads(), waits(romeo)]).toEqual([['one'], 0]);
  });

  it('what the server cannot deliver waits for the overlay, and nobody gets an error', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('overlay');
    server.unknown.add(JULIET);
    orchard.sends(chat(JULIET, 'one'));
    unreached(romeo, JULIET);
    expect([orchard.gets(), waits(romeo)]).toEqual([[], 1]);
    orchard.sends(chat(JULIET, 'two'));
    verona.passes(60_000);
    expect(server.sent.map(body)).toEqual(['one']);
    verona.connect(romeo, juliet);
    expect([balcony.reads(), waits(romeo)]).toEqual([['one', 'two'], 0]);
  });

  it('xor send: the server has it', () => {
    const { romeo, verona } = lovers('overlay');
    romeo.turn(() => romeo.router.sendMessage(1, JULIET, 'one'));
    verona.settle();
    unreached(romeo, JULIET);
    expect(romeo.outcomes).toEqual([{ type: 'acknowledged', by: 'server' }]);
  });

  it('XEP-0085: what is worth something only now goes by the server when no device is there', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('overlay');
    const composing = '<composing xmlns="http://jabber.org/protocol/chatstates"/>';
    orchard.sends(`<message type="chat" to="${JULIET}">${composing}</message>`);
    expect(balcony.getsMessages()).toHaveLength(1);
    verona.connect(romeo, juliet);
    server.sent.length = 0;
    orchard.sends(`<message type="chat" to="${JULIET}">${composing}</message>`);
    expect([balcony.getsMessages().length, server.sent]).toEqual([1, []]);
  });
});

describe('XEP-0415 §8: the server is primary', () => {
  it('a message goes by the server alone, although a device is connected', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('server');
    verona.connect(romeo, juliet);
    orchard.sends(chat(JULIET, 'one'));
    expect(server.sent.map(body)).toEqual(['one']);
    const [message] = balcony.getsMessages();
    expect(message && serverOf(message)).toBe('capulet.lit');
    expect(waits(romeo)).toBe(0);
  });

  it('while the server is away, devices get it at once, and the server no more', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('server');
    verona.connect(romeo, juliet);
    server.of(romeo).goes();
    orchard.sends(chat(JULIET, 'one'));
    expect([balcony.reads(), waits(romeo)]).toEqual([['one'], 0]);
    server.of(romeo).comes();
    verona.settle();
    expect(server.sent.map(body).filter((text) => text === 'one')).toEqual([]);
  });

  it('a server that goes away with it: devices get what it has not acknowledged', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('server');
    verona.connect(romeo, juliet);
    server.isSlow = true;
    orchard.sends(chat(JULIET, 'one'));
    expect(balcony.reads()).toEqual([]);
    server.of(romeo).goes();
    verona.settle();
    expect([balcony.reads(), waits(romeo)]).toEqual([['one'], 0]);
    server.isSlow = false;
    verona.settle();
    expect(balcony.reads()).toEqual([]);
  });

  it('a server that is silent for ten seconds: devices get it, too', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('server');
    verona.connect(romeo, juliet);
    server.isSlow = true;
    orchard.sends(chat(JULIET, 'one'));
    verona.passes(11_000);
    expect(balcony.reads()).toEqual(['one']);
    server.isSlow = false;
    verona.settle();
    expect([balcony.reads(), waits(romeo)]).toEqual([[], 0]);
  });
});
