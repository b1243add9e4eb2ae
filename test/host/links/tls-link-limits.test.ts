import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LinkCredentials, linkTlsOptions } from '../../../src/host/links/link-credentials.ts';
import type { LinkLimits } from '../../../src/host/links/link-limits.ts';
import { nodeIdOf, TestAuthority } from './link-identities.ts';
import { LinkEnd } from './tls-link-fixture.ts';

const romeoId = nodeIdOf('a1');
const julietId = nodeIdOf('b2');
let authority: TestAuthority;
let romeo: LinkCredentials;
let juliet: LinkCredentials;
let ends: LinkEnd[] = [];
let sockets: Socket[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
  romeo = await authority.certify(romeoId, 'romeo@example.net');
  juliet = await authority.certify(julietId);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(ends.map((end) => end.links.closeAll()));
  ends = [];
  sockets = [];
});

async function end(credentials: LinkCredentials, limits: Partial<LinkLimits> = {}) {
  const made = await new LinkEnd(authority, credentials, limits).listen();
  ends.push(made);
  return made;
}

/** A TCP connection that never says anything. */
function silent(to: LinkEnd): { readonly socket: Socket; closed: boolean } {
  const connection = { socket: tcpConnect(to.address.port, to.address.host), closed: false };
  sockets.push(connection.socket);
  connection.socket.on('error', () => connection.socket.destroy());
  connection.socket.on('close', () => {
    connection.closed = true;
  });
  connection.socket.resume();
  return connection;
}

/** A valid TLS client under the test's own control. */
function client(to: LinkEnd): TLSSocket {
  const socket = tlsConnect({
    ...linkTlsOptions(romeo, authority.rootCertificates),
    ...to.address,
    rejectUnauthorized: false,
  });
  socket.on('error', () => socket.destroy());
  sockets.push(socket);
  return socket;
}

describe('limits of links', () => {
  test('a flood of silent connections does not keep an honest node out', async () => {
    const to = await end(juliet, { handshakesMax: 8, handshakesPerAddressMax: 1_000 });
    const flood = Array.from({ length: 100 }, () => silent(to));
    await expect.poll(() => flood.filter(({ closed }) => closed).length).toBe(92);
    expect(to.links.handshakeCount).toBe(8);
    const from = await end(romeo);
    from.connectTo(to, 1, julietId);
    await expect.poll(() => from.up.length).toBe(1);
    expect(to.loggedRules).toContain('handshakesMax');
    expect(to.loggedRules.length).toBeLessThan(10);
    expect(to.counters.refusedByRule.get('handshakesMax')).toBeGreaterThanOrEqual(92);
  });

  test('one address has only so many handshakes', async () => {
    const to = await end(juliet, { handshakesPerAddressMax: 3 });
    const flood = Array.from({ length: 10 }, () => silent(to));
    await expect.poll(() => flood.filter(({ closed }) => closed).length).toBe(7);
    expect(to.links.handshakeCount).toBe(3);
    expect(to.loggedRules).toContain('handshakesPerAddressMax');
  });

  test('one address has only so many connections', async () => {
    const to = await end(juliet, { connectionsPerAddressMax: 2 });
    for (const attempt of [1, 2]) {
      client(to);
      await expect.poll(() => to.up.length).toBe(attempt);
    }
    const third = client(to);
    await new Promise((resolve) => third.on('close', resolve));
    expect(to.up).toHaveLength(2);
    expect(to.loggedRules).toEqual(['connectionsPerAddressMax']);
  });

  test('a handshake that takes too long is closed, on either side', async () => {
    const to = await end(juliet, { handshakeMsMax: 100 });
    const slow = silent(to);
    await expect.poll(() => slow.closed, { timeout: 3_000 }).toBe(true);
    expect(to.loggedRules).toEqual(['tls-handshake']);
    const from = await end(romeo, { handshakeMsMax: 100 });
    const mute = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => mute.on('listening', resolve));
    const bound = mute.address();
    if (typeof bound !== 'object' || bound === null) throw new Error('not listening');
    to.address = { host: '127.0.0.1', port: bound.port };
    from.connectTo(to, 1);
    await expect.poll(() => from.failed).toHaveLength(1);
    expect(from.failed[0]?.reason).toContain('no link after 100 ms');
    mute.close();
  });

  test('bytes that are no TLS are refused', async () => {
    const to = await end(juliet);
    const { socket } = silent(to);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await expect.poll(() => to.loggedRules).toEqual(['tls-handshake']);
    await expect.poll(() => to.links.handshakeCount).toBe(0);
    expect(to.up).toEqual([]);
  });

  test('own attempts to connect are bounded', async () => {
    const from = await end(romeo, { connectsMax: 2 });
    const to = await end(juliet);
    for (const connect of [1, 2, 3]) from.connectTo(to, connect);
    await expect
      .poll(() => from.failed)
      .toEqual([{ connect: 3, reason: 'connectsMax is reached' }]);
    await expect.poll(() => from.up.length).toBe(2);
  });

  test('an idle link is closed', async () => {
    const to = await end(juliet, { idleMsMax: 100 });
    client(to);
    await expect.poll(() => to.up.length).toBe(1);
    await expect.poll(() => to.down, { timeout: 3_000 }).toHaveLength(1);
    expect(to.down[0]?.reason).toContain('no traffic');
  });

  test('a slow reader is first not read from, then closed', async () => {
    const outgoingBytesMax = 2 * 1024 * 1024;
    const outgoingBytesBeforePauseMax = 256 * 1024;
    const to = await end(juliet, { outgoingBytesMax, outgoingBytesBeforePauseMax });
    const reader = client(to);
    await expect.poll(() => to.up.length).toBe(1);
    const link = to.up[0]?.link;
    if (link === undefined) throw new Error('no link');
    reader.pause();
    const part = new Uint8Array(64 * 1024);
    let sentBytes = 0;
    // What the kernel's buffers take is not waiting; then the backlog grows.
    while (to.down.length === 0 && sentBytes < 64 * 1024 * 1024) {
      to.links.send(link.id, part);
      sentBytes += part.length;
      if (sentBytes % (8 * part.length) === 0) await new Promise(setImmediate);
    }
    expect(to.down).toEqual([{ link: link.id, reason: expect.stringContaining('slow reader') }]);
    expect(to.links.linkCount).toBe(0);
  });

  test('a reader that becomes quick again is read from again', async () => {
    const to = await end(juliet, {
      outgoingBytesMax: 64 * 1024 * 1024,
      outgoingBytesBeforePauseMax: 64 * 1024,
    });
    const reader = client(to);
    await expect.poll(() => to.up.length).toBe(1);
    const link = to.up[0]?.link;
    if (link === undefined) throw new Error('no link');
    reader.pause();
    const totalBytes = 16 * 1024 * 1024;
    to.links.send(link.id, new Uint8Array(totalBytes));
    await new Promise((resolve) => setTimeout(resolve, 50));
    reader.write('request');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(to.receivedBytes).toBe(0);
    let readBytes = 0;
    reader.on('data', (bytes) => {
      readBytes += bytes.length;
    });
    reader.resume();
    await expect.poll(() => readBytes, { timeout: 5_000 }).toBe(totalBytes);
    await expect.poll(() => to.receivedBytes).toBe('request'.length);
    expect(to.down).toEqual([]);
  });
});
