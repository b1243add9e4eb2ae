import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { JULIET, PASSWORD } from '../authority-fixture.ts';
import {
  answerPage,
  attachedAuthority,
  BALCONY,
  CA,
  chainOf,
  challengeOf,
  csrStanza,
  newRequest,
} from './component-fixture.ts';

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
});
