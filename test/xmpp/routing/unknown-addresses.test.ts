import { describe, expect, test } from 'vitest';
import { UNKNOWN_AFTER_MS } from '../../../src/xmpp/routing/routing-limits.ts';
import { lovers } from './lovers.ts';
import { bare, condition, type VeronaPeer } from './verona.ts';

const NOBODY = bare('nobody@capulet.lit');

describe('an address that nobody has (RFC 6121 §8.5.1)', () => {
  test('no location and no certificate: service-unavailable soon, and nothing waits', () => {
    const { verona, romeo, orchard } = lovers();
    orchard.sends(hello('one'));
    orchard.sends(hello('two'));
    triedInVain(romeo);
    verona.passes(UNKNOWN_AFTER_MS - 1);
    expect(orchard.gets()).toEqual([]);
    verona.passes(1);
    const errors = orchard.gets();
    expect(errors.map((error) => [error.attributes.get('id'), condition(error)])).toEqual([
      ['one', 'service-unavailable'],
      ['two', 'service-unavailable'],
    ]);
    expect(romeo.keys('outbox/')).toEqual([]);
  });

  test('a certificate and no location: whoever is off is waited for', () => {
    const { verona, romeo, orchard } = lovers();
    verona.overlay.certified.add(NOBODY);
    orchard.sends(hello('one'));
    triedInVain(romeo);
    verona.passes(10 * UNKNOWN_AFTER_MS);
    triedInVain(romeo);
    expect([orchard.gets(), romeo.keys('outbox/').length]).toEqual([[], 1]);
  });

  test('a certificate that is stored meanwhile', () => {
    const { verona, romeo, orchard } = lovers();
    orchard.sends(hello('one'));
    triedInVain(romeo);
    verona.overlay.certified.add(NOBODY);
    verona.passes(10 * UNKNOWN_AFTER_MS);
    expect([orchard.gets(), romeo.keys('outbox/').length]).toEqual([[], 1]);
  });

  test('an overlay that does not answer proves nothing', () => {
    const { verona, romeo, orchard } = lovers();
    orchard.sends(hello('one'));
    triedInVain(romeo);
    verona.overlay.isAway = true;
    verona.passes(2 * UNKNOWN_AFTER_MS);
    verona.overlay.isAway = false;
    expect(orchard.gets()).toEqual([]);
    triedInVain(romeo);
    verona.passes(UNKNOWN_AFTER_MS);
    expect(orchard.gets().length).toBe(1);
  });

  test('who has written before is waited for, though the certificate is gone', () => {
    const { verona, romeo, juliet, orchard, balcony } = lovers();
    balcony.sends('<message type="chat" to="romeo@montague.lit" id="m"><body>hi</body></message>');
    orchard.gets();
    verona.cut(romeo, juliet);
    verona.overlay.certified.clear();
    orchard.sends(hello('one', 'juliet@capulet.lit'));
    triedInVain(romeo, bare('juliet@capulet.lit'));
    verona.passes(2 * UNKNOWN_AFTER_MS);
    expect([orchard.gets(), romeo.keys('outbox/').length]).toEqual([[], 1]);
  });

  test('a program that sent a message is told, too', () => {
    const { verona, romeo } = lovers();
    romeo.turn(() => romeo.router.sendMessage(1, NOBODY, 'hello'));
    romeo.settle();
    triedInVain(romeo);
    verona.passes(UNKNOWN_AFTER_MS);
    expect(romeo.outcomes).toMatchObject([{ type: 'refused', condition: 'service-unavailable' }]);
  });
});

function triedInVain(peer: VeronaPeer, address = NOBODY): void {
  peer.turn(() => peer.router.addressTried(address, 0, 0, 'there is no location'));
  peer.settle();
}

function hello(id: string, to: string = NOBODY): string {
  return `<message type="chat" to="${to}" id="${id}"><body>hello</body></message>`;
}
