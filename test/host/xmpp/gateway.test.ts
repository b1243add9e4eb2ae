import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { hostClock } from '../../../src/host/host-clock.ts';
import { silentLog } from '../../../src/host/log.ts';
import { ClientGateway } from '../../../src/host/xmpp/gateway/client-gateway.ts';
import { gatewayCertificate } from '../../../src/host/xmpp/gateway/gateway-certificate.ts';
import { GATEWAY_LINK_LIMITS } from '../../../src/host/xmpp/gateway/gateway-limits.ts';
import {
  PasswordFile,
  PasswordRefused,
  setLocalPassword,
} from '../../../src/host/xmpp/gateway/password-file.ts';
import { DOMAIN, openEchoGateway, PASSWORD } from './echo-gateway.ts';
import { XmlClient } from './xml-client.ts';

const DAY_MS = 86_400_000;
const ECHO = "<message id='1'><body>hello</body></message>";

describe('one port for STARTTLS and direct TLS', () => {
  test('the first byte tells them apart, and both lead to a session', async () => {
    const echo = await openEchoGateway();
    const direct = await XmlClient.overTls(echo);
    const started = await XmlClient.inTheClear(echo);
    await started.startsTls();
    for (const client of [direct, started]) {
      expect(await client.logsIn(PASSWORD)).toBe('success');
      await client.binds();
      await client.asks(ECHO, /<body>hello<\/body>/);
      await client.asks('</stream:stream>', /<\/stream:stream>/);
      await client.closed();
    }
  });

  test('RFC 6120 §6.3.4: mechanisms are offered after TLS alone', async () => {
    const echo = await openEchoGateway();
    const client = await XmlClient.inTheClear(echo);
    client.opens();
    await client.hears(/<\/stream:features>/);
    expect(client.heard).not.toContain('mechanism');
  });

  test('RFC 6120 §5.4.3.1: nothing that came in the clear counts after TLS', async () => {
    const echo = await openEchoGateway();
    const client = await XmlClient.inTheClear(echo);
    client.opens();
    await client.hears(/<starttls/);
    const injected = "<stream:stream to='montague.lit' version='1.0'><auth/>";
    await client.asks(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${injected}`, /<failure/);
    await client.closed();
  });

  test('no session is resumed, in TLS 1.2 or in TLS 1.3', async () => {
    const echo = await openEchoGateway();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await XmlClient.inTheClear(echo);
      const socket = await client.startsTls({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      expect(await client.logsIn(PASSWORD)).toBe('success');
      const session = socket.getSession();
      const again = await XmlClient.inTheClear(echo);
      const second = await again.startsTls({
        minVersion: version,
        maxVersion: version,
        ...(session === undefined ? {} : { session }),
      });
      expect(second.isSessionReused()).toBe(false);
    }
  });

  test('XEP-0368 §3: whoever asks for another protocol is turned away', async () => {
    const echo = await openEchoGateway();
    await expect(XmlClient.overTls(echo, { ALPNProtocols: ['http/1.1'] })).rejects.toThrow();
    const client = await XmlClient.overTls(echo, { ALPNProtocols: ['xmpp-client'] });
    expect(await client.logsIn(PASSWORD)).toBe('success');
  });

  test('garbage, and handshakes that break off, leave the gateway as it was', async () => {
    const echo = await openEchoGateway();
    for (const bytes of [
      [0x16, 3, 1, 0, 2, 1, 0],
      [0x16],
      [0],
      [0x80, 0xff],
      [...Array(5_000).keys()],
    ]) {
      const socket = connectTcp(echo.tcp.port, echo.tcp.host);
      socket.on('error', () => socket.destroy());
      await once(socket, 'connect');
      socket.end(Uint8Array.from(bytes));
      socket.resume();
      await once(socket, 'close');
    }
    const broken = await XmlClient.inTheClear(echo);
    broken.opens();
    await broken.hears(/<starttls/);
    await broken.asks("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", /<proceed/);
    broken.write('this is no TLS');
    await broken.closed();
    const client = await XmlClient.overTls(echo);
    expect(await client.logsIn(PASSWORD)).toBe('success');
  });
});

test('as many silent connections as may be under way keep nobody out', async () => {
  const echo = await openEchoGateway();
  const silent = Array.from({ length: GATEWAY_LINK_LIMITS.handshakesMax }, () =>
    connectTcp(echo.tcp.port, echo.tcp.host),
  );
  for (const socket of silent) socket.on('error', () => socket.destroy());
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const client = await XmlClient.overTls(echo);
  expect(await client.logsIn(PASSWORD)).toBe('success');
  for (const socket of silent) socket.destroy();
});

describe('how connections end', () => {
  test('a cut one ends its session', async () => {
    const echo = await openEchoGateway();
    const client = await XmlClient.overTls(echo);
    await client.logsIn(PASSWORD);
    await client.binds();
    client.cuts();
    await vi.waitFor(() => expect(echo.ended).toHaveLength(1), WAIT);
  });

  test('a client that never reads is cut off, and others go on', async () => {
    const echo = await openEchoGateway({ waitingBytesMax: 1_000_000 });
    const slow = await XmlClient.overTls(echo);
    const other = await XmlClient.overTls(echo);
    for (const client of [slow, other]) {
      await client.logsIn(PASSWORD);
      await client.binds();
    }
    slow.pauses();
    const large = `<message><body>${'x'.repeat(200_000)}</body></message>`;
    for (let i = 0; i < 100; i += 1) slow.write(large);
    await vi.waitFor(() => expect(echo.ended).toHaveLength(1), WAIT);
    await other.asks(ECHO, /<body>hello<\/body>/);
    slow.cuts();
  });

  test('closing the gateway closes all, also what has said nothing yet', async () => {
    const echo = await openEchoGateway();
    const silent = await XmlClient.inTheClear(echo);
    const bound = await XmlClient.overTls(echo);
    await bound.logsIn(PASSWORD);
    await bound.binds();
    await echo.gateway.closeAll();
    await Promise.all([silent.closed(), bound.closed()]);
  });

  test("a port that is taken is told with the system's error", async () => {
    const echo = await openEchoGateway();
    const again = ClientGateway.open(
      {
        stateDirectory: echo.stateDirectory,
        domain: DOMAIN,
        gateway: echo.tcp,
        clock: hostClock,
        log: silentLog,
      },
      () => undefined,
    );
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE', port: echo.tcp.port });
  });
});

describe('gateway.pem', () => {
  const read = async (directory: string) =>
    new X509Certificate(await readFile(join(directory, 'gateway.pem')));

  test('is for the domain alone, for servers alone, and no authority', async () => {
    const echo = await openEchoGateway();
    const certificate = await read(echo.stateDirectory);
    expect(certificate.subjectAltName).toBe('DNS:montague.lit');
    // id-kp-serverAuth.
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkHost(DOMAIN)).toBe(DOMAIN);
    expect(certificate.checkHost('capulet.lit')).toBeUndefined();
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    const key = await stat(join(echo.stateDirectory, 'gateway-key.pem'));
    expect(key.mode & 0o777).toBe(0o600);
  });

  test('is kept, and made anew before it ends or when it is not whole', async () => {
    const { stateDirectory } = await openEchoGateway();
    const first = await read(stateDirectory);
    const now = Date.now();
    await gatewayCertificate(stateDirectory, DOMAIN, now);
    expect((await read(stateDirectory)).fingerprint256).toBe(first.fingerprint256);
    await gatewayCertificate(stateDirectory, DOMAIN, Date.parse(first.validTo) - 29 * DAY_MS);
    const second = await read(stateDirectory);
    expect(second.fingerprint256).not.toBe(first.fingerprint256);
    expect(Date.parse(second.validTo)).toBeGreaterThan(Date.parse(first.validTo));
    await writeFile(join(stateDirectory, 'gateway-key.pem'), 'half');
    await gatewayCertificate(stateDirectory, DOMAIN, now);
    expect((await read(stateDirectory)).fingerprint256).not.toBe(second.fingerprint256);
  });

  test('RFC 6125 §6.4.2: of a domain with other letters it has the A-labels', async () => {
    const { stateDirectory } = await openEchoGateway();
    await gatewayCertificate(stateDirectory, 'müller.example', Date.now());
    expect((await read(stateDirectory)).subjectAltName).toBe('DNS:xn--mller-kva.example');
    await gatewayCertificate(stateDirectory, '127.0.0.1', Date.now());
    expect((await read(stateDirectory)).subjectAltName).toBe('IP Address:127.0.0.1');
  });
});

describe('the local password', () => {
  test('that is set anew counts for the next client, without a restart', async () => {
    const echo = await openEchoGateway();
    const before = await XmlClient.overTls(echo);
    expect(await before.logsIn(PASSWORD)).toBe('success');
    await before.binds();
    await setLocalPassword(echo.stateDirectory, 'another one');
    // Also when the clock of the disk has not moved between the two.
    const file = join(echo.stateDirectory, 'gateway-password.json');
    await utimes(file, new Date(0), new Date(0));
    const after = await XmlClient.overTls(echo);
    expect(await after.logsIn(PASSWORD)).toContain('<not-authorized/>');
    expect(await (await XmlClient.overTls(echo)).logsIn('another one')).toBe('success');
    await before.asks(ECHO, /<body>hello<\/body>/);
  });

  test('is not in its file, which only this user can read', async () => {
    const { stateDirectory } = await openEchoGateway();
    const file = join(stateDirectory, 'gateway-password.json');
    expect(await readFile(file, 'utf8')).not.toContain(PASSWORD);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('RFC 8265 §4: what cannot be a password is refused with the reason', async () => {
    const { stateDirectory } = await openEchoGateway();
    for (const password of ['', 'a\u0000b']) {
      await expect(setLocalPassword(stateDirectory, password)).rejects.toThrow(PasswordRefused);
    }
  });

  test('of which the file is damaged stays the one before', async () => {
    const echo = await openEchoGateway();
    const path = join(echo.stateDirectory, 'gateway-password.json');
    const whole = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    expect(await (await XmlClient.overTls(echo)).logsIn(PASSWORD)).toBe('success');
    const damaged = [
      '{"half":',
      'null',
      '7',
      '[]',
      JSON.stringify({ ...whole, storedKey: 'AAAA' }),
      JSON.stringify({ ...whole, salt: '' }),
      JSON.stringify({ ...whole, iterations: 1e12 }),
    ];
    for (const text of damaged) {
      await writeFile(path, text);
      expect(await new PasswordFile(echo.stateDirectory).changed()).toBeUndefined();
    }
    expect(await (await XmlClient.overTls(echo)).logsIn(PASSWORD)).toBe('success');
  });
});

const WAIT = { timeout: 20_000, interval: 20 };
