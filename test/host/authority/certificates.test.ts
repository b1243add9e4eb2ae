import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCertifiedKey } from '../../../src/host/authority/authority-keys.ts';
import { certifyHttpsServer } from '../../../src/host/authority/initialization.ts';
import { buildRevocationList } from '../../../src/host/authority/revocation-list-builder.ts';
import { keyPairOf } from '../../../src/host/authority/signing-key.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { toPem } from '../../../src/host/links/link-credentials.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import {
  ask,
  enrollJuliet,
  enrollOptions,
  isOpensslMissing,
  JULIET,
  newAuthority,
  newAuthorityState,
  OVERLAY,
  openssl,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';

const PROFILES = ['xep-0416', 'rfc6940'] as const;
const CA_KEYS = ['p256', 'p384', 'rsa'] as const;

function text(certificate: Uint8Array): string {
  return openssl(['x509', '-inform', 'DER', '-noout', '-text'], certificate);
}

describe.skipIf(isOpensslMissing)('what OpenSSL reads', () => {
  it('XEP-0416 §3.2: in a leaf', async () => {
    const authority = await newAuthority();
    const { certificateDer, node } = await enrollJuliet(authority);
    const read = text(certificateDer);
    expect(read).toMatch(new RegExp(`Subject: CN ?= ?${node.nodeId}`));
    expect(read).toContain(`URI:reload://0110${node.nodeId}@${OVERLAY}/`);
    expect(read).toMatch(new RegExp(`othername: XmppAddr::?${JULIET}`));
    expect(read).toContain(`email:${JULIET}`);
    expect(read).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(read).toContain(`URI:${authority.url}/crl/ca.crl`);
    expect(read).not.toContain('CA:TRUE');
  });

  it('RFC 6940 §11.3 (306, 311, 312): in a leaf of profile rfc6940', async () => {
    const authority = await newAuthority({}, { profile: 'rfc6940' });
    const read = text((await enrollJuliet(authority)).certificateDer);
    expect(read).toMatch(/Subject: *\n/);
    expect(read).toContain('Subject Alternative Name: critical');
    expect(read).toMatch(/URI:reload:\/\/0110[0-9a-f]{32}@overlay\.example\.org\/, email:juliet@/);
    expect(read).not.toContain('othername');
  });

  it('XEP-0416 §3.2: in a root', async () => {
    const state = await newAuthorityState();
    const read = openssl(['x509', '-noout', '-text', '-in', join(state, 'root.pem')]);
    expect(read).toMatch(/Basic Constraints: critical\s+CA:TRUE\n/);
    expect(read).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n/);
  });

  it.each(CA_KEYS)('verifies leaf and revocation list of a %s root', async (keyType) => {
    const directory = await temporaryDirectory();
    const state = await newAuthorityState({ keyType });
    const authority = await serve(state);
    await authority.addUser(JULIET, 'wherefore art thou');
    const { certificateDer, node } = await enrollJuliet(authority);
    const leafFile = join(directory, 'leaf.pem');
    const listFile = join(directory, 'list.der');
    await writeFile(leafFile, toPem(certificateDer));
    await writeFile(listFile, (await ask(authority, '/crl/ca.crl')).body);
    const root = join(state, 'root.pem');
    const verify = ['verify', '-x509_strict', '-crl_check', '-CRLfile', listFile, '-CAfile', root];
    expect(openssl([...verify, leafFile])).toContain('OK');
    await authority.revoke(node.nodeId);
    await writeFile(listFile, (await ask(authority, '/crl/ca.crl')).body);
    expect(() => openssl([...verify, leafFile])).toThrow('certificate revoked');
  });
});

describe('what the Authenticator says', () => {
  it.each(PROFILES)('takes leaf and signers of profile %s', async (profile) => {
    const authority = await newAuthority({}, { profile });
    const { node } = await enrollJuliet(authority);
    expect(node.userName).toBe(JULIET);
    expect(node.xmppAddr).toBe(profile === 'xep-0416' ? JULIET : undefined);
  });

  it('the HTTPS root can make no certificate of the overlay', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state);
    const { authenticator } = await enrollOptions(authority);
    for (const file of ['https-server.pem', 'https.pem']) {
      const { raw } = new X509Certificate(await readFile(join(state, file)));
      expect(authenticator.authenticate(raw, [], Date.now())).toBeInstanceOf(CertificateRefusal);
    }
    const root = new X509Certificate(await readFile(join(state, 'root.pem')));
    const httpsRoot = new X509Certificate(await readFile(join(state, 'https.pem')));
    const server = new X509Certificate(await readFile(join(state, 'https-server.pem')));
    expect(server.verify(httpsRoot.publicKey)).toBe(true);
    expect(server.verify(root.publicKey)).toBe(false);
    expect(httpsRoot.subject).not.toBe(root.subject);
  });
});

