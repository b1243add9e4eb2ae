import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigurationCache } from '../../../src/host/configuration/configuration-cache.ts';
import {
  ConfigurationClient,
  type ConfigurationClientOptions,
} from '../../../src/host/configuration/configuration-client.ts';
import { ConfigurationUnavailable } from '../../../src/host/configuration/configuration-unavailable.ts';
import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  signConfiguration,
  unsignedDocument,
} from '../../../src/overlay-config/configuration-document-builder.ts';
import type { VerifiedConfiguration } from '../../../src/overlay-config/verified-configuration.ts';
import { TEST_TIME_UNIX_MS, TestAuthority } from '../../overlay-config/test-authority.ts';
import { ManualTime } from '../manual-time.ts';
import { serve, type TestServer, webAuthorityPem } from './configuration-server.ts';

const NAME = 'overlay.example.org';
const DAY_MS = 86_400_000;
const authority = new TestAuthority(NAME);
const signer = authority.signer(1);
const stranger = authority.signer(2);

function configuration(sequence: number, more: Partial<ConfigurationContent> = {}): Uint8Array {
  return buildConfiguration({
    instanceName: NAME,
    sequence,
    rootCertificates: [authority.root.der],
    configurationSigners: [signer.nodeId],
    ...more,
  });
}
const signed = (sequence: number, more?: Partial<ConfigurationContent>, by = signer) =>
  signConfiguration(configuration(sequence, more), by);

let directory: string;
let server: TestServer;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let time: ManualTime;
const clients: ConfigurationClient[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'configuration-client-'));
  time = new ManualTime(TEST_TIME_UNIX_MS);
  server = await serve((request, response) => answer(request, response));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  await server.close();
  await rm(directory, { recursive: true });
});

const offer = (document: Uint8Array) => {
  answer = (_request, response) => response.end(document);
};

/** A client as after a restart: everything it knows is on disk. */
function restart(more: Partial<ConfigurationClientOptions> = {}): ConfigurationClient {
  const client = new ConfigurationClient({
    overlayName: NAME,
    url: `${server.origin}/config`,
    trustAnchorsPem: [webAuthorityPem],
    cache: new ConfigurationCache(directory),
    time,
    ...more,
  });
  clients.push(client);
  return client;
}

async function failure(client: ConfigurationClient): Promise<string> {
  const error = await client.obtain().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigurationUnavailable);
  return (error as Error).message;
}

/** Lets the next timer go off and waits until the one after it is set. */
async function nextRequest(): Promise<void> {
  time.fireNext();
  await vi.waitFor(() => expect(time.pendingMs).toHaveLength(1), { interval: 2 });
}

