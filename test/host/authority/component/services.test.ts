import { sign, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../../src/tls-auth/certificate-refusal.ts';
import { childElement, childElements } from '../../../../src/xmpp/stanza/xmpp-element.ts';
import { octetsOf } from '../../../../src/xmpp/x509/x509-element.ts';
import { ask, JULIET, newAuthority } from '../authority-fixture.ts';
import {
  attachedAuthority,
  BALCONY,
  CA,
  chainOf,
  csrStanza,
  type DeviceRequest,
  errorOf,
  newRequest,
  SECRET,
} from './component-fixture.ts';
import type { ComponentServer } from './component-server.ts';

const X509 = 'urn:xmpp:x509:0';
const DISCO = 'http://jabber.org/protocol/disco';
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
let stanzas = 0;

function iq(server: ComponentServer, payload: string, type = 'get', from = BALCONY) {
  const id = `service-${stanzas++}`;
  return server.ask(`<iq type='${type}' from='${from}' to='${CA}' id='${id}'>${payload}</iq>`, id);
}

describe('service discovery', () => {
  it('XEP-0030, XEP-0417 §5.1: tells of urn:xmpp:x509:0, and of no logins', async () => {
    const { server } = await attachedAuthority();
    const answer = await iq(server, `<query xmlns='${DISCO}#info'/>`);
    const query = childElement(answer, 'query', `${DISCO}#info`);
    const told = query === undefined ? [] : childElements(query);
    const features = told.filter(({ name }) => name === 'feature');
    expect(features.map(({ attributes }) => attributes.get('var'))).toEqual([
      `${DISCO}#info`,
      `${DISCO}#items`,
      'urn:xmpp:ping',
      X509,
    ]);
    const [identity, ...more] = told.filter(({ name }) => name === 'identity');
    expect(more).toEqual([]);
    expect(Object.fromEntries(identity?.attributes ?? [])).toEqual({
      category: 'component',
      type: 'generic',
      name: 'ca overlay.example.org',
    });
    const items = await iq(server, `<query xmlns='${DISCO}#items'/>`);
    expect(childElement(items, 'query', `${DISCO}#items`)?.children).toEqual([]);
    const node = await iq(server, `<query xmlns='${DISCO}#info' node='x'/>`);
    expect(errorOf(node)).toMatchObject({ condition: 'item-not-found' });
  });

  it('XEP-0417 §5.2: the list has the authority’s certificate, which names the component', async () => {
    const { server, authority } = await attachedAuthority();
    const answer = await iq(server, `<x509-ca-list xmlns='${X509}'/>`);
    const list = childElement(answer, 'x509-ca-list', X509);
    const certificates = (list === undefined ? [] : childElements(list)).map((child) => {
      const parsed = parseCertificate(octetsOf(child) ?? new Uint8Array());
      if (parsed instanceof CertificateRefusal) throw new Error(parsed.describe());
      return parsed;
    });
    expect(certificates.map(({ extensions }) => extensions.subjectAltName?.xmppAddrs)).toEqual([
      [CA],
    ]);
    expect(authority.componentStatus).toEqual({ isAttached: true });
  });
});

describe('XEP-0417 §7: revocation', () => {
  async function issued(server: ComponentServer, request: DeviceRequest) {
    const id = `issued-${stanzas++}`;
    const [leaf = new Uint8Array()] = chainOf(await server.ask(csrStanza(request.der, { id }), id));
    const certificate = parseCertificate(leaf);
    if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
    return { leaf, certificate };
  }

  function revokeElement(leaf: Uint8Array, signature: Uint8Array): string {
    return (
      `<x509-revoke xmlns='${X509}'><x509-cert>${base64(leaf)}</x509-cert>` +
      `<x509-signature>${base64(signature)}</x509-signature></x509-revoke>`
    );
  }

  it('with a signature of its key: an empty result, and it is on the list', async () => {
    const { server, authority } = await attachedAuthority({ trustsServer: true });
    const request = newRequest();
    const { leaf, certificate } = await issued(server, request);
    const signature = sign('sha256', certificate.tbsCertificate, request.privateKey);
    const answer = await iq(server, revokeElement(leaf, signature), 'set');
    expect(answer.attributes.get('type')).toBe('result');
    expect(answer.children).toEqual([]);
    const list = await ask(authority, '/crl/ca.crl');
    expect(new X509Certificate(leaf).serialNumber.toLowerCase()).toBe(certificate.serialNumber);
    expect(list.body.toString('hex')).toContain(certificate.serialNumber);
    // Once more is no fault, and a request with its key gets nothing.
    const again = await iq(server, revokeElement(leaf, signature), 'set');
    expect(again.attributes.get('type')).toBe('result');
    const repeated = await server.ask(csrStanza(request.der, { id: 'after' }), 'after');
    expect(errorOf(repeated)).toMatchObject({ condition: 'conflict' });
  });

  it('is refused by name, and nothing is revoked', async () => {
    const { server, authority } = await attachedAuthority({ trustsServer: true });
    await authority.addUser('nurse@capulet.lit', 'secret of the nurse');
    const request = newRequest();
    const { leaf, certificate } = await issued(server, request);
    const signature = sign('sha256', certificate.tbsCertificate, request.privateKey);
    const good = revokeElement(leaf, signature);
    const refused = async (payload: string, from = BALCONY) =>
      errorOf(await iq(server, payload, 'set', from)).condition;
    expect(await refused(revokeElement(leaf, sign('sha256', leaf, request.privateKey)))).toBe(
      'not-acceptable',
    );
    const foreign = sign('sha256', certificate.tbsCertificate, newRequest().privateKey);
    expect(await refused(revokeElement(leaf, foreign))).toBe('not-acceptable');
    expect(await refused(good, 'nurse@capulet.lit/kitchen')).toBe('not-allowed');
    expect(await refused(revokeElement(leaf.subarray(1), signature))).toBe('bad-request');
    expect(await refused(good.replace(/<x509-signature>.*<\/x509-signature>/, ''))).toBe(
      'bad-request',
    );
    expect(await refused(good.replace(/(<x509-cert>.*<\/x509-cert>)/, '$1$1'))).toBe('bad-request');
    const elsewhere = await attachedAuthority({ trustsServer: true });
    const theirs = await issued(elsewhere.server, request);
    const theirSignature = sign('sha256', theirs.certificate.tbsCertificate, request.privateKey);
    expect(await refused(revokeElement(theirs.leaf, theirSignature))).toBe('item-not-found');
    const held = (await authority.list()).certificates.filter(({ jid }) => jid === JULIET);
    expect(held.map(({ status }) => status)).toEqual(['valid']);
  });
});

describe('a component that cannot be', () => {
  it('XEP-0417 §3.2: the certificate must name it', async () => {
    const server = { host: '127.0.0.1', port: 1 };
    const options = { jid: CA, server, secret: SECRET, trustsServer: false };
    const authority = await newAuthority();
    await expect(authority.attachComponent(options)).rejects.toThrow(
      `make one with xor ca init --xmpp-address ${CA}`,
    );
    const named = await newAuthority({}, { xmppAddress: 'ca.montague.lit' });
    await expect(named.attachComponent(options)).rejects.toThrow(
      'be the component ca.montague.lit',
    );
    await expect(
      named.attachComponent({ ...options, jid: 'ca.montague.lit', secret: '' }),
    ).rejects.toThrow('the secret of the component is empty');
  });

  it('a wrong secret is told, and tried again', async () => {
    const { server, authority, options } = await attachedAuthority();
    await authority.attachComponent({ ...options, secret: 'wrong' });
    for (;;) {
      const status = authority.componentStatus;
      if (status?.reason !== undefined) {
        expect(status).toMatchObject({
          isAttached: false,
          reason: expect.stringContaining('the secret is not the one'),
        });
        break;
      }
      await new Promise((done) => setImmediate(done));
    }
    await authority.attachComponent(options);
    await authority.componentAttached();
    expect(server.attachments).toBe(2);
  });
});
