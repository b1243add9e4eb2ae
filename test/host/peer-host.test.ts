import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/host/command-error.ts';
import { serviceReadiness } from '../../src/host/http-api/readiness.ts';
import type { PeerHost } from '../../src/host/peer-host.ts';
import { nodeIdOf, TestAuthority } from './links/link-identities.ts';
import { knownPeer, startTestPeer, type TestPeer } from './peer-host-fixture.ts';

let authority: TestAuthority;
let peers: TestPeer[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
});

afterEach(async () => {
  await Promise.all(peers.map(({ host }) => host.close()));
  peers = [];
});

/** Peers with Node-IDs spread over the ring, joined one after another. */
async function ring(size: number): Promise<PeerHost[]> {
  const hosts: PeerHost[] = [];
  for (let index = 0; index < size; index += 1) {
    const byte = Math.floor(((index + 0.5) * 256) / size);
    const nodeId = nodeIdOf(byte.toString(16).padStart(2, '0'));
    const credentials = await authority.certify(nodeId, `user-${index}@example.org`);
    const [first] = hosts;
    const peer = await startTestPeer({
      authority,
      credentials,
      first: first === undefined,
      knownPeers: first === undefined ? [] : [knownPeer(first)],
    });
    peers.push(peer);
    hosts.push(peer.host);
    await peer.host.whenJoined(AbortSignal.timeout(10_000));
  }
  return hosts;
}

describe('PeerHost', () => {
  test('the first peer is in the overlay alone, and not ready to serve', async () => {
    const [host] = await ring(1);
    expect(host?.status()).toMatchObject({ state: 'joined', isolated: false });
    expect(host && serviceReadiness(host.status())).toMatchObject({ ready: false });
  });

  test('every certificate is found by Node-ID and by user from every peer', async () => {
    const hosts = await ring(5);
    for (const asking of hosts) {
      for (const asked of hosts) {
        const byNode = await asking.lookupCertificates({ nodeId: asked.nodeId });
        expect(byNode.map(({ userName }) => userName)).toEqual([asked.userName]);
        const byUser = await asking.lookupCertificates({ userName: asked.userName });
        expect(byUser.map(({ nodeId }) => nodeId)).toEqual([asked.nodeId]);
      }
      expect(serviceReadiness(asking.status())).toEqual({ ready: true });
    }
  }, 30_000);

  test('ping, locate, probe and routeQuery', async () => {
    const [romeo, juliet] = await ring(3);
    if (romeo === undefined || juliet === undefined) throw new Error('no ring');
    const pong = await romeo.ping(juliet.nodeId);
    expect(pong).toMatchObject({ nodeId: juliet.nodeId });
    expect(pong.roundTripMs).toBeLessThan(1_000);
    await expect
      .poll(async () => (await romeo.locate(juliet.userName)).map(({ nodeId }) => nodeId))
      .toEqual([juliet.nodeId]);
    expect(await romeo.probe(juliet.nodeId, [3])).toMatchObject([{ type: 3 }]);
    expect(await romeo.routeQuery(juliet.nodeId, juliet.nodeId)).toBeDefined();
  }, 20_000);

  test('what is not there is not found', async () => {
    const [romeo] = await ring(2);
    const asking = romeo?.lookupCertificates({ nodeId: nodeIdOf('77') });
    await expect(asking).rejects.toMatchObject({ name: 'CommandError', code: 'not-found' });
  }, 20_000);

  test('a peer that leaves is gone from the ring at once', async () => {
    const hosts = await ring(4);
    const [first, leaving] = hosts;
    if (first === undefined || leaving === undefined) throw new Error('no ring');
    await leaving.leave();
    await expect
      .poll(() => [...first.status().successors, ...first.status().predecessors])
      .not.toContain(leaving.nodeId);
    await expect(leaving.ping(first.nodeId)).rejects.toBeInstanceOf(CommandError);
    const found = await first.lookupCertificates({ nodeId: leaving.nodeId });
    expect(found.map(({ nodeId }) => nodeId)).toEqual([leaving.nodeId]);
  }, 30_000);

  test('a port in use is told', async () => {
    const [host] = await ring(1);
    const credentials = await authority.certify(nodeIdOf('01'), 'late@example.org');
    const starting = startTestPeer({
      authority,
      credentials,
      ...(host === undefined ? {} : { listen: host.listenAddress }),
    });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('whenJoined gives up when its signal says so, and when the peer stops', async () => {
    const credentials = await authority.certify(nodeIdOf('01'), 'lonely@example.org');
    const peer = await startTestPeer({ authority, credentials });
    peers.push(peer);
    const waiting = peer.host.whenJoined(AbortSignal.timeout(50));
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
    const ending = peer.host.whenJoined();
    await Promise.all([
      expect(ending).rejects.toMatchObject({ code: 'stopped' }),
      peer.host.close('test over'),
    ]);
  });
});
