import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  testNodeId,
} from '../../../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { createSigner } from '../../../src/tls-auth/signer.ts';
import { HeldStanzas } from '../../../src/xmpp/signed-stanzas/held-stanzas.ts';
import {
  CERTIFICATES_PREFIX,
  RememberedCertificates,
} from '../../../src/xmpp/signed-stanzas/remembered-certificates.ts';
import {
  CERTIFICATES_OTHER_WAIT_MS,
  CERTIFICATES_WAIT_MS,
  CERTIFIED_USERS_MAX,
  CHAINS_PER_USER_MAX,
  HELD_PER_USER_MAX,
  REMEMBERED_CERTIFICATE_BYTES_MAX,
} from '../../../src/xmpp/signed-stanzas/signed-limits.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { certificateItemId } from '../../../src/xmpp/x509/personal-certificates.ts';
import { authenticatedNode, testTrustSettings } from '../../tls-auth/test-node.ts';
import { bare, condition, xml } from '../routing/verona.ts';
import {
  chat,
  codeOf,
  HOUR_MS,
  JULIET,
  MINUTE_MS,
  ROMEO,
  type SignedPeer,
  SignedWorld,
} from './signed-world.ts';

function romeoOf(world: SignedWorld, options: Parameters<SignedWorld['peer']>[1] = {}): SignedPeer {
  const romeo = world.peer(world.device(ROMEO), options);
  romeo.connect();
  return romeo;
}

function published(...chains: readonly (readonly Uint8Array[])[]): XmppElement {
  const items = chains.map((chain) => {
    const inside = chain
      .map((der) => Buffer.from(der).toString('base64'))
      .map((text) => `<x509-cert>\n  ${text.replace(/.{64}/g, '$&\n  ')}\n</x509-cert>`);
    const id = certificateItemId(chain[0] ?? new Uint8Array());
    return `<item id="${id}"><x509-cert-chain xmlns="urn:xmpp:x509:0">${inside.join('')}</x509-cert-chain></item>`;
  });
  return xml(
    '<iq type="result"><pubsub xmlns="http://jabber.org/protocol/pubsub">' +
      `<items node="urn:xmpp:x509:0">${items.join('')}</items></pubsub></iq>`,
  );
}

describe('the certificates of a sender', () => {
  test('come from the overlay by the address, once for many stanzas', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    for (const text of ['One', 'Two', 'Three']) {
      expect(codeOf(romeo.receive(juliet.send(chat(text))))).toBe('signed');
    }
    expect(romeo.lookups).toBe(1);
  });

  test('come from the node urn:xmpp:x509:0 where the overlay cannot be reached', () => {
    const world = new SignedWorld();
    const signer = world.device(JULIET);
    const juliet = world.peer(signer);
    const romeo = romeoOf(world, {
      askForNode: (user, then) => {
        expect(user).toBe(JULIET);
        then(published(signer.node.chain));
      },
    });
    const outer = juliet.send(chat('O'));
    world.overlay = undefined;
    expect(codeOf(romeo.receive(outer))).toBe('signed');
  });

  test('are remembered over a restart, for when nobody can be asked', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    romeo.receive(juliet.send(chat('One')));
    world.overlay = undefined;
    world.unixMs += 3 * HOUR_MS;
    const restarted = romeoOf(world, { disk: romeo.disk });
    expect(codeOf(restarted.receive(juliet.send(chat('Two'))))).toBe('signed');
  });

  test('are asked for again when a signature fits none of those remembered', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    romeo.receive(juliet.send(chat('One')));
    const phone = world.peer(world.device(JULIET));
    world.unixMs += 2 * MINUTE_MS;
    expect(codeOf(romeo.receive(phone.send(chat('Two'))))).toBe('signed');
    expect(romeo.lookups).toBe(2);
  });

  test('that still count stay remembered when somebody names others alone', () => {
    const world = new SignedWorld();
    const laptop = world.peer(world.device(JULIET));
    const signer = world.device(JULIET, { isStored: false });
    const phone = world.peer(signer);
    let isPublished = false;
    const romeo = romeoOf(world, {
      askForNode: (_, then) => then(isPublished ? published(signer.node.chain) : undefined),
    });
    phone.send(chat('so that it knows the certificate of Romeo'));
    expect(codeOf(romeo.receive(laptop.send(chat('One'))))).toBe('signed');
    isPublished = true;
    world.overlay = undefined;
    world.unixMs += 2 * MINUTE_MS;
    expect(codeOf(romeo.receive(phone.send(chat('Two'))))).toBe('signed');
    expect(codeOf(romeo.receive(laptop.send(chat('Three'))))).toBe('signed');
  });

  test('of both who are asked count, and the second is not waited for long', () => {
    const world = new SignedWorld();
    const laptop = world.peer(world.device(JULIET));
    const signer = world.device(JULIET, { isStored: false });
    const romeo = romeoOf(world, { askForNode: (_, then) => then(published(signer.node.chain)) });
    const phone = world.peer(signer);
    romeo.holdsLookups = true;
    const [one, two] = [phone.send(chat('One')), laptop.send(chat('Two'))];
    const arrived = romeo.incoming(one);
    expect(arrived).toEqual([]);
    romeo.answerLookups();
    expect(arrived.map(codeOf)).toEqual(['signed']);
    expect(codeOf(romeo.receive(two))).toBe('signed');
    const other = romeoOf(world, { askForNode: (_, then) => then(published(signer.node.chain)) });
    other.holdsLookups = true;
    const late = other.incoming(phone.send(chat('Three')));
    other.wait(CERTIFICATES_OTHER_WAIT_MS);
    expect(late.map(codeOf)).toEqual(['signed']);
  });

  test('are not asked for with every forged stanza', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    const forger = new SignedWorld();
    forger.unixMs = world.unixMs;
    forger.device(ROMEO);
    const mallory = forger.peer(forger.device(JULIET));
    romeo.receive(juliet.send(chat('One')));
    for (let at = 0; at < 50; at += 1) {
      expect(codeOf(romeo.receive(mallory.send(chat('Forged'))))).toBe('signature-invalid');
    }
    expect(romeo.lookups).toBe(1);
  });

  test('chains with authorities between are judged whole, wherever they come from', () => {
    const world = new SignedWorld();
    const between = makeIntermediate(world.root, { domain: 'capulet.lit' });
    const leaf = makeLeaf(between, { jid: JULIET, nodeId: testNodeId(50) });
    const trusting = new Authenticator(testTrustSettings([world.root]));
    const pool = [between.certificate];
    const node = authenticatedNode(trusting, leaf.certificate, pool, world.unixMs);
    const juliet = world.peer(createSigner(node, node.nodeId, leaf.key.privateKey));
    const withChain = romeoOf(world, { askForNode: (_, then) => then(published(node.chain)) });
    const withoutChain = romeoOf(world, {
      askForNode: (_, then) => then(published([leaf.certificate])),
    });
    const outer = juliet.send(chat('O'));
    expect(codeOf(withChain.receive(outer))).toBe('signed');
    expect(codeOf(withoutChain.receive(outer))).toBe('certificate-missing');
  });

  test('an answer that never comes holds a stanza up a bounded time', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    romeo.holdsLookups = true;
    const arrived = romeo.incoming(juliet.send(chat('O')));
    expect(arrived).toEqual([]);
    romeo.wait(CERTIFICATES_WAIT_MS);
    expect(arrived.map(codeOf)).toEqual(['certificate-missing']);
    romeo.answerLookups();
    expect(arrived).toHaveLength(1);
  });

  test('what waits for them is handed on in its order', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    romeo.holdsLookups = true;
    const one = romeo.incoming(juliet.send(chat('One')));
    const two = romeo.incoming(juliet.send(chat('Two')));
    romeo.answerLookups();
    expect([one, two].map((arrived) => arrived.map(codeOf))).toEqual([['signed'], ['signed']]);
    expect(romeo.lookups).toBe(1);
  });

  test('more than a bounded number does not wait', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world);
    romeo.holdsLookups = true;
    const outer = juliet.send(chat('O'));
    for (let at = 0; at < HELD_PER_USER_MAX; at += 1) expect(romeo.incoming(outer)).toEqual([]);
    const arrived = romeo.receive(outer);
    expect(codeOf(arrived)).toBe('too-busy');
    const answer = arrived.type === 'refused' ? arrived.answer : undefined;
    expect(answer && condition(answer)).toBe('resource-constraint');
  });
});

