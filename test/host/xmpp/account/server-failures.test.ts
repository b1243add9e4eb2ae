import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../../src/host/free-port.ts';
import { toPem } from '../../../../src/host/links/link-credentials.ts';
import {
  openServerConnection,
  ServerConnectionError,
  type ServerConnectionOptions,
} from '../../../../src/host/xmpp/account/server-connection.ts';
import { gatewayCertificate } from '../../../../src/host/xmpp/gateway/gateway-certificate.ts';
import type { ServerFailure } from '../../../../src/xmpp/account/server-failure.ts';

const release: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of release.splice(0)) await close();
});

describe('a server that is none', () => {
  it('RFC 6125: a certificate for another domain ends the connection before the login', async () => {
    const { port, ca } = await tlsServer('montague.example');
    const failure = await failureOf({ server: '127.0.0.1', port, caCertificates: [ca] });
    expect(failure.code).toBe('certificate');
    expect(failure.reason).toContain('does not prove that this is the server of capulet.example');
  });

  it('RFC 6125: a certificate for the domain, but of nobody who is trusted', async () => {
    const { port } = await tlsServer('capulet.example');
    const failure = await failureOf({ server: '127.0.0.1', port });
    expect(failure.code).toBe('certificate');
  });

  it('one that never says a word after the TLS handshake', async () => {
    const { port, ca } = await tlsServer('capulet.example');
    const timeouts = { stepMs: 200 };
    const failure = await failureOf({ server: '127.0.0.1', port, caCertificates: [ca], timeouts });
    expect(failure.reason).toBe('capulet.example has not opened its stream within 0.2 s');
  });

  it('one that never begins the TLS handshake', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => socket.destroy()));
    const port = await listening(server);
    const timeouts = { connectMs: 200 };
    const failure = await failureOf({ server: '127.0.0.1', port, timeouts });
    expect(failure.reason).toBe(`127.0.0.1:${port} has not finished the TLS handshake in 0.2 s`);
  });

  it('a port where nobody listens', async () => {
    const port = await freePort();
    const failure = await failureOf({ server: '127.0.0.1', port });
    expect(failure.code).toBe('unreachable');
    expect(failure.reason).toContain(`127.0.0.1:${port}`);
  });

  it('RFC 6120 §3.2: the SRV records of the domain are tried in their order', async () => {
    const { port, ca } = await tlsServer('capulet.example');
    const asked: string[] = [];
    const closed = await freePort();
    const failure = await failureOf({
      caCertificates: [ca],
      timeouts: { stepMs: 200 },
      resolveService: (name) => {
        asked.push(name);
        return Promise.resolve([
          { name: '127.0.0.1', port, priority: 20, weight: 0 },
          { name: '127.0.0.1', port: closed, priority: 10, weight: 5 },
        ]);
      },
    });
    expect(asked).toEqual(['_xmpps-client._tcp.capulet.example']);
    expect(failure.code).toBe('timeout');
  });

  it('RFC 2782: a domain whose service is "." has no server', async () => {
    const resolveService = () => Promise.resolve([{ name: '.', port: 0, priority: 0, weight: 0 }]);
    const failure = await failureOf({ resolveService });
    expect(failure.reason).toContain('it serves no clients');
  });

  it('a connection that is interrupted while the server is silent', async () => {
    const { port, ca } = await tlsServer('capulet.example');
    const signal = AbortSignal.timeout(50);
    const failure = await failureOf({ server: '127.0.0.1', port, caCertificates: [ca], signal });
    expect(failure.code).toBe('stopped');
  });
});

async function failureOf(options: Partial<ServerConnectionOptions>): Promise<ServerFailure> {
  const credentials = { password: 'secret' };
  try {
    const jid = 'juliet@capulet.example';
    const connection = await openServerConnection({ jid, tls: 'direct', credentials, ...options });
    await connection.close();
  } catch (error) {
    if (!(error instanceof ServerConnectionError)) throw error;
    return error.failure;
  }
  throw new Error('the login should have failed');
}

/** Shows a certificate of this domain, and reads without answering. */
async function tlsServer(domain: string): Promise<{ port: number; ca: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-account-'));
  release.push(() => rm(directory, { recursive: true, force: true }));
  const { certificate, privateKey } = await gatewayCertificate(directory, domain, Date.now());
  const ca = toPem(certificate);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createTlsServer({ cert: ca, key, ALPNProtocols: ['xmpp-client'] }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
  });
  return { port: await listening(server), ca };
}

async function listening(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  release.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
