/**
 * Certificates a second of one authority with its embedded ledger, on one core: a request is read
 * and its proof checked, a Node-ID drawn, the certificate signed, looked at as a peer would, and
 * durable. Passwords and HTTPS are left out. The reference is the cryptography alone: a request's
 * signature checked, a certificate signed, its signature checked.
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountName } from '../../src/ca/account-name.ts';
import { Authority } from '../../src/host/authority/authority.ts';
import { initializeAuthority } from '../../src/host/authority/initialization.ts';
import { encodeSigningRequest } from '../../src/host/enrollment/enrollment-request.ts';
import type { BenchResult } from '../bench-result.ts';
import { medianRate } from '../median-rate.ts';

export async function run(): Promise<BenchResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-bench-'));
  try {
    const stateDirectory = join(directory, 'ca');
    await initializeAuthority({ stateDirectory });
    const authority = await Authority.open(stateDirectory);
    try {
      const requests = await requestsOf(authority);
      await issue(authority, requests.slice(0, WARM_UP_REQUESTS));
      const measured = requests.slice(WARM_UP_REQUESTS);
      const startCpu = process.cpuUsage();
      const start = performance.now();
      await issue(authority, measured);
      const value = measured.length / ((performance.now() - start) / 1000);
      const { user, system } = process.cpuUsage(startCpu);
      const ofOneCore = measured.length / ((user + system) / 1_000_000);
      const reference = medianRate(REFERENCE_ROUND, cryptography);
      return [
        {
          name: `certificates issued and durable, ${measured.length} of them`,
          value,
          unit: 'certificates/s',
          referenceName: 'their cryptography alone',
          reference,
          ratio: value / reference,
          bound: `value >= ${ISSUING_RATE_MIN}`,
          isMet: value >= ISSUING_RATE_MIN,
        },
        {
          name: 'the same, by the time of the processor that they took',
          value: ofOneCore,
          unit: 'certificates/s of one core',
          referenceName: 'their cryptography alone',
          reference,
          ratio: ofOneCore / reference,
          bound: `value >= ${ISSUING_RATE_MIN}`,
          isMet: ofOneCore >= ISSUING_RATE_MIN,
        },
      ];
    } finally {
      await authority.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Request {
  readonly userName: string;
  readonly der: Uint8Array;
}

/** Accounts with as many devices as they may have, and a request of each. */
async function requestsOf({ state }: Authority): Promise<Request[]> {
  const requests: Request[] = [];
  for (let account = 0; account * DEVICES < REQUESTS; account += 1) {
    const userName = `user-${account}@example.org` as AccountName;
    const passwordHash = 'nobody signs in';
    const event = { type: 'accountAdded', unixMs: 0, userName, passwordHash } as const;
    await state.exclusive(async () => state.record({ ...event, devicesMax: DEVICES }));
    for (let device = 0; device < DEVICES; device += 1) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      requests.push({ userName, der: encodeSigningRequest(privateKey, userName) });
    }
  }
  return requests;
}

/** As many at once as clients would be waiting. */
async function issue({ issuer }: Authority, requests: readonly Request[]): Promise<void> {
  const waiting = [...requests];
  const client = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { userName, der } = next;
      const outcome = await issuer.certify({ userName, device: undefined }, der, undefined);
      if (outcome.type !== 'certificate') throw new Error(`no certificate: ${outcome.type}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = publicKey.export({ type: 'spki', format: 'der' });
const bytes = Buffer.alloc(500, 1);
const signature = sign('sha256', bytes, privateKey);

function cryptography(count: number): number {
  let good = 0;
  for (let round = 0; round < count; round += 1) {
    const requester = createPublicKey({ key, format: 'der', type: 'spki' });
    const isProved = verify('sha256', bytes, requester, signature);
    const made = sign('sha256', bytes, privateKey);
    if (isProved && verify('sha256', bytes, publicKey, made)) good += 1;
  }
  return good;
}

const ISSUING_RATE_MIN = 500;
const REQUESTS = 3_500;
const WARM_UP_REQUESTS = 500;
const DEVICES = 8;
const CLIENTS = 128;
const REFERENCE_ROUND = 200;
