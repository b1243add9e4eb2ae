/**
 * How long a peer takes to join a ring of 32 over loopback, all in this process: from listening to
 * being in the ring with its certificate stored. The reference is what its links alone cost: as
 * many TLS handshakes with a certificate on each side, one after another.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { type LinkCredentials, linkTlsOptions } from '../../src/host/links/link-credentials.ts';
import type { BenchResult } from '../bench-result.ts';
import { LoopbackRing, median, randomNodeId } from './loopback-ring.ts';

export async function run(): Promise<BenchResult[]> {
  const ring = await LoopbackRing.create();
  try {
    await ring.grow(RING_PEERS);
    await ring.untilStored();
    const joins: number[] = [];
    const links: number[] = [];
    for (let round = 0; round < JOINS; round += 1) {
      const credentials = await ring.certify(randomNodeId());
      const start = performance.now();
      const host = await ring.join(credentials);
      joins.push(performance.now() - start);
      links.push(host.connectionCounts.links);
      await host.leave();
    }
    const value = median(joins);
    const handshakeMs = await medianHandshakeMs(await ring.certify(randomNodeId()), ring);
    const linkCount = median(links);
    const reference = handshakeMs * linkCount;
    return [
      {
        name: `joining a ring of ${RING_PEERS}, p50 of ${JOINS}`,
        value,
        unit: 'ms',
        referenceName: `${linkCount} TLS handshakes with both certificates`,
        reference,
        ratio: value / reference,
        bound: `value <= ${JOIN_MS_MAX}`,
        isMet: value <= JOIN_MS_MAX,
      },
    ];
  } finally {
    await ring.close();
  }
}

async function medianHandshakeMs(
  credentials: LinkCredentials,
  ring: LoopbackRing,
): Promise<number> {
  const tls = linkTlsOptions(credentials, ring.rootCertificates);
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const handshakes: number[] = [];
  for (let round = 0; round < HANDSHAKES; round += 1) {
    const start = performance.now();
    const accepted = once(server, 'secureConnection');
    const socket = connect({
      ...tls,
      host: '127.0.0.1',
      port,
      // The certificate names a node, not a host.
      checkServerIdentity: () => undefined,
    });
    await Promise.all([once(socket, 'secureConnect'), accepted]);
    handshakes.push(performance.now() - start);
    socket.destroy();
  }
  server.close();
  return median(handshakes);
}

const RING_PEERS = 32;
const JOINS = 15;
const HANDSHAKES = 50;
const JOIN_MS_MAX = 500;
