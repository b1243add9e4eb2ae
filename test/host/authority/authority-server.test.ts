import { readdir, readFile, stat } from 'node:fs/promises';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { adminSocketPath } from '../../../src/host/authority/admin-channel.ts';
import { startAuthority } from '../../../src/host/authority/authority-server.ts';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import { nextSequence } from '../../../src/overlay-config/configuration-sequence.ts';
import { acceptSuccessor } from '../../../src/overlay-config/configuration-trust.ts';
import { KindIds } from '../../../src/overlay-config/kind-definition.ts';
import { SuccessionRefusal } from '../../../src/overlay-config/succession-refusal.ts';
import {
  afterTest,
  ask,
  configurationOf,
  enrollJuliet,
  JULIET,
  limits,
  newAuthority,
  newAuthorityState,
  OVERLAY,
  PASSWORD,
  serve,
  sharedAuthority,
  temporaryDirectory,
} from './authority-fixture.ts';

const CONFIGURATION = '/.well-known/reload-config';
const shared = sharedAuthority();

describe('the configuration document', () => {
  it('RFC 6940 §11.2 (288): is there over HTTPS, with its media type', async () => {
    const authority = shared();
    const answer = await ask(authority, CONFIGURATION);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/p2p-overlay+xml');
    const head = await ask(authority, CONFIGURATION, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    expect(head.headers['content-length']).toBe(String(answer.body.length));
  });

  it('says what peers need', async () => {
    const bootstrap = [{ host: '192.0.2.7', port: 6084 }];
    const authority = await newAuthority({ bootstrap });
    const { configuration } = await configurationOf(authority);
    expect(configuration).toMatchObject({
      instanceName: OVERLAY,
      sequence: 1,
      enrollmentServers: [`${authority.url}/enroll`],
      noIce: true,
      maxMessageSizeBytes: 65_536,
      overlayLinkProtocols: ['TLS'],
      certificateProfile: 'xep-0416',
      rootCertificates: { length: 1 },
      bootstrapNodes: [{ type: 'ipv4', port: 6084 }],
      configurationSigners: { length: 1 },
      kindSigners: { length: 1 },
    });
    expect(configuration.kinds.has(KindIds.xmppLocation)).toBe(true);
    expect(configuration.expirationUnixMs).toBeGreaterThan(Date.now());
  });

  it('RFC 6940 §11.1 (281): the next one is signed by a signer of the one before', async () => {
    const authority = await newAuthority();
    const first = await configurationOf(authority);
    await authority.setBootstrap([{ host: '::1', port: 6084 }]);
    const second = await configurationOf(authority);
    const { configuration: held, authenticator } = first;
    const accepted = acceptSuccessor(held, second.parsed, authenticator, Date.now());
    expect(accepted).not.toBeInstanceOf(SuccessionRefusal);
    expect(accepted).toMatchObject({ sequence: nextSequence(held.sequence) });
  });

  it('stays as it is over a restart, and has its bootstrap nodes without being told', async () => {
    const state = await newAuthorityState({ httpsNames: ['ca.example.org'] });
    const publicUrl = 'https://ca.example.org:8443';
    const bootstrap = [{ host: '192.0.2.7', port: 6084 }];
    const first = await startAuthority({
      stateDirectory: state,
      listen: { host: '127.0.0.1', port: 0 },
      publicUrl,
      bootstrap,
    });
    const before = await ask(first, CONFIGURATION);
    await first.close();
    const second = await serve(state, { publicUrl });
    expect((await ask(second, CONFIGURATION)).body.equals(before.body)).toBe(true);
  });

  it('is made anew before it expires, with the next sequence', async () => {
    let nowUnixMs = Date.now();
    const authority = await newAuthority({ nowUnixMs: () => nowUnixMs });
    await authority.refresh();
    expect(authority.configurationSequence).toBe(1);
    nowUnixMs += 15 * 86_400_000;
    await authority.refresh();
    expect(authority.configurationSequence).toBe(2);
  });

  it('RFC 9110 §13.1: is not sent again to those who have it', async () => {
    let nowUnixMs = Date.now();
    const authority = await newAuthority({ nowUnixMs: () => nowUnixMs });
    const young = await ask(authority, CONFIGURATION);
    expect(young.headers['last-modified']).toBeUndefined();
    const unchanged = { headers: { 'If-None-Match': String(young.headers.etag) } };
    expect((await ask(authority, CONFIGURATION, unchanged)).status).toBe(304);
    nowUnixMs += 1_000;
    const settled = await ask(authority, CONFIGURATION);
    const since = { headers: { 'If-Modified-Since': String(settled.headers['last-modified']) } };
    const notModified = await ask(authority, CONFIGURATION, since);
    expect(notModified.status).toBe(304);
    expect(notModified.body).toHaveLength(0);
    nowUnixMs += 1_000;
    await authority.setBootstrap([{ host: '127.0.0.1', port: 6084 }]);
    expect((await ask(authority, CONFIGURATION, since)).status).toBe(200);
    expect((await ask(authority, CONFIGURATION, unchanged)).status).toBe(200);
  });
});

describe('other paths and methods', () => {
  it.each([
    ['GET', '/', 404],
    ['GET', '/enroll', 405],
    ['POST', CONFIGURATION, 405],
    ['GET', '/crl/other.crl', 404],
    ['GET', '/crl/ca.crl', 200],
    ['GET', `${CONFIGURATION}?x=1`, 200],
  ])('%s %s has status %i', async (method, path, status) => {
    expect((await ask(shared(), path, { method })).status).toBe(status);
  });
});

describe('limits', () => {
  it('refuses a request that is too long, announced or not', async () => {
    const authority = shared();
    const body = Buffer.alloc(limits.bodyBytesMax + 1);
    const method = 'POST';
    expect((await ask(authority, '/enroll', { method, body })).status).toBe(413);
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect((await ask(authority, '/enroll', { method, body, headers })).status).toBe(413);
  });

  it('refuses a header that is too long', async () => {
    const authority = shared();
    const headers = { 'X-Long': 'x'.repeat(limits.headerBytesMax) };
    expect((await ask(authority, '/', { headers })).status).toBe(431);
  });

  it('closes connections of one address beyond the limit', async () => {
    const authority = await newAuthority({ limits: { ...limits, connectionsPerAddressMax: 2 } });
    const { port } = authority.listenAddress;
    const open = () => connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    const held = [open(), open()];
    afterTest(async () => {
      for (const socket of held) socket.destroy();
    });
    await Promise.all(held.map((socket) => new Promise((done) => socket.once('secure', done))));
    await expect(ask(authority, CONFIGURATION)).rejects.toThrow();
    held[0]?.destroy();
    await expect.poll(() => ask(authority, CONFIGURATION).catch(String)).toHaveProperty('status');
  });

  it('closes new connections of one address that come too fast', async () => {
    const connectionRate = { burst: 3, refillMs: 1_000_000 };
    const authority = await newAuthority({ limits: { ...limits, connectionRate } });
    const answers = [1, 2, 3, 4].map(() => ask(authority, CONFIGURATION).catch(() => 'closed'));
    expect((await Promise.all(answers)).filter((answer) => answer === 'closed')).toHaveLength(1);
  });

  it('closes a connection that asks nothing', async () => {
    const authority = await newAuthority({ limits: { ...limits, headerMsMax: 100 } });
    const { port } = authority.listenAddress;
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    const closed = new Promise((done) => socket.once('close', () => done('closed')));
    socket.resume();
    expect(await closed).toBe('closed');
  });

  it('gives up a handshake that does not come', async () => {
    const authority = await newAuthority({ limits: { ...limits, handshakeMsMax: 50 } });
    const { port } = authority.listenAddress;
    const socket = connectTcp({ host: '127.0.0.1', port });
    const closed = new Promise((done) => socket.once('close', () => done('closed')));
    socket.resume();
    expect(await closed).toBe('closed');
  });
});

describe('the state', () => {
  it('is one sentence where it is missing', async () => {
    const stateDirectory = join(await temporaryDirectory(), 'nothing');
    const listen = { host: '127.0.0.1', port: 0 };
    await expect(startAuthority({ stateDirectory, listen })).rejects.toThrow(
      `there is no authority in ${stateDirectory}; run xor ca init`,
    );
  });

  it('is one sentence where the port is in use, and is released then', async () => {
    const blocker = createServer();
    await new Promise<void>((done) => blocker.listen(0, '127.0.0.1', done));
    afterTest(() => new Promise((done) => blocker.close(done)));
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const stateDirectory = await newAuthorityState();
    const listen = { host: '127.0.0.1', port };
    await expect(startAuthority({ stateDirectory, listen })).rejects.toThrow(
      `127.0.0.1:${port} is in use`,
    );
    await serve(stateDirectory);
  });

  it('is made once', async () => {
    const stateDirectory = await newAuthorityState();
    await expect(initializeAuthority({ stateDirectory })).rejects.toThrow('already');
  });

  it.each([
    [{ overlayName: 'Overlay.example.org' }, 'lower-case host name'],
    [{ name: 'my authority' }, 'a-z, 0-9 and -'],
    [{ overlayName: 'xmpp.org', profile: 'rfc6940' as const }, 'uses the profile xep-0416'],
    [{ httpsNames: ['*.example.org'] }, 'neither a host name nor an IP address'],
  ])('is not made with %o', async (options, reason) => {
    await expect(newAuthorityState(options)).rejects.toThrow(reason);
  });

  it('keeps its secrets to its owner', async () => {
    const stateDirectory = await newAuthorityState();
    await serve(stateDirectory);
    for (const file of await readdir(stateDirectory)) {
      if (!/-key\.pem$|ledger|admin/.test(file)) continue;
      const { mode } = await stat(join(stateDirectory, file));
      expect(`${file} ${(mode & 0o777).toString(8)}`).toBe(`${file} 600`);
    }
    const ledger = await readFile(join(stateDirectory, 'ledger.mdb'), 'latin1');
    expect(ledger).not.toContain(PASSWORD);
  });

  it('has its admin socket at a path that fits, however deep it lies', () => {
    expect(adminSocketPath('/short')).toBe('/short/admin.sock');
    const deep = adminSocketPath(`/${'deep/'.repeat(40)}`);
    expect(Buffer.byteLength(deep)).toBeLessThan(104);
    expect(deep).not.toBe(adminSocketPath(`/${'deep/'.repeat(41)}`));
  });

  it('remembers accounts and devices over a restart', async () => {
    const stateDirectory = await newAuthorityState();
    const first = await startAuthority({
      stateDirectory,
      listen: { host: '127.0.0.1', port: 0 },
    });
    await first.addUser(JULIET, PASSWORD);
    const identity = await enrollJuliet(first);
    await first.close();
    const second = await serve(stateDirectory);
    const again = await enrollJuliet(second, { privateKey: identity.privateKey });
    expect(again.node.nodeId).toBe(identity.node.nodeId);
  });
});
