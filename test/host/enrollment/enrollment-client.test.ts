import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { rootCertificateContent, validityFrom } from '../../../src/ca/certificate-content.ts';
import {
  certificatePem,
  certifyKey,
  privateKeyPem,
} from '../../../src/host/authority/authority-keys.ts';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { certifyHttpsServer } from '../../../src/host/authority/initialization.ts';
import { keyPairOf } from '../../../src/host/authority/signing-key.ts';
import { type EnrollOptions, enroll } from '../../../src/host/enrollment/enrollment-client.ts';
import {
  EnrollmentFailure,
  failureOfToken,
} from '../../../src/host/enrollment/enrollment-failure.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import {
  afterTest,
  enrollJuliet,
  enrollOptions,
  JULIET,
  newAuthority,
  OVERLAY,
  sharedAuthority,
} from '../authority/authority-fixture.ts';

const shared = sharedAuthority();

describe('the client', () => {
  it('does not send a password after a redirect', async () => {
    const authority = shared();
    let asked = 0;
    const other = await listen(createServer(count), 'http');
    function count(...[, response]: Parameters<RequestListener>) {
      asked++;
      response.end();
    }
    const moved = await redirectingServer(authority, `${other}/enroll`);
    await expect(enrollJuliet(authority, moved)).rejects.toMatchObject({ code: 'redirected' });
    expect(asked).toBe(0);
  });

  it('RFC 6940 §11.3 (296): refuses a URL that is not https', async () => {
    const authority = shared();
    const url = authority.enrollmentUrl.replace('https:', 'http:');
    await expect(enrollJuliet(authority, { url })).rejects.toMatchObject({
      code: 'untrusted-server',
    });
  });

  it('RFC 6940 §11.3 (297): refuses a server whose certificate nobody vouches for', async () => {
    const authority = shared();
    await expect(enrollJuliet(authority, { trust: undefined })).rejects.toMatchObject({
      code: 'untrusted-server',
    });
  });

  it('RFC 6940 §11.3 (297): the certificate must match the overlay name …', async () => {
    const authority = shared();
    const notNamed = { configuration: { enrollmentServers: [] } };
    await enrollJuliet(authority, notNamed);
    await expect(
      enrollJuliet(authority, { ...notNamed, overlayName: 'another.example.org' }),
    ).rejects.toMatchObject({ code: 'untrusted-server' });
  });

  it('… or the host of a URL that a verified configuration names', async () => {
    const authority = shared();
    const { enrollmentUrl: url } = authority;
    const overlayName = 'another.example.org';
    const named = { configuration: { enrollmentServers: [url] }, overlayName };
    await enrollJuliet(authority, named);
  });

  it('RFC 6940 §11.3 (314): refuses a certificate of an authority that it does not trust', async () => {
    const [authority, other] = [shared(), await newAuthority()];
    const { authenticator } = await enrollOptions(other);
    await expect(enrollJuliet(authority, { authenticator })).rejects.toMatchObject({
      code: 'bad-certificate',
    });
  });

  it('RFC 6940 §11.3 (314): refuses a certificate of another key', async () => {
    const authority = shared();
    const { certificateDer } = await enrollJuliet(authority);
    const server = await answeringServer(authority, (response) => {
      response.setHeader('Content-Type', 'application/pkix-cert');
      response.end(certificateDer);
    });
    await expect(enrollJuliet(authority, server)).rejects.toMatchObject({
      code: 'bad-certificate',
      message: expect.stringContaining('another key'),
    });
  });

  it.each([undefined, '100000'])(
    'refuses an answer that has no end, of content-length %s, and hears no more of it',
    async (contentLength) => {
      const authority = shared();
      let close: () => void = () => undefined;
      const closed = new Promise<void>((resolve) => {
        close = resolve;
      });
      const server = await answeringServer(authority, (response) => {
        response.on('close', close);
        if (contentLength !== undefined) response.setHeader('Content-Length', contentLength);
        response.write(Buffer.alloc(99_000));
      });
      await expect(enrollJuliet(authority, server)).rejects.toMatchObject({
        code: 'bad-certificate',
      });
      await closed;
    },
  );

  it('says that a server cannot be reached that breaks off its answer', async () => {
    const authority = shared();
    const server = await answeringServer(authority, (response) => {
      response.writeHead(200, { 'Content-Type': 'application/pkix-cert', 'Content-Length': 700 });
      response.write(Buffer.alloc(100), () => response.destroy());
    });
    const failure = enrollJuliet(authority, server);
    await expect(failure).rejects.toBeInstanceOf(EnrollmentFailure);
    await expect(failure).rejects.toMatchObject({ code: 'unreachable' });
  });

  it.each([
    ['30', 30],
    ['-5', 60],
    ['1e400', 60],
    ['0x10', 60],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 60],
  ])('RFC 9110 §10.2.3: of Retry-After "%s" it makes %s s', async (header, retryAfterSeconds) => {
    const authority = shared();
    const server = await answeringServer(authority, (response) => {
      response.writeHead(503, { 'Retry-After': header });
      response.end();
    });
    await expect(enrollJuliet(authority, server)).rejects.toMatchObject({
      code: 'too-many-requests',
      retryAfterSeconds,
    });
  });

  it('stops when it is told to while the answer comes', async () => {
    const authority = shared();
    const stopping = new AbortController();
    const server = await answeringServer(authority, (response) => {
      response.writeHead(200, { 'Content-Type': 'application/pkix-cert', 'Content-Length': 700 });
      response.write(Buffer.alloc(100), () => stopping.abort(new Error('enough')));
    });
    const { signal } = stopping;
    await expect(enrollJuliet(authority, { ...server, signal })).rejects.toThrow('enough');
  });

  it('says when nobody is there, and stops when it is told to', async () => {
    const authority = shared();
    const options = await enrollOptions(authority);
    const url = 'https://127.0.0.1:1/enroll';
    await expect(enroll({ ...options, url })).rejects.toMatchObject({ code: 'unreachable' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(enroll({ ...options, signal })).rejects.toThrow('enough');
  });

  it.each(['failed_authentication', 'username_not_available', 'Node-IDs_not_available', 'bad_CSR'])(
    'RFC 6940 §11.3: says what %s means and what to do',
    (token) => {
      const failure = failureOfToken(token, { url: 'https://ca/enroll', userName: JULIET });
      expect(failure.code).toBe(token);
      expect(failure.message).toMatch(/^https:\/\/ca\/enroll .{20,}; \w+/);
    },
  );

  it('RFC 6940 §11.3: an unknown token is a failure for an unknown reason', async () => {
    const authority = shared();
    const server = await answeringServer(authority, (response) => {
      response.statusCode = 403;
      response.end('bad_mood');
    });
    const failure = enrollJuliet(authority, server);
    await expect(failure).rejects.toBeInstanceOf(EnrollmentFailure);
    await expect(failure).rejects.toMatchObject({ code: 'refused' });
  });
});

/** An HTTPS server with a certificate that the authority's clients trust. */
async function answeringServer(
  authority: RunningAuthority,
  answer: (response: Parameters<RequestListener>[1]) => void,
): Promise<Partial<EnrollOptions>> {
  const impostor = await newAuthorityCredentials();
  const server = createHttpsServer(impostor.tls, (request, response) => {
    request.resume();
    request.on('end', () => answer(response));
  });
  const url = `${await listen(server, 'https')}/enroll`;
  const trust = `${authority.trustedCertificates}${impostor.trust}`;
  return { url, trust, configuration: { enrollmentServers: [url] } };
}

function redirectingServer(authority: RunningAuthority, to: string) {
  return answeringServer(authority, (response) => {
    response.writeHead(307, { Location: to });
    response.end();
  });
}

/** Key and certificate for 127.0.0.1, and the root that vouches for them. */
async function newAuthorityCredentials(): Promise<{ tls: ServerOptions; trust: string }> {
  const newKey = async () => keyPairOf(await generatePrivateKey('p256'));
  const rootKey = await newKey();
  const validity = validityFrom(Date.now(), 1, Number.MAX_SAFE_INTEGER);
  const name = `ca ${OVERLAY} (HTTPS)`;
  const root = await certifyKey(rootKey, rootCertificateContent(name, '4001', validity), rootKey);
  const settings = {
    overlayName: OVERLAY,
    name: 'ca',
    profile: 'xep-0416' as const,
    keyType: 'p256' as const,
    httpsNames: [],
    certificateDays: 1,
  };
  const server = await certifyHttpsServer(settings, await newKey(), root, [], Date.now());
  return {
    tls: { key: privateKeyPem(server), cert: certificatePem(server) },
    trust: certificatePem(root),
  };
}

async function listen(
  server: ReturnType<typeof createServer>,
  scheme: 'http' | 'https',
): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  afterTest(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
