import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testNodeId,
} from '../../../sim/certificates/certificate-maker.ts';
import { entryOf, makeList } from '../../../sim/certificates/revocation-list-maker.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { RevocationLists } from '../../../src/tls-auth/revocation-lists.ts';
import { SharedVerdicts } from '../../../src/tls-auth/shared-verdicts.ts';
import { verifyWithKey } from '../../../src/tls-auth/signature-verifier.ts';
import { createSigner, type Signer } from '../../../src/tls-auth/signer.ts';
import type { CertificateChain } from '../../../src/xmpp/signed-stanzas/certificate-chain.ts';
import { ReplayGuard } from '../../../src/xmpp/signed-stanzas/replay-guard.ts';
import { signStanza } from '../../../src/xmpp/signed-stanzas/sign-stanza.ts';
import { readSignedContent } from '../../../src/xmpp/signed-stanzas/signed-content.ts';
import { StanzaRefusal } from '../../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import { verifyStanza } from '../../../src/xmpp/signed-stanzas/verify-stanza.ts';
import {
  element,
  withAttributes,
  withChildren,
  writeElement,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { readFramed } from '../../../src/xmpp/stream/read-framed.ts';
import { STREAM_LIMITS } from '../../../src/xmpp/stream/stream-limits.ts';
import '../../fast-check-seed.ts';
import { authenticatedNode, testTrustSettings } from '../../tls-auth/test-node.ts';
import { xml } from '../routing/verona.ts';
import { chat, DAY_MS, JULIET, jid, MINUTE_MS, ROMEO, SignedWorld } from './signed-world.ts';

const world = new SignedWorld();
const NOW = world.unixMs;
const juliet = world.device(JULIET);
const authenticator = new Authenticator(testTrustSettings([world.root]));

interface Facts {
  readonly chains?: readonly CertificateChain[];
  readonly authenticator?: Authenticator;
  readonly unixMs?: number;
  readonly own?: string;
}

function signed(text = chat('O'), signer: Signer = juliet, unixMs = NOW): XmppElement {
  const outer = signStanza(signer, xml(text), unixMs, { id: 'outer' });
  if (outer instanceof StanzaRefusal) throw new Error(outer.describe());
  return outer;
}

function chainOf(signer: Signer): CertificateChain {
  const [leaf = new Uint8Array(), ...pool] = signer.node.chain;
  return { leaf, pool };
}

function verdict(outer: XmppElement, facts: Facts = {}) {
  const content = readSignedContent(outer);
  if (content instanceof StanzaRefusal) return content;
  const { chains = [chainOf(juliet)], own = ROMEO, unixMs = NOW } = facts;
  const past = { guardedSinceUnixMs: 0, wasAwayAt: () => true };
  return verifyStanza(outer, content, chains, {
    own: jid(own).bare,
    authenticator: facts.authenticator ?? authenticator,
    past,
    guard: new ReplayGuard([]),
    unixMs,
  });
}

function code(outer: XmppElement, facts: Facts = {}): string {
  const given = verdict(outer, facts);
  return given instanceof StanzaRefusal ? given.code : 'authentic';
}

describe('a stanza is authentic', () => {
  test('when its sender signed it for this receiver', () => {
    const given = verdict(signed());
    if (given instanceof StanzaRefusal) throw new Error(given.describe());
    expect(writeElement(given.stanza)).toBe(writeElement(xml(chat('O'))));
    expect(given.signer.xmppAddr).toBe(JULIET);
    expect([given.from.text, given.to.text]).toEqual([`${JULIET}/balcony`, ROMEO]);
    expect(given.age).toBe('fresh');
  });

  test('by any device of its sender', () => {
    const phone = world.device(JULIET);
    const chains = [chainOf(juliet), chainOf(phone)];
    expect(code(signed(chat('O'), phone), { chains })).toBe('authentic');
    expect(code(signed(chat('O'), phone))).toBe('signature-invalid');
  });

  test('whatever stands beside the signed payload: nothing of it is delivered', () => {
    const beside = [
      element('body', 'jabber:client', {}, ['Send money']),
      element('delay', 'urn:xmpp:delay', { stamp: '2026-11-21T09:00:00Z' }),
      element('signed', 'urn:xmpp:other', {}, ['no']),
    ];
    const given = verdict(withChildren(signed(), beside));
    if (given instanceof StanzaRefusal) throw new Error(given.describe());
    expect(writeElement(given.stanza)).toBe(writeElement(xml(chat('O'))));
  });
});

describe('a stanza that is not what its sender signed for this receiver', () => {
  test('no byte of the signed data or of the signature can be another', () => {
    const text = writeElement(signed());
    const [start, end] = [text.indexOf('<data'), text.indexOf('</data>')];
    const signature = [text.indexOf('<signature '), text.indexOf('</signature>')] as const;
    const places = fc.oneof(
      fc.integer({ min: start, max: end }),
      fc.integer({ min: signature[0], max: signature[1] }),
    );
    fc.assert(
      fc.property(places, fc.integer({ min: 0x20, max: 0x7e }), (at, byte) => {
        const bytes = Buffer.from(text);
        fc.pre(bytes[at] !== byte);
        bytes[at] = byte;
        const read = readFramed(bytes, STREAM_LIMITS);
        if (read.type !== 'element') return;
        // White space between or around does not change what is signed.
        if (byte === 0x20) return;
        expect(code(read.element)).not.toBe('authentic');
      }),
      { numRuns: 400 },
    );
  });

  test('no byte of the envelope can be another', () => {
    const content = readSignedContent(signed());
    if (content instanceof StanzaRefusal) throw new Error(content.describe());
    const [payload] = signed().children as [XmppElement];
    const [signature] = payload.children as [XmppElement, XmppElement];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: content.envelope.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const envelope = Buffer.from(content.envelope);
          envelope[at] = (envelope[at] ?? 0) ^ change;
          const data = element('data', 'urn:xmpp:signed:0', {}, [envelope.toString('base64')]);
          const changed = { ...signed(), children: [{ ...payload, children: [signature, data] }] };
          expect(code(changed)).not.toBe('authentic');
        },
      ),
      { numRuns: 400 },
    );
  });

  test('the signature of one stanza does not fit another', () => {
    const [first] = signed(chat('Yes')).children as [XmppElement];
    const [second] = signed(chat('No')).children as [XmppElement];
    const children = [first.children[0], second.children[1]] as [XmppElement, XmppElement];
    expect(code({ ...signed(), children: [{ ...first, children }] })).toBe('signature-invalid');
  });

  test('another hash than the one that was signed with is no true signature', () => {
    const [payload] = signed().children as [XmppElement];
    const [signature, data] = payload.children as [XmppElement, XmppElement];
    for (const algorithm of ['ECDSA-SHA384', 'ECDSA-SHA512', 'RSA-SHA256']) {
      const children = [withAttributes(signature, { algorithm }), data];
      const outer = { ...signed(), children: [{ ...payload, children }] };
      expect(code(outer), algorithm).toBe('signature-invalid');
    }
  });

  test('the inner "to" must be the receiver', () => {
    expect(code(signed(chat('O', JULIET, 'paris@verona.lit')))).toBe('wrong-addressee');
    expect(code(signed(), { own: 'paris@verona.lit' })).toBe('wrong-addressee');
    expect(code(signed(chat('O', JULIET, `${ROMEO}/orchard`)))).toBe('authentic');
  });

  test('the inner and the outer "from" must agree, but for the resource', () => {
    const outer = signed();
    expect(code(withAttributes(outer, { from: 'paris@verona.lit' }))).toBe('wrong-sender');
    expect(code(withAttributes(outer, { from: 'capulet.lit' }))).toBe('wrong-sender');
    expect(code(withAttributes(outer, { from: undefined }))).toBe('wrong-sender');
    expect(code(withAttributes(outer, { from: '@' }))).toBe('wrong-sender');
    expect(code(withAttributes(outer, { from: `${JULIET}/peer` }))).toBe('authentic');
  });

  test('nobody signs in the name of another', () => {
    const tybalt = world.device('tybalt@capulet.lit');
    const outer = signed(chat('O'), tybalt);
    expect(code(outer, { chains: [chainOf(tybalt)] })).toBe('certificate-refused');
    expect(code(outer, { chains: [chainOf(tybalt), chainOf(juliet)] })).toBe('signature-invalid');
    expect(code(outer, { chains: [] })).toBe('certificate-missing');
  });

  test('a message does not arrive as something else', () => {
    const outer = signed();
    expect(code({ ...outer, name: 'presence' })).toBe('wrong-kind');
    expect(code({ ...outer, name: 'iq' })).toBe('wrong-kind');
    expect(code(withAttributes(outer, { type: 'headline' }))).toBe('wrong-kind');
    expect(code(withAttributes(outer, { type: undefined }))).toBe('wrong-kind');
  });
});

