import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LinkCredentials } from '../../../src/host/links/link-credentials.ts';
import { linkTlsOptions } from '../../../src/host/links/link-credentials.ts';
import type { LinkLimits } from '../../../src/host/links/link-limits.ts';
import { nodeIdOf, TestAuthority } from './link-identities.ts';
import { LinkEnd } from './tls-link-fixture.ts';

const romeoId = nodeIdOf('a1');
const julietId = nodeIdOf('b2');
let authority: TestAuthority;
let romeo: LinkCredentials;
let juliet: LinkCredentials;
let ends: LinkEnd[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
  romeo = await authority.certify(romeoId, 'romeo@example.net');
  juliet = await authority.certify(julietId, 'juliet@example.org');
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end.links.closeAll()));
  ends = [];
});

async function end(credentials: LinkCredentials, limits: Partial<LinkLimits> = {}) {
  const made = await new LinkEnd(authority, credentials, limits).listen();
  ends.push(made);
  return made;
}

/** Both ends of a link that romeo made to juliet. */
async function linked(limits: Partial<LinkLimits> = {}) {
  const from = await end(romeo, limits);
  const to = await end(juliet, limits);
  from.connectTo(to, 7, julietId);
  await expect.poll(() => from.up.length + to.up.length).toBe(2);
  const [outgoing] = from.up;
  const [incoming] = to.up;
  if (outgoing === undefined || incoming === undefined) throw new Error('no link');
  return { from, to, outgoing: outgoing.link, incoming: incoming.link };
}

describe('TLS-TCP-FH-NO-ICE — RFC 6940 §6.6.5', () => {
  test('both ends learn from the certificates who the other one is', async () => {
    const { from, to, outgoing, incoming } = await linked();
    expect(from.up[0]?.connect).toBe(7);
    expect(to.up[0]?.connect).toBeUndefined();
    expect(outgoing.node).toMatchObject({ nodeId: julietId, userName: 'juliet@example.org' });
    expect(incoming.node).toMatchObject({ nodeId: romeoId, userName: 'romeo@example.net' });
    expect(from.counters).toMatchObject({ connectsSucceeded: 1, connectsFailed: 0 });
    expect(to.counters).toMatchObject({ handshakesAccepted: 1, handshakesFailed: 0 });
  });

  test('bytes arrive in order in both directions', async () => {
    const { from, to, outgoing, incoming } = await linked();
    for (const part of ['wherefore ', 'art ', 'thou']) {
      from.links.send(outgoing.id, Buffer.from(part));
    }
    to.links.send(incoming.id, Buffer.from('a rose'));
    await expect.poll(() => to.received.get(incoming.id)).toBe('wherefore art thou');
    await expect.poll(() => from.received.get(outgoing.id)).toBe('a rose');
  });

  test('what was sent before close() arrives; only the other end hears linkDown', async () => {
    const { from, to, outgoing, incoming } = await linked();
    from.links.send(outgoing.id, Buffer.from('good night'));
    from.links.close(outgoing.id);
    await expect.poll(() => to.down).toEqual([{ link: incoming.id, reason: expect.any(String) }]);
    expect(to.received.get(incoming.id)).toBe('good night');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(from.down).toEqual([]);
    expect(from.links.linkCount + to.links.linkCount).toBe(0);
  });

  test('nobody listening is a connectFailed', async () => {
    const from = await end(romeo);
    const to = await end(juliet);
    await to.links.closeAll();
    from.connectTo(to, 1);
    await expect.poll(() => from.failed).toHaveLength(1);
    expect(from.failed[0]).toMatchObject({
      connect: 1,
      reason: expect.stringContaining('REFUSED'),
    });
  });

  test.each(['secp256k1', 'p384', 'rsa'] as const)('a leaf with a %s key', async (keyType) => {
    const odd = await authority.certify(nodeIdOf('c3'), 'nurse@example.org', undefined, keyType);
    const from = await end(odd);
    const to = await end(odd);
    const plain = await end(romeo);
    from.connectTo(to, 1, nodeIdOf('c3'));
    from.connectTo(plain, 2, romeoId);
    plain.connectTo(to, 1, nodeIdOf('c3'));
    await expect.poll(() => from.up.length).toBe(2);
    await expect.poll(() => plain.up.length).toBe(2);
  });

  test('a TLS session is never resumed: each connection is authenticated anew', async () => {
    const to = await end(juliet);
    const options = linkTlsOptions(romeo, authority.rootCertificates);
    let session: Buffer | undefined;
    for (const attempt of [1, 2]) {
      const socket = tlsConnect({
        ...options,
        ...to.address,
        rejectUnauthorized: false,
        ...(session === undefined ? {} : { session }),
      });
      socket.on('session', (ticket) => {
        session = ticket;
      });
      await expect.poll(() => to.up.length).toBe(attempt);
      expect(socket.isSessionReused()).toBe(false);
      socket.destroy();
    }
  });

  test('TLS 1.1 is refused', async () => {
    const to = await end(juliet);
    const socket = tlsConnect({
      ...linkTlsOptions(romeo, authority.rootCertificates),
      ...to.address,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    await new Promise((resolve) => socket.on('error', resolve));
    expect(to.up).toEqual([]);
  });
});
