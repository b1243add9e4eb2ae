import { describe, expect, test } from 'vitest';
import { makeKey } from '../../../sim/certificates/certificate-maker.ts';
import { childElement, childElements, textOf } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { streamErrorOf } from '../client-session/client-desk.ts';
import { condition } from '../routing/verona.ts';
import {
  append,
  byFingerprint,
  byName,
  CertificateDesk,
  DAY_MS,
  type DeskClient,
  NOW,
  ROMEO,
  SASLCERT,
  selfSigned,
} from './certificate-desk.ts';

const ITEMS = `<items xmlns='${SASLCERT}'/>`;

/** Names with the resources that use them, as XEP-0257 lists them. */
function itemsOf(client: DeskClient): Record<string, readonly string[]> {
  const items = childElement(client.asks('get', ITEMS) ?? fail(), 'items', SASLCERT) ?? fail();
  return Object.fromEntries(
    childElements(items).map((item) => {
      const users = childElement(item, 'users');
      const resources = users === undefined ? [] : childElements(users).map(textOf);
      return [textOf(childElement(item, 'name') ?? fail()), resources];
    }),
  );
}

function fail(): never {
  throw new Error('there was no answer');
}

describe('XEP-0257 §2.1: adding a certificate', () => {
  test('an uploaded certificate that nobody signed logs in from then on', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    expect(desk.lets(phone)).toBe(false);
    const answer = desk.withPassword('orchard').asks('set', append('Phone', phone));
    expect(answer?.attributes.get('type')).toBe('result');
    expect(answer?.children).toEqual([]);
    expect(desk.lets(phone)).toBe(true);
    expect(desk.lets(selfSigned())).toBe(false);
  });

  test('the answer leaves when the certificate is on disk, and it is there after kill -9', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    const orchard = desk.withPassword('orchard');
    desk.isDiskHeld = true;
    expect(orchard.asks('set', append('Phone', phone))).toBeUndefined();
    desk.releaseDisk();
    expect(orchard.heard).toContain('type="result"');
    desk.crash();
    expect(desk.lets(phone)).toBe(true);
  });

  test('white space in the base64 is presentation', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    const text = Buffer.from(phone)
      .toString('base64')
      .replace(/(.{64})/g, '\n      $1');
    expect(desk.withPassword('orchard').asks('set', append('Phone', text))).toBeDefined();
    expect(desk.lets(phone)).toBe(true);
  });

  test('a name that another certificate has is a conflict', () => {
    const desk = new CertificateDesk();
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Phone', selfSigned()));
    const other = selfSigned();
    expect(condition(orchard.asks('set', append('Phone', other)) ?? fail())).toBe('conflict');
    expect(condition(orchard.asks('set', append(' Phone\n', other)) ?? fail())).toBe('conflict');
    expect(desk.lets(other)).toBe(false);
  });

  test('a certificate that is there already is a conflict under another name', () => {
    const desk = new CertificateDesk();
    const orchard = desk.withPassword('orchard');
    const phone = selfSigned();
    orchard.asks('set', append('Phone', phone));
    expect(condition(orchard.asks('set', append('Mobile', phone)) ?? fail())).toBe('conflict');
    expect(Object.keys(itemsOf(orchard))).toEqual(['Phone']);
  });

  const expired = selfSigned({ change: { notAfterUnixMs: NOW - 1_000 } });
  const weak = selfSigned({ key: makeKey('rsa1024') });
  const name = 'n'.repeat(10_000);
  test.each([
    ['not base64', append('Phone', '%%%'), 'bad-request'],
    ['base64 that is not canonical', append('Phone', 'QQ'), 'bad-request'],
    ['nothing', append('Phone', ''), 'bad-request'],
    ['not DER', append('Phone', Buffer.from('hello')), 'bad-request'],
    ['no certificate', `<append xmlns='${SASLCERT}'><name>A</name></append>`, 'bad-request'],
    ['no name', append('', selfSigned()), 'bad-request'],
    ['two names', append('A', selfSigned(), '<name>B</name>'), 'bad-request'],
    ['a name of 10,000 characters', append(name, selfSigned()), 'not-acceptable'],
    ['a name with a control character', append('A&#9;B', selfSigned()), 'not-acceptable'],
    ['an expired one', append('Phone', expired), 'not-acceptable'],
    ["another's XmppAddr", append('P', selfSigned({ addresses: ['a@b.lit'] })), 'not-acceptable'],
    ['a key that is too short', append('Phone', weak), 'not-acceptable'],
    ['far too many bytes', append('Phone', Buffer.alloc(30_000)), 'not-acceptable'],
    ['another element', `<upload xmlns='${SASLCERT}'/>`, 'bad-request'],
  ])('%s is refused by name, and nothing is stored', (_, payload, expected) => {
    const desk = new CertificateDesk();
    const orchard = desk.withPassword('orchard');
    const records = desk.store.size;
    const answer = orchard.asks('set', payload) ?? fail();
    expect(condition(answer)).toBe(expected);
    expect(
      textOf(childElement(childElements(answer)[0] ?? fail(), 'text', STANZAS) ?? fail()),
    ).toMatch(/./);
    expect(desk.store.size).toBe(records);
    expect(desk.listed()).toEqual([]);
  });

  test('an XmppAddr of the own user is taken, however it is written', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned({ addresses: ['Romeo@MONTAGUE.lit'] });
    desk.withPassword('orchard').asks('set', append('Phone', phone));
    expect(desk.lets(phone)).toBe(true);
  });

  test('"The server still MUST reject the certificate if it is expired"', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned({ change: { notAfterUnixMs: NOW + DAY_MS } });
    desk.withPassword('orchard').asks('set', append('Phone', phone));
    expect(desk.lets(phone)).toBe(true);
    desk.passes(DAY_MS + 1_000);
    expect(desk.lets(phone)).toBe(false);
  });
});

