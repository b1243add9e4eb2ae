import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConfigurationCache } from '../../../src/host/configuration/configuration-cache.ts';
import {
  ConfigurationClient,
  type ConfigurationClientOptions,
} from '../../../src/host/configuration/configuration-client.ts';
import {
  buildConfiguration,
  type ConfigurationContent,
  signConfiguration,
} from '../../../src/overlay-config/configuration-document-builder.ts';
import { RevocationLists } from '../../../src/tls-auth/revocation-lists.ts';
import { TEST_TIME_UNIX_MS, TestAuthority } from '../../overlay-config/test-authority.ts';
import { ManualTime } from '../manual-time.ts';
import { serve, type TestServer, webAuthorityPem } from './configuration-server.ts';

const NAME = 'overlay.example.org';
const authority = new TestAuthority(NAME);
const signer = authority.signer(1);
const clients: ConfigurationClient[] = [];
let directory: string;
let server: TestServer;
let document: Uint8Array;
let time: ManualTime;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'revoked-signer-'));
  time = new ManualTime(TEST_TIME_UNIX_MS);
  server = await serve((_request, response) => response.end(document));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  await server.close();
  await rm(directory, { recursive: true });
});

function signed(sequence: number, more: Partial<ConfigurationContent> = {}): Uint8Array {
  const content = { instanceName: NAME, sequence, configurationSigners: [signer.nodeId], ...more };
  const rootCertificates = [authority.root.der];
  return signConfiguration(buildConfiguration({ rootCertificates, ...content }), signer);
}

function open(more: Partial<ConfigurationClientOptions> = {}): ConfigurationClient {
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

/** Lets the next timer go off and waits until the one after it is set. */
async function nextRequest(): Promise<void> {
  time.fireNext();
  await vi.waitFor(() => expect(time.pendingMs).toHaveLength(1), { interval: 2 });
}

test('RFC 5280 §6.3: a revoked signer’s configuration replaces none, nor makes it leave', async () => {
  const list = authority.listThatRevokes(signer);
  const wanted: string[] = [];
  const lists = new RevocationLists({ policy: 'prefer', whenWanted: (url) => wanted.push(url) });
  const settled = async () => {
    for (const url of wanted.splice(0)) lists.offer(url, list, TEST_TIME_UNIX_MS);
  };
  document = signed(7);
  const client = open({ revocation: { lists, settled } });
  await client.obtain();
  const told = vi.fn();
  const mustLeave = vi.fn();
  client.start(told, mustLeave);
  for (const refused of [signed(8), signed(8, { mandatoryExtensions: ['urn:x'] })]) {
    document = refused;
    await nextRequest();
    expect(client.status().refusal?.reason).toMatch(/revoked|use a newer version/);
  }
  expect(lists.wanted()).toMatchObject([{ list: { crlNumber: 1n } }]);
  expect(told).not.toHaveBeenCalled();
  expect(mustLeave).not.toHaveBeenCalled();
  expect(await open().obtain()).toMatchObject({ sequence: 7 });
});

test('… while it is not revoked, the configuration counts, also where no list can be had', async () => {
  const lists = new RevocationLists({ policy: 'prefer' });
  document = signed(7);
  const client = open({ revocation: { lists, settled: async () => undefined } });
  await client.obtain();
  document = signed(8);
  expect(await client.refreshNow()).toBe(8);
});
