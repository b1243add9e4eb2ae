import { describe, expect, test } from 'vitest';
import { makeKey } from '../../../sim/certificates/certificate-maker.ts';
import { streamErrorOf } from '../client-session/client-desk.ts';
import { condition } from '../routing/verona.ts';
import { append, byName, CertificateDesk, ROMEO, selfSigned } from './certificate-desk.ts';

function fail(): never {
  throw new Error('there was no answer');
}

describe('XEP-0257 §2.3 and §2.4: disabling and revoking', () => {
  function withPhone() {
    const desk = new CertificateDesk();
    const phone = selfSigned();
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Phone', phone));
    const laptop = selfSigned();
    orchard.asks('set', append('Laptop', laptop));
    return { desk, phone, laptop, orchard };
  }

  test('a disabled certificate logs in no more, and its session goes on', () => {
    const { desk, phone, orchard } = withPhone();
    const street = desk.withCertificate(phone, 'street');
    expect(orchard.asks('set', byName('disable', 'Phone'))?.attributes.get('type')).toBe('result');
    expect(desk.lets(phone)).toBe(false);
    desk.input({ type: 'trustChanged' });
    expect(street.isClosed).toBe(false);
    expect(desk.listed()).toEqual(['Laptop']);
  });

  test('revoking ends the sessions on that certificate at once, and no others', () => {
    const { desk, phone, laptop, orchard } = withPhone();
    const street = desk.withCertificate(phone, 'street');
    const square = desk.withCertificate(phone, 'square');
    const study = desk.withCertificate(laptop, 'study');
    orchard.asks('set', byName('revoke', 'Phone'));
    expect(street.isClosed && square.isClosed).toBe(true);
    expect(streamErrorOf(street.heard)).toBe('reset');
    expect(study.isClosed || orchard.isClosed).toBe(false);
    expect(desk.lets(phone)).toBe(false);
    expect(desk.lets(laptop)).toBe(true);
  });

  test('sessions that wait for resumption, and logins without a resource, end too', () => {
    const { desk, phone, orchard } = withPhone();
    const street = desk.withCertificate(phone, 'street');
    const previd = street.manages();
    street.loses();
    const unbound = desk.connect(phone);
    unbound.external();
    orchard.asks('set', byName('revoke', 'Phone'));
    expect(unbound.isClosed).toBe(true);
    const again = desk.connect();
    again.scrams();
    again.opens();
    const resume = `<resume xmlns='urn:xmpp:sm:3' previd='${previd}' h='0'/>`;
    expect(again.says(resume)).toContain('item-not-found');
  });

  test('kill -9 between the result and the next login: it is revoked', () => {
    const { desk, phone, orchard } = withPhone();
    expect(orchard.asks('set', byName('revoke', 'Phone'))?.attributes.get('type')).toBe('result');
    desk.crash();
    expect(desk.lets(phone)).toBe(false);
    expect(desk.listed()).toEqual(['Laptop']);
  });

  test('while the disk does not write, sessions and logins have ended already', () => {
    const { desk, phone, orchard } = withPhone();
    const street = desk.withCertificate(phone, 'street');
    desk.isDiskHeld = true;
    expect(orchard.asks('set', byName('revoke', 'Phone'))).toBeUndefined();
    expect(street.isClosed).toBe(true);
    expect(desk.lets(phone)).toBe(false);
    desk.releaseDisk();
    expect(orchard.heard).toContain('type="result"');
  });

  test('whoever revokes his own certificate has the answer before his session ends', () => {
    const { desk, phone } = withPhone();
    const street = desk.withCertificate(phone, 'street');
    street.asks('set', byName('revoke', 'Phone'));
    expect(street.heard.indexOf('type="result"')).toBeGreaterThan(-1);
    expect(street.heard.indexOf('type="result"')).toBeLessThan(street.heard.indexOf('error'));
    expect(street.isClosed).toBe(true);
  });

  test('whoever has revoked his own certificate changes nothing more with it', () => {
    const { desk, phone } = withPhone();
    const street = desk.withCertificate(phone, 'street');
    desk.isDiskHeld = true;
    street.asks('set', byName('revoke', 'Phone'));
    street.asks('set', append('Second way in', selfSigned()));
    desk.releaseDisk();
    expect(street.isClosed).toBe(true);
    expect(desk.listed()).not.toContain('Second way in');
  });

  test('neither is taken back: the same certificate is not taken again', () => {
    const { desk, phone, laptop, orchard } = withPhone();
    orchard.asks('set', byName('disable', 'Phone'));
    orchard.asks('set', byName('revoke', 'Laptop'));
    for (const certificate of [phone, laptop]) {
      const answer = orchard.asks('set', append('Again', certificate)) ?? fail();
      expect(condition(answer)).toBe('not-acceptable');
    }
    expect(desk.listed()).toEqual([]);
  });

  test('the name is free again; the revoked one is still found by its name before that', () => {
    const { orchard, desk, phone } = withPhone();
    orchard.asks('set', byName('disable', 'Phone'));
    const street = desk.lets(phone);
    expect(street).toBe(false);
    expect(orchard.asks('set', byName('revoke', 'Phone'))?.attributes.get('type')).toBe('result');
    expect(orchard.asks('set', append('Phone', selfSigned()))?.attributes.get('type')).toBe(
      'result',
    );
  });

  test('the key of a revoked certificate is not taken in another one', () => {
    const desk = new CertificateDesk();
    const key = makeKey();
    const orchard = desk.withPassword('orchard');
    orchard.asks('set', append('Phone', selfSigned({ key })));
    orchard.asks('set', byName('revoke', 'Phone'));
    const answer = orchard.asks('set', append('Second', selfSigned({ key }))) ?? fail();
    expect(condition(answer)).toBe('not-acceptable');
  });

  test('what nobody has added is not found', () => {
    const { orchard } = withPhone();
    for (const what of ['disable', 'revoke'] as const) {
      expect(condition(orchard.asks('set', byName(what, 'Watch')) ?? fail())).toBe(
        'item-not-found',
      );
    }
  });

  test('a change is told to the other sessions, and to those alone', () => {
    const { desk, orchard } = withPhone();
    const garden = desk.withPassword('garden');
    orchard.heard = '';
    orchard.asks('set', append('Watch', selfSigned()));
    orchard.asks('set', byName('disable', 'Phone'));
    orchard.asks('set', byName('revoke', 'Laptop'));
    for (const change of ['added', 'disabled', 'revoked']) {
      expect(garden.heard).toContain(`change="${change}"`);
    }
    expect(garden.heard).toContain('<name>Watch</name>');
    expect(orchard.heard).not.toContain('<message');
  });
});