describe('RFC 6940 §11.2, the first configuration', () => {
  test('comes from the URL given, signed or not, and is kept for a start without it', async () => {
    offer(unsignedDocument(configuration(7)));
    expect(await restart().obtain()).toMatchObject({ sequence: 7 });
    expect(server.requests[0]?.url).toBe('/config');
    await server.close();
    expect(await restart().obtain()).toMatchObject({ sequence: 7 });
  });

  test('is asked for once, however many ask for it', async () => {
    offer(signed(7));
    const client = restart();
    await Promise.all([client.obtain(), client.obtain()]);
    await client.obtain();
    await restart().obtain();
    expect(server.requests).toHaveLength(1);
  });

  test('without a URL comes from the SRV target that proves the overlay’s name', async () => {
    await server.close();
    server = await serve((_request, response) => response.end(signed(7)), [NAME]);
    const gone = { name: 'localhost', port: 1, priority: 0, weight: 0 };
    const here = { name: 'localhost', port: server.port, priority: 1, weight: 0 };
    const resolver = { resolveSrv: async () => [here, gone] };
    const { url: _, ...options } = { url: '', resolver };
    const client = new ConfigurationClient({
      overlayName: NAME,
      trustAnchorsPem: [webAuthorityPem],
      cache: new ConfigurationCache(directory),
      time,
      ...options,
    });
    expect(await client.obtain()).toMatchObject({ sequence: 7 });
    expect(server.requests[0]?.url).toBe('/.well-known/reload-config');
    expect(server.requests[0]?.headers.host).toBe(NAME);
  });

  test('is not taken from an SRV target that only proves its own name', async () => {
    const here = { name: 'localhost', port: server.port, priority: 1, weight: 0 };
    const resolver = { resolveSrv: async () => [here] };
    const client = new ConfigurationClient({
      overlayName: NAME,
      trustAnchorsPem: [webAuthorityPem],
      cache: new ConfigurationCache(directory),
      resolver,
    });
    expect(await failure(client)).toMatch(/certificate is not for overlay.example.org/);
  });

  test('of an overlay that declares in DNS to have none: a URL must be given', async () => {
    const dot = { name: '', port: 0, priority: 0, weight: 0 };
    const client = new ConfigurationClient({
      overlayName: NAME,
      cache: new ConfigurationCache(directory),
      resolver: { resolveSrv: async () => [dot] },
    });
    expect(await failure(client)).toMatch(/no configuration server; give the URL/);
  });

  test('with a shared secret is kept for its owner’s eyes alone', async () => {
    offer(signed(7, { sharedSecret: 'psst' }));
    await restart().obtain();
    expect((await stat(join(directory, 'configuration.json'))).mode & 0o777).toBe(0o600);
  });

  const expired = signed(7, { expirationUnixMs: TEST_TIME_UNIX_MS });
  const otherOverlay = signed(7, { instanceName: 'other.example' });
  const unsupported = signed(7, { mandatoryExtensions: ['urn:x'] });
  const block = buildKindBlock(
    {
      kindId: 0xf0000001,
      dataModel: 'single',
      accessPolicy: 'USER-MATCH',
      maxCount: 1,
      maxSizeBytes: 1,
      findAllowed: true,
    },
    stranger,
  );
  test.each([
    ['it is not XML', new TextEncoder().encode('<html><br>'), /unclosed tag: .*tell the server/],
    ['it is another overlay’s', otherOverlay, /got those of "other.example"; tell the server/],
    ['it has expired', expired, /expired at 2026-06-01T00:00:00Z; ask the overlay's operator/],
    ['it demands what we cannot do', unsupported, /mandatory-extension.*use a newer version/],
    ['a Kind’s signer may not sign', signed(7, { requiredKinds: [block] }), /the Kind is refused/],
  ])('is discarded when %s', async (_what, document, says) => {
    offer(document);
    expect(await failure(restart())).toMatch(says);
    expect(await new ConfigurationCache(directory).read()).toBeUndefined();
  });

  test('cannot be kept: said at once, not found out after a restart', async () => {
    offer(signed(7));
    const cache = new ConfigurationCache(directory);
    vi.spyOn(cache, 'write').mockRejectedValue(new Error('ENOSPC'));
    expect(await failure(restart({ cache }))).toMatch(/cannot keep .* make its directory writable/);
  });

  test('no server and nothing on disk', async () => {
    await server.close();
    expect(await failure(restart())).toMatch(/ECONNREFUSED.*check that the server runs/);
  });

  test('a damaged file on disk is no reason to trust HTTPS again', async () => {
    offer(signed(7));
    await writeFile(join(directory, 'configuration.json'), '{"overlay":');
    expect(await failure(restart())).toMatch(/cannot read the configuration kept in/);
    expect(server.requests).toHaveLength(0);
  });
});

describe('a configuration that is held', () => {
  let client: ConfigurationClient;
  let news: VerifiedConfiguration[];
  let departures: string[];

  beforeEach(async () => {
    offer(signed(7));
    client = restart();
    await client.obtain();
    news = [];
    departures = [];
    client.start(
      (next) => news.push(next),
      (reason) => departures.push(reason),
    );
  });

  const kept = async () => (await new ConfigurationCache(directory).read())?.document;

  test('is replaced by a newer one with its signer’s signature, on disk too', async () => {
    offer(signed(8));
    await nextRequest();
    expect(news.map(({ sequence }) => sequence)).toEqual([8]);
    expect(await restart().obtain()).toMatchObject({ sequence: 8 });
  });

  test.each([
    ['unsigned', () => unsignedDocument(configuration(8))],
    [
      'signed by a stranger',
      () => signed(8, { configurationSigners: [stranger.nodeId] }, stranger),
    ],
    ['older', () => signed(6)],
    ['not XML', () => new TextEncoder().encode('<')],
  ])('is not replaced because HTTPS says so: %s', async (_what, document) => {
    const before = await kept();
    offer(document());
    await nextRequest();
    expect(news).toEqual([]);
    expect(await client.obtain()).toMatchObject({ sequence: 7 });
    expect(await kept()).toEqual(before);
  });

  test('what the server offers instead is said for as long as it does', async () => {
    offer(signed(6));
    await nextRequest();
    const sinceUnixMs = time.now;
    await expect(client.refreshNow()).rejects.toThrow(/newer than 7, got 6; the one held/);
    expect(client.status()).toMatchObject({ refused: 2, refusal: { sinceUnixMs } });
    answer = (_request, response) => response.writeHead(503).end();
    await nextRequest();
    expect(client.status().refusal).toBeDefined();
    offer(signed(8));
    expect(await client.refreshNow()).toBe(8);
    expect(client.status()).toMatchObject({ refused: 2, refusal: undefined, failures: 0 });
    expect(news.map(({ sequence }) => sequence)).toEqual([8]);
  });

  test('stays when the same is merely signed anew', async () => {
    offer(signed(7));
    await nextRequest();
    expect(news).toEqual([]);
    expect(time.pendingMs[0]).toBeGreaterThanOrEqual(DAY_MS);
  });

  test('makes the node leave when a rightful new one demands what it cannot do', async () => {
    const change = { mandatoryExtensions: ['urn:x'] };
    offer(signed(8, change, stranger));
    await nextRequest();
    expect(departures).toEqual([]);
    offer(signed(8, change));
    await nextRequest();
    expect(departures).toEqual([expect.stringMatching(/mandatory-extension/)]);
  });

  test('XEP-0416 §5: is asked for daily with If-Modified-Since', async () => {
    const modified = 'Mon, 01 Jun 2026 00:00:00 GMT';
    answer = (request, response) => {
      if (request.headers['if-modified-since'] === modified) response.writeHead(304).end();
      else response.writeHead(200, { 'last-modified': modified }).end(signed(8));
    };
    await nextRequest();
    expect(news).toHaveLength(1);
    for (let day = 0; day < 3; day += 1) {
      expect(time.pendingMs[0]).toBeGreaterThanOrEqual(DAY_MS);
      await nextRequest();
      expect(server.requests.at(-1)?.headers['if-modified-since']).toBe(modified);
    }
    expect(news).toHaveLength(1);
    await client.stop();
    restart().start(() => undefined);
    expect(server.requests).toHaveLength(5);
  });

  test('XEP-0416 §5: failures back off exponentially, success ends that', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    time.chance = 1;
    const delays: number[] = [];
    for (let failures = 0; failures < 4; failures += 1) {
      await nextRequest();
      delays.push(time.pendingMs[0] ?? 0);
    }
    expect(delays).toEqual([60_000, 120_000, 240_000, 480_000]);
    offer(signed(7));
    await nextRequest();
    expect(time.pendingMs[0]).toBeGreaterThanOrEqual(DAY_MS);
  });

  test('gives way to one that came through the overlay', async () => {
    offer(signed(8));
    const other = restart({ cache: new ConfigurationCache(join(directory, 'other')) });
    const newer = await other.obtain();
    await client.adopt(newer);
    expect(await client.obtain()).toMatchObject({ sequence: 8 });
    expect(await kept()).toEqual(newer.document);
    expect(time.pendingMs).toHaveLength(1);
  });

  test('stays when an older one that came through the overlay is told late', async () => {
    const other = restart({ cache: new ConfigurationCache(join(directory, 'other')) });
    const older = await other.obtain();
    offer(signed(8));
    await nextRequest();
    await client.adopt(older);
    expect(await restart().obtain()).toMatchObject({ sequence: 8 });
  });

  test('is asked for no more after stop', async () => {
    answer = () => undefined;
    time.fireNext();
    await vi.waitFor(() => expect(server.requests).toHaveLength(2), { interval: 2 });
    await client.stop();
    expect(time.pendingMs).toEqual([]);
    expect(news).toEqual([]);
  });
});

