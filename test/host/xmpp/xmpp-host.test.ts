import { connect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { toPem } from '../../../src/host/links/link-credentials.ts';
import { nodeIdOf, TestAuthority } from '../links/link-identities.ts';
import { startXmppPeer, type XmppPeer, type XmppPeerOptions } from './xmpp-peers.ts';

const ROMEO = 'romeo@montague.lit';
const JULIET = 'juliet@capulet.lit';
const POLL = { timeout: 20_000, interval: 20 };

let authority: TestAuthority;
let peers: XmppPeer[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
});

afterEach(async () => {
  for (const peer of peers) await peer.stop();
  peers = [];
});

async function start(options: Omit<XmppPeerOptions, 'authority'>): Promise<XmppPeer> {
  const peer = await startXmppPeer({ authority, ...options });
  peers.push(peer);
  return peer;
}

async function couple() {
  const romeo = await start({ nodeId: nodeIdOf('22'), jid: ROMEO });
  const juliet = await start({ nodeId: nodeIdOf('88'), jid: JULIET, through: romeo.host });
  return { romeo, juliet };
}

function message(to: string, id: string, body: string): string {
  return `<message to='${to}' id='${id}' type='chat'><body>${body}</body></message>`;
}

describe('XMPP between two peers over real TLS', () => {
  test('XEP-0415: Romeo writes to Juliet, whom he never met, and she answers', async () => {
    const { romeo, juliet } = await couple();
    const orchard = romeo.clients.logIn('montague.lit', 'orchard');
    const balcony = juliet.clients.logIn('capulet.lit', 'balcony');
    orchard.says(message(JULIET, 'm1', 'Art thou not Romeo?'));
    await expect.poll(() => balcony.heard(), POLL).toContain('Art thou not Romeo?');
    expect(balcony.heard()).toMatch(/<message[^>]*from="romeo@montague.lit\/orchard"/);
    balcony.says(message(`${ROMEO}/orchard`, 'm2', 'Neither, fair saint.'));
    await expect.poll(() => orchard.heard(), POLL).toContain('Neither, fair saint.');
  });

  test('what is written to a device that is off arrives when it comes', async () => {
    const romeo = await start({ nodeId: nodeIdOf('22'), jid: ROMEO });
    const orchard = romeo.clients.logIn('montague.lit', 'orchard');
    orchard.says(message(JULIET, 'm1', 'Speak again, bright angel!'));
    const juliet = await start({ nodeId: nodeIdOf('88'), jid: JULIET, through: romeo.host });
    const balcony = juliet.clients.logIn('capulet.lit', 'balcony');
    await expect.poll(() => balcony.heard(), POLL).toContain('Speak again, bright angel!');
  });

  test('a program sends a text, and hears when a device of the addressee has it on disk', async () => {
    const { romeo, juliet } = await couple();
    const balcony = juliet.clients.logIn('capulet.lit', 'balcony');
    await expect(romeo.host.sendMessage(JULIET, 'But, soft!')).resolves.toEqual({
      type: 'acknowledged',
    });
    expect(balcony.heard()).toContain('But, soft!');
    await expect(romeo.host.sendMessage('@', 'But, soft!')).resolves.toMatchObject({
      type: 'refused',
      condition: 'jid-malformed',
    });
  });

  test('RFC 6121 §8.5.1: an address that nobody has is told of, in the overlay as it is', async () => {
    const romeo = await start({ nodeId: nodeIdOf('22'), jid: ROMEO });
    await expect(romeo.host.sendMessage('nobody@capulet.lit', 'Hark!')).resolves.toMatchObject({
      type: 'refused',
      condition: 'service-unavailable',
    });
  }, 60_000);

  test('XEP-0415 §4.1: where Juliet forwards to the nurse, the nurse gets it', async () => {
    const romeo = await start({ nodeId: nodeIdOf('22'), jid: ROMEO });
    const nurse = await start({
      nodeId: nodeIdOf('88'),
      jid: 'nurse@capulet.lit',
      through: romeo.host,
    });
    const juliet = await start({
      nodeId: nodeIdOf('cc'),
      jid: JULIET,
      through: romeo.host,
      forwardTo: 'nurse@capulet.lit',
    });
    const chamber = nurse.clients.logIn('capulet.lit', 'chamber');
    await expect
      .poll(async () => (await romeo.host.locate(JULIET)).map(({ nodeId }) => nodeId), POLL)
      .toEqual([juliet.host.nodeId]);
    const orchard = romeo.clients.logIn('montague.lit', 'orchard');
    orchard.says(message(JULIET, 'm1', 'Commend me to thy lady.'));
    await expect.poll(() => chamber.heard(), POLL).toContain('Commend me to thy lady.');
  });

  test('a connection without a certificate, or that nobody asked for, is closed', async () => {
    const { romeo, juliet } = await couple();
    const { host, port } = romeo.xmpp.listening.direct;
    const [certificate = new Uint8Array(0)] = juliet.credentials.chain;
    const key = juliet.credentials.privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const identity of [{}, { key, cert: toPem(certificate) }]) {
      const socket = connect({ host, port, rejectUnauthorized: false, ...identity });
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.on('close', resolve));
    }
    expect(romeo.host.status().state).toBe('joined');
  });

  test('a peer that leaves ends the streams of its clients properly', async () => {
    const { romeo } = await couple();
    const orchard = romeo.clients.logIn('montague.lit', 'orchard');
    await romeo.host.leave();
    expect(orchard.heard()).toContain('system-shutdown');
    expect(orchard.heard()).toContain('</stream:stream>');
  });
});
