import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeSigningRequest } from '../../../../src/host/enrollment/enrollment-request.ts';
import { silentLog } from '../../../../src/host/log.ts';
import { OwnIssuer } from '../../../../src/host/xmpp/client-certificates/own-issuer.ts';
import { AddressFault } from '../../../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../../../src/xmpp-address/jid.ts';

const ROMEO = 'romeo@montague.lit';
const DAY_MS = 86_400_000;
let stateDirectory: string;
let unixMs: number;

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'xor-issuer-'));
  unixMs = Date.UTC(2026, 10, 21);
});
afterEach(() => rm(stateDirectory, { recursive: true, force: true }));

function open(): OwnIssuer {
  const user = parseJid(ROMEO);
  if (user instanceof AddressFault) throw new Error(user.describe());
  const clock = { now: () => ({ monotonicMs: 0, unixMs }) };
  return new OwnIssuer({ stateDirectory, user, clock, log: silentLog });
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

async function issued(issuer: OwnIssuer, key = newKey()): Promise<X509Certificate> {
  const outcome = await issuer.issue(encodeSigningRequest(key, ROMEO));
  if (!outcome.ok) throw new Error(outcome.reason);
  return new X509Certificate(outcome.certificate);
}

async function ownCertificate(): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(stateDirectory, 'client-issuer.pem')));
}

describe("the peer's own issuer of client certificates", () => {
  test('it certifies the key of the request for this user and for logging in alone', async () => {
    const key = newKey();
    const certificate = await issued(open(), key);
    const issuer = await ownCertificate();
    expect(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.publicKey.equals(createPublicKey(key))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.subjectAltName).toContain(ROMEO);
    const days = (Date.parse(certificate.validTo) - unixMs) / DAY_MS;
    expect(Math.round(days)).toBe(365);
  });

  test('its key is made at the first request, for this user alone, and kept', async () => {
    const issuer = open();
    expect(await readdir(stateDirectory)).toEqual([]);
    await Promise.all([issued(issuer), issued(issuer)]);
    const { mode } = await stat(join(stateDirectory, 'client-issuer-key.pem'));
    expect(mode & 0o777).toBe(0o600);
    const before = await ownCertificate();
    expect((await issued(open())).checkIssued(before)).toBe(true);
    expect((await ownCertificate()).fingerprint256).toBe(before.fingerprint256);
  });

  test('the key of another certificate, which a crash leaves, is made anew', async () => {
    await issued(open());
    const pem = newKey().export({ type: 'pkcs8', format: 'pem' });
    await writeFile(join(stateDirectory, 'client-issuer-key.pem'), pem);
    const certificate = await issued(open());
    expect(certificate.verify((await ownCertificate()).publicKey)).toBe(true);
  });

  test('it is made anew before what it signs would outlive it', async () => {
    const issuer = open();
    const before = await issued(issuer).then(ownCertificate);
    unixMs += 3_400 * DAY_MS;
    const certificate = await issued(issuer);
    expect(certificate.verify(before.publicKey)).toBe(false);
    expect(certificate.verify((await ownCertificate()).publicKey)).toBe(true);
  });

  test('what cannot be read is an error of the peer, and is not written over', async () => {
    const file = join(stateDirectory, 'client-issuer.pem');
    await writeFile(file, 'damaged');
    await writeFile(join(stateDirectory, 'client-issuer-key.pem'), 'damaged');
    const request = encodeSigningRequest(newKey(), ROMEO);
    const outcome = await open().issue(request);
    expect(outcome).toMatchObject({ ok: false, condition: 'internal-server-error' });
    expect(await readFile(file, 'utf8')).toBe('damaged');
  });

  test('a request whose signature fails, and what is none, are refused by name', async () => {
    const request = encodeSigningRequest(newKey(), ROMEO).slice();
    const last = request.length - 1;
    request[last] = (request[last] ?? 0) ^ 1;
    const issuer = open();
    expect(await issuer.issue(request)).toMatchObject({ condition: 'not-acceptable' });
    expect(await issuer.issue(Buffer.from('x'))).toMatchObject({ condition: 'bad-request' });
    const tybalt = encodeSigningRequest(newKey(), 'tybalt@capulet.lit');
    expect(await issuer.issue(tybalt)).toMatchObject({ condition: 'not-acceptable' });
    expect(await readdir(stateDirectory)).toEqual([]);
  });
});
