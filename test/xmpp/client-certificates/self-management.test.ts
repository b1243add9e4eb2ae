import { expect, test } from 'vitest';
import { makeKey, makeLeaf, makeRoot } from '../../../sim/certificates/certificate-maker.ts';
import { generalName, subjectAltName } from '../../../sim/certificates/extension-maker.ts';
import { toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { childElement, childElements, textOf } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { condition } from '../routing/verona.ts';
import {
  append,
  byFingerprint,
  byName,
  CertificateDesk,
  type DeskClient,
  ROMEO,
  selfSigned,
} from './certificate-desk.ts';

const ADD = 'urn:xmpp:ccm2:add-cert:0';
const LIST = 'urn:xmpp:ccm2:list-certs:0';
const REVOKE = 'urn:xmpp:ccm2:revoke-cert:0';
const CSR = new Uint8Array(Buffer.from('a request'));
const ISSUER = makeRoot({ name: 'Own issuer' });

function issued(address = ROMEO, key = makeKey()): Uint8Array {
  const names = subjectAltName([generalName.xmppAddr(address)]);
  const change = () => ({ extensions: { subjectAltName: names } });
  return makeLeaf(ISSUER, { key, change }).certificate;
}

function addition(name: string, csr: string | Uint8Array = CSR, inside = ''): string {
  const base64 = typeof csr === 'string' ? csr : toBase64(csr);
  return (
    `<add-certificate-request xmlns='${ADD}'><name>${name}</name>${inside}` +
    `<x509certificate-signing-request>${base64}</x509certificate-signing-request>` +
    '</add-certificate-request>'
  );
}

const NO_REQUEST = `<add-certificate-request xmlns='${ADD}'><name>A</name></add-certificate-request>`;
const OTHER_HASH = revocation('sha-1', '0'.repeat(40));
const NO_FINGERPRINT = revocation('sha-256', 'x');

function revocation(hash: string, fingerprint: string): string {
  const inside = `<fingerprint hash='${hash}'>${fingerprint}</fingerprint>`;
  return `<revoke-certificate xmlns='${REVOKE}'>${inside}</revoke-certificate>`;
}

function fail(): never {
  throw new Error('there was no answer');
}

/** Asks for a certificate, which the issuer makes; the answer. */
function adds(desk: CertificateDesk, client: DeskClient, name: string, certificate: Uint8Array) {
  const before = client.heard.length;
  client.asks('set', addition(name));
  desk.issues({ ok: true, certificate });
  return client.answer(`q${before}`);
}

test('adding by a request: the answer has the certificate, which logs in from then on', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const certificate = issued();
  const answer = adds(desk, orchard, 'Phone', certificate) ?? fail();
  const result = childElement(answer, 'add-certificate-result', ADD) ?? fail();
  const shown = childElement(result, 'x509certificate', ADD) ?? fail();
  expect(textOf(shown)).toBe(toBase64(certificate));
  expect(desk.lets(certificate)).toBe(true);
  desk.crash();
  expect(desk.lets(certificate)).toBe(true);
});

test('the request is handed to the issuer as it came', () => {
  const desk = new CertificateDesk();
  desk.withPassword('orchard').asks('set', addition('Phone'));
  expect(desk.issueRequests).toMatchObject([{ signingRequest: CSR }]);
});

test('what the issuer refuses is refused by the same name, and nothing is stored', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const before = orchard.heard.length;
  orchard.asks('set', addition('Phone'));
  const reason = 'its signature does not belong to its key';
  desk.issues({ ok: false, condition: 'not-acceptable', reason });
  expect(condition(orchard.answer(`q${before}`) ?? fail())).toBe('not-acceptable');
  expect(orchard.heard).toContain(reason);
  expect(desk.listed()).toEqual([]);
});

test('the same request twice at once: one certificate, and a conflict', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  orchard.asks('set', addition('Phone'));
  expect(condition(orchard.asks('set', addition('Phone')) ?? fail())).toBe('conflict');
  const before = orchard.heard.length;
  orchard.asks('set', addition('Mobile'));
  const key = makeKey();
  desk.issues({ ok: true, certificate: issued(ROMEO, key) });
  desk.issues({ ok: true, certificate: issued(ROMEO, key) });
  expect(condition(orchard.answer(`q${before}`) ?? fail())).toBe('conflict');
  expect(desk.listed()).toEqual(['Phone']);
});

