import { describe, expect, test } from 'vitest';
import {
  makeKey,
  makeLeaf,
  makeRoot,
  signTbs,
  testNodeId,
} from '../../../sim/certificates/certificate-maker.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { SignatureOid } from '../../../src/tls-auth/object-identifier.ts';
import { condition } from '../routing/verona.ts';
import {
  append,
  byFingerprint,
  CertificateDesk,
  DAY_MS,
  NOW,
  ROMEO,
  selfSigned,
} from './certificate-desk.ts';

function fail(): never {
  throw new Error('there was no answer');
}

/** The same certificate with another signature of its issuer, which is as valid. */
function signedAgain(desk: CertificateDesk, certificate: Uint8Array): Uint8Array {
  const read = parseCertificate(certificate);
  if (read instanceof CertificateRefusal) throw new Error(read.describe());
  return signTbs(read.tbsCertificate, SignatureOid.ecdsaWithSha256, desk.root.key.privateKey);
}

describe('certificates of the overlay, which nobody uploaded', () => {
  test('one that names the user logs in, and is in the list from then on as what it is', () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    expect(desk.listed()).toEqual([]);
    desk.withCertificate(certificate, 'orchard');
    expect(desk.manage({ type: 'list' })).toMatchObject({
      certificates: [{ source: 'overlay', users: ['orchard'], lastUsedUnixMs: NOW }],
    });
  });

  test("the peer's own is in the list from the start, and once", () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    desk.input({ type: 'ownCertificate', certificate });
    desk.crash();
    desk.input({ type: 'ownCertificate', certificate });
    expect(desk.listed()).toHaveLength(1);
    expect(desk.listed()[0]).toMatch(/^overlay [0-9a-f]{32} [0-9a-f]{8}$/);
  });

  test('those of his other devices are in the list before they have logged in', () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    desk.input({ type: 'overlay', joined: true });
    const lookups = () => desk.commands.filter(({ what }) => what.type === 'lookupByUserName');
    const [asked] = lookups();
    expect(asked?.what).toEqual({ type: 'lookupByUserName', userName: ROMEO });
    const node = desk.authenticator.authenticate(certificate, [], NOW);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    const outcome = { ok: true, result: { type: 'certificates', nodes: [node] } } as const;
    desk.input({ type: 'commandCompleted', command: asked?.command ?? 0, outcome });
    const [listed] = desk.listed();
    expect(listed).toContain(node.nodeId);
    desk.passes(6 * 3_600_000);
    expect(lookups()).toHaveLength(2);
  });

  test('what the overlay has revoked is not let in because it was uploaded as well', () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Phone', certificate));
    const street = desk.withCertificate(certificate, 'street');
    const badNodes = new Set([testNodeId(1)]);
    desk.authenticator.replaceSettings({ ...desk.authenticator.trustSettings, badNodes });
    desk.input({ type: 'trustChanged' });
    expect(street.isClosed).toBe(true);
    expect(desk.lets(certificate)).toBe(false);
    const another = append('Another', desk.overlayLeaf().certificate);
    expect(condition(orchard.asks('set', another) ?? fail())).toBe('not-acceptable');
  });

  test('one of another user logs nobody in', () => {
    const desk = new CertificateDesk();
    expect(desk.lets(desk.overlayLeaf('tybalt@capulet.lit').certificate)).toBe(false);
  });

  test('revoked beats everything: the chain is valid, and it logs in no more', () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    const orchard = desk.withCertificate(certificate, 'orchard');
    desk.withPassword('garden').asks('set', byFingerprint(certificate));
    expect(orchard.isClosed).toBe(true);
    expect(desk.lets(certificate)).toBe(false);
    desk.crash();
    expect(desk.lets(certificate)).toBe(false);
    expect(desk.lets(desk.overlayLeaf().certificate)).toBe(true);
  });

  test('nor does it with another signature of its issuer, which changes the fingerprint', () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    const altered = signedAgain(desk, certificate);
    expect(Buffer.compare(certificate, altered)).not.toBe(0);
    const stolen = desk.withCertificate(altered, 'street');
    const own = desk.withCertificate(certificate, 'orchard');
    expect(desk.listed()).toHaveLength(1);
    desk.withPassword('garden').asks('set', byFingerprint(altered));
    expect([stolen.isClosed, own.isClosed]).toEqual([true, true]);
    expect(desk.lets(altered) || desk.lets(certificate)).toBe(false);
  });

  test('nor does another certificate of its key, whoever certifies it and whenever', () => {
    const desk = new CertificateDesk();
    const key = makeKey();
    const { certificate } = makeLeaf(desk.root, { jid: ROMEO, key });
    const second = selfSigned({ key });
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Second', second));
    desk.withCertificate(certificate, 'street');
    expect(desk.lets(second)).toBe(true);
    orchard.asks('set', byFingerprint(certificate));
    const renewed = makeLeaf(desk.root, { jid: ROMEO, key }).certificate;
    expect([desk.lets(second), desk.lets(renewed)]).toEqual([false, false]);
    desk.crash();
    expect([desk.lets(second), desk.lets(renewed)]).toEqual([false, false]);
    expect(desk.lets(desk.overlayLeaf().certificate)).toBe(true);
  });

  test('one that was registered without management has none with another signature either', () => {
    const desk = new CertificateDesk();
    const { certificate } = desk.overlayLeaf();
    const bot = append('Bot', certificate, '<no-cert-management/>');
    desk.withPassword('orchard').asks('set', bot);
    const client = desk.withCertificate(signedAgain(desk, certificate), 'bot');
    const answer = client.asks('set', append('Phone', selfSigned())) ?? fail();
    expect(condition(answer)).toBe('not-allowed');
  });
});

