import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { generatePrivateKey, KEY_TYPES } from '../../../src/host/enrollment/enrollment-key.ts';
import { encodeSigningRequest } from '../../../src/host/enrollment/enrollment-request.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import {
  ask,
  enrollJuliet,
  JULIET,
  limits,
  newAuthority,
  OVERLAY,
  PASSWORD,
  postForm,
  sharedAuthority,
} from '../authority/authority-fixture.ts';

async function requestOf(keyType: (typeof KEY_TYPES)[number] = 'p256') {
  return encodeSigningRequest(await generatePrivateKey(keyType), JULIET);
}

/** Juliet's request to the authority, with some fields changed or taken away. */
async function postAsJuliet(
  authority: RunningAuthority,
  change: Readonly<Record<string, string | Uint8Array>> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  const csr = await requestOf();
  return postForm(authority, { username: JULIET, password: PASSWORD, csr, ...change }, headers);
}

const shared = sharedAuthority();

describe('enrollment that succeeds', () => {
  it.each(KEY_TYPES)(
    'RFC 6940 §11.3 (305): a certificate for the %s key of the CSR',
    async (keyType) => {
      const authority = shared();
      const { node, privateKey, certificateDer } = await enrollJuliet(authority, { keyType });
      expect(node.userName).toBe(JULIET);
      expect(node.nodeId).toMatch(/^[0-9a-f]{32}$/);
      expect(new X509Certificate(certificateDer).checkPrivateKey(privateKey)).toBe(true);
    },
  );

  it('RFC 6940 §11.3 (313): returns it as application/pkix-cert with 200', async () => {
    const answer = await postAsJuliet(shared());
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/pkix-cert');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(parseCertificate(new Uint8Array(answer.body))).not.toBeInstanceOf(CertificateRefusal);
  });

  it('RFC 6940 §11.3 (310): the Node-ID is a RELOAD URI with one node Destination', async () => {
    const { node } = await enrollJuliet(shared());
    expect(node.certificate.extensions.subjectAltName?.uris).toEqual([
      `reload://0110${node.nodeId}@${OVERLAY}/`,
    ]);
  });

  it('RFC 6940 §11.3 (307, 308): Node-IDs have nothing to do with key or name', async () => {
    const authority = shared();
    const identities = await Promise.all([1, 2, 3, 4].map(() => enrollJuliet(authority)));
    const nodeIds = identities.map(({ node }) => node.nodeId);
    expect(new Set(nodeIds).size).toBe(4);
    for (const { node } of identities) {
      const key = node.certificate.subjectPublicKeyInfo.der;
      for (const known of [key, JULIET, node.certificate.serialNumber]) {
        const digests = ['sha1', 'sha256'].map((name) => createHash(name).update(known));
        expect(digests.map((digest) => digest.digest('hex').slice(0, 32))).not.toContain(
          node.nodeId,
        );
      }
    }
  });

  it('RFC 6940 §11.3: the same key gets the same Node-ID, and the same certificate', async () => {
    const authority = shared();
    const first = await enrollJuliet(authority);
    const again = await enrollJuliet(authority, { privateKey: first.privateKey });
    expect(Buffer.compare(again.certificateDer, first.certificateDer)).toBe(0);
  });

  it('RFC 6940 §11.3 (301, 312): several Node-IDs and no subject, in profile rfc6940', async () => {
    const authority = await newAuthority({}, { profile: 'rfc6940', keyType: 'rsa' });
    const { node } = await enrollJuliet(authority, { nodeIdCount: 3 });
    expect(new Set(node.nodeIds).size).toBe(3);
    expect(node.certificate.subject.isEmpty).toBe(true);
    expect(node.certificate.extensions.subjectAltName?.all).toHaveLength(4);
  });

  it('takes a user name that is not ASCII, as UTF-8', async () => {
    const authority = shared();
    await authority.addUser('jülîet@münchen.example', PASSWORD);
    const { node } = await enrollJuliet(authority, { userName: 'jülîet@münchen.example' });
    expect(node.xmppAddr).toBe('jülîet@münchen.example');
    expect(node.certificate.extensions.subjectAltName?.rfc822Names).toEqual([]);
  });
});