test.each([
  ['not base64', addition('Phone', '%%'), 'bad-request'],
  ['no request', NO_REQUEST, 'bad-request'],
  ['another element', `<add xmlns='${ADD}'/>`, 'bad-request'],
  ['a name of 10,000 characters', addition('n'.repeat(10_000)), 'not-acceptable'],
  ['a fingerprint of another hash', OTHER_HASH, 'bad-request'],
  ['a fingerprint that is none', NO_FINGERPRINT, 'bad-request'],
  ['an unknown fingerprint', byFingerprint(selfSigned()), 'item-not-found'],
  ['the list as a set', `<list-certificates-request xmlns='${LIST}'/>`, 'bad-request'],
])('%s is refused by name', (_, payload, expected) => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  expect(condition(orchard.asks('set', payload) ?? fail())).toBe(expected);
  expect(desk.issueRequests).toEqual([]);
});

test('whoever is revoked while his request is certified gets no certificate', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const phone = selfSigned();
  orchard.asks('set', append('Phone', phone));
  const thief = desk.withCertificate(phone, 'street');
  thief.asks('set', addition('Second'));
  orchard.asks('set', byName('revoke', 'Phone'));
  const certificate = issued();
  desk.issues({ ok: true, certificate });
  expect(desk.lets(certificate)).toBe(false);
  expect(desk.listed()).toEqual([]);
});

test('more than 32 requests at once are refused', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  for (let n = 0; n < 32; n++) orchard.asks('set', addition(`Phone ${n}`));
  expect(condition(orchard.asks('set', addition('Phone')) ?? fail())).toBe('resource-constraint');
});

test('the list says who uses a certificate, and when it was used last; never: nothing', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const phone = issued();
  adds(desk, orchard, 'Phone', phone);
  orchard.asks('set', append('Laptop', selfSigned()));
  desk.withCertificate(phone, 'street');
  const request = `<list-certificates-request xmlns='${LIST}'/>`;
  const list = childElements(orchard.asks('get', request) ?? fail())[0] ?? fail();
  expect(list.name).toBe('list-of-certificates');
  const shown = childElements(list).map((one) => ({
    name: textOf(childElement(one, 'name') ?? fail()),
    lastUsed: one.attributes.get('last-used'),
    users: childElements(childElement(one, 'users') ?? one).map(textOf)[0],
  }));
  expect(shown).toMatchObject([
    { name: 'Phone', lastUsed: '2026-11-21T08:00:00Z', users: 'street' },
    { name: 'Laptop', lastUsed: undefined },
  ]);
});

test('when it was used last outlives a crash', () => {
  const desk = new CertificateDesk();
  const phone = selfSigned();
  desk.withPassword('orchard').asks('set', append('Phone', phone));
  desk.passes(3_600_000);
  desk.withCertificate(phone, 'street');
  desk.crash();
  const outcome = desk.manage({ type: 'list' });
  expect(outcome).toMatchObject({ certificates: [{ lastUsedUnixMs: desk.unixMs }] });
});

test('revoking by fingerprint ends its sessions, whichever protocol added it', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const [phone, laptop] = [issued(), selfSigned()];
  adds(desk, orchard, 'Phone', phone);
  orchard.asks('set', append('Laptop', laptop));
  const sessions = [desk.withCertificate(phone, 'a'), desk.withCertificate(laptop, 'b')];
  const upperCase = byFingerprint(phone).replace(/>([0-9a-f]{64})</, (hex) => hex.toUpperCase());
  expect(orchard.asks('set', upperCase)?.attributes.get('type')).toBe('result');
  expect(sessions.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  orchard.asks('set', byFingerprint(laptop));
  expect(sessions.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  expect(desk.lets(phone) || desk.lets(laptop)).toBe(false);
  desk.crash();
  expect(desk.lets(phone) || desk.lets(laptop)).toBe(false);
});

test('a name that was disabled may go to another; the fingerprint still means the first', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const [older, newer] = [selfSigned(), selfSigned()];
  orchard.asks('set', append('Phone', older));
  const street = desk.withCertificate(older, 'street');
  orchard.asks('set', byName('disable', 'Phone'));
  orchard.asks('set', append('Phone', newer));
  orchard.asks('set', byFingerprint(older));
  expect(street.isClosed).toBe(true);
  expect(desk.lets(newer)).toBe(true);
});

test('its three features are announced', () => {
  const desk = new CertificateDesk();
  const orchard = desk.withPassword('orchard');
  const query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
  orchard.asks('get', query, 'montague.lit');
  for (const feature of [ADD, LIST, REVOKE]) {
    expect(orchard.heard).toContain(`<feature var="${feature}"/>`);
  }
});
