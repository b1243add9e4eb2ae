import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { childElement, textOf } from '../../src/xmpp/stanza/xmpp-element.ts';
import { SurvivingClient } from '../host/xmpp/surviving-client.ts';
import { LOOPBACK } from './authority-fixture.ts';
import { type PeerProcess, ProcessOverlay } from './process-overlay.ts';
import { runXor } from './xor-process.ts';

const POLL = { timeout: 30_000, interval: 50 };
let overlay: ProcessOverlay;
let peers: Record<'romeo' | 'juliet', PeerProcess>;
const clients: { client: SurvivingClient; running: Promise<void> }[] = [];

beforeAll(async () => {
  overlay = await ProcessOverlay.start(['romeo', 'juliet']);
  const listen = ['--gateway', `${LOOPBACK}:0`, '--gateway-ws', `${LOOPBACK}:0`];
  peers = {
    romeo: await overlay.enroll('romeo', '--first', ...listen),
    juliet: await overlay.enroll('juliet', ...listen, '--xmpp-priority', '7'),
  };
}, 120_000);

afterAll(async () => {
  for (const { client } of clients) client.end();
  await Promise.all(clients.map(({ running }) => running));
  await overlay.close();
}, 30_000);

test('xor passwd beside a running xor peer --gateway: clients log in with it and write', async () => {
  const heard: string[] = [];
  for (const name of ['romeo', 'juliet'] as const) {
    const args = ['passwd', '--state', overlay.state(name), '--password-stdin'];
    expect(await runXor(args, { input: `${name}'s own\n` })).toMatchObject({ status: 0 });
  }
  const romeo = loggedIn('romeo', "romeo's own", () => undefined);
  const juliet = loggedIn('juliet', "juliet's own", (text) => heard.push(text));
  await expect.poll(() => romeo.sessions + juliet.sessions, POLL).toBe(2);
  romeo.say("<message to='juliet@example.org' type='chat'><body>It is the east</body></message>");
  await expect.poll(() => heard, POLL).toEqual(['It is the east']);
  const stranger = loggedIn('romeo', 'a guess', () => undefined);
  romeo.say("<message to='juliet@example.org' type='chat'><body>Arise</body></message>");
  await expect.poll(() => heard, POLL).toEqual(['It is the east', 'Arise']);
  expect(stranger.sessions).toBe(0);
}, 120_000);

test('XEP-0415 §6.1: xor peer --xmpp-priority is what xor locate shows', async () => {
  const asked = ['locate', 'juliet@example.org', '--state', overlay.state('romeo'), '--json'];
  const { stdout } = await runXor(asked);
  expect(JSON.parse(stdout)).toMatchObject([{ priority: 7 }]);
});

test('gateway.pem in the state directory is the certificate that a client trusts', async () => {
  const ca = await readFile(join(overlay.state('romeo'), 'gateway.pem'));
  const [host = '', port] = (peers.romeo.gateway ?? '').split(':');
  const socket = connect({ host, port: Number(port), servername: 'example.org', ca });
  await once(socket, 'secureConnect');
  expect(socket.authorized).toBe(true);
  socket.destroy();
});

test('RFC 7395: the URL that the peer says is a WebSocket of XMPP', async () => {
  const joined = JSON.parse(peers.romeo.process.stdoutLines.find((line) => line[0] === '{') ?? '');
  const ca = await readFile(join(overlay.state('romeo'), 'gateway.pem'));
  const agent = new Agent({ ca, servername: 'example.org' });
  const socket = new WebSocket(joined.gatewayWs, 'xmpp', { agent });
  await once(socket, 'open');
  socket.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>");
  const [first] = await once(socket, 'message');
  expect(String(first)).toMatch(/^<open /);
  socket.close();
});

/** A client at the peer of this user; `heard` gets the texts of messages. */
function loggedIn(
  name: 'romeo' | 'juliet',
  password: string,
  heard: (text: string) => void,
): SurvivingClient {
  const client = new SurvivingClient({
    ...{ user: name, domain: 'example.org', password, resource: `r${clients.length}` },
    isManaged: true,
    gateway: () => ({ host: LOOPBACK, port: Number(peers[name].gateway?.split(':').at(-1)) }),
    heard: (stanza) => {
      const body = childElement(stanza, 'body', 'jabber:client');
      if (body !== undefined) heard(textOf(body));
    },
  });
  clients.push({ client, running: client.run() });
  return client;
}
