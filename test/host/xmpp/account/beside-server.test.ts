import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openAccount } from '../../../../src/host/xmpp/account/open-account.ts';
import type { PrimaryWay } from '../../../../src/xmpp/account/server-way.ts';
import { AddressFault } from '../../../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../../../src/xmpp-address/jid.ts';
import { areInstalled } from '../../../installed-programs.ts';
import { nodeIdOf, TestAuthority } from '../../links/link-identities.ts';
import { CuttableProxy } from '../cuttable-proxy.ts';
import { isProsodyInstalled, Prosody } from '../prosody.ts';
import { type MemoryClient, startXmppPeer, type XmppPeer } from '../xmpp-peers.ts';

const ROMEO = 'romeo@montague.lit';
const JULIET = 'juliet@capulet.lit';
const PASSWORD = 'wherefore';
const TIME = { timeout: 120_000 };
const POLL = { timeout: 40_000, interval: 20 };

/** The mark of the way, or what a true signature puts in its place. */
const BY_SERVER = /<(?:came-by-server|signed) /;

let authority: TestAuthority;
const release: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
});

afterEach(async () => {
  for (const end of release.splice(0).reverse()) await end();
});

describe('XEP-0415 §8: two peers beside a real Prosody', TIME, () => {
  if (!areInstalled({ Prosody: isProsodyInstalled })) return;

  it('overlay first: a cut overlay, and each message arrives by the server exactly once', async () => {
    const { prosody, proxies, orchard, balcony } = await couple('overlay');
    orchard.says(chat(JULIET, 'm1', 'By the overlay.'));
    await hears(balcony, 'By the overlay.');
    expect(prosody.log).not.toContain("id='m1'");
    for (const proxy of proxies) proxy.cut();
    orchard.says(chat(JULIET, 'm2', 'By the server.'));
    await hears(balcony, 'By the server.');
    expect(messageWith(balcony, 'By the server.')).toMatch(BY_SERVER);
    for (const proxy of proxies) proxy.heal();
    orchard.says(chat(JULIET, 'm3', 'By whichever.'));
    await hears(balcony, 'By whichever.');
    balcony.says(chat(ROMEO, 'm4', 'And back.'));
    await hears(orchard, 'And back.');
    for (const text of ['By the overlay.', 'By the server.', 'By whichever.']) {
      expect(count(balcony, text)).toBe(1);
    }
  });

  it('server first: by the server while it is there, by the overlay while it is not', async () => {
    const { prosody, orchard, balcony } = await couple('server');
    orchard.says(chat(JULIET, 'm1', 'By the server.'));
    await hears(balcony, 'By the server.');
    expect(messageWith(balcony, 'By the server.')).toMatch(BY_SERVER);
    await prosody.stop();
    orchard.says(chat(JULIET, 'm2', 'By the overlay.'));
    await hears(balcony, 'By the overlay.');
    expect(messageWith(balcony, 'By the overlay.')).not.toMatch(BY_SERVER);
    expect(count(balcony, 'By the server.')).toBe(1);
    expect(count(balcony, 'By the overlay.')).toBe(1);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'the server ends by %s and comes again: both log in again, nothing is lost or doubled',
    async (signal) => {
      const { prosody, proxies, orchard, balcony } = await couple('overlay');
      for (const proxy of proxies) proxy.cut();
      orchard.says(chat(JULIET, 'm1', 'Before.'));
      await hears(balcony, 'Before.');
      await prosody.stop(signal);
      orchard.says(chat(JULIET, 'm2', 'Meanwhile.'));
      const next = await prosody.restart();
      release.push(() => next.stop());
      await hears(balcony, 'Meanwhile.');
      orchard.says(chat(JULIET, 'm3', 'Afterwards.'));
      await hears(balcony, 'Afterwards.');
      for (const text of ['Before.', 'Meanwhile.', 'Afterwards.']) {
        expect(count(balcony, text)).toBe(1);
      }
    },
  );

  it('an ordinary client of the account gets what goes by the server, and its own goes on', async () => {
    const { prosody, proxies, orchard, balcony } = await couple('overlay');
    const { openServerConnection } = await import(
      '../../../../src/host/xmpp/account/server-connection.ts'
    );
    const phone = await openServerConnection({
      jid: `${JULIET}/phone`,
      server: '127.0.0.1',
      port: prosody.ports.client,
      credentials: { password: PASSWORD },
      caCertificates: [await readFile(prosody.certificateFile('capulet.lit'), 'utf8')],
    });
    release.push(() => phone.close());
    let heard = '';
    const { writeElement } = await import('../../../../src/xmpp/stanza/xmpp-element.ts');
    phone.onStanza((stanza) => {
      heard += writeElement(stanza);
    });
    const { xml } = await import('../../../xmpp/routing/verona.ts');
    await phone.iq(undefined, 'set', xml('<enable xmlns="urn:xmpp:carbons:2"/>'));
    phone.send(xml('<presence/>'));
    for (const proxy of proxies) proxy.cut();
    orchard.says(chat(JULIET, 'm1', 'To all of hers.'));
    await hears(balcony, 'To all of hers.');
    await expect.poll(() => heard, POLL).toContain('To all of hers.');
    phone.send(xml(chat(ROMEO, 'p1', 'From the phone.')));
    await hears(orchard, 'From the phone.');
    expect(count(balcony, 'To all of hers.')).toBe(1);
    expect(count(orchard, 'From the phone.')).toBe(1);
  });

  it('XEP-0178: a server that trusts the overlay lets the peer in by its own certificate', async () => {
    const settings = { authentication: 'ccert', certificate_match: 'xmppaddr' };
    const prosody = await Prosody.start({
      hosts: [{ domain: 'montague.lit', accounts: {}, settings }],
      wantsClientCertificates: true,
      trustedCertificates: authority.rootCertificates,
    });
    release.push(() => prosody.stop());
    const proxy = await CuttableProxy.start();
    release.push(() => proxy.stop());
    await peer(prosody, 'overlay', '22', ROMEO, undefined, proxy, undefined);
    await prosody.logs('Authenticated as romeo@montague.lit');
    await prosody.logs('Resource bound: romeo@montague.lit/');
    expect(prosody.log).toMatch(/<auth [^>]*mechanism='EXTERNAL'/);
  });

  it('a wrong password: one try, and the peer goes on in the overlay', async () => {
    const prosody = await server();
    const proxy = await CuttableProxy.start();
    release.push(() => proxy.stop());
    const romeo = await peer(prosody, 'overlay', '22', ROMEO, undefined, proxy, 'rosaline');
    const failures = () => prosody.log.split(': <failure').length - 1;
    await prosody.logs(': <failure');
    const orchard = romeo.clients.logIn('montague.lit', 'orchard');
    orchard.says("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    await expect.poll(() => orchard.heard(), POLL).toContain('type="result"');
    expect(failures()).toBe(1);
  });
});

async function server(): Promise<Prosody> {
  const prosody = await Prosody.start({
    hosts: [
      { domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } },
      { domain: 'capulet.lit', accounts: { juliet: { password: PASSWORD } } },
    ],
    modules: ['offline'],
  });
  release.push(() => prosody.stop());
  return prosody;
}

async function peer(
  prosody: Prosody,
  primary: PrimaryWay,
  digits: string,
  jid: string,
  through: XmppPeer | undefined,
  proxy: CuttableProxy,
  password: string | undefined,
): Promise<XmppPeer> {
  const user = parseJid(jid);
  if (user instanceof AddressFault) throw new Error(user.describe());
  const caCertificates = await readFile(prosody.certificateFile(user.domainpart), 'utf8');
  const place = { server: '127.0.0.1', port: prosody.ports.client };
  const account = openAccount({ jid, ...place, password, caCertificates, primary }, user);
  const started = await startXmppPeer({
    authority,
    nodeId: nodeIdOf(digits),
    jid,
    account,
    advertised: (bound) => proxy.leadTo(bound),
    ...(through === undefined ? {} : { through: through.host }),
  });
  release.push(() => started.stop());
  return started;
}

/** Romeo and Juliet with a client each, logged in at their server and joined to the overlay. */
async function couple(primary: PrimaryWay) {
  const prosody = await server();
  const proxies = [await CuttableProxy.start(), await CuttableProxy.start()] as const;
  for (const proxy of proxies) release.push(() => proxy.stop());
  const romeo = await peer(prosody, primary, '22', ROMEO, undefined, proxies[0], PASSWORD);
  const juliet = await peer(prosody, primary, '88', JULIET, romeo, proxies[1], PASSWORD);
  const orchard = romeo.clients.logIn('montague.lit', 'orchard');
  const balcony = juliet.clients.logIn('capulet.lit', 'balcony');
  // Both are available at the server, so messages to the bare address reach them there.
  await prosody.logs(/(?:Received\[c2s\]: <presence[\s\S]*){2}/);
  return { prosody, proxies, romeo, juliet, orchard, balcony };
}

function chat(to: string, id: string, body: string): string {
  return `<message to='${to}' id='${id}' type='chat'><body>${body}</body></message>`;
}

async function hears(client: MemoryClient, text: string): Promise<void> {
  await expect.poll(() => client.heard(), POLL).toContain(text);
}

function count(client: MemoryClient, text: string): number {
  return client.heard().split(`<body>${text}</body>`).length - 1;
}

function messageWith(client: MemoryClient, text: string): string {
  return (
    client
      .heard()
      .split('<message')
      .find((part) => part.includes(text)) ?? ''
  );
}
