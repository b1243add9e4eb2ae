import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ComponentLink } from '../../../../src/host/authority/component/component-link.ts';
import {
  type ComponentOptions,
  isInTheClear,
} from '../../../../src/host/authority/component/component-place.ts';
import { silentLog } from '../../../../src/host/log.ts';
import { gatewayCertificate } from '../../../../src/host/xmpp/gateway/gateway-certificate.ts';
import { CA, SECRET } from './component-fixture.ts';
import { ComponentServer } from './component-server.ts';

/** A server for components behind TLS, as the certificate in `pem` says. */
async function behindTls(server: ComponentServer) {
  const directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await gatewayCertificate(directory, 'localhost', Date.now());
  const pem = await readFile(join(directory, 'gateway.pem'), 'utf8');
  const key = await readFile(join(directory, 'gateway-key.pem'), 'utf8');
  const front = createServer({ cert: pem, key }, (socket) => {
    const back = connectTcp(server.port, '127.0.0.1');
    socket.pipe(back).pipe(socket);
    for (const end of [socket, back]) end.on('error', () => socket.destroy());
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => {
    front.close();
  });
  return { port: (front.address() as AddressInfo).port, pem };
}

function linkTo(options: Partial<ComponentOptions> & Pick<ComponentOptions, 'server'>) {
  const whole = { jid: CA, secret: SECRET, trustsServer: false, ...options };
  const link = new ComponentLink(whole, () => undefined, silentLog);
  onTestFinished(() => link.stop());
  link.start();
  return link;
}

async function reasonOf(link: ComponentLink): Promise<string> {
  for (;;) {
    const { reason } = link.status;
    if (reason !== undefined) return reason;
    await new Promise((done) => setTimeout(done, 5));
  }
}

describe('XEP-0417 §3.1: the link of a component', () => {
  it('is in the clear to this machine alone', () => {
    const to = (host: string) =>
      isInTheClear({ jid: CA, secret: SECRET, trustsServer: true, server: { host, port: 5347 } });
    expect(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].map(to)).toEqual(Array(4).fill(true));
    expect(['192.0.2.1', '2001:db8::1', 'xmpp.example', '0.0.0.0'].map(to)).toEqual(
      Array(4).fill(false),
    );
  });

  it('goes over TLS to a server whose certificate is trusted', async () => {
    const server = await ComponentServer.open(SECRET);
    onTestFinished(() => server.close());
    const { port, pem } = await behindTls(server);
    const link = linkTo({ server: { host: 'localhost', port }, serverTrust: pem });
    await link.attached();
    expect(link.status).toEqual({ isAttached: true });
  });

  it('does not go to one whose certificate is another, and says so', async () => {
    const server = await ComponentServer.open(SECRET);
    onTestFinished(() => server.close());
    const { port } = await behindTls(server);
    const other = await behindTls(server);
    const link = linkTo({ server: { host: 'localhost', port }, serverTrust: other.pem });
    expect(await reasonOf(link)).toMatch(/certificate/);
    expect(server.attachments).toBe(0);
  });

  it('does not begin with a server that speaks no TLS', async () => {
    const server = await ComponentServer.open(SECRET);
    onTestFinished(() => server.close());
    const { pem } = await behindTls(server);
    const link = linkTo({ server: { host: 'localhost', port: server.port }, serverTrust: pem });
    expect(await reasonOf(link)).not.toBe('');
    expect(server.attachments).toBe(0);
  });
});

describe('a server that is not there', () => {
  it('is tried again until it is, and stopping waits for nothing', async () => {
    const blocker = createTcpServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    blocker.close();
    await once(blocker, 'close');
    const link = linkTo({ server: { host: '127.0.0.1', port } });
    expect(await reasonOf(link)).toContain('ECONNREFUSED');
    const server = await ComponentServer.open(SECRET, port);
    onTestFinished(() => server.close());
    await link.attached();
    await link.stop();
    expect(server.ends).toBe(1);
    const vain = linkTo({ server: { host: '127.0.0.1', port: 1 } });
    await reasonOf(vain);
    await vain.stop();
  });
});