describe('XEP-0257 §2.1: no-cert-management', () => {
  function bot(): { desk: CertificateDesk; client: DeskClient; own: DeskClient } {
    const desk = new CertificateDesk();
    const certificate = selfSigned();
    const own = desk.withPassword('orchard');
    own.asks('set', append('Bot', certificate, '<no-cert-management/>'));
    own.asks('set', append('Phone', selfSigned()));
    return { desk, own, client: desk.withCertificate(certificate, 'bot') };
  }

  test('such a client adds, disables and revokes nothing', () => {
    const { client, desk } = bot();
    const phone = selfSigned();
    const csr = Buffer.from('request').toString('base64');
    const add =
      "<add-certificate-request xmlns='urn:xmpp:ccm2:add-cert:0'><name>B</name>" +
      `<x509certificate-signing-request>${csr}</x509certificate-signing-request>` +
      '</add-certificate-request>';
    for (const payload of [
      append('Second', phone),
      byName('disable', 'Phone'),
      byName('revoke', 'Phone'),
      byFingerprint(phone),
      add,
    ]) {
      expect(condition(client.asks('set', payload) ?? fail())).toBe('not-allowed');
    }
    expect(desk.listed()).toEqual(['Bot', 'Phone']);
    expect(desk.issueRequests).toEqual([]);
  });

  test('it may see the list, and is still bound when its certificate was disabled', () => {
    const { client, own } = bot();
    expect(itemsOf(client)).toEqual({ Bot: ['bot'], Phone: [] });
    own.asks('set', byName('disable', 'Bot'));
    expect(condition(client.asks('set', byName('revoke', 'Phone')) ?? fail())).toBe('not-allowed');
  });
});

describe('XEP-0257 §2.1: no-cert-management, over time', () => {
  test('it holds for a session that outlives what was said of its certificate', () => {
    const desk = new CertificateDesk();
    const certificate = selfSigned({ change: { notAfterUnixMs: NOW + 59 * 60_000 } });
    const base64 = Buffer.from(certificate).toString('base64');
    desk.manage({ type: 'add', name: 'Bot', certificate: base64, mayManage: false });
    desk.passes(58 * 60_000);
    const bot = desk.withCertificate(certificate, 'bot');
    const garden = desk.withPassword('garden');
    garden.asks('set', byName('disable', 'Bot'));
    desk.passes(2 * 60_000 + 30_000);
    expect([...desk.store.keys()].filter((key) => key.includes('certificate'))).toEqual([]);
    expect(condition(bot.asks('set', append('Second', selfSigned())) ?? fail())).toBe(
      'not-allowed',
    );
  });
});

describe('XEP-0257 §2.2: the list', () => {
  test('names, certificates, and the resources that use them now', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Phone', phone));
    orchard.asks('set', append('Laptop', selfSigned()));
    expect(itemsOf(orchard)).toEqual({ Phone: [], Laptop: [] });
    const street = desk.withCertificate(phone, 'street');
    desk.withCertificate(phone, 'square');
    expect(itemsOf(orchard)).toEqual({ Phone: ['street', 'square'], Laptop: [] });
    expect(street.asks('get', ITEMS, 'montague.lit')).toBeDefined();
    street.loses();
    expect(itemsOf(orchard)).toEqual({ Phone: ['square'], Laptop: [] });
    const [item] = childElements(childElements(orchard.asks('get', ITEMS) ?? fail())[0] ?? fail());
    const listed = textOf(childElement(item ?? fail(), 'x509cert') ?? fail());
    expect(listed).toBe(Buffer.from(phone).toString('base64'));
  });

  test('expired certificates are marked, and removed after 30 days', () => {
    const desk = new CertificateDesk();
    const orchard = desk.withPassword('orchard');
    const change = { notAfterUnixMs: NOW + DAY_MS };
    orchard.asks('set', append('Phone', selfSigned({ change })));
    desk.passes(2 * DAY_MS);
    expect(desk.manage({ type: 'list' })).toMatchObject({ certificates: [{ isExpired: true }] });
    const later = desk.withPassword('orchard');
    later.asks('get', ITEMS);
    expect(later.heard).toContain('state="expired"');
    desk.passes(30 * DAY_MS);
    expect(desk.listed()).toEqual([]);
    expect([...desk.store.keys()].filter((key) => key.includes('certificate'))).toEqual([]);
  });
});

describe('XEP-0257 §5: security', () => {
  test('nothing is managed before TLS and SASL', () => {
    const desk = new CertificateDesk();
    const client = desk.connect();
    client.opens();
    client.says(`<iq type='set' id='a'>${append('Phone', selfSigned())}</iq>`);
    expect(streamErrorOf(client.heard)).toBe('not-authorized');
    expect(desk.listed()).toEqual([]);
  });

  test('"it MUST return not-authorized for clients logged in using SASL EXTERNAL"', () => {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Phone', phone));
    const query =
      "<query xmlns='jabber:iq:register'><username>romeo</username><password>x</password></query>";
    const street = desk.withCertificate(phone, 'street');
    expect(condition(street.asks('set', query, 'montague.lit') ?? fail())).toBe('not-authorized');
    expect(condition(orchard.asks('set', query, 'montague.lit') ?? fail())).toBe(
      'service-unavailable',
    );
  });

  test('the feature is announced (XEP-0257 §4)', () => {
    const desk = new CertificateDesk();
    const query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    for (const to of ['montague.lit', ROMEO]) {
      const orchard = desk.withPassword('orchard');
      orchard.asks('get', query, to);
      expect(orchard.heard).toContain(`<feature var="${SASLCERT}"/>`);
    }
  });
});

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