describe('the certificate of the signer', () => {
  test('must lead to a root that is trusted now', () => {
    const others = new Authenticator(testTrustSettings([makeRoot()]));
    expect(code(signed(), { authenticator: others })).toBe('certificate-refused');
  });

  test('must be valid now', () => {
    const unixMs = Date.UTC(2036, 0, 1);
    expect(code(signed(chat('O'), juliet, unixMs), { unixMs })).toBe('certificate-refused');
  });

  test('must have been valid at the time of the timestamp', () => {
    const change = () => ({ notBeforeUnixMs: NOW - 2 * MINUTE_MS });
    const leaf = makeLeaf(world.root, { jid: JULIET, nodeId: testNodeId(77), change });
    const node = authenticatedNode(authenticator, leaf.certificate, [], NOW);
    const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
    const facts = { chains: [chainOf(signer)] };
    expect(code(signed(chat('O'), signer, NOW - MINUTE_MS), facts)).toBe('authentic');
    expect(code(signed(chat('O'), signer, NOW - 3 * MINUTE_MS), facts)).toBe('signed-too-early');
  });

  test('and so must those above it', () => {
    const since = Math.floor(NOW / 1000) * 1000 - 2 * MINUTE_MS;
    const above = makeIntermediate(world.root, { change: () => ({ notBeforeUnixMs: since }) });
    const leaf = makeLeaf(above, { jid: JULIET, nodeId: testNodeId(78) });
    const node = authenticatedNode(authenticator, leaf.certificate, [above.certificate], NOW);
    const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
    const facts = { chains: [chainOf(signer)] };
    expect(code(signed(chat('O'), signer, NOW - MINUTE_MS), facts)).toBe('authentic');
    expect(code(signed(chat('O'), signer, NOW - 3 * MINUTE_MS), facts)).toBe('signed-too-early');
  });

  test('that is revoked since counts no more, whenever the stanza was signed', () => {
    const lists = new RevocationLists({ policy: 'prefer' });
    const settings = testTrustSettings([world.root]);
    const listening = new Authenticator(settings, verifyWithKey, new SharedVerdicts(), lists);
    const outer = signed(chat('O'), juliet, NOW - MINUTE_MS);
    expect(code(outer, { authenticator: listening })).toBe('authentic');
    const certificate = parseCertificate(juliet.node.certificate.der);
    if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
    const serial = BigInt(`0x${certificate.serialNumber}`);
    const list = makeList(world.root, [entryOf(serial, 'keyCompromise')], () => ({
      thisUpdateUnixMs: NOW - MINUTE_MS,
      nextUpdateUnixMs: NOW + DAY_MS,
    }));
    const [{ url } = { url: '' }] = lists.wanted();
    expect(lists.offer(url, list, NOW).type).toBe('taken');
    const refused = verdict(outer, { authenticator: listening });
    expect(refused).toBeInstanceOf(StanzaRefusal);
    expect(refused instanceof StanzaRefusal && refused.certificateRefusal?.code).toBe('revoked');
  });

  test('whose node is a bad-node of the configuration is refused', () => {
    const badNodes = new Set([juliet.nodeId]);
    const strict = new Authenticator(testTrustSettings([world.root], { badNodes }));
    expect(code(signed(), { authenticator: strict })).toBe('certificate-refused');
  });
});

