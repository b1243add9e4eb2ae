/** XEP-0417 §9: certificates as personal events, and what is believed of them. */

import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testNodeId,
} from '../../../sim/certificates/certificate-maker.ts';
import { trustSettingsOf } from '../../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { PUBSUB_NAMESPACE } from '../../../src/xmpp/stanza/namespaces.ts';
import {
  element,
  withAttributes,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import {
  certificateItemId,
  certificatesFromPersonalEvents,
} from '../../../src/xmpp/x509/personal-certificates.ts';
import { certificateChainElement, X509_NAMESPACE } from '../../../src/xmpp/x509/x509-element.ts';
import { testConfiguration } from '../../reload/virtual-configuration.ts';
import { CertificateDesk, NOW, ROMEO } from '../client-certificates/certificate-desk.ts';
import { certificateOf } from '../enrollment/exchange-world.ts';

const root = makeRoot();
const authenticator = new Authenticator(trustSettingsOf(testConfiguration(root)));
const leafOf = (jid = ROMEO, number = 1) =>
  makeLeaf(root, { jid, nodeId: testNodeId(number) }).certificate;

function item(chain: readonly Uint8Array[], id = certificateItemId(chain[0] ?? new Uint8Array())) {
  return element('item', PUBSUB_NAMESPACE, { id }, [certificateChainElement(chain, 'Laptop')]);
}

function judged(items: readonly XmppElement[], node = X509_NAMESPACE) {
  const list = element('items', PUBSUB_NAMESPACE, { node }, items);
  const pubsub = element('pubsub', PUBSUB_NAMESPACE, {}, [list]);
  const answer = element('iq', 'jabber:client', { type: 'result' }, [pubsub]);
  return certificatesFromPersonalEvents(answer, ROMEO, authenticator, NOW);
}

describe('certificates found as personal events', () => {
  test('XEP-0417 §9: the id is the first 16 octets of the signature, in lower-case hex', () => {
    const leaf = leafOf();
    const signature = Buffer.from(certificateOf(leaf).signatureValue).toString('hex');
    expect(certificateItemId(leaf)).toBe(signature.slice(0, 32));
    expect(certificateItemId(new Uint8Array(3))).toBeUndefined();
  });

  test('chains of the user count, also over an authority between', () => {
    const below = makeIntermediate(root);
    const other = makeLeaf(below, { jid: ROMEO, nodeId: testNodeId(2) }).certificate;
    const { nodes, refused } = judged([item([leafOf()]), item([other, below.certificate])]);
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual([testNodeId(1), testNodeId(2)]);
    expect(refused).toEqual([]);
  });

  test('the server is not believed: what is wrong is left out, and why is told', () => {
    const evil = makeLeaf(makeRoot(), { jid: ROMEO }).certificate;
    const wrong = [
      item([evil]),
      item([leafOf('tybalt@capulet.lit')]),
      item([leafOf()], '0'.repeat(32)),
      element('item', PUBSUB_NAMESPACE, { id: 'empty' }),
      item([]),
      withAttributes(item([leafOf()]), { id: undefined }),
      item(Array<Uint8Array>(9).fill(leafOf())),
    ];
    const { nodes, refused } = judged([...wrong, item([leafOf()])]);
    expect(nodes).toHaveLength(1);
    expect(refused.map(({ reason }) => reason)).toMatchObject([
      expect.stringContaining('signature-invalid'),
      'it is a certificate of tybalt@capulet.lit',
      expect.stringContaining('its id is not'),
      expect.stringContaining('no chain'),
      expect.stringContaining('no chain'),
      expect.stringContaining('its id is not'),
      expect.stringContaining('more than 8'),
    ]);
  });

  test('the answer for another node is no answer, and a long one is cut', () => {
    expect(judged([item([leafOf()])], 'urn:other')).toEqual({ nodes: [], refused: [] });
    expect(judged(Array<XmppElement>(100).fill(item([leafOf()]))).nodes).toHaveLength(64);
  });
});

describe("the peer's own certificate as a personal event", () => {
  const request = `<pubsub xmlns='${PUBSUB_NAMESPACE}'><items node='${X509_NAMESPACE}'/></pubsub>`;

  function published(desk: CertificateDesk) {
    const answer = desk.withPassword('reader').asks('get', request);
    if (answer === undefined) throw new Error('no answer');
    const own = new Authenticator(trustSettingsOf(testConfiguration(desk.root)));
    return certificatesFromPersonalEvents(answer, ROMEO, own, NOW).nodes;
  }

  const own = (desk: CertificateDesk, nodeId = OWN_NODE) =>
    makeLeaf(desk.root, { jid: ROMEO, nodeId }).certificate;

  test('is there from the start, also after a crash, and once', () => {
    const desk = new CertificateDesk();
    const certificate = own(desk);
    desk.input({ type: 'ownCertificate', certificate });
    desk.crash();
    desk.input({ type: 'ownCertificate', certificate });
    expect(published(desk).map(({ certificate: { der } }) => der)).toEqual([certificate]);
  });

  test('takes the place of the former one after a renewal; those of other devices stay', () => {
    const desk = new CertificateDesk();
    const others = own(desk, testNodeId(2));
    desk.input({ type: 'ownCertificate', certificate: own(desk) });
    const id = certificateItemId(others);
    const chain = Buffer.from(others).toString('base64');
    desk
      .withPassword('other')
      .asks(
        'set',
        `<pubsub xmlns='${PUBSUB_NAMESPACE}'><publish node='${X509_NAMESPACE}'>` +
          `<item id='${id}'><x509-cert-chain xmlns='${X509_NAMESPACE}'>` +
          `<x509-cert>${chain}</x509-cert></x509-cert-chain></item></publish></pubsub>`,
      );
    const renewed = own(desk);
    desk.input({ type: 'ownCertificate', certificate: renewed });
    const found = published(desk).map(({ certificate: { der } }) => der);
    expect(found).toHaveLength(2);
    expect(found).toContainEqual(others);
    expect(found).toContainEqual(renewed);
  });
});

describe('XEP-0417 §5: the server that local sessions see', () => {
  const list = `<x509-ca-list xmlns='${X509_NAMESPACE}'/>`;

  test('says that it takes certificates, and lists the authorities of the overlay', () => {
    const desk = new CertificateDesk();
    const client = desk.withPassword('orchard');
    const query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    client.asks('get', query, 'montague.lit');
    expect(client.heard).toContain('category="auth" type="cert"');
    expect(client.heard).toContain(`var="${X509_NAMESPACE}"`);
    client.asks('get', list, 'montague.lit');
    const shown = Buffer.from(desk.root.certificate).toString('base64');
    expect(client.heard.replaceAll('&#10;', '')).toContain(`<x509-cert>${shown}</x509-cert>`);
  });

  test('XEP-0417 §8: registers nobody: its one account is there', () => {
    const client = new CertificateDesk().withPassword('orchard');
    client.asks(
      'get',
      `<x509-csr xmlns='${X509_NAMESPACE}' transaction='t'>AA==</x509-csr>`,
      'montague.lit',
    );
    expect(client.heard).toContain('<conflict');
    client.asks('set', list, 'montague.lit');
    expect(client.heard).toContain('<service-unavailable');
  });

  test('offers no registration before a login (RFC 6120 §6), and lists nothing then', () => {
    const desk = new CertificateDesk();
    const client = desk.connect(leafOf());
    expect(client.opens()).not.toContain('x509-register');
    client.says(`<iq type='get' id='a' to='montague.lit'>${list}</iq>`);
    expect(client.heard).not.toContain('x509-cert');
    expect(client.isClosed).toBe(true);
  });
});

/** Of the desk's peer. */
const OWN_NODE = '1'.repeat(32) as ReturnType<typeof testNodeId>;
