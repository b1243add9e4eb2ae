import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../../sim/certificates/certificate-maker.ts';
import { generalName } from '../../../sim/certificates/extension-maker.ts';
import {
  distributionPoints,
  entryOf,
  listNumber,
  makeList,
} from '../../../sim/certificates/revocation-list-maker.ts';
import { silentLog } from '../../../src/host/log.ts';
import { ListAddresses } from '../../../src/host/revocation/list-address.ts';
import { RevocationService } from '../../../src/host/revocation/revocation-service.ts';
import { toIpAddressPort } from '../../../src/host/socket-address.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { verifyWithKey } from '../../../src/tls-auth/signature-verifier.ts';
import { testTrustSettings } from '../../tls-auth/test-node.ts';
import { ManualTime } from '../manual-time.ts';

const HOUR_MS = 3_600_000;
const LEAF_SERIAL = 0x77n;
const root = makeRoot();

let directory = '';
let server: Server;
let url = '';
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];
const services: RevocationService[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/root.crl`;
  answer = (_, response) => response.end(listOf(1));
});

afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

function listOf(number: number, revoked: readonly bigint[] = [], of: TestAuthority = root) {
  const entries = revoked.map((serial) => entryOf(serial, 'keyCompromise'));
  return makeList(of, entries, ({ extensions }) => ({
    extensions: { ...extensions, listNumber: listNumber(number) },
  }));
}

async function peer(policy: 'require' | 'prefer', own = '127.0.0.1') {
  const time = new ManualTime(TEST_UNIX_MS);
  const service = await RevocationService.open({
    policy,
    stateDirectory: directory,
    trust: undefined,
    addresses: new ListAddresses([toIpAddressPort({ host: own, port: 1 })].flatMap(one), []),
    refreshMsMax: HOUR_MS,
    time,
    log: silentLog,
  });
  services.push(service);
  const settings = testTrustSettings([root]);
  const authenticator = new Authenticator(settings, verifyWithKey, undefined, service.lists);
  const leaf = makeLeaf(root, {
    change: ({ extensions }) => ({
      serialNumber: LEAF_SERIAL,
      extensions: {
        ...extensions,
        crlDistributionPoints: distributionPoints([{ fullName: [generalName.uri(url)] }]),
      },
    }),
  });
  const ask = () => {
    const found = authenticator.authenticate(leaf.certificate, [], time.now);
    return found instanceof CertificateRefusal ? found.code : 'good';
  };
  /** The next timer fires, and what it asks for has come. */
  const fetch = async () => {
    const settled = service.settled();
    time.fireNext();
    await settled;
    await service.settled();
  };
  return { service, time, ask, fetch, authenticator, leaf };
}

const one = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);

describe('fetching revocation lists', () => {
  test('once somebody was met, then again within the hour, and whoever listens is told', async () => {
    const { service, time, ask, fetch } = await peer('prefer');
    let changes = 0;
    service.follow(() => changes++);
    expect(ask()).toBe('good');
    expect(time.pendingMs).toEqual([0]);
    await fetch();
    expect(service.report().lists).toMatchObject([{ url, list: { crlNumber: 1n }, failures: 0 }]);
    expect(changes).toBe(2);
    expect(time.pendingMs[0]).toBe(0.875 * HOUR_MS);
    answer = (_, response) => response.end(listOf(2, [LEAF_SERIAL]));
    await fetch();
    expect(changes).toBe(3);
    expect(ask()).toBe('revoked');
  });

  test('with If-Modified-Since: 304 keeps the list that is held', async () => {
    const { service, ask, fetch } = await peer('prefer');
    const modified = 'Thu, 01 Jan 2026 00:00:00 GMT';
    answer = (request, response) => {
      if (request.headers['if-modified-since'] === modified) response.writeHead(304).end();
      else response.setHeader('last-modified', modified).end(listOf(1));
    };
    ask();
    await fetch();
    await fetch();
    expect(requests).toHaveLength(2);
    expect(service.report()).toMatchObject({ fetches: 2, failures: 0 });
  });

  const faults: [string, string, (response: ServerResponse) => void][] = [
    ['no list', 'malformed', (response) => response.end('<html>')],
    ['an error', 'status 500', (response) => response.writeHead(500).end()],
    [
      'a list by a stranger',
      '(g) signature',
      (response) => response.end(listOf(9, [LEAF_SERIAL], { ...makeRoot(), name: root.name })),
    ],
  ];

  test.each(faults)('%s is a failure, retried with growing distance', async (_, reason, reply) => {
    const { service, time, ask, fetch } = await peer('prefer');
    answer = (_request, response) => reply(response);
    ask();
    const delays: (number | undefined)[] = [];
    for (let count = 0; count < 3; count++) {
      await fetch();
      delays.push(time.pendingMs[0]);
    }
    expect(delays).toEqual([11_250, 22_500, 45_000]);
    expect(service.report()).toMatchObject({ failures: 3, lists: [{ failures: 3 }] });
    expect(service.report().lists[0]?.lastFailure).toContain(reason);
    expect(ask()).toBe('good');
    answer = (_request, response) => response.end(listOf(1, [LEAF_SERIAL]));
    await fetch();
    expect(ask()).toBe('revoked');
    expect(service.report().lists[0]).toMatchObject({ failures: 0, lastFailure: undefined });
  });

  test('an inner address is not even connected to, neither at once nor by redirect', async () => {
    const { service, ask, fetch } = await peer('prefer', '203.0.113.7');
    ask();
    await fetch();
    expect(requests).toHaveLength(0);
    expect(service.report().lists[0]?.lastFailure).toContain('127.0.0.1 is not public');
    const home = await peer('prefer');
    answer = (_, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
    home.ask();
    await home.fetch();
    expect(home.service.report().lists[0]?.lastFailure).toContain('10.0.0.1 is not public');
  });

  test('an answer without end stops at the limit of a list', async () => {
    const { service, ask, fetch } = await peer('prefer');
    const chunk = Buffer.alloc(1_048_576);
    answer = (_, response) => {
      const more = () => {
        let goesOn = true;
        while (goesOn) goesOn = !response.destroyed && response.write(chunk);
        response.once('drain', more);
      };
      more();
    };
    ask();
    await fetch();
    expect(service.report().lists[0]?.lastFailure).toContain('more than 16777216 bytes');
  });
});

describe('over restarts', () => {
  test('a list is kept on disk: held at once, and an older one is refused', async () => {
    const first = await peer('require');
    answer = (_, response) => response.end(listOf(5, [LEAF_SERIAL]));
    first.ask();
    await first.fetch();
    expect(first.ask()).toBe('revoked');
    await first.service.stop();
    answer = (_, response) => response.end(listOf(4));
    const second = await peer('require');
    expect(second.ask()).toBe('revoked');
    await second.fetch();
    expect(second.service.report().lists[0]?.lastFailure).toContain('number 5 is held already');
    expect(second.ask()).toBe('revoked');
  });

  test('files that cannot be used are removed', async () => {
    const first = await peer('prefer');
    first.ask();
    await first.fetch();
    await first.service.stop();
    const files = join(directory, 'revocation');
    const [name = ''] = await readdir(files);
    await writeFile(join(files, '.unfinished-1'), 'x');
    await writeFile(join(files, `${'0'.repeat(32)}.crl`), 'no JSON\n');
    await peer('prefer');
    expect(await readdir(files)).toEqual([name]);
  });
});

describe('the own certificate', () => {
  const chainOf = (leaf: { certificate: Uint8Array }) => [leaf.certificate];

  test('with require its lists are waited for', async () => {
    const { service, time, authenticator, leaf, ask } = await peer('require');
    const decided = service.decideOwnCertificate(chainOf(leaf), authenticator);
    time.fireNext();
    await decided;
    expect(ask()).toBe('good');
  });

  test('with require and no list the peer does not start, and says why', async () => {
    const { service, time, authenticator, leaf } = await peer('require');
    answer = (_, response) => response.writeHead(404).end();
    const decided = service.decideOwnCertificate(chainOf(leaf), authenticator);
    time.fireNext();
    await expect(decided).rejects.toThrow(/status 404.*--revocation off/);
  });

  test('whoever gives up does not wait for a server that is silent', async () => {
    const { service, time, authenticator, leaf } = await peer('require');
    answer = () => undefined;
    const stop = new AbortController();
    const decided = service.decideOwnCertificate(chainOf(leaf), authenticator, stop.signal);
    time.fireNext();
    stop.abort(new Error('stopped by SIGINT'));
    await expect(decided).rejects.toThrow('stopped by SIGINT');
    await service.stop();
    server.closeAllConnections();
  });

  test('with prefer nothing is waited for', async () => {
    const { service, authenticator, leaf } = await peer('prefer');
    await service.decideOwnCertificate(chainOf(leaf), authenticator);
    expect(requests).toHaveLength(0);
  });
});
