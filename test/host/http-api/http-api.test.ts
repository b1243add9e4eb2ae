import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/host/command-error.ts';
import { ConfigurationUnavailable } from '../../../src/host/configuration/configuration-unavailable.ts';
import { ConfigurationWatch } from '../../../src/host/configuration/configuration-watch.ts';
import { HttpApi } from '../../../src/host/http-api/http-api.ts';
import type { ServedPeer } from '../../../src/host/http-api/http-api-routes.ts';
import { LinkCounters } from '../../../src/host/links/link-counters.ts';
import { silentLog } from '../../../src/host/log.ts';
import type { VerifiedConfiguration } from '../../../src/overlay-config/verified-configuration.ts';
import type { PeerStatus } from '../../../src/reload/peer-options.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import type { SentMessageOutcome } from '../../../src/xmpp/xmpp-output.ts';

const nodeId = 'a1'.repeat(16) as NodeId;
const neighbor = 'b2'.repeat(16) as NodeId;
const token = 'correct-horse';
const LISTEN = { host: '127.0.0.1', port: 0 };

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

let status: PeerStatus;
let api: HttpApi;

beforeEach(async () => {
  status = joinedStatus();
  api = await HttpApi.open({
    host: fakePeer(),
    listen: { host: '127.0.0.1', port: 0 },
    token,
    log: silentLog,
  });
});

afterEach(() => api.close());

describe('who may ask', () => {
  test.each(['/v1/status', '/v1/peers', '/v1/values', '/', '/v1/events'])(
    '%s needs the token',
    async (path) => {
      const reply = await ask('GET', path, { authorization: undefined });
      expect(reply.status).toBe(401);
      expect(reply.headers['www-authenticate']).toContain('Bearer');
      expect(reply.headers['content-type']).toBe('application/problem+json');
      expect((await ask('GET', path, { authorization: 'Bearer wrong' })).status).toBe(401);
      expect((await ask('GET', path, { authorization: `Basic ${token}` })).status).toBe(401);
    },
  );

  test.each(['/healthz', '/readyz', '/metrics'])('%s needs none', async (path) => {
    expect((await ask('GET', path, { authorization: undefined })).status).toBe(200);
  });

  test.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost.evil.example:PORT',
  ])('the Host "%s" is refused, also with the token and also for open paths', async (host) => {
    const port = new URL(api.url).port;
    for (const path of ['/v1/status', '/healthz']) {
      const reply = await ask('GET', path, { host: host.replace('PORT', port) });
      expect(reply.status).toBe(403);
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'host-not-allowed', status: 403 });
    }
  });

  test.each(['127.0.0.1', 'localhost', '[::1]'])('the own name %s is allowed', async (name) => {
    const port = new URL(api.url).port;
    expect((await ask('GET', '/v1/status', { host: `${name}:${port}` })).status).toBe(200);
  });

  test.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])(
    'the Origin %s is refused',
    async (origin) => {
      const reply = await ask('GET', '/v1/status', { origin });
      expect(reply.status).toBe(403);
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'origin-not-allowed' });
    },
  );

  test('the own origin is allowed', async () => {
    expect((await ask('GET', '/v1/status', { origin: api.url })).status).toBe(200);
  });

  test('without TLS it listens at no other than a loopback address', async () => {
    const listen = { host: '0.0.0.0', port: 0 };
    const opening = HttpApi.open({ host: fakePeer(), listen, token, log: silentLog });
    await expect(opening).rejects.toThrow(/loopback/);
  });
});

