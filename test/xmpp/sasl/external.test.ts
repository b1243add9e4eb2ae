import { describe, expect, test } from 'vitest';
import { ExternalServer } from '../../../src/xmpp/sasl/external.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../../src/xmpp-address/jid.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

function romeo() {
  const jid = parseJid('romeo@montague.lit');
  if (jid instanceof AddressFault) throw new Error('no address');
  return jid;
}

function outcome(addresses: readonly string[], identity: string | Uint8Array, user?: BareJid) {
  const step = new ExternalServer(romeo(), { user: user ?? romeo().bare, addresses }).respond(
    typeof identity === 'string' ? utf8(identity) : identity,
  );
  return step.type === 'failure' ? step.condition : step.type;
}

describe('XEP-0178 §2, step 11', () => {
  const one = ['romeo@montague.lit'];
  const several = ['romeo@montague.lit', 'romeo@verona.lit'];

  test('one address and no authorization identity: this address logs in', () => {
    expect(outcome(one, '')).toBe('success');
  });

  test('one address and the same authorization identity: it logs in', () => {
    expect(outcome(one, 'romeo@montague.lit')).toBe('success');
    expect(outcome(one, 'Romeo@MONTAGUE.lit')).toBe('success');
  });

  test('several addresses: which one is meant has to be said', () => {
    expect(outcome(several, '')).toBe('invalid-authzid');
    expect(outcome(several, 'romeo@montague.lit')).toBe('success');
    expect(outcome(several, 'romeo@verona.lit')).toBe('invalid-authzid');
  });

  test('no address, but registered by this user: it logs in', () => {
    expect(outcome([], '')).toBe('success');
    expect(outcome([], 'romeo@montague.lit')).toBe('success');
    expect(outcome([], 'juliet@capulet.lit')).toBe('invalid-authzid');
  });

  test('RFC 6120 §6.3.8: an authorization identity is a bare JID', () => {
    const nul = new Uint8Array([...utf8('romeo@montague.lit'), 0]);
    const bad = [
      'romeo@montague.lit/orchard',
      'montague.lit',
      'romeo',
      nul,
      new Uint8Array([0xff]),
    ];
    for (const identity of bad) {
      expect(outcome(one, identity)).toBe('invalid-authzid');
    }
  });

  test('a certificate of another user logs nobody in', () => {
    const juliet = 'juliet@capulet.lit' as BareJid;
    expect(outcome(['juliet@capulet.lit'], '', juliet)).toBe('not-authorized');
  });
});
