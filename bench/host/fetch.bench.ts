/**
 * Fetches of a certificate between two connected peers, 32 in flight: both peers, with both ends of
 * the TLS link, in this process. Each Fetch is a signed request that the other end verifies and a
 * signed answer that this end verifies. The signature of the value in it is always the same, so
 * after the first Fetch it is a remembered one. The reference is what the two signatures of the
 * messages and their two verifications alone cost with node:crypto: the ratio can only be below 1.
 */
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import type { PeerHost } from '../../src/host/peer-host.ts';
import { isInRange } from '../../src/reload/ring.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import type { BenchResult } from '../bench-result.ts';
import { LoopbackRing, median, randomNodeId } from './loopback-ring.ts';

export async function run(): Promise<BenchResult[]> {
  const exchange = signAndVerifyTwice();
  const ring = await LoopbackRing.create();
  try {
    const [asking, other] = await twoPeers(ring);
    const rates: number[] = [];
    const references: number[] = [];
    // By turns, so that what else the machine does slows both alike.
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
      rates.push(await fetchRate(asking, other));
      references.push(exchangeRate(exchange));
    }
    const value = median(rates.slice(WARM_UP_ROUNDS));
    const reference = median(references.slice(WARM_UP_ROUNDS));
    const ratio = median(
      rates.map((rate, round) => rate / (references[round] ?? 0)).slice(WARM_UP_ROUNDS),
    );
    return [
      {
        name: `Fetch of a certificate over a TLS link, ${IN_FLIGHT} in flight`,
        value,
        unit: 'Fetches/s',
        referenceName: '2 signatures and 2 verifications (P-256, node:crypto)',
        reference,
        ratio,
        bound: `ratio >= ${RATIO_MIN}`,
        isMet: ratio >= RATIO_MIN,
      },
    ];
  } finally {
    await ring.close();
  }
}

/** Two peers such that the certificate of the second, under its Node-ID, lies at the second. */
async function twoPeers(ring: LoopbackRing): Promise<[asking: PeerHost, other: PeerHost]> {
  const askingId = randomNodeId();
  let otherId = randomNodeId();
  while (!isInRange(resourceIdOf(nodeIdBytes(otherId)), askingId, otherId)) {
    otherId = randomNodeId();
  }
  const asking = await ring.join(await ring.certify(askingId));
  ring.hosts.push(asking);
  const other = await ring.join(await ring.certify(otherId));
  ring.hosts.push(other);
  await ring.untilStored();
  return [asking, other];
}

async function fetchRate(asking: PeerHost, other: PeerHost): Promise<number> {
  let left = FETCHES;
  const start = performance.now();
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const [found] = await asking.lookupCertificates({ nodeId: other.nodeId });
      if (found?.nodeId !== other.nodeId) throw new Error('another certificate came');
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return FETCHES / ((performance.now() - start) / 1000);
}

function exchangeRate(exchange: () => boolean): number {
  const start = performance.now();
  for (let i = 0; i < REFERENCE_EXCHANGES; i += 1) {
    if (!exchange()) throw new Error('a good signature was refused');
  }
  return REFERENCE_EXCHANGES / ((performance.now() - start) / 1000);
}

function signAndVerifyTwice(): () => boolean {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const messages = [randomBytes(REQUEST_BYTES), randomBytes(ANSWER_BYTES)];
  return () =>
    messages.every((message) =>
      verify('sha256', message, publicKey, sign('sha256', message, privateKey)),
    );
}

const IN_FLIGHT = 32;
const FETCHES = 1_000;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 7;
const REFERENCE_EXCHANGES = 1_000;
const REQUEST_BYTES = 150;
const ANSWER_BYTES = 1_000;
const RATIO_MIN = 0.5;
