/**
 * Certificates a second of one authority over XMPP (XEP-0417): requests go as stanzas through a
 * real Prosody to the authority, which is its component, and come back as certificates that are
 * durable. Who asks is a second component, which may send from any user of its domain. The server
 * is trusted, so nobody is challenged: a challenge waits for a person. The limits of requests are
 * lifted. Authority and clients share one process and one core. The reference is the same authority
 * asked without stanzas.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountName } from '../../src/ca/account-name.ts';
import { Authority } from '../../src/host/authority/authority.ts';
import { defaultAuthorityLimits } from '../../src/host/authority/authority-limits.ts';
import { startAuthority } from '../../src/host/authority/authority-server.ts';
import { ComponentLink } from '../../src/host/authority/component/component-link.ts';
import { initializeAuthority } from '../../src/host/authority/initialization.ts';
import { encodeSigningRequest } from '../../src/host/enrollment/enrollment-request.ts';
import { silentLog } from '../../src/host/log.ts';
import { signingRequestElement } from '../../src/xmpp/enrollment/x509-request.ts';
import { CLIENT_NAMESPACE } from '../../src/xmpp/stanza/stanza.ts';
import { element, type XmppElement } from '../../src/xmpp/stanza/xmpp-element.ts';
import type { BenchResult } from '../bench-result.ts';
import { startProsody } from './prosody-process.ts';

export async function run(): Promise<BenchResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-bench-'));
  const prosody = await startProsody(join(directory, 'prosody'), {
    // Prosody wants one.
    hosts: [{ domain: 'capulet.lit', accounts: {} }],
    components: [CA, USERS].map((domain) => ({ domain, secret: SECRET })),
  });
  try {
    const stateDirectory = join(directory, 'ca');
    await initializeAuthority({ stateDirectory, xmppAddress: CA });
    const requests = requestsOf(WARM_UP_REQUESTS + 2 * REQUESTS);
    const warmUp = requests.slice(0, WARM_UP_REQUESTS);
    const direct = requests.slice(WARM_UP_REQUESTS, WARM_UP_REQUESTS + REQUESTS);
    const overXmpp = requests.slice(WARM_UP_REQUESTS + REQUESTS);
    const reference = await directRate(stateDirectory, warmUp, direct);
    const server = { host: '127.0.0.1', port: prosody.componentPort };
    const value = await xmppRate(stateDirectory, server, overXmpp);
    return [
      {
        name: `certificates issued over XMPP through Prosody and durable, ${REQUESTS} of them`,
        value,
        unit: 'certificates/s',
        referenceName: 'the same authority without stanzas',
        reference,
        ratio: value / reference,
        bound: `value >= ${RATE_MIN}`,
        isMet: value >= RATE_MIN,
      },
    ];
  } finally {
    await prosody.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Request {
  readonly userName: AccountName;
  readonly der: Uint8Array;
}

function requestsOf(count: number): Request[] {
  return Array.from({ length: count }, (_, index) => {
    const userName = `user-${Math.floor(index / DEVICES)}@${USERS}` as AccountName;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { userName, der: encodeSigningRequest(privateKey, userName) };
  });
}

async function directRate(
  stateDirectory: string,
  warmUp: readonly Request[],
  measured: readonly Request[],
): Promise<number> {
  const authority = await Authority.open(stateDirectory);
  try {
    const { state, issuer } = authority;
    const accounts = Math.ceil((WARM_UP_REQUESTS + 2 * REQUESTS) / DEVICES);
    await state.exclusive(async () => {
      for (let index = 0; index < accounts; index += 1) {
        const userName = `user-${index}@${USERS}` as AccountName;
        const account = { userName, passwordHash: 'nobody signs in', devicesMax: DEVICES };
        state.record({ type: 'accountAdded', unixMs: 0, ...account });
      }
    });
    const issue = async ({ userName, der }: Request) => {
      const outcome = await issuer.certify({ userName, device: undefined }, der, undefined);
      if (outcome.type !== 'certificate') throw new Error(`no certificate: ${outcome.type}`);
    };
    await atOnce(warmUp, issue);
    return await rateOf(measured, issue);
  } finally {
    await authority.close();
  }
}

async function xmppRate(
  stateDirectory: string,
  server: { readonly host: string; readonly port: number },
  measured: readonly Request[],
): Promise<number> {
  const authority = await startAuthority({
    stateDirectory,
    listen: { host: '127.0.0.1', port: 0 },
    component: { jid: CA, server, secret: SECRET, trustsServer: true },
    limits: {
      ...defaultAuthorityLimits,
      requestsPerAccountRate: UNLIMITED,
      requestsPerDomainRate: UNLIMITED,
      requestsOverXmppRate: UNLIMITED,
    },
  });
  const answers = new Map<string, (answer: XmppElement) => void>();
  const users = new ComponentLink(
    { jid: USERS, server, secret: SECRET, trustsServer: true },
    (stanza) => answers.get(stanza.attributes.get('id') ?? '')?.(stanza),
    silentLog,
  );
  try {
    users.start();
    await Promise.all([users.attached(), authority.componentAttached()]);
    let count = 0;
    return await rateOf(measured, async ({ userName, der }) => {
      count += 1;
      const id = `csr${count}`;
      const values = { type: 'get', from: `${userName}/phone`, to: CA, id };
      const csr = signingRequestElement(der, id, undefined);
      const answer = new Promise<XmppElement>((resolve) => answers.set(id, resolve));
      users.send(element('iq', CLIENT_NAMESPACE, values, [csr]));
      const type = (await answer).attributes.get('type');
      answers.delete(id);
      if (type !== 'result') throw new Error('an error came instead of a certificate');
    });
  } finally {
    await users.stop();
    await authority.close();
  }
}

async function rateOf(
  requests: readonly Request[],
  issue: (request: Request) => Promise<void>,
): Promise<number> {
  const start = performance.now();
  await atOnce(requests, issue);
  return requests.length / ((performance.now() - start) / 1000);
}

/** As many at once as clients would be waiting. */
async function atOnce(
  requests: readonly Request[],
  issue: (request: Request) => Promise<void>,
): Promise<void> {
  const waiting = [...requests];
  const client = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await issue(next);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

const RATE_MIN = 100;
const REQUESTS = 2_000;
const WARM_UP_REQUESTS = 400;
const DEVICES = 8;
const CLIENTS = 64;
const UNLIMITED = { burst: 1_000_000, refillMs: 1 };
const CA = 'ca.capulet.lit';
const USERS = 'users.capulet.lit';
const SECRET = 'secret of both components';
