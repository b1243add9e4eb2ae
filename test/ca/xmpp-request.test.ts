import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generalName, subjectAltName } from '../../sim/certificates/extension-maker.ts';
import { refusalOfToken } from '../../src/ca/xmpp-refusal.ts';
import { readXmppRequest, senderOf } from '../../src/ca/xmpp-request.ts';
import { makeRequest } from './request-maker.ts';
import '../fast-check-seed.ts';

const JULIET = 'juliet@capulet.lit';
const der = makeRequest({ wishes: [subjectAltName([generalName.xmppAddr(JULIET)])] });
const arrived = { from: `${JULIET}/balcony`, transaction: 'abc123', name: 'My Phone', der };

describe('a request over XMPP', () => {
  it('XEP-0417 §6.1: counts for the bare address that sent it', () => {
    expect(readXmppRequest(arrived, 'xep-0416')).toMatchObject({
      userName: JULIET,
      transaction: 'abc123',
      name: 'My Phone',
      signingRequest: { xmppAddrs: [JULIET] },
    });
  });

  it('has a name where the client gave one, and must have a transaction', () => {
    const { name, ...unnamed } = arrived;
    expect(name).toBe('My Phone');
    expect(readXmppRequest({ ...unnamed, name: undefined }, 'xep-0416')).toMatchObject({
      name: undefined,
    });
    expect(readXmppRequest({ ...arrived, transaction: undefined }, 'xep-0416')).toMatchObject({
      condition: 'bad-request',
    });
  });

  it.each([
    ['juliet@capulet.lit/balcony', JULIET],
    ['JULIET@CAPULET.LIT', JULIET],
    ['juliet@capulet.lit./x', JULIET],
  ])('RFC 7622: %s is prepared', (from, userName) => {
    expect(senderOf(from, 'xep-0416')).toBe(userName);
  });

  it.each([
    ['capulet.lit', 'not-acceptable'],
    ['@capulet.lit', 'jid-malformed'],
    ['juliet@', 'jid-malformed'],
    ['a"b@capulet.lit', 'jid-malformed'],
    ['juliet@[2001:db8::1]', 'not-acceptable'],
    ['x'.repeat(5_000), 'jid-malformed'],
  ])('a sender that cannot be certified: %s', (from, condition) => {
    expect(senderOf(from, 'xep-0416')).toMatchObject({ condition });
  });

  it('whatever came, it is a request or a refusal with a sentence', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom(JULIET, 'abc', `${JULIET}/x`));
    const given = fc.record({
      from: text,
      transaction: fc.option(text, { nil: undefined }),
      name: fc.option(text, { nil: undefined }),
      der: fc.option(fc.oneof(fc.uint8Array(), fc.constant(der)), { nil: undefined }),
    });
    fc.assert(
      fc.property(given, (one) => {
        const read = readXmppRequest(one, 'xep-0416');
        if ('condition' in read) expect(read.text.length).toBeGreaterThan(10);
        else expect(read.userName).toBe(JULIET);
      }),
    );
  });

  const vector = new URL('../../../shared/vectors/xep-0417/request.der', import.meta.url);
  it.skipIf(!existsSync(vector))('the request that XEP-0417 prints is read', () => {
    const printed = new Uint8Array(readFileSync(vector));
    const from = 'user@localhost/phone';
    expect(readXmppRequest({ ...arrived, from, der: printed }, 'xep-0416')).toMatchObject({
      userName: 'user@localhost',
      signingRequest: { xmppAddrs: ['user@localhost'] },
    });
  });
});

describe('refusals of the authority, by their name over XMPP', () => {
  it.each([
    ['bad_CSR', 'conflict'],
    ['Node-IDs_not_available', 'resource-constraint'],
    ['username_not_available', 'not-allowed'],
    ['failed_authentication', 'forbidden'],
  ] as const)('%s is %s', (token, condition) => {
    expect(refusalOfToken(token, 'why')).toMatchObject({
      condition,
      text: expect.stringContaining('why.'),
    });
  });
});