describe('enrollment that is refused', () => {
  it.each([
    ['the password', { password: 'wherefore art thou?' }],
    ['the account', { username: 'nobody@capulet.lit' }],
    ['the case of the user name', { username: 'Juliet@capulet.lit' }],
    ['the encoding of the user name', { username: Uint8Array.of(0xff, 0xfe) }],
    ['an empty password', { password: '' }],
  ])('RFC 6940 §11.3 (299, 300, 304): failed_authentication for %s', async (_what, change) => {
    const answer = await postAsJuliet(shared(), change);
    expect(answer.status).toBe(403);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body.toString()).toBe('failed_authentication');
  });

  it('RFC 6940 §11.3 (304): failed_authentication with neither password nor certificate', async () => {
    const answer = await postForm(shared(), { csr: await requestOf() });
    expect(answer.body.toString()).toBe('failed_authentication');
  });

  it('RFC 6940 §11.3 (309): nothing else is said before authentication', async () => {
    const authority = shared();
    const before = (await authority.list()).certificates.length;
    const change = { password: 'wrong', csr: 'no request', nodeids: '99' };
    const answer = await postAsJuliet(authority, change);
    expect(answer.body.toString()).toBe('failed_authentication');
    expect((await authority.list()).certificates).toHaveLength(before);
  });

  it('RFC 6940 §11.3: username_not_available for a CSR with another user name', async () => {
    const csr = encodeSigningRequest(await generatePrivateKey('p256'), 'romeo@montague.lit');
    const answer = await postAsJuliet(shared(), { csr });
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toBe('username_not_available');
  });

  it.each(['2', '0', '-1', 'many', ''])(
    'RFC 6940 §11.3 (301): Node-IDs_not_available for nodeids "%s"',
    async (nodeids) => {
      const answer = await postAsJuliet(shared(), { nodeids });
      expect(answer.body.toString()).toBe('Node-IDs_not_available');
    },
  );

  it('RFC 6940 §11.3: Node-IDs_not_available beyond the devices of the account', async () => {
    const authority = await newAuthority();
    await authority.updateUser(JULIET, { devicesMax: 1 });
    await enrollJuliet(authority);
    await expect(enrollJuliet(authority)).rejects.toMatchObject({
      code: 'Node-IDs_not_available',
      message: expect.stringContaining('have an old one revoked'),
    });
  });

  it.each([
    ['no DER', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
  ])('RFC 6940 §11.3 (302): bad_CSR for %s', async (_what, csr) => {
    const answer = await postAsJuliet(shared(), { csr });
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toBe('bad_CSR');
  });

  it('RFC 6940 §11.3 (302): bad_CSR for a signature that is not true', async () => {
    const csr = Uint8Array.from(await requestOf());
    csr[csr.length - 1] = (csr.at(-1) ?? 0) ^ 1;
    expect((await postAsJuliet(shared(), { csr })).body.toString()).toBe('bad_CSR');
  });

  it('RFC 6940 §11.3 (302): bad_CSR where the CSR is not application/pkcs10', async () => {
    const authority = shared();
    const csr = await requestOf();
    const form = (name: string, type: string, value: Uint8Array | string) =>
      Buffer.concat([
        Buffer.from(
          `--x\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
        ),
        Buffer.from(value),
        Buffer.from('\r\n'),
      ]);
    const body = Buffer.concat([
      form('username', 'text/plain', JULIET),
      form('password', 'text/plain', PASSWORD),
      form('csr', 'application/octet-stream', csr),
      Buffer.from('--x--'),
    ]);
    const headers = { Accept: '*/*', 'Content-Type': 'multipart/form-data; boundary=x' };
    const answer = await ask(authority, '/enroll', { method: 'POST', body, headers });
    expect(answer.body.toString()).toBe('bad_CSR');
  });

  it('RFC 6940 §11.3 (303): 406 where Accept does not name application/pkix-cert', async () => {
    const authority = shared();
    expect((await postAsJuliet(authority, {}, { Accept: 'text/html' })).status).toBe(406);
    const several = { Accept: 'text/html, Application/PKIX-Cert;q=0.5' };
    expect((await postAsJuliet(authority, {}, several)).status).toBe(200);
  });

  it('400 for what is no form', async () => {
    const authority = shared();
    const body = new URLSearchParams({ username: JULIET, password: PASSWORD }).toString();
    const headers = { Accept: '*/*', 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await ask(authority, '/enroll', { method: 'POST', body, headers });
    expect(answer.status).toBe(400);
  });

  it('answers whatever comes with a status of the 4xx class', async () => {
    const piece = fc.constantFrom(
      ...['--x', '--x--', '\r\n', '\r\n\r\n', 'a', '"', ';', 'password', 'csr', JULIET],
      'Content-Disposition: form-data; name="csr"',
      'Content-Type: application/pkcs10',
    );
    const body = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''))),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    const headers = { Accept: '*/*', 'Content-Type': 'multipart/form-data; boundary=x' };
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        const answer = await ask(shared(), '/enroll', { method: 'POST', body: bytes, headers });
        expect([400, 403]).toContain(answer.status);
      }),
      { numRuns: 60 },
    );
  });

  const lockout = { firstMs: 3_600_000, maxMs: 3_600_000, forgetMs: 7_200_000 };

  it('429 after too many wrong passwords, for the right one too; other accounts go on', async () => {
    const failuresPerAccount = { ...lockout, free: 2 };
    const authority = await newAuthority({ limits: { ...limits, failuresPerAccount } });
    await authority.addUser('romeo@montague.lit', PASSWORD);
    for (let count = 0; count < 2; count++) {
      const wrong = await postAsJuliet(authority, { password: 'wrong password' });
      expect(wrong.status).toBe(403);
    }
    const later = await postAsJuliet(authority);
    expect(later.status).toBe(429);
    expect(Number(later.headers['retry-after'])).toBeGreaterThan(3_500);
    await expect(enrollJuliet(authority)).rejects.toMatchObject({ code: 'too-many-requests' });
    await enrollJuliet(authority, { userName: 'romeo@montague.lit' });
  });

  it('503 when too many password checks wait', async () => {
    const few = { passwordChecksRunningMax: 1, passwordChecksWaitingMax: 1 };
    const authority = await newAuthority({ limits: { ...limits, ...few } });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => postAsJuliet(authority)));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    const busy = answers.find(({ status }) => status === 503);
    expect(busy?.headers['retry-after']).toBe('5');
  });

  it('right passwords do not count as attempts', async () => {
    const failures = { ...lockout, free: 2 };
    const authority = await newAuthority({
      limits: { ...limits, failuresPerAccount: failures, failuresPerAddress: failures },
    });
    for (let count = 0; count < 4; count++) await enrollJuliet(authority);
  });

  it('429 after too many requests of one address, before anything is read', async () => {
    const requestsPerAddressRate = { burst: 2, refillMs: 3_600_000 };
    const authority = await newAuthority({ limits: { ...limits, requestsPerAddressRate } });
    const post = () => ask(authority, '/enroll', { method: 'POST', body: 'no form' });
    expect([(await post()).status, (await post()).status]).toEqual([406, 406]);
    const later = await post();
    expect(later.status).toBe(429);
    expect(later.headers['retry-after']).toBe('3600');
  });

  it('429 after too many requests of one account; another one of its domain goes on', async () => {
    const requestsPerAccountRate = { burst: 2, refillMs: 3_600_000 };
    const authority = await newAuthority({ limits: { ...limits, requestsPerAccountRate } });
    await authority.addUser('nurse@capulet.lit', PASSWORD);
    for (let count = 0; count < 2; count++) await enrollJuliet(authority);
    const later = await postAsJuliet(authority);
    expect(later.status).toBe(429);
    expect(Number(later.headers['retry-after'])).toBeGreaterThan(3_500);
    await enrollJuliet(authority, { userName: 'nurse@capulet.lit' });
  });

  it('429 after too many requests of one domain; other domains go on', async () => {
    const requestsPerDomainRate = { burst: 2, refillMs: 3_600_000 };
    const authority = await newAuthority({ limits: { ...limits, requestsPerDomainRate } });
    await authority.addUser('nurse@capulet.lit', PASSWORD);
    await authority.addUser('romeo@montague.lit', PASSWORD);
    await enrollJuliet(authority);
    await enrollJuliet(authority, { userName: 'nurse@capulet.lit' });
    expect((await postAsJuliet(authority)).status).toBe(429);
    await enrollJuliet(authority, { userName: 'romeo@montague.lit' });
  });

  it('wrong passwords use up the requests of no account', async () => {
    const requestsPerAccountRate = { burst: 1, refillMs: 3_600_000 };
    const authority = await newAuthority({ limits: { ...limits, requestsPerAccountRate } });
    for (let count = 0; count < 3; count++) {
      expect((await postAsJuliet(authority, { password: 'wrong' })).status).toBe(403);
    }
    expect((await postAsJuliet(authority)).status).toBe(200);
  });
});