describe('answers', () => {
  test('status, peers and values are JSON', async () => {
    const reply = await ask('GET', '/v1/status');
    expect(reply.headers['content-type']).toBe('application/json');
    expect(JSON.parse(reply.text)).toMatchObject({ nodeId, state: 'joined', ready: true });
    expect(JSON.parse((await ask('GET', '/v1/peers')).text)).toMatchObject({
      successors: [neighbor],
      links: [{ nodeId: neighbor, address: '127.0.0.1:6084' }],
    });
    expect(JSON.parse((await ask('GET', '/v1/values')).text)).toEqual([]);
  });

  test('a refused configuration is said by status, readiness and metrics', async () => {
    const { instanceName } = fakePeer().overlayConfiguration;
    const expirationUnixMs = Date.UTC(2026, 0, 1);
    await api.close();
    api = await HttpApi.open({
      host: {
        ...fakePeer(),
        overlayConfiguration: { instanceName, sequence: 2, expirationUnixMs } as never,
        configurationWatch: refusingWatch(),
      },
      listen: { host: '127.0.0.1', port: 0 },
      token,
      log: silentLog,
    });
    expect(JSON.parse((await ask('GET', '/v1/status')).text).configuration).toMatchObject({
      sequence: 2,
      expiration: '2026-01-01T00:00:00.000Z',
      refused: 3,
      refusal: { reason: 'expected a sequence newer than 2, got 1' },
      refusedUpdates: 1,
      lastRefusedUpdate: { reason: 'no signature' },
    });
    const ready = await ask('GET', '/readyz');
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.text).warnings).toEqual([
      expect.stringMatching(/the server offers is refused: expected a sequence newer/),
      expect.stringMatching(/sequence 2, expired at 2026-01-01/),
    ]);
    const { text } = await ask('GET', '/metrics');
    expect(text).toMatch(/^xor_configuration_server_refused 1$/m);
    expect(text).toMatch(/^xor_configurations_refused_total 3$/m);
    expect(text).toMatch(/^xor_configuration_updates_refused_total 1$/m);
    expect(text).toMatch(/^xor_configuration_expiration_seconds 1767225600$/m);
    const refreshed = await ask('POST', '/v1/configuration/refresh');
    expect(refreshed.status).toBe(502);
    expect(JSON.parse(refreshed.text)).toMatchObject({ detail: 'the server does not answer' });
  });

  test('ping answers by POST alone', async () => {
    const reply = await ask('POST', `/v1/ping/${neighbor}`);
    expect(JSON.parse(reply.text)).toMatchObject({ nodeId: neighbor, roundTripMs: 1.5 });
    const wrong = await ask('GET', `/v1/ping/${neighbor}`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.allow).toBe('POST');
  });

  test('a failed command becomes a problem that says why', async () => {
    const reply = await ask('GET', `/v1/certificates/${neighbor}`);
    expect(reply.status).toBe(404);
    expect(JSON.parse(reply.text)).toMatchObject({
      code: 'not-found',
      detail: 'there is none',
      errorName: 'Error_Not_Found',
    });
  });

  test.each(['/v1/certificates/nonsense', '/v1/locations/nonsense', '/v1/ping/%ff'])(
    '%s is a bad request',
    async (path) => {
      const method = path.startsWith('/v1/ping') ? 'POST' : 'GET';
      expect((await ask(method, path)).status).toBe(400);
    },
  );

  test.each(['/', '/v1/trace/x', '/v1/events', '/v1/certificates/', '/v1/status/'])(
    'there is nothing at %s',
    async (path) => {
      expect((await ask('GET', path)).status).toBe(404);
    },
  );

  test('readyz warns of a certificate that is not renewed, and is not ready when little is left', async () => {
    const fault = 'https://ca.example/enroll cannot be reached';
    for (const isUrgent of [false, true]) {
      await api.close();
      const notAfterUnixMs = Date.UTC(2027, 0, 1);
      const tries = { nextTryUnixMs: Date.UTC(2026, 11, 1), renewals: 1, failures: 2 };
      const renewal = { notAfterUnixMs, ...tries, fault, isUrgent };
      const host = { ...fakePeer(), renewal };
      api = await HttpApi.open({ host, listen: LISTEN, token, log: silentLog });
      const ready = await ask('GET', '/readyz');
      expect(ready.status).toBe(isUrgent ? 503 : 200);
      const sentence = `ends at 2027-01-01T00:00:00.000Z and could not be renewed: ${fault}`;
      expect(ready.text).toContain(sentence);
      const { certificate } = JSON.parse((await ask('GET', '/v1/status')).text);
      const renewalAt = '2026-12-01T00:00:00.000Z';
      expect(certificate).toMatchObject({ renewalAt, renewals: 1, failures: 2, fault });
      const metrics = (await ask('GET', '/metrics')).text;
      expect(metrics).toContain('xor_renewal_failures_total 2');
      expect(metrics).toContain(`xor_ready ${isUrgent ? 0 : 1}`);
    }
  });

  test('readyz says why a peer is not ready', async () => {
    const reasons: [Partial<PeerStatus>, RegExp][] = [
      [{ state: 'joining' }, /joining/],
      [{ ownRecordsStored: [] }, /certificate/],
      [{ successors: [], predecessors: [] }, /no other peer/],
      [{ links: [] }, /none of the neighbours/],
    ];
    for (const [change, reason] of reasons) {
      status = { ...joinedStatus(), ...change };
      const reply = await ask('GET', '/readyz', { authorization: undefined });
      expect(reply.status).toBe(503);
      expect(JSON.parse(reply.text).detail).toMatch(reason);
    }
  });

  test('metrics are in the text format of Prometheus', async () => {
    const reply = await ask('GET', '/metrics');
    expect(reply.headers['content-type']).toContain('text/plain');
    expect(reply.text).toContain('xor_ready 1');
    expect(reply.text).toContain('xor_messages_dropped_total{cause="malformed"} 2');
  });
});

describe('POST /v1/messages', () => {
  test.each([
    ['{"to":"juliet@capulet.lit","text":"soft"}', 200, '"state":"acknowledged"'],
    ['{"to":"@","text":"soft"}', 400, 'jid-malformed'],
    ['{"to":"nobody@capulet.lit","text":"soft"}', 409, 'no-xmpp'],
    ['{"to":"juliet@capulet.lit"}', 400, 'the body is'],
    ['{"to":"juliet@capulet.lit","text":""}', 400, 'the body is'],
    ['{"to":"juliet@capulet.lit","text":"\\u0000"}', 400, 'XML cannot carry'],
    ['{"to":"juliet@capulet.lit","text":"\\ud800"}', 400, 'XML cannot carry'],
    ['soft', 400, 'the body is'],
  ])('%s: %i', async (body, status, part) => {
    const answer = await ask('POST', '/v1/messages', {}, body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(part)]);
  });
});

