import { verify, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { childElement, textOf } from '../../../../src/xmpp/stanza/xmpp-element.ts';
import { ask, JULIET, limits, PASSWORD } from '../authority-fixture.ts';
import {
  answerPage,
  attachedAuthority,
  BALCONY,
  CA,
  chainOf,
  challengeOf,
  csrStanza,
  errorOf,
  newRequest,
  openPage,
  post,
} from './component-fixture.ts';
import type { ComponentServer } from './component-server.ts';

const X509 = 'urn:xmpp:x509:0';
const iqOf = (server: ComponentServer, id = 'csr') =>
  server.stanza(({ name, attributes }) => name === 'iq' && attributes.get('id') === id);
const answersOf = (server: ComponentServer, id = 'csr') =>
  server.received.filter(({ name, attributes }) => name === 'iq' && attributes.get('id') === id);

describe('the challenge', () => {
  it('XEP-0417 §6.2: goes to the full address, signed over transaction and URI', async () => {
    const { server, authority } = await attachedAuthority();
    const { der, keySha256 } = newRequest();
    server.send(csrStanza(der));
    const { message, uri } = await challengeOf(server);
    expect(Object.fromEntries(message.attributes)).toEqual({
      type: 'normal',
      from: CA,
      to: BALCONY,
    });
    const query = `key-sha-256=${keySha256}`;
    expect(uri).toMatch(new RegExp(`^${authority.url}/csr/[\\w-]{32}[?]${query}$`));
    const challenge = childElement(message, 'x509-challenge', X509);
    const signature = challenge && childElement(challenge, 'x509-signature', X509);
    const list = `<iq type='get' from='${BALCONY}' to='${CA}' id='l'><x509-ca-list xmlns='${X509}'/></iq>`;
    const answer = await server.ask(list, 'l');
    const [issuer] = childElement(answer, 'x509-ca-list', X509)?.children ?? [];
    if (typeof issuer !== 'object' || signature === undefined) throw new Error('it is not there');
    const { publicKey, subjectAltName } = new X509Certificate(
      Buffer.from(textOf(issuer), 'base64'),
    );
    expect(subjectAltName).toContain(CA);
    const signed = Buffer.from(`4UGObuJYf7yY8ucndbmH${uri}`);
    const value = Buffer.from(textOf(signature), 'base64');
    expect(verify('sha256', signed, publicKey, value)).toBe(true);
  });

  it('has a page without script, which names account, device and key', async () => {
    const { server, authority } = await attachedAuthority();
    const { der, keySha256 } = newRequest();
    server.send(csrStanza(der, { name: '&lt;b>Juliet’s&lt;/b> phone' }));
    const { path } = await challengeOf(server);
    const { page, html, cookie } = await openPage(authority, path);
    expect(page.status).toBe(200);
    expect(html).toContain(`<bdi>${JULIET}</bdi>`);
    expect(html).toContain('&#60;b&#62;Juliet’s');
    expect(html.replaceAll(' ', '')).toContain(keySha256);
    expect(html).not.toContain('<script');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-/,
    );
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(page.headers['cache-control']).toBe('no-store');
    expect(cookie).toMatch(/^__Host-xor-challenge=/);
    expect(String(page.headers['set-cookie'])).toContain('Secure; HttpOnly; SameSite=Strict');
  });

  it('is answered once: the second answer is told so and issues nothing', async () => {
    const { server, authority } = await attachedAuthority();
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    const { cookie, form } = await openPage(authority, path);
    const fields = { form, mine: 'yes', answer: 'issue', password: PASSWORD };
    const both = await Promise.all(
      [1, 2].map(() => post(authority, path, fields, { Cookie: cookie })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const late = await post(authority, path, fields, { Cookie: cookie });
    expect(late.status).toBe(410);
    expect(late.body.toString()).toContain('The certificate is issued');
    expect((await iqOf(server)).attributes.get('type')).toBe('result');
    expect(answersOf(server)).toHaveLength(1);
    expect((await authority.list()).certificates.filter(({ jid }) => jid === JULIET)).toHaveLength(
      1,
    );
  });

  it('ends by itself: forbidden with x509-challenge-failed, and the page says it is late', async () => {
    const short = { ...limits, challengeMsMax: 1 };
    const { server, authority } = await attachedAuthority({}, { limits: short });
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    expect(errorOf(await iqOf(server))).toMatchObject({
      condition: 'forbidden',
      type: 'auth',
      by: CA,
      isChallengeFailed: true,
      text: expect.stringContaining('ask again'),
    });
    const late = await post(authority, path, { answer: 'issue', password: PASSWORD });
    expect(late.status).toBe(410);
    expect(late.body.toString()).toContain('too late');
  });

  it('fails after five wrong passwords', async () => {
    const { server, authority } = await attachedAuthority();
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    for (let count = 1; count < limits.challengeAnswersMax; count += 1) {
      const wrong = await answerPage(authority, path, { password: 'wrong' });
      expect(wrong.status).toBe(403);
      expect(wrong.body.toString()).toContain('The password is wrong. Try again.');
    }
    expect((await answerPage(authority, path, { password: 'wrong' })).body.toString()).toContain(
      'No certificate was issued',
    );
    expect(errorOf(await iqOf(server))).toMatchObject({
      condition: 'forbidden',
      isChallengeFailed: true,
    });
    expect((await post(authority, path, { password: PASSWORD })).status).toBe(410);
  });

  it('is asked of those without an account, too: nobody learns who has one', async () => {
    const { server, authority } = await attachedAuthority();
    const romeo = 'romeo@montague.lit';
    server.send(csrStanza(newRequest(romeo).der, { from: `${romeo}/orchard` }));
    const { path } = await challengeOf(server);
    const answer = await answerPage(authority, path, { password: PASSWORD });
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toContain('The password is wrong. Try again.');
  });

  it('can be refused by its user: nothing is issued', async () => {
    const { server, authority } = await attachedAuthority();
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    const refused = await answerPage(authority, path, { answer: 'refuse' });
    expect(refused.status).toBe(200);
    expect(errorOf(await iqOf(server))).toMatchObject({
      condition: 'forbidden',
      isChallengeFailed: true,
      text: 'The user says that this request is not theirs.',
    });
  });

  it('counts from its own page alone', async () => {
    const { server, authority } = await attachedAuthority();
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    server.send(csrStanza(newRequest().der, { id: 'other', transaction: 'other' }));
    const other = await challengeOf(server, 'other');
    const { cookie, form } = await openPage(authority, path);
    const { cookie: cookie2, form: form2 } = await openPage(authority, other.path);
    const good = { form, mine: 'yes', answer: 'issue', password: PASSWORD };
    const answered = async (fields: object, headers: Record<string, string>) =>
      (await post(authority, path, { ...good, ...fields }, headers)).status;
    expect(await answered({}, {})).toBe(403);
    expect(await answered({}, { Cookie: cookie2 })).toBe(403);
    expect(await answered({ form: form2 }, { Cookie: cookie2 })).toBe(403);
    expect(await answered({ form: '' }, { Cookie: cookie })).toBe(403);
    expect(await answered({}, { Cookie: cookie, Origin: 'https://evil.example' })).toBe(403);
    expect(await answered({}, { Cookie: cookie, Origin: 'null' })).toBe(403);
    expect(await answered({}, { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await answered({ answer: 'refuse' }, {})).toBe(403);
    expect(await answered({ mine: '' }, { Cookie: cookie })).toBe(400);
    expect(answersOf(server)).toEqual([]);
    expect(await answered({}, { Cookie: cookie, Origin: authority.url })).toBe(200);
    expect((await iqOf(server)).attributes.get('type')).toBe('result');
  });

  it('is found by its whole path alone', async () => {
    const { server, authority } = await attachedAuthority();
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    for (const wrong of ['/csr/', '/csr', path.slice(0, -1), `${path}/x`]) {
      expect((await ask(authority, wrong)).status).toBe(404);
    }
    expect((await ask(authority, path, { method: 'PUT' })).status).toBe(405);
  });
});

describe('the same request once more', () => {
  it('XEP-0417 §6.1: during the challenge ends it, and the new one counts', async () => {
    const { server, authority } = await attachedAuthority();
    const { der } = newRequest();
    server.send(csrStanza(der, { id: 'one', transaction: 'one' }));
    server.send(csrStanza(der, { id: 'two', transaction: 'two', from: `${JULIET}/chamber` }));
    const [one, two] = [await challengeOf(server, 'one'), await challengeOf(server, 'two')];
    expect(errorOf(await iqOf(server, 'one'))).toMatchObject({ condition: 'conflict' });
    const stale = await ask(authority, one.path);
    expect(stale.status).toBe(410);
    expect(stale.body.toString()).toContain('Your device has asked once more');
    expect((await answerPage(authority, two.path, { password: PASSWORD })).status).toBe(200);
    const answer = await iqOf(server, 'two');
    expect(answer.attributes.get('to')).toBe(`${JULIET}/chamber`);
    expect(chainOf(answer)).toHaveLength(1);
  });

  it('the same stanza again gets no error that would end the one that waits', async () => {
    const { server, authority } = await attachedAuthority();
    const { der } = newRequest();
    server.send(csrStanza(der, { transaction: 'one' }));
    server.send(csrStanza(der, { transaction: 'two' }));
    const { path } = await challengeOf(server, 'two');
    await answerPage(authority, path, { password: PASSWORD });
    expect((await iqOf(server)).attributes.get('type')).toBe('result');
    expect(answersOf(server)).toHaveLength(1);
  });

  it('afterwards gets the same certificate without a challenge, under its own name', async () => {
    const { server, authority } = await attachedAuthority();
    const { der } = newRequest();
    server.send(csrStanza(der));
    const { path } = await challengeOf(server);
    await answerPage(authority, path, { password: PASSWORD });
    const first = chainOf(await iqOf(server));
    const again = await server.ask(csrStanza(der, { id: 'again', name: 'My Phone' }), 'again');
    expect(chainOf(again)).toEqual(first);
    const chain = childElement(again, 'x509-cert-chain', X509);
    expect(chain?.attributes.get('name')).toBe('My Phone');
  });

  it('at an age where another request renews, still gets the same certificate', async () => {
    let unixMs = Date.now();
    const { server } = await attachedAuthority({ trustsServer: true }, { nowUnixMs: () => unixMs });
    const { der } = newRequest();
    const first = chainOf(await server.ask(csrStanza(der, { id: 'first' }), 'first'));
    unixMs += 300 * 86_400_000;
    const again = chainOf(await server.ask(csrStanza(der, { id: 'again' }), 'again'));
    expect(again).toEqual(first);
    expect(first).toHaveLength(1);
  });
});

describe('a server that is trusted', () => {
  it('vouches for its users: no challenge, the same request twice at once one certificate', async () => {
    const { server, authority } = await attachedAuthority({ trustsServer: true });
    const { der } = newRequest();
    server.send(csrStanza(der, { id: 'one' }));
    server.send(csrStanza(der, { id: 'two' }));
    const [one, two] = [chainOf(await iqOf(server, 'one')), chainOf(await iqOf(server, 'two'))];
    expect(one).toEqual(two);
    expect(one).toHaveLength(1);
    expect((await authority.list()).certificates.filter(({ jid }) => jid === JULIET)).toHaveLength(
      1,
    );
  });

  it('still needs an account here: registration-required', async () => {
    const { server } = await attachedAuthority({ trustsServer: true });
    const romeo = 'romeo@montague.lit';
    const stanza = csrStanza(newRequest(romeo).der, { from: romeo });
    expect(errorOf(await server.ask(stanza, 'csr'))).toMatchObject({
      condition: 'registration-required',
    });
  });

  it('a key of another device: conflict; no room for a device: resource-constraint', async () => {
    const { server, authority } = await attachedAuthority({ trustsServer: true });
    await authority.addUser('nurse@capulet.lit', 'secret of the nurse', 1);
    const nurse = { from: 'nurse@capulet.lit/kitchen' };
    const first = await server.ask(
      csrStanza(newRequest('nurse@capulet.lit').der, { ...nurse, id: '1' }),
      '1',
    );
    expect(chainOf(first)).toHaveLength(1);
    const second = newRequest('nurse@capulet.lit');
    expect(
      errorOf(await server.ask(csrStanza(second.der, { ...nurse, id: '2' }), '2')),
    ).toMatchObject({
      condition: 'resource-constraint',
      text: expect.stringContaining('its limit is 1'),
    });
    const { der } = newRequest();
    const { certificates } = await authority.list();
    expect(chainOf(await server.ask(csrStanza(der, { id: '3' }), '3'))).toHaveLength(1);
    await authority.revoke(
      (await authority.list()).certificates.find(
        ({ serialNumber }) => !certificates.some((held) => held.serialNumber === serialNumber),
      )?.serialNumber ?? '',
    );
    expect(errorOf(await server.ask(csrStanza(der, { id: '4' }), '4'))).toMatchObject({
      condition: 'conflict',
      text: expect.stringContaining('make a new key'),
    });
  });
});

describe('too much', () => {
  it('requests of one account, one domain, or all: resource-constraint', async () => {
    const few = { burst: 2, refillMs: 1_000_000 };
    for (const limit of [
      'requestsPerAccountRate',
      'requestsPerDomainRate',
      'requestsOverXmppRate',
    ]) {
      const { server } = await attachedAuthority({}, { limits: { ...limits, [limit]: few } });
      const { der } = newRequest();
      for (const id of ['1', '2']) server.send(csrStanza(der, { id, transaction: id }));
      expect(errorOf(await server.ask(csrStanza(der, { id: '3' }), '3'))).toMatchObject({
        condition: 'resource-constraint',
        type: 'wait',
        text: expect.stringMatching(/try again in \d+ s/),
      });
    }
  });

  it('challenges of one account: resource-constraint', async () => {
    const { server } = await attachedAuthority();
    for (let count = 0; count < limits.challengesPerAccountMax; count += 1) {
      server.send(csrStanza(newRequest().der, { id: `${count}`, transaction: `t${count}` }));
      await challengeOf(server, `t${count}`);
    }
    expect(errorOf(await server.ask(csrStanza(newRequest().der), 'csr'))).toMatchObject({
      condition: 'resource-constraint',
      text: expect.stringContaining('answer yours'),
    });
  });
});

describe('a link that breaks', () => {
  it('in the middle of an exchange: what was challenged before is answered after', async () => {
    const { server, authority } = await attachedAuthority();
    server.send(csrStanza(newRequest().der));
    const { path } = await challengeOf(server);
    server.cut();
    const answered = answerPage(authority, path, { password: PASSWORD });
    await server.attachedTimes(2);
    expect((await answered).status).toBe(200);
    expect(chainOf(await iqOf(server))).toHaveLength(1);
  });

  it('an authority that ends says so to the server, and does not come back', async () => {
    const { server, authority } = await attachedAuthority();
    await authority.close();
    expect(server.ends).toBe(1);
    expect(server.attachments).toBe(1);
    expect(authority.componentStatus).toBeUndefined();
  });
});
