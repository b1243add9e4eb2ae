import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  fetchHttps,
  type HttpsFetchError,
  type HttpsFetchOptions,
} from '../../src/host/https-fetch.ts';
import { serve, type TestServer, webAuthorityPem } from './configuration/configuration-server.ts';

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function server(...args: Parameters<typeof serve>): Promise<TestServer> {
  const started = await serve(...args);
  open.push(started);
  return started;
}

const get = (url: string, more: Partial<HttpsFetchOptions> = {}) =>
  fetchHttps({ url, trustAnchorsPem: [webAuthorityPem], ...more });

async function refusal(url: string, more: Partial<HttpsFetchOptions> = {}) {
  const answer = await get(url, more).then(
    () => new Error('expected a refusal'),
    (error: HttpsFetchError) => error,
  );
  return `${'code' in answer ? answer.code : ''}: ${answer.message}`;
}

const redirect = (response: ServerResponse, location: string, status = 302) =>
  response.writeHead(status, { location }).end();

describe('a document', () => {
  test('comes with its Last-Modified', async () => {
    const { origin, requests } = await server((_request, response) => {
      response.writeHead(200, { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }).end('hello');
    });
    expect(await get(`${origin}/a?b=c#d`, { accept: 'text/x' })).toEqual({
      type: 'fetched',
      body: new TextEncoder().encode('hello'),
      lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT',
      url: `${origin}/a?b=c#d`,
    });
    expect(requests[0]?.url).toBe('/a?b=c');
    expect(requests[0]?.headers).toMatchObject({ accept: 'text/x', 'accept-encoding': 'identity' });
  });

  test('that did not change is not sent again', async () => {
    const { origin } = await server((request, response) => {
      const since = request.headers['if-modified-since'];
      response.writeHead(since === 'then' ? 304 : 200).end();
    });
    expect(await get(origin, { ifModifiedSince: 'then' })).toEqual({ type: 'notModified' });
  });

  test.each([404, 500, 204, 403])('is not there with status %i', async (status) => {
    const { origin } = await server((_request, response) => response.writeHead(status).end());
    expect(await refusal(origin)).toMatch(`bad-status: cannot fetch ${origin}/: the server answ`);
  });

  test('is not taken compressed', async () => {
    const { origin } = await server((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    });
    expect(await refusal(origin)).toMatch(/content-encoding gzip, unasked/);
  });
});

describe('RFC 6940 §11.2, the certificate matches the domain name from the URL', () => {
  test('one for another name is refused, and nothing is asked', async () => {
    const { origin, requests } = await server((_q, response) => response.end(), ['other.example']);
    expect(await refusal(origin)).toMatch(/wrong-name: .* not for localhost; check the URL/);
    expect(requests).toHaveLength(0);
  });

  test('connected elsewhere, it is still the name of the URL that counts', async () => {
    const { port, requests } = await server((_q, response) => response.end('x'), ['a.example']);
    const connectTo = { host: '127.0.0.1', port };
    expect(await get('https://a.example/x', { connectTo })).toMatchObject({ type: 'fetched' });
    expect(requests[0]?.headers.host).toBe('a.example');
    expect(await refusal('https://b.example/', { connectTo })).toMatch(/wrong-name/);
  });

  test('one from an authority that nobody trusts is refused', async () => {
    const { origin } = await server((_request, response) => response.end());
    const answer = await refusal(origin, { trustAnchorsPem: [] });
    expect(answer).toMatch(/^untrusted: .* pass its authority's certificate with --trust FILE/);
  });
});

describe('XEP-0416 §5, HTTP redirects', () => {
  test('are followed, relative ones and those to another port', async () => {
    const last = await server((_request, response) => response.end('here'));
    const first = await server((request, response) => {
      redirect(response, request.url === '/a' ? '/b' : `${last.origin}/c`, 308);
    });
    expect(await get(`${first.origin}/a`)).toMatchObject({ url: `${last.origin}/c` });
  });

  test('the name of the new host must match too', async () => {
    const last = await server((_request, response) => response.end(), ['other.example']);
    const first = await server((_request, response) => redirect(response, last.origin));
    expect(await refusal(first.origin)).toMatch(/^wrong-name/);
  });

  test('five are followed, six are not', async () => {
    const { origin } = await server((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('done');
      else redirect(response, `/${left - 1}`);
    });
    expect(await get(`${origin}/5`)).toMatchObject({ type: 'fetched' });
    expect(await refusal(`${origin}/6`)).toMatch(/redirect-refused: .* more than 5 times/);
  });

  test.each([
    'http://localhost/',
    'ftp://localhost/',
    'file:///etc/hosts',
    'https://u:p@localhost/',
  ])('to %s is refused', async (location) => {
    const { origin } = await server((_request, response) => redirect(response, location));
    expect(await refusal(origin)).toMatch(/redirect-refused: .*ask its operator/);
  });

  test('without a Location is refused', async () => {
    const { origin } = await server((_request, response) => response.writeHead(301).end());
    expect(await refusal(origin)).toMatch(/redirect-refused: .*without saying where/);
  });
});

describe('limits', () => {
  const limits = { durationMsMax: 300, bodyBytesMax: 1_000 };

  test('more bytes than allowed, announced or not', async () => {
    const { origin } = await server((_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(400)), 5);
      response.on('close', () => clearInterval(timer));
    });
    expect(await refusal(origin, { limits: { bodyBytesMax: 1_000 } })).toMatch(
      /too-large: .* more than 1000 bytes/,
    );
  });

  test('a body that comes byte by byte', async () => {
    const { origin } = await server((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await refusal(origin, { limits })).toMatch(/too-slow: .* more than 300 ms/);
  });

  test('a server that accepts and says nothing, before TLS and after', async () => {
    const { origin } = await server(() => undefined);
    expect(await refusal(origin, { limits })).toMatch(/^too-slow/);
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    expect(await refusal(`https://localhost:${port}/`, { limits })).toMatch(/^too-slow/);
    silent.close();
  });

  test('a chain of redirects shares the time of one fetch', async () => {
    const { origin } = await server((_request, response) => {
      setTimeout(() => redirect(response, '/'), 120);
    });
    expect(await refusal(origin, { limits })).toMatch(/^too-slow/);
  });

  test('stopping it', async () => {
    const { origin } = await server(() => undefined);
    const signal = AbortSignal.timeout(50);
    expect(await refusal(origin, { signal })).toMatch(/^stopped/);
  });
});

describe('refused before anything is sent', () => {
  test.each(['', 'a.example', 'http://a.example/', 'https://u@a.example/', 'https://'])(
    '"%s"',
    async (url) => {
      expect(await refusal(url)).toMatch(/^bad-url: .* expected an https URL/);
    },
  );

  test('a server that does not run', async () => {
    const { origin, close } = await serve(() => undefined);
    await close();
    expect(await refusal(origin)).toMatch(
      /unreachable: .*ECONNREFUSED.*check that the server runs/,
    );
  });
});