describe('RFC 6940 §11.1, a configuration that expires', () => {
  const expirationUnixMs = TEST_TIME_UNIX_MS + 2 * DAY_MS;

  test('is asked for again before', async () => {
    const soon = { expirationUnixMs: TEST_TIME_UNIX_MS + DAY_MS / 2 };
    offer(signed(7, soon));
    const client = restart();
    await client.obtain();
    const news: VerifiedConfiguration[] = [];
    client.start((next) => news.push(next));
    expect(time.pendingMs[0]).toBeLessThan(DAY_MS / 2);
    offer(signed(8));
    await nextRequest();
    expect(news).toHaveLength(1);
    expect(time.now).toBeLessThan(soon.expirationUnixMs);
  });

  test('is no longer valid on disk either: a signed successor is, or none', async () => {
    offer(signed(7, { expirationUnixMs }));
    await restart().obtain();
    time.now = expirationUnixMs;
    expect(await failure(restart())).toMatch(/expired at 2026-06-03T00:00:00Z, and the server has/);
    offer(unsignedDocument(configuration(8)));
    expect(await failure(restart())).toMatch(/there is no newer one: .*unsigned/);
    await server.close();
    expect(await failure(restart())).toMatch(/there is no newer one: .*ECONNREFUSED/);
    server = await serve((request, response) => answer(request, response));
    offer(signed(8));
    expect(await restart().obtain()).toMatchObject({ sequence: 8 });
  });

  test('while running: tried again with backoff', async () => {
    offer(signed(7, { expirationUnixMs }));
    const client = restart();
    await client.obtain();
    time.now = expirationUnixMs;
    client.start(() => undefined);
    await nextRequest();
    await nextRequest();
    expect(time.pendingMs[0]).toBeLessThanOrEqual(120_000);
  });
});

test('an older file in the place of the newest is refused, and so is an older first one', async () => {
  const file = join(directory, 'configuration.json');
  offer(signed(7));
  const client = restart();
  await client.obtain();
  const old = await readFile(file);
  offer(signed(8));
  await client.refreshNow();
  await writeFile(file, old);
  expect(await failure(restart())).toMatch(
    /sequence 8 .* older sequence 7; an operator who trusts/,
  );
  await rm(file);
  offer(signed(7));
  expect(await failure(restart())).toMatch(/sequence 8 .* was in force here before/);
  offer(signed(8));
  expect(await restart().obtain()).toMatchObject({ sequence: 8 });
});