describe('the HTTPS certificate', () => {
  it('names this host, the overlay and --https-name', async () => {
    const state = await newAuthorityState({ httpsNames: ['ca.example.org', '192.0.2.9'] });
    const certificate = new X509Certificate(await readFile(join(state, 'https-server.pem')));
    for (const name of ['localhost', OVERLAY, 'ca.example.org']) {
      expect(certificate.checkHost(name)).toBe(name);
    }
    for (const address of ['127.0.0.1', '::1', '192.0.2.9']) {
      expect(certificate.checkIP(address)).toBe(address);
    }
  });

  it('is made anew for another public host, and before it expires', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state, { publicUrl: 'https://new.example.org:8443' });
    const certificate = new X509Certificate(await readFile(join(state, 'https-server.pem')));
    expect(certificate.checkHost('new.example.org')).toBe('new.example.org');
    await authority.close();
    const later = Date.now() + 390 * 86_400_000;
    await serve(state, { nowUnixMs: () => later });
    const next = new X509Certificate(await readFile(join(state, 'https-server.pem')));
    expect(Date.parse(next.validTo)).toBeGreaterThan(later + 390 * 86_400_000);
  });

  it('names each host once, as what it is', async () => {
    const state = await newAuthorityState();
    const root = readCertifiedKey(
      'https root',
      await readFile(join(state, 'https-root-key.pem'), 'utf8'),
      await readFile(join(state, 'https.pem'), 'utf8'),
    );
    const key = keyPairOf(await generatePrivateKey('p256'));
    const settings = {
      overlayName: OVERLAY,
      name: 'ca',
      profile: 'xep-0416' as const,
      keyType: 'p256' as const,
      httpsNames: ['localhost'],
      certificateDays: 1,
    };
    const made = await certifyHttpsServer(settings, key, root, ['::1', OVERLAY], Date.now());
    const { subjectAltName } = new X509Certificate(made.certificate);
    expect(subjectAltName).toBe(
      `DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:${OVERLAY}`,
    );
  });
});

it('the own signers have certificates that say where the revocation list is', async () => {
  const state = await newAuthorityState();
  const authority = await serve(state);
  for (const file of ['configuration-signer.pem', 'kind-signer.pem']) {
    const parsed = parseCertificate(new X509Certificate(await readFile(join(state, file))).raw);
    if (parsed instanceof CertificateRefusal) throw new Error(parsed.describe());
    const [point] = parsed.extensions.crlDistributionPoints ?? [];
    expect(point?.fullName?.uris).toEqual([`${authority.url}/crl/ca.crl`]);
  }
  const signers = (await authority.list()).certificates.map(({ nodeIds }) => nodeIds[0]);
  expect(new Set(signers).size).toBe(2);
});

it.skipIf(isOpensslMissing)('RFC 5280 §5.1: a list of thousands is made in time', async () => {
  const privateKey = await generatePrivateKey('p256');
  const nowUnixMs = 1_800_000_000_000;
  const entries = Array.from({ length: 2_000 }, (_, index) => ({
    serialNumber: `40${index.toString(16).padStart(38, '0')}`,
    revokedUnixMs: nowUnixMs,
    reason: index % 2 === 0 ? ('unspecified' as const) : ('superseded' as const),
  }));
  const content = {
    issuerCommonName: 'root',
    number: 1,
    thisUpdateUnixMs: nowUnixMs,
    nextUpdateUnixMs: Date.UTC(2051, 0),
    distributionPointUrl: undefined,
    entries,
  };
  const list = await buildRevocationList(content, keyPairOf(privateKey));
  const read = openssl(['crl', '-inform', 'DER', '-noout', '-text'], list);
  expect(read.match(/Serial Number/g)).toHaveLength(2_000);
  expect(read.match(/Superseded/g)).toHaveLength(1_000);
  expect(read).toContain('Next Update: Jan  1 00:00:00 2051 GMT');
});
