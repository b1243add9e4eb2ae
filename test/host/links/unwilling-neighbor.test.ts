import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import { linkTlsOptions } from '../../../src/host/links/link-credentials.ts';
import { nodeIdOf, TestAuthority } from './link-identities.ts';
import { LinkEnd } from './tls-link-fixture.ts';

const WITHIN = { timeout: 20_000, interval: 10 };
const CLOSE_MS = 100;
const sockets: { destroy(): unknown }[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Neither end ever closes by itself. */
const FOREVER = { handshakeMsMax: 3_600_000, idleMsMax: 3_600_000, closeMsMax: CLOSE_MS };

async function listeningEnd(authority: TestAuthority): Promise<LinkEnd> {
  return new LinkEnd(authority, await authority.certify(nodeIdOf('b2')), FOREVER).listen();
}

test('closing waits for nobody who neither reads nor closes its link', async () => {
  const authority = await TestAuthority.create();
  const end = await listeningEnd(authority);
  const romeo = await authority.certify(nodeIdOf('a1'));
  const { host, port } = end.address;
  const tcp = tcpConnect({ host, port, allowHalfOpen: true });
  const socket = tlsConnect({
    socket: tcp,
    ...linkTlsOptions(romeo, authority.rootCertificates),
    rejectUnauthorized: false,
  });
  sockets.push(tcp, socket);
  socket.on('error', () => undefined);
  tcp.on('error', () => undefined);
  await vi.waitFor(() => expect(end.up).toHaveLength(1), WITHIN);
  socket.pause();
  tcp.pause();
  end.links.send(end.up[0]?.link.id ?? 0, Buffer.alloc(3_000_000));
  await end.links.closeAll();
  expect(end.links.linkCount).toBe(0);
});

test('nor for one who never began the handshake', async () => {
  const end = await listeningEnd(await TestAuthority.create());
  const { host, port } = end.address;
  const tcp = tcpConnect({ host, port, allowHalfOpen: true });
  sockets.push(tcp);
  tcp.on('error', () => undefined);
  await vi.waitFor(() => expect(end.links.handshakeCount).toBe(1), WITHIN);
  await end.links.closeAll();
  await vi.waitFor(() => expect(end.links.handshakeCount).toBe(0), WITHIN);
});
