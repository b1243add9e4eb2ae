import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { nodeIdOf, TestAuthority } from '../links/link-identities.ts';
import {
  type MemoryClient,
  startXmppPeer,
  type XmppPeer,
  type XmppPeerOptions,
} from './xmpp-peers.ts';

const ROMEO = 'romeo@montague.lit';
const JULIET = 'juliet@capulet.lit';
const POLL = { timeout: 30_000, interval: 20 };

let authority: TestAuthority;
let stateDirectory: string;
let peers: XmppPeer[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'xor-phone-'));
});

afterEach(async () => {
  for (const peer of peers) await peer.stop();
  peers = [];
  await rm(stateDirectory, { recursive: true, force: true });
});

async function start(options: Omit<XmppPeerOptions, 'authority'>): Promise<XmppPeer> {
  const peer = await startXmppPeer({ authority, ...options });
  peers.push(peer);
  return peer;
}

test('XEP-0415 §6.2: a device that was off has what the other one got and sent, once, in order', async () => {
  const romeo = await start({ nodeId: nodeIdOf('22'), jid: ROMEO });
  const juliet = await start({ nodeId: nodeIdOf('88'), jid: JULIET, through: romeo.host });
  const phoneOptions = { nodeId: nodeIdOf('66'), jid: ROMEO, through: romeo.host, stateDirectory };
  const orchard = romeo.clients.logIn('montague.lit', 'orchard');
  const balcony = juliet.clients.logIn('capulet.lit', 'balcony');
  orchard.says(contact('nurse@capulet.lit', 'Angelica'));
  const before = await start(phoneOptions);
  const early = before.clients.logIn('montague.lit', 'pocket');
  // The roster is the last of what an own device asks for.
  await expect.poll(() => asked(early, ROSTER), POLL).toContain('name="Angelica"');
  await before.stop();
  peers = peers.filter((peer) => peer !== before);
  for (const text of ['one', 'two', 'three']) balcony.says(message(ROMEO, text));
  await expect.poll(() => orchard.heard(), POLL).toContain('>three<');
  orchard.says(message(JULIET, 'four'));
  await expect.poll(() => balcony.heard(), POLL).toContain('>four<');
  orchard.says(contact(JULIET, 'Juliet'));

  const phone = await start(phoneOptions);
  const pocket = phone.clients.logIn('montague.lit', 'pocket');
  await expect.poll(() => bodies(pocket.heard()), POLL).toEqual(['one', 'two', 'three']);
  expect(pocket.heard()).toMatch(/<delay [^>]*from="romeo@montague.lit"/);
  await expect.poll(() => asked(pocket, ROSTER), POLL).toContain('name="Juliet"');
  const told = pocket.heard().length;
  pocket.says("<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'/></iq>");
  await expect.poll(() => pocket.heard().slice(told), POLL).toContain('<fin ');
  expect(bodies(pocket.heard().slice(told))).toEqual(['one', 'two', 'three', 'four']);
}, 120_000);

const ROSTER = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";

/** What a client has heard by now, when it asks once more. */
function asked(client: MemoryClient, text: string): string {
  client.says(text);
  return client.heard();
}

function contact(jid: string, name: string): string {
  const item = `<item jid='${jid}' name='${name}'/>`;
  return `<iq type='set' id='c'><query xmlns='jabber:iq:roster'>${item}</query></iq>`;
}

function message(to: string, text: string): string {
  return `<message to='${to}' id='${text}' type='chat'><body>${text}</body></message>`;
}

function bodies(heard: string): string[] {
  return [...heard.matchAll(/<body>([^<]*)</g)].map(([, text]) => text ?? '');
}
