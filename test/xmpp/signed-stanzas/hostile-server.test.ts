import { describe, expect, test } from 'vitest';
import { signTbs } from '../../../sim/certificates/certificate-maker.ts';
import type { AuthenticatedNode } from '../../../src/tls-auth/authenticated-node.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { SignatureOid } from '../../../src/tls-auth/object-identifier.ts';
import type { Signer } from '../../../src/tls-auth/signer.ts';
import { MARK_NAMESPACE } from '../../../src/xmpp/signed-stanzas/authenticity-mark.ts';
import { SIGNED_NAMESPACE } from '../../../src/xmpp/signed-stanzas/signed-limits.ts';
import { formatTimestamp } from '../../../src/xmpp/signed-stanzas/signed-timestamp.ts';
import {
  element,
  withAttributes,
  withChildren,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { certificateItemId } from '../../../src/xmpp/x509/personal-certificates.ts';
import { testTrustSettings } from '../../tls-auth/test-node.ts';
import { body, condition, xml } from '../routing/verona.ts';
import {
  chat,
  codeOf,
  DAY_MS,
  HOUR_MS,
  JULIET,
  MINUTE_MS,
  ROMEO,
  type SignedPeer,
  SignedWorld,
} from './signed-world.ts';

/** Juliet and Romeo are connected to their servers, and everything between them is hostile. */
function lovers(): { world: SignedWorld; juliet: SignedPeer; romeo: SignedPeer } {
  const world = new SignedWorld();
  const juliet = world.peer(world.device(JULIET));
  const romeo = world.peer(world.device(ROMEO));
  juliet.connect();
  romeo.connect();
  world.unixMs += 20 * MINUTE_MS;
  return { world, juliet, romeo };
}

function delayed(outer: XmppElement, unixMs: number): XmppElement {
  const stamp = formatTimestamp(unixMs);
  return withChildren(outer, [element('delay', 'urn:xmpp:delay', { from: 'montague.lit', stamp })]);
}

/** The element of the marks' namespace, if there is one. */
function mark(stanza: XmppElement): XmppElement | undefined {
  return stanza.children.find(
    (node): node is XmppElement => typeof node !== 'string' && node.namespace === MARK_NAMESPACE,
  );
}

describe('a server in the path that does what it should', () => {
  test('what Juliet writes arrives as signed by her, with the mark that says so', () => {
    const { juliet, romeo, world } = lovers();
    const arrived = romeo.receive(juliet.send(chat('Wherefore art thou?')));
    if (arrived.type !== 'signed') throw new Error(codeOf(arrived));
    expect(body(arrived.stanza)).toBe('Wherefore art thou?');
    expect(arrived.stanza.attributes.get('id')).toBe('m1');
    const attributes = mark(arrived.stanza)?.attributes;
    expect(attributes?.get('by')).toBe(JULIET);
    expect(attributes?.get('at')).toBe(formatTimestamp(world.unixMs));
    expect(attributes?.get('certificate')).toBe(arrived.authentic.signer.certificate.sha256);
    expect(attributes?.get('age')).toBe('fresh');
  });

  test('what waited while Romeo was away arrives, and says that it did', () => {
    const { juliet, romeo, world } = lovers();
    romeo.disconnect();
    world.unixMs += HOUR_MS;
    const sentUnixMs = world.unixMs;
    const waiting = [juliet.send(chat('One')), juliet.send(chat('Two'))];
    world.unixMs += 2 * DAY_MS;
    romeo.connect();
    for (const outer of waiting) {
      const arrived = romeo.receive(delayed(outer, sentUnixMs));
      if (arrived.type !== 'signed') throw new Error(codeOf(arrived));
      expect(mark(arrived.stanza)?.attributes.get('age')).toBe('stored');
    }
  });

  test('a server that delivers again what was not acknowledged brings nothing twice', () => {
    const { juliet, romeo } = lovers();
    const outer = juliet.send(chat('O'));
    expect(codeOf(romeo.receive(outer))).toBe('signed');
    const again = romeo.receive(outer);
    expect(codeOf(again)).toBe('replayed');
    expect(again.type === 'refused' && again.answer).toBeUndefined();
  });
});

/** The device of a signer, with another signature of its issuer: another fingerprint. */
function certifiedAgain(world: SignedWorld, { node }: Signer): AuthenticatedNode {
  const { privateKey } = world.root.key;
  const { tbsCertificate } = node.certificate;
  const again = signTbs(tbsCertificate, SignatureOid.ecdsaWithSha256, privateKey);
  const authenticator = new Authenticator(testTrustSettings([world.root]));
  const read = authenticator.authenticate(again, [], world.unixMs);
  if (read instanceof CertificateRefusal) throw new Error(read.describe());
  return read;
}

describe('a hostile server', () => {
  test('that shows the certificate with another signature of its issuer replays nothing', () => {
    const { world, romeo } = lovers();
    const signer = world.device(JULIET);
    const juliet = world.peer(signer);
    romeo.disconnect();
    world.unixMs += HOUR_MS;
    const sentUnixMs = world.unixMs;
    const outer = delayed(juliet.send(chat('O')), sentUnixMs);
    world.unixMs += HOUR_MS;
    romeo.connect();
    expect(codeOf(romeo.receive(outer))).toBe('signed');
    const again = certifiedAgain(world, signer);
    expect(again.certificate.sha256).not.toBe(signer.node.certificate.sha256);
    world.overlay?.set(JULIET, [again]);
    romeo.wait(2 * HOUR_MS);
    romeo.receive(juliet.send(chat('that the old certificates are asked for again')));
    expect(codeOf(romeo.receive(outer))).toBe('replayed');
  });

  test('that alters is refused: signature-invalid', () => {
    const { juliet, romeo } = lovers();
    const outer = juliet.send(chat('Yes'));
    const other = juliet.send(chat('No'));
    const [payload, ...rest] = outer.children as [XmppElement, ...XmppElement[]];
    const [signature] = payload.children as [XmppElement, XmppElement];
    const [otherPayload] = other.children as [XmppElement];
    const children = [
      { ...payload, children: [signature, otherPayload.children[1] ?? ''] },
      ...rest,
    ];
    const arrived = romeo.receive({ ...outer, children });
    expect(codeOf(arrived)).toBe('signature-invalid');
    const answer = arrived.type === 'refused' ? arrived.answer : undefined;
    expect(answer && condition(answer)).toBe('bad-request');
    expect(answer?.attributes.get('to')).toBe(`${JULIET}/balcony`);
    expect(JSON.stringify(answer?.children)).toContain('bad-signature');
  });

  test('that adds a text beside the signed one delivers only what was signed', () => {
    const { juliet, romeo } = lovers();
    const forged = element('body', 'jabber:client', {}, ['Flee to Mantua']);
    const arrived = romeo.receive(withChildren(juliet.send(chat('Stay')), [forged]));
    if (arrived.type !== 'signed') throw new Error(codeOf(arrived));
    expect(body(arrived.stanza)).toBe('Stay');
    expect(JSON.stringify(arrived.stanza.children)).not.toContain('Mantua');
  });

  test('that replays is refused: replayed, also after a restart and to the end of the wait', () => {
    const { juliet, romeo, world } = lovers();
    const sentUnixMs = world.unixMs;
    const outer = juliet.send(chat('O'));
    expect(codeOf(romeo.receive(outer))).toBe('signed');
    world.unixMs += 13 * DAY_MS;
    const restarted = world.peer(world.device(ROMEO), { disk: romeo.disk });
    restarted.connect();
    expect(codeOf(restarted.receive(delayed(outer, sentUnixMs)))).toBe('replayed');
    world.unixMs += 2 * DAY_MS;
    expect(codeOf(restarted.receive(delayed(outer, sentUnixMs)))).toBe('replayed');
  });

  test('that replays after the state is gone is refused: before-replay-guard', () => {
    const { juliet, romeo, world } = lovers();
    const sentUnixMs = world.unixMs;
    const outer = juliet.send(chat('O'));
    expect(codeOf(romeo.receive(outer))).toBe('signed');
    world.unixMs += MINUTE_MS;
    const anew = world.peer(world.device(ROMEO));
    anew.connect();
    expect(codeOf(anew.receive(delayed(outer, sentUnixMs)))).toBe('before-replay-guard');
  });

  test('that redirects to another user is refused: wrong-addressee', () => {
    const { juliet, world } = lovers();
    const paris = world.peer(world.device('paris@verona.lit'));
    paris.connect();
    world.unixMs += MINUTE_MS;
    const outer = withAttributes(juliet.send(chat('I love you')), { to: 'paris@verona.lit' });
    expect(codeOf(paris.receive(outer))).toBe('wrong-addressee');
  });

  test('that says that somebody else wrote it is refused: wrong-sender', () => {
    const { juliet, romeo } = lovers();
    const outer = withAttributes(juliet.send(chat('O')), { from: 'nurse@capulet.lit' });
    expect(codeOf(romeo.receive(outer))).toBe('wrong-sender');
  });

  test('that reorders is refused: out-of-order, and the sender is told', () => {
    const { juliet, romeo } = lovers();
    const first = juliet.send(chat('Do not'));
    const second = juliet.send(chat('come tonight'));
    expect(codeOf(romeo.receive(second))).toBe('signed');
    const arrived = romeo.receive(first);
    expect(codeOf(arrived)).toBe('out-of-order');
    const answer = arrived.type === 'refused' ? arrived.answer : undefined;
    expect(answer && condition(answer)).toBe('not-acceptable');
    expect(JSON.stringify(answer?.children)).toContain('bad-timestamp');
  });

  test('that withholds is refused: old-timestamp, and with a forged stamp by name as well', () => {
    const { juliet, romeo, world } = lovers();
    const sentUnixMs = world.unixMs;
    const outer = juliet.send(chat('Come at nine'));
    world.unixMs += HOUR_MS;
    expect(codeOf(romeo.receive(outer))).toBe('old-timestamp');
    expect(codeOf(romeo.receive(delayed(outer, world.unixMs)))).toBe('delay-disagrees');
    expect(codeOf(romeo.receive(delayed(outer, sentUnixMs)))).toBe('withheld');
  });

  test('that waits until Romeo was away later cannot pass off what it withheld before', () => {
    const { juliet, romeo, world } = lovers();
    const sentUnixMs = world.unixMs;
    const outer = juliet.send(chat('O'));
    world.unixMs += HOUR_MS;
    romeo.receive(xml(`<message from="nurse@capulet.lit" to="${ROMEO}"/>`));
    romeo.disconnect();
    world.unixMs += DAY_MS;
    romeo.connect();
    expect(codeOf(romeo.receive(delayed(outer, sentUnixMs)))).toBe('withheld');
  });

  test('that signs with a certificate of its own is refused: certificate-refused', () => {
    const { romeo, world } = lovers();
    const evil = new SignedWorld();
    evil.unixMs = world.unixMs;
    const forger = evil.peer(evil.device(JULIET));
    evil.device(ROMEO);
    const outer = forger.send(chat('O'));
    expect(codeOf(romeo.receive(outer))).toBe('signature-invalid');
    world.overlay?.delete(JULIET);
    const another = world.peer(world.device(ROMEO), {
      askForNode: (_, then) => then(xml(publishedBy(evil, JULIET))),
    });
    another.connect();
    const later = forger.send(chat('O'));
    expect(codeOf(another.receive(later))).toBe('certificate-missing');
  });

  test('that sets the mark of this peer itself has it taken out, however deep it is', () => {
    const { romeo } = lovers();
    const forged = `<signed xmlns="${MARK_NAMESPACE}" by="${JULIET}"/>`;
    const text =
      `<message from="${JULIET}" to="${ROMEO}" xmlns:m="${MARK_NAMESPACE}" m:by="x">${forged}` +
      `<forwarded xmlns="urn:xmpp:forward:0"><message xmlns="jabber:client">${forged}</message>` +
      '</forwarded><body>O</body></message>';
    const arrived = romeo.receive(xml(text));
    if (arrived.type !== 'unsigned') throw new Error(codeOf(arrived));
    expect(JSON.stringify(arrived.stanza.children)).not.toContain(MARK_NAMESPACE);
    expect([...arrived.stanza.attributes.keys()]).toEqual(['from', 'to']);
  });

  test('and who signs the mark into a message has it taken out too', () => {
    const { juliet, romeo } = lovers();
    const forged = `<signed xmlns="${MARK_NAMESPACE}" by="prince@verona.lit"/>`;
    const arrived = romeo.receive(juliet.send(chat('O').replace('<body>', `${forged}<body>`)));
    if (arrived.type !== 'signed') throw new Error(codeOf(arrived));
    expect(JSON.stringify(arrived.stanza.children)).not.toContain('prince');
    expect(mark(arrived.stanza)?.attributes.get('by')).toBe(JULIET);
  });

  test('every refusal is told with its reason, without the text of the message', () => {
    const { juliet, romeo } = lovers();
    const outer = withAttributes(juliet.send(chat('secret')), { from: 'nurse@capulet.lit' });
    const arrived = romeo.receive(outer);
    if (arrived.type !== 'refused') throw new Error(codeOf(arrived));
    expect(arrived.refusal.detail).toContain(JULIET);
    expect(JSON.stringify([arrived.refusal, arrived.answer?.children])).not.toContain('secret');
  });

  test('a signed error is not answered by an error', () => {
    const { romeo } = lovers();
    const outer = element('message', 'jabber:client', { from: JULIET, to: ROMEO, type: 'error' }, [
      element('signed', SIGNED_NAMESPACE),
    ]);
    const arrived = romeo.receive(outer);
    expect(codeOf(arrived)).toBe('malformed');
    expect(arrived.type === 'refused' && arrived.answer).toBeUndefined();
  });
});

/** The answer to a question for published certificates, with those of a user of that world. */
function publishedBy(world: SignedWorld, user: string): string {
  const chains = (world.overlay?.get(user) ?? []).map(({ chain }) => {
    const certificates = chain.map((der) => Buffer.from(der).toString('base64'));
    const inside = certificates.map((text) => `<x509-cert>\n${text}\n</x509-cert>`).join('');
    const id = certificateItemId(chain[0] ?? new Uint8Array());
    return `<item id="${id}"><x509-cert-chain xmlns="urn:xmpp:x509:0">${inside}</x509-cert-chain></item>`;
  });
  return (
    '<iq type="result"><pubsub xmlns="http://jabber.org/protocol/pubsub">' +
    `<items node="urn:xmpp:x509:0">${chains.join('')}</items></pubsub></iq>`
  );
}