describe('limits', () => {
  test('long URLs, large bodies and large headers are refused', async () => {
    expect((await ask('GET', `/v1/certificates/${'a'.repeat(3_000)}`)).status).toBe(414);
    expect((await ask('POST', `/v1/ping/${neighbor}`, {}, 'x'.repeat(10_000))).status).toBe(413);
    expect((await ask('GET', '/healthz', { 'x-long': 'x'.repeat(10_000) })).status).toBe(431);
  });

  test('a request that breaks off in its body is no bug of ours, whoever sends it', async () => {
    const errors: unknown[] = [];
    const log = { ...silentLog, error: (...args: unknown[]) => void errors.push(args) };
    await api.close();
    api = await HttpApi.open({ host: fakePeer(), listen: LISTEN, token, log });
    const { port } = new URL(api.url);
    for (let count = 0; count < 3; count++) {
      const socket = connect(Number(port), '127.0.0.1');
      const head = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 9`;
      await new Promise((sent) => socket.write(`${head}\r\n\r\nx`, sent));
      socket.destroy();
    }
    // Whatever came of the requests that broke off came before this answer.
    await ask('GET', '/healthz');
    await api.close();
    expect(errors).toEqual([]);
  });

  test('bytes that are no HTTP get 400 and the connection closes', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.end('\u0016\u0003\u0001 nonsense\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

function ask(
  method: string,
  path: string,
  headers: Record<string, string | undefined> = {},
  body = '',
): Promise<Reply> {
  const all = { authorization: `Bearer ${token}`, ...headers };
  const defined = Object.entries(all).filter((entry) => entry[1] !== undefined);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${api.url}${path}`,
      { method, headers: Object.fromEntries(defined), agent: false },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function sentTo(to: string): SentMessageOutcome {
  if (to.startsWith('juliet')) return { type: 'acknowledged' };
  return { type: 'refused', condition: 'jid-malformed', reason: `"${to}" is no address` };
}

function fakePeer(): ServedPeer {
  return {
    counters: new LinkCounters(),
    connectionCounts: { links: 1, handshakes: 0 },
    listenAddress: { host: '127.0.0.1', port: 6084 },
    overlayConfiguration: { instanceName: 'xmpp.org' } as VerifiedConfiguration,
    status: () => status,
    values: () => [],
    manageCertificates: () => undefined,
    sendMessage: (to) => (to.startsWith('nobody') ? undefined : Promise.resolve(sentTo(to))),
    locate: () => Promise.resolve([]),
    ping: (asked) =>
      Promise.resolve({
        type: 'pong',
        nodeId: asked,
        roundTripMs: 1.5,
        peerTimeUnixMs: 0,
        hops: 1,
      }),
    lookupCertificates: () =>
      Promise.reject(
        new CommandError({ code: 'not-found', detail: 'there is none', errorCode: 3 }),
      ),
  };
}

/** A server whose document is refused, and a ConfigUpdate that was. */
function refusingWatch(): ConfigurationWatch {
  const server = {
    status: () => ({
      checkedUnixMs: 0,
      refusal: { sinceUnixMs: 0, reason: 'expected a sequence newer than 2, got 1' },
      refused: 3,
      failures: 3,
    }),
    refreshNow: () => Promise.reject(new ConfigurationUnavailable('the server does not answer')),
  };
  const clock = { now: () => ({ monotonicMs: 0, unixMs: 0 }) };
  const watch = new ConfigurationWatch(server, silentLog, clock);
  watch.noteRefusal('no signature');
  return watch;
}

function joinedStatus(): PeerStatus {
  return {
    nodeId,
    userName: 'juliet@example.org',
    role: 'peer',
    state: 'joined',
    isolated: false,
    uptimeSeconds: 1,
    configurationSequence: 1,
    certificateRefusal: undefined,
    predecessors: [neighbor],
    successors: [neighbor],
    fingers: [],
    ownRecordsStored: [3, 16],
    ownRecordsComplete: true,
    certificateNotAfterUnixMs: 0,
    formerCertificate: { values: 0, links: 0 },
    links: [
      {
        link: 1,
        nodeId: neighbor,
        userName: 'romeo@example.net',
        remoteAddress: { type: 'ipv4', address: Uint8Array.of(127, 0, 0, 1), port: 6084 },
        routable: true,
        suspect: false,
        roundTripMs: 0.3,
        sentBytes: 1,
        receivedBytes: 2,
      },
    ],
    counters: {
      messagesSent: 1,
      messagesReceived: 1,
      messagesForwarded: 0,
      requestsAnswered: 1,
      dropped: {
        malformed: 2,
        'bad-header': 0,
        'bad-signature': 0,
        'not-for-us': 0,
        'no-route': 0,
        'stale-opaque-id': 0,
        'unexpected-response': 0,
        'reassembly-limit': 0,
        overload: 0,
      },
    },
    resources: 0,
    values: 0,
  };
}