describe('XEP-0257 §3: "In a company environment the server MAY only accept signed certificates"', () => {
  test('an uploaded certificate of nobody is refused, one of the overlay is taken', () => {
    const desk = new CertificateDesk({ policy: 'authority' });
    const orchard = desk.withPassword('orchard');
    const phone = selfSigned();
    expect(condition(orchard.asks('set', append('Phone', phone)) ?? fail())).toBe('not-acceptable');
    expect(desk.lets(phone)).toBe(false);
    const { certificate } = desk.overlayLeaf();
    expect(orchard.asks('set', append('Laptop', certificate))?.attributes.get('type')).toBe(
      'result',
    );
    expect(desk.lets(certificate)).toBe(true);
  });

  test('what its own issuer signed logs in, and what was registered before does not', () => {
    const desk = new CertificateDesk({ policy: 'authority' });
    const own = makeRoot();
    const signingRequest = Buffer.from('request').toString('base64');
    desk.manage({ type: 'issue', name: 'Phone', signingRequest, mayManage: true });
    const certificate = makeLeaf(own, { change: () => ({ extensions: {} }) }).certificate;
    desk.issues({ ok: true, certificate });
    expect(desk.lets(certificate)).toBe(true);
    const free = new CertificateDesk();
    const laptop = selfSigned();
    free.withPassword('orchard').asks('set', append('Laptop', laptop));
    for (const [key, value] of free.store) desk.store.set(key, value);
    desk.crash();
    expect(desk.listed()).toEqual(expect.arrayContaining(['Laptop']));
    expect(desk.lets(laptop)).toBe(false);
  });

  test('what another has signed in the name of the own issuer is nothing', () => {
    const desk = new CertificateDesk();
    const leaf = makeLeaf(makeRoot({ name: 'XMPP client certificates of one peer' }), {
      change: () => ({ extensions: {} }),
    });
    expect(desk.lets(leaf.certificate)).toBe(false);
  });
});

describe('the deny-list', () => {
  test('a certificate that is not valid yet logs in when it is', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned({ change: { notBeforeUnixMs: NOW + DAY_MS } });
    desk.withPassword('orchard').asks('set', append('Phone', phone));
    expect(desk.lets(phone)).toBe(false);
    desk.passes(DAY_MS);
    expect(desk.lets(phone)).toBe(true);
  });

  test('it forgets a certificate that would have expired', () => {
    const desk = new CertificateDesk();
    const orchard = desk.withPassword('orchard');
    const phone = selfSigned({ change: { notAfterUnixMs: NOW + DAY_MS } });
    orchard.asks('set', append('Phone', phone));
    orchard.asks('set', byFingerprint(phone));
    expect(keysOf(desk)).toHaveLength(1);
    desk.passes(2 * DAY_MS);
    expect(keysOf(desk)).toEqual([]);
    expect(desk.lets(phone)).toBe(false);
  });

  test('a record that is damaged is left out and told of', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    desk.withPassword('orchard').asks('set', append('Phone', phone));
    for (const key of keysOf(desk)) desk.store.set(key, Buffer.from('{"name":1}'));
    desk.crash();
    expect(desk.lets(phone)).toBe(false);
    expect(desk.events).toContainEqual(expect.objectContaining({ type: 'recordDropped' }));
  });
});

describe('1,000 certificates on one account', () => {
  test('all are listed, and one more is refused', () => {
    const desk = new CertificateDesk();
    const orchard = desk.withPassword('orchard');
    const key = makeRoot().key;
    for (let n = 0; n < 1_000; n++) {
      const certificate = Buffer.from(selfSigned({ key })).toString('base64');
      const name = `Phone ${n}`;
      const added = desk.manage({ type: 'add', name, certificate, mayManage: true });
      expect(added?.ok).toBe(true);
    }
    const answer = orchard.asks('set', append('Another', selfSigned())) ?? fail();
    expect(condition(answer)).toBe('resource-constraint');
    orchard.says("<iq type='get' id='list'><items xmlns='urn:xmpp:saslcert:1'/></iq>");
    expect(orchard.heard.match(/<item>/g)).toHaveLength(1_000);
  });
});

function keysOf(desk: CertificateDesk): string[] {
  return [...desk.store.keys()].filter((key) => key.startsWith('client-certificate/'));
}