describe('XEP-0257 §3: full addresses', () => {
  const street = `${ROMEO}/street`;

  function withPinned(addresses: readonly string[]) {
    const desk = new CertificateDesk();
    const phone = selfSigned({ addresses });
    desk.withPassword('orchard').asks('set', append('Phone', phone));
    return { desk, phone };
  }

  test('a certificate with one full address binds its resource, asked for or not', () => {
    const { desk, phone } = withPinned([street]);
    const client = desk.connect(phone);
    client.external();
    expect(client.asksToBind()).toContain(`<jid>${street}</jid>`);
  });

  test('and no other one', () => {
    const { desk, phone } = withPinned([street]);
    const client = desk.connect(phone);
    client.external();
    expect(client.asksToBind('square')).toContain('<not-allowed');
  });

  test('an older session with that resource is logged out', () => {
    const { desk, phone } = withPinned([street]);
    const older = desk.withPassword('street');
    const newer = desk.withCertificate(phone);
    expect(streamErrorOf(older.heard)).toBe('conflict');
    expect(newer.isClosed).toBe(false);
  });

  test('of several addresses, the authorization identity says which resource', () => {
    const { desk, phone } = withPinned([street, `${ROMEO}/square`]);
    const client = desk.connect(phone);
    expect(client.external()).toContain('<invalid-authzid');
    expect(client.says(auth(ROMEO))).toContain('<invalid-authzid');
    const other = desk.connect(phone);
    other.external(`${ROMEO}/square`);
    expect(other.asksToBind()).toContain(`<jid>${ROMEO}/square</jid>`);
  });

  test('it resumes no session with another resource', () => {
    const { desk, phone } = withPinned([street]);
    const orchard = desk.withPassword('garden');
    const previd = orchard.manages();
    orchard.loses();
    const client = desk.connect(phone);
    client.external();
    client.opens();
    const resume = `<resume xmlns='urn:xmpp:sm:3' previd='${previd}' h='0'/>`;
    expect(client.says(resume)).toContain('item-not-found');
  });
});

function auth(identity: string): string {
  const data = Buffer.from(identity).toString('base64');
  return `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>${data}</auth>`;
}