describe('remembered certificates', () => {
  const chain = { leaf: new Uint8Array(8_000), pool: [] };

  test('are bounded in users: who was asked for longest ago goes first, from disk too', () => {
    const remembered = new RememberedCertificates([]);
    const small = { leaf: new Uint8Array(10), pool: [] };
    for (let at = 0; at < CERTIFIED_USERS_MAX; at += 1) {
      remembered.set(bare(`u${at}@capulet.lit`), [small], at);
    }
    const records = remembered.set(bare('another@capulet.lit'), [small], 1);
    expect(records[0]).toEqual({ key: `${CERTIFICATES_PREFIX}u0@capulet.lit`, value: undefined });
    expect(remembered.get(bare('u0@capulet.lit'))).toBeUndefined();
  });

  test('are bounded in bytes', () => {
    const remembered = new RememberedCertificates([]);
    const users = Array.from({ length: 100 }, (_, at) => bare(`u${at}@capulet.lit`));
    for (const user of users) remembered.set(user, Array(CHAINS_PER_USER_MAX).fill(chain), 1);
    const kept = users.filter((user) => remembered.get(user) !== undefined).length;
    expect(kept * CHAINS_PER_USER_MAX * 8_000).toBeLessThanOrEqual(
      REMEMBERED_CERTIFICATE_BYTES_MAX,
    );
    expect(kept).toBeGreaterThan(20);
  });

  test('of damaged records are none, and the records go', () => {
    const key = `${CERTIFICATES_PREFIX}${JULIET}`;
    for (const text of ['', '[]', '[1,[["!"]]]', '[1,[[]]]', '[1,2]']) {
      const remembered = new RememberedCertificates([{ key, value: Buffer.from(text) }]);
      expect(remembered.get(bare(JULIET)), text).toBeUndefined();
      expect(remembered.begin(), text).toEqual([{ key, value: undefined }]);
    }
  });
});

describe('held stanzas', () => {
  test('many that are done at once need no deep stack', () => {
    const held = new HeldStanzas();
    let release: () => void = () => undefined;
    let ran = 0;
    held.take(bare(JULIET), (done) => {
      release = done;
    });
    for (let at = 1; at < HELD_PER_USER_MAX; at += 1) {
      held.take(bare(JULIET), (done) => {
        ran += 1;
        done();
      });
    }
    release();
    release();
    expect(ran).toBe(HELD_PER_USER_MAX - 1);
  });
});