describe('XEP-0416 §4: which authorities may sign for whose domain', () => {
  const ofDomain = makeIntermediate(world.root, { domain: 'capulet.lit' });

  function by(authority: typeof ofDomain, address: string, pool: Uint8Array[]): Facts & Signed {
    const leaf = makeLeaf(authority, { jid: address, nodeId: testNodeId(99) });
    // Whoever makes such a certificate does not ask whether it counts.
    const permissive = new Authenticator(testTrustSettings([{ ...authority }]));
    const node = authenticatedNode(permissive, leaf.certificate, [], NOW);
    const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
    const outer = signed(chat('O', address), signer);
    return { outer, chains: [{ leaf: leaf.certificate, pool }] };
  }

  interface Signed {
    readonly outer: XmppElement;
  }

  test('the authority of a domain signs for users of that domain', () => {
    const leaf = makeLeaf(ofDomain, { jid: JULIET, nodeId: testNodeId(98) });
    const node = authenticatedNode(authenticator, leaf.certificate, [ofDomain.certificate], NOW);
    const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
    const chains = [{ leaf: leaf.certificate, pool: [ofDomain.certificate] }];
    expect(code(signed(chat('O'), signer), { chains })).toBe('authentic');
  });

  test('and for nobody else', () => {
    const ofMontague = makeIntermediate(world.root, { domain: 'montague.lit' });
    const { outer, chains } = by(ofMontague, JULIET, [ofMontague.certificate]);
    const refused = verdict(outer, { chains: chains ?? [] });
    expect(refused instanceof StanzaRefusal && refused.code).toBe('certificate-refused');
    expect(refused instanceof StanzaRefusal && refused.certificateRefusal?.code).toBe('domain');
  });

  test('nor for a domain below its own', () => {
    const address = 'juliet@balcony.capulet.lit';
    const { outer, chains } = by(ofDomain, address, [ofDomain.certificate]);
    expect(code(outer, { chains: chains ?? [] })).toBe('certificate-refused');
  });

  test('an authority without a domain signs for every domain', () => {
    const general = makeIntermediate(world.root, { name: 'General' });
    const leaf = makeLeaf(general, { jid: JULIET, nodeId: testNodeId(97) });
    const node = authenticatedNode(authenticator, leaf.certificate, [general.certificate], NOW);
    const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
    const chains = [{ leaf: leaf.certificate, pool: [general.certificate] }];
    expect(code(signed(chat('O'), signer), { chains })).toBe('authentic');
  });
});
