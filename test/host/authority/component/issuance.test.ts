import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initializeSubordinate } from '../../../../src/host/authority/subordinate.ts';
import { childElement } from '../../../../src/xmpp/stanza/xmpp-element.ts';
import {
  afterTest,
  JULIET,
  newAuthorityState,
  PASSWORD,
  serve,
  temporaryDirectory,
} from '../authority-fixture.ts';
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
  SECRET,
} from './component-fixture.ts';
import { ComponentServer } from './component-server.ts';

describe('a certificate over XMPP', () => {
  it('XEP-0417 §6: request, challenge, answer on the page, certificate', async () => {
    const { server, authority } = await attachedAuthority();
    const { der, privateKey } = newRequest();
    server.send(csrStanza(der, { name: 'My Phone' }));
    const { path } = await challengeOf(server);
    const answered = await answerPage(authority, path, { password: PASSWORD });
    expect(answered.status).toBe(200);
    const iq = await server.stanza(({ name }) => name === 'iq');
    expect(Object.fromEntries(iq.attributes)).toEqual({
      type: 'result',
      id: 'csr',
      from: CA,
      to: BALCONY,
    });
    const [leaf = new Uint8Array()] = chainOf(iq);
    const certificate = new X509Certificate(leaf);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(certificate.subjectAltName).toContain(JULIET);
  });

  it('XEP-0417 §6.3: the whole chain of an authority below another one, without the root', async () => {
    const server = await ComponentServer.open(SECRET);
    afterTest(() => server.close());
    const rootState = await newAuthorityState();
    const root = await serve(rootState);
    const below = join(await temporaryDirectory(), 'below');
    const wish = { stateDirectory: below, name: 'below', domain: 'capulet.lit', xmppAddress: CA };
    await initializeSubordinate(wish, { stateDirectory: rootState });
    const authority = await serve(below, {
      component: {
        jid: CA,
        server: { host: '127.0.0.1', port: server.port },
        secret: SECRET,
        trustsServer: true,
      },
    });
    await authority.addUser(JULIET, PASSWORD);
    await server.attachedTimes(1);
    const chain = chainOf(await server.ask(csrStanza(newRequest().der), 'csr'));
    const [leaf, issuer, ...more] = chain.map((der) => new X509Certificate(der));
    expect(more).toEqual([]);
    expect(leaf?.checkIssued(issuer ?? leaf)).toBe(true);
    expect(issuer?.subjectAltName).toContain(CA);
    const list = `<iq type='get' from='${BALCONY}' to='${CA}' id='l'><x509-ca-list xmlns='urn:xmpp:x509:0'/></iq>`;
    const answer = await server.ask(list, 'l');
    expect(childElement(answer, 'x509-ca-list', 'urn:xmpp:x509:0')?.children).toHaveLength(2);
    expect(root.overlayName).toBe(authority.overlayName);
    // Whoever is of another domain gets nothing from it.
    const romeo = 'romeo@montague.lit';
    const foreign = csrStanza(newRequest(romeo).der, { from: romeo, id: 'foreign' });
    expect(errorOf(await server.ask(foreign, 'foreign'))).toMatchObject({
      condition: 'registration-required',
    });
  });
});
