import { once } from 'node:events';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { GATEWAY_LINK_LIMITS } from '../../../src/host/xmpp/gateway/gateway-limits.ts';
import { fromBase64, toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { ScramClient, ScramRefusal } from '../../../src/xmpp/sasl/scram-client.ts';
import { DOMAIN, type EchoGateway, openEchoGateway, PASSWORD } from './echo-gateway.ts';

const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const urlOf = (echo: EchoGateway, path = '/xmpp-websocket') =>
  `wss://127.0.0.1:${echo.web.port}${path}`;

async function connected(echo: EchoGateway, origin?: string): Promise<WebSocket> {
  const socket = new WebSocket(urlOf(echo), 'xmpp', {
    rejectUnauthorized: false,
    ...(origin === undefined ? {} : { origin }),
  });
  await once(socket, 'open');
  return socket;
}

/** Each message that comes, in order. */
function messagesOf(socket: WebSocket): (text: string, expected: RegExp) => Promise<string> {
  const heard: string[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (data) => {
    heard.push(String(data));
    wake();
  });
  return async (text, expected) => {
    socket.send(text);
    for (;;) {
      const message = heard.shift();
      if (message !== undefined && expected.test(message)) return message;
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  };
}

/** The status of an HTTP request that asks for a WebSocket. */
function statusOf(
  echo: EchoGateway,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port: echo.web.port,
      path,
      rejectUnauthorized: false,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('XMPP over WebSocket (RFC 7395)', () => {
  test('a login by SCRAM and an echo, each message one element', async () => {
    const echo = await openEchoGateway();
    const socket = await connected(echo);
    expect([socket.protocol, socket.extensions]).toEqual(['xmpp', '']);
    const ask = messagesOf(socket);
    const open = `<open xmlns='${FRAMING}' to='${DOMAIN}' version='1.0'/>`;
    const features = await ask(open, /<mechanism>SCRAM-SHA-256</);
    expect(features).not.toContain('EXTERNAL');
    const options = { username: 'romeo', password: PASSWORD, nonce: 'n0nce' };
    const scram = new ScramClient({ ...options, binding: { type: 'impossible' } });
    const first = toBase64(scram.firstMessage());
    const auth = `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${first}</auth>`;
    const challenge = await ask(auth, /<challenge/);
    const data = fromBase64(/>([^<]*)</.exec(challenge)?.[1] ?? '') ?? new Uint8Array();
    const final = scram.finalMessage(data);
    if (final instanceof ScramRefusal) throw new Error(final.reason);
    await ask(`<response xmlns='${SASL}'>${toBase64(final)}</response>`, /<success/);
    await ask(open, /<bind/);
    const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    await ask(`<iq xmlns='jabber:client' type='set' id='1'>${bind}</iq>`, /<jid>romeo@/);
    const message = await ask("<message xmlns='jabber:client'><body>ß</body></message>", /<body>/);
    expect(message).toMatch(/^<message xmlns="jabber:client" .*<body>ß<\/body><\/message>$/);
    await ask(`<close xmlns='${FRAMING}'/>`, /^<close /);
    await once(socket, 'close');
  });

  test('a page of an origin that is not on the list is refused with 403', async () => {
    const echo = await openEchoGateway();
    const headers = { 'Sec-WebSocket-Protocol': 'xmpp', Origin: 'https://evil.example' };
    expect(await statusOf(echo, '/xmpp-websocket', headers)).toBe(403);
    expect(await statusOf(echo, '/xmpp-websocket', { ...headers, Origin: 'null' })).toBe(403);
  });

  test('a page of an origin on the list connects', async () => {
    const echo = await openEchoGateway({ origins: ['https://chat.example'] });
    const socket = await connected(echo, 'https://chat.example');
    socket.close();
    const headers = { 'Sec-WebSocket-Protocol': 'xmpp', Origin: 'https://chat.example.evil' };
    expect(await statusOf(echo, '/xmpp-websocket', headers)).toBe(403);
  });

  test('other paths, other subprotocols and plain requests have no WebSocket', async () => {
    const echo = await openEchoGateway();
    const xmpp = { 'Sec-WebSocket-Protocol': 'xmpp' };
    expect(await statusOf(echo, '/', xmpp)).toBe(404);
    expect(await statusOf(echo, '/xmpp-websocket', {})).toBe(400);
    expect(await statusOf(echo, '/xmpp-websocket', { 'Sec-WebSocket-Protocol': 'mqtt' })).toBe(400);
    expect(await statusOf(echo, '/xmpp-websocket', { ...xmpp, Upgrade: 'h2c' })).not.toBe(101);
    expect(
      await statusOf(echo, '/xmpp-websocket?x=1', { 'Sec-WebSocket-Protocol': 'a, xmpp' }),
    ).toBe(101);
  });

  test('a message that is not text, or too large, ends the connection', async () => {
    const echo = await openEchoGateway();
    const binary = await connected(echo);
    binary.send(new Uint8Array([60, 97, 47, 62]));
    expect((await once(binary, 'close'))[0]).toBe(1_003);
    const large = await connected(echo);
    large.send('x'.repeat(262_145));
    expect((await once(large, 'close'))[0]).toBe(1_009);
  });

  test('RFC 6455 §5.5.2: a ping is answered; whoever pings and never reads is cut off', async () => {
    const echo = await openEchoGateway();
    const socket = await connected(echo);
    socket.ping('is anybody there?');
    expect(String((await once(socket, 'pong'))[0])).toBe('is anybody there?');
    const closed = once(socket, 'close');
    socket.pause();
    socket.on('error', () => undefined);
    const text = 'x'.repeat(125);
    while (socket.readyState === WebSocket.OPEN) {
      for (let i = 0; i < 1_000; i += 1) socket.ping(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
  });

  test('of more silent connections than may be under way the oldest go, and nobody is kept out', async () => {
    const echo = await openEchoGateway();
    const { handshakesMax } = GATEWAY_LINK_LIMITS;
    const silent = Array.from({ length: handshakesMax + 20 }, () =>
      connect({ host: '127.0.0.1', port: echo.web.port }),
    );
    for (const socket of silent) socket.on('error', () => socket.destroy());
    const socket = await connected(echo);
    const areGone = () => silent.filter(({ destroyed }) => destroyed).length >= 20;
    await vi.waitFor(() => expect(areGone()).toBe(true), { timeout: 20_000 });
    socket.close();
    await once(socket, 'close');
    for (const one of silent) one.destroy();
  });

  test('whoever is refused and keeps its own half open is cut', async () => {
    const echo = await openEchoGateway();
    const { secure } = await refused(echo);
    secure.on('error', () => undefined);
    const typing = setInterval(() => secure.write('.'), 10);
    await new Promise<void>((resolve) => secure.on('close', () => resolve()));
    clearInterval(typing);
    await echo.gateway.closeAll();
  });

  test('whoever is refused and resets the connection harms nobody', async () => {
    const echo = await openEchoGateway();
    const { tcp, secure } = await refused(echo);
    secure.on('error', () => undefined);
    tcp.resetAndDestroy();
    const socket = await connected(echo);
    socket.close();
    await once(socket, 'close');
  });
});

/** A connection that asked for a path where there is no WebSocket, and does not end its half. */
async function refused(echo: EchoGateway): Promise<{ tcp: Socket; secure: TLSSocket }> {
  const tcp = connect({ host: '127.0.0.1', port: echo.web.port, allowHalfOpen: true });
  const secure = connectTls({ socket: tcp, rejectUnauthorized: false });
  const asked = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
  secure.write(`${asked.join('\r\n')}\r\n\r\n`);
  const [answer] = (await once(secure, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
  return { tcp, secure };
}
