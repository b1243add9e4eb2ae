/** XEP-0417 with a server in the path that alters, replays, redirects, reorders and withholds. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeIntermediate, makeKey } from '../../../sim/certificates/certificate-maker.ts';
import {
  element,
  withAttributes,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { withChallengeKey } from '../../../src/xmpp/x509/challenge-key.ts';
import {
  certificateChainElement,
  challengeElement,
  X509_NAMESPACE,
} from '../../../src/xmpp/x509/x509-element.ts';
import { AUTHORITY, CLIENT, ExchangeWorld, OTHER_ROOT, PAGE, xmppRoot } from './exchange-world.ts';

describe('a server that alters', () => {
  it('the page of a challenge: challenge-signature, and nothing is shown', () => {
    const world = new ExchangeWorld();
    const signed = world.transaction + PAGE;
    world.comes(world.challenge({ uri: 'https://evil.lit/', signed }));
    expect(world.refusals).toEqual(['challenge-signature']);
    expect(world.pages).toEqual([]);
  });

  it('the request, for one of its own: challenge-key, and nothing is shown', () => {
    const world = new ExchangeWorld();
    const key = createHash('sha256')
      .update(world.key.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex');
    world.comes(world.challenge({ uri: withChallengeKey(PAGE, '0'.repeat(64)) }));
    expect(world.refusals).toEqual(['challenge-key']);
    expect(world.pages).toEqual([]);
    world.comes(world.challenge({ uri: withChallengeKey(PAGE, key) }));
    expect(world.pages).toEqual([withChallengeKey(PAGE, key)]);
  });

  it('where the transaction ends and the page begins: wrong-transaction', () => {
    const world = new ExchangeWorld();
    const { transaction } = world;
    const challenge = {
      transaction: transaction.slice(0, -1),
      uri: transaction.slice(-1) + PAGE,
      signed: transaction + PAGE,
    };
    world.comes(world.challenge(challenge));
    expect(world.refusals).toEqual(['wrong-transaction']);
  });

  it('the signature, any bit of it: challenge-signature or malformed', () => {
    const world = new ExchangeWorld();
    const honest = world.challenge();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (signature) => {
        const forged = challengeElement({ transaction: world.transaction, uri: PAGE, signature });
        const [output] = world.comes({ ...honest, children: [forged] });
        return output?.type === 'refused';
      }),
    );
    expect(world.pages).toEqual([]);
  });

  it('the certificate for one of its own key: another-key', () => {
    const world = new ExchangeWorld();
    world.comes(world.response(world.issued({ key: makeKey() })));
    expect(world.end).toBe('another-key');
  });

  it('the certificate for one of another address: another-address', () => {
    const world = new ExchangeWorld();
    world.comes(world.response(world.issued({ jid: 'tybalt@capulet.lit' })));
    expect(world.end).toBe('another-address');
  });

  it('the certificate for one that it signed itself: invalid-chain', () => {
    const world = new ExchangeWorld();
    const own = xmppRoot(AUTHORITY, { name: 'Evil Root' });
    world.comes(world.response([...world.issued({}, own), own.certificate]));
    expect(world.end).toBe('invalid-chain');
  });

  it('the certificate for one below a root of the same name: invalid-chain', () => {
    const world = new ExchangeWorld();
    world.comes(world.response(world.issued({}, xmppRoot())));
    expect(world.end).toBe('invalid-chain');
  });

  it('one octet of the certificate, anywhere: it is not taken', () => {
    const [honest = new Uint8Array()] = new ExchangeWorld().issued();
    fc.assert(
      fc.property(fc.nat(honest.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const world = new ExchangeWorld({ root: SHARED_ROOT });
        const [der = new Uint8Array()] = world.issued();
        const altered = der.slice();
        altered[at % der.length] = (altered[at % der.length] ?? 0) ^ flip;
        world.comes(world.response([altered]));
        return world.end !== 'issued';
      }),
      { numRuns: 50 },
    );
  });

  it('the device name of the answer: the own one counts', () => {
    const world = new ExchangeWorld({ name: 'Phone' });
    world.comes(world.answer('result', [certificateChainElement(world.issued(), 'Not my phone')]));
    expect(world.end).toBe('issued');
  });
});

describe('a server that replays', () => {
  it('a challenge of an earlier transaction: wrong-transaction', () => {
    const root = xmppRoot();
    const earlier = new ExchangeWorld({ root, seed: 1 });
    const world = new ExchangeWorld({ root, seed: 2 });
    world.comes(earlier.challenge());
    expect(world.refusals).toEqual(['wrong-transaction']);
  });

  it('an answer to an earlier request: it matches nothing', () => {
    const root = xmppRoot();
    const earlier = new ExchangeWorld({ root, seed: 1 });
    const world = new ExchangeWorld({ root, seed: 2 });
    expect(world.comes(earlier.error('cancel', 'not-allowed'))).toEqual([]);
    expect(world.comes(earlier.response(earlier.issued()))).toEqual([]);
    expect(world.end).toBeUndefined();
  });

  it('a certificate of an earlier key under the new id: another-key', () => {
    const root = xmppRoot();
    const earlier = new ExchangeWorld({ root, seed: 1 });
    const world = new ExchangeWorld({ root, seed: 2 });
    world.comes(world.response(earlier.issued()));
    expect(world.end).toBe('another-key');
  });

  it('the response itself: too-late, and one certificate comes out', () => {
    const world = new ExchangeWorld();
    const response = world.response(world.issued());
    world.comes(response);
    world.comes(response);
    expect(world.refusals).toEqual(['too-late']);
    expect(world.outputs.filter(({ type }) => type === 'issued')).toHaveLength(1);
  });
});

describe('a server that redirects', () => {
  for (const from of ['evil.lit', `${AUTHORITY}.evil.lit`, `x@${AUTHORITY}`, `${AUTHORITY}/x`]) {
    it(`an answer of ${from} in place of the authority: wrong-sender`, () => {
      const world = new ExchangeWorld();
      world.comes(withAttributes(world.response(world.issued()), { from }));
      world.comes(withAttributes(world.error('cancel', 'gone'), { from }));
      world.comes(world.challenge({ from }));
      expect(world.refusals).toEqual(['wrong-sender', 'wrong-sender', 'wrong-sender']);
      expect(world.end).toBeUndefined();
    });
  }

  it('an answer without a sender: wrong-sender', () => {
    const world = new ExchangeWorld();
    world.comes(withAttributes(world.response(world.issued()), { from: undefined }));
    expect(world.refusals).toEqual(['wrong-sender']);
  });

  it('the request to another authority of the overlay: another-authority', () => {
    const world = new ExchangeWorld();
    world.comes(world.response(world.issued({}, OTHER_ROOT)));
    expect(world.end).toBe('another-authority');
  });

  it('the request to an authority below that one: it is signed below the one that was asked', () => {
    const world = new ExchangeWorld();
    const below = makeIntermediate(world.root);
    world.comes(world.response([...world.issued({}, below), below.certificate]));
    expect(world.end).toBe('issued');
  });

  it('a challenge that another authority signed: challenge-signature', () => {
    const world = new ExchangeWorld();
    world.comes(world.challenge({ signer: OTHER_ROOT }));
    expect(world.refusals).toEqual(['challenge-signature']);
  });
});

describe('a server that reorders', () => {
  it('the challenge behind the certificate: too-late', () => {
    const world = new ExchangeWorld();
    world.comes(world.response(world.issued()));
    world.comes(world.challenge());
    expect(world.refusals).toEqual(['too-late']);
    expect(world.pages).toEqual([]);
  });

  it('an error behind the certificate: the certificate stays', () => {
    const world = new ExchangeWorld();
    world.comes(world.response(world.issued()));
    world.comes(world.error('cancel', 'not-allowed'));
    expect(world.refusals).toEqual(['too-late']);
    expect(world.end).toBe('issued');
  });
});

describe('a server that withholds', () => {
  it('the response: a temporary failure, and what comes afterwards is too late', () => {
    const world = new ExchangeWorld();
    world.comes(world.challenge());
    const [output] = world.waits();
    expect(output).toMatchObject({ failure: { code: 'timeout', isTemporary: true } });
    world.comes(world.response(world.issued()));
    expect(world.refusals).toEqual(['too-late']);
  });
});

describe('a server that floods', () => {
  it('with pages, even signed ones: too-many-challenges', () => {
    const world = new ExchangeWorld();
    for (let page = 0; page < 9; page += 1)
      world.comes(world.challenge({ uri: `${PAGE}/${page}` }));
    expect(world.pages).toHaveLength(4);
    expect(world.refusals).toEqual(Array(5).fill('too-many-challenges'));
  });

  it('with challenges that are none: malformed', () => {
    const world = new ExchangeWorld();
    const honest = world.challenge();
    const message = (...children: XmppElement[]) => world.comes({ ...honest, children });
    const [challenge] = honest.children;
    if (challenge === undefined || typeof challenge === 'string') throw new Error('no challenge');
    message(challenge, challenge);
    message(element('x509-challenge', X509_NAMESPACE));
    message(withAttributes(challenge, { uri: undefined }));
    message({ ...challenge, children: [...challenge.children, ...challenge.children] });
    world.comes(withAttributes(honest, { type: 'error' }));
    expect(world.refusals).toEqual(Array(5).fill('malformed'));
    expect(world.comes(element('message', CLIENT, { from: AUTHORITY }))).toEqual([]);
  });

  it('with a chain without end: malformed-response', () => {
    const world = new ExchangeWorld();
    const [leaf = new Uint8Array()] = world.issued();
    world.comes(world.response(Array<Uint8Array>(9).fill(leaf)));
    expect(world.end).toBe('malformed-response');
  });
});

const SHARED_ROOT = xmppRoot();
