import { X509Certificate } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import {
  completeSubordinate,
  initializeSubordinate,
  signAuthorityRequest,
} from '../../../src/host/authority/subordinate.ts';
import { enroll, renew } from '../../../src/host/enrollment/enrollment-client.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { encodeSigningRequest } from '../../../src/host/enrollment/enrollment-request.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import {
  ask,
  configurationOf,
  isOpensslMissing,
  newAuthorityState,
  OVERLAY,
  openssl,
  PASSWORD,
  postForm,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';

const BARD = 'bard@shakespeare.lit';
const DOMAIN = 'shakespeare.lit';

interface Family {
  readonly root: RunningAuthority;
  readonly rootState: string;
  readonly child: RunningAuthority;
  readonly childState: string;
}

/** A root that serves, and an authority of shakespeare.lit below it that has the bard's account. */
async function newFamily(profile: 'xep-0416' | 'rfc6940' = 'xep-0416'): Promise<Family> {
  const rootState = await newAuthorityState({ profile });
  const root = await serve(rootState);
  const childState = join(await temporaryDirectory(), 'child');
  const domain = profile === 'xep-0416' ? DOMAIN : undefined;
  const stateDirectory = childState;
  await initializeSubordinate(
    { stateDirectory, name: 'below', domain },
    { stateDirectory: rootState },
  );
  const child = await serve(childState);
  await child.addUser(BARD, PASSWORD);
  return { root, rootState, child, childState };
}

/** The bard enrolls at the child with the configuration of the root. */
async function enrollBard({ root, child }: Family, userName = BARD) {
  const { configuration, authenticator } = await configurationOf(root);
  const options = {
    url: child.enrollmentUrl,
    trust: child.trustedCertificates,
    overlayName: OVERLAY,
    configuration,
    authenticator,
  };
  return { options, identity: await enroll({ ...options, userName, password: PASSWORD }) };
}

async function authorityCertificate(state: string) {
  const [pem = ''] = (await readFile(join(state, 'authority.pem'), 'utf8')).split(/(?<=-\n)(?=-)/);
  const parsed = parseCertificate(new Uint8Array(new X509Certificate(pem).raw));
  if (parsed instanceof CertificateRefusal) throw new Error(parsed.describe());
  return parsed;
}

describe('the authority of a domain', () => {
  it('XEP-0416 §3.2, XEP-0417 §2.1: pathLen 0, the domain as DNS-ID, its XmppAddr, a CRL', async () => {
    const { root, childState } = await newFamily();
    const { extensions, subject } = await authorityCertificate(childState);
    expect(subject.text).toBe(`CN=below ${DOMAIN}`);
    expect(extensions.basicConstraints).toEqual({ isCa: true, pathLength: 0 });
    expect(extensions.subjectAltName?.dnsNames).toEqual([DOMAIN]);
    expect(extensions.subjectAltName?.xmppAddrs).toEqual([DOMAIN]);
    expect(extensions.keyUsage).toEqual(new Set(['digitalSignature', 'keyCertSign', 'cRLSign']));
    const [point] = extensions.crlDistributionPoints ?? [];
    expect(point?.fullName?.uris).toEqual([`${root.url}/crl/ca.crl`]);
  });

  it('delivers the whole chain without the root; peers of the root take it', async () => {
    const family = await newFamily();
    const { identity } = await enrollBard(family);
    expect(identity.node.userName).toBe(BARD);
    expect(identity.chain).toHaveLength(2);
    const above = await authorityCertificate(family.childState);
    expect(Buffer.compare(identity.chain[1] ?? new Uint8Array(), above.der)).toBe(0);
    const [point] = identity.node.certificate.extensions.crlDistributionPoints ?? [];
    expect(point?.fullName?.uris).toEqual([`${family.child.url}/crl/below.crl`]);
  });

  it('RFC 6940 §11.3 (313): sends the certificate alone to whoever takes no chain', async () => {
    const family = await newFamily();
    const { identity } = await enrollBard(family);
    const csr = await requestOf(identity.privateKey);
    const fields = { username: BARD, password: PASSWORD, csr };
    const alone = await postForm(family.child, fields);
    expect(alone.headers['content-type']).toBe('application/pkix-cert');
    expect(alone.body.equals(identity.certificateDer)).toBe(true);
    const accept = 'application/pkix-cert, application/pem-certificate-chain';
    const chain = await postForm(family.child, fields, { Accept: accept });
    expect(chain.headers['content-type']).toBe('application/pem-certificate-chain');
    expect(chain.body.toString().match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it('renews by the certificate that it issued', async () => {
    const family = await newFamily();
    const { options, identity } = await enrollBard(family);
    const newPrivateKey = await generatePrivateKey('p256');
    const next = await renew({ ...options, identity, newPrivateKey });
    expect(next.node.nodeId).toBe(identity.node.nodeId);
    expect(next.chain).toHaveLength(2);
  });

  it('XEP-0416 §4: has accounts of its domain alone', async () => {
    const { child } = await newFamily();
    await expect(child.addUser('juliet@capulet.lit', PASSWORD)).rejects.toThrow(
      `this is the authority of ${DOMAIN}`,
    );
  });

  it('XEP-0416 §4: certifies no authority', async () => {
    const { childState } = await newFamily();
    const stateDirectory = join(await temporaryDirectory(), 'grandchild');
    const parent = { stateDirectory: childState };
    await expect(
      initializeSubordinate({ stateDirectory, name: 'deep', domain: DOMAIN }, parent),
    ).rejects.toThrow('may sign nothing but leaf certificates');
    expect(await readdir(stateDirectory)).not.toContain('settings.json');
  });

  it('serves no configuration: the root does', async () => {
    const { child } = await newFamily();
    expect((await ask(child, '/.well-known/reload-config')).status).toBe(404);
    expect(child.configurationSequence).toBeUndefined();
  });

  it('eax-car: is revoked by the list of the authority above', async () => {
    const { root, childState } = await newFamily();
    const { serialNumber } = await authorityCertificate(childState);
    const { authorities } = await root.list();
    expect(authorities).toMatchObject([{ serialNumber, authority: `below ${DOMAIN}` }]);
    const revoked = await root.revoke(serialNumber, 'cessationOfOperation');
    expect(revoked).toMatchObject([{ serialNumber, status: 'revoked' }]);
    const list = (await ask(root, '/crl/ca.crl')).body;
    expect(list.includes(Buffer.from(serialNumber, 'hex'))).toBe(true);
  });

  it('once revoked it is not certified again with the same key', async () => {
    const { rootState, root, childState } = await newFamily();
    const request = await readFile(join(childState, 'authority-request.pem'), 'utf8');
    const parent = { stateDirectory: rootState };
    await signAuthorityRequest(parent, request, DOMAIN);
    const { serialNumber } = await authorityCertificate(childState);
    await root.revoke(serialNumber, 'keyCompromise');
    await expect(signAuthorityRequest(parent, request, DOMAIN)).rejects.toThrow(
      'a certificate of its key was revoked; it needs a new key',
    );
  });

  it.skipIf(isOpensslMissing)('OpenSSL takes the chain with the lists of both', async () => {
    const family = await newFamily();
    const { identity } = await enrollBard(family);
    const directory = await temporaryDirectory();
    const files = {
      leaf: identity.chain.slice(0, 1),
      above: identity.chain.slice(1),
    };
    for (const [name, [der]] of Object.entries(files)) {
      const pem = new X509Certificate(der ?? new Uint8Array()).toString();
      await writeFile(join(directory, name), pem);
    }
    const lists = [
      (await ask(family.root, '/crl/ca.crl')).body,
      (await ask(family.child, '/crl/below.crl')).body,
    ];
    const pems = lists.map((list) => openssl(['crl', '-inform', 'DER'], list)).join('');
    await writeFile(join(directory, 'lists'), pems);
    const read = openssl([
      ...['verify', '-x509_strict', '-crl_check_all', '-CRLfile', join(directory, 'lists')],
      ...['-CAfile', join(family.rootState, 'root.pem'), '-untrusted', join(directory, 'above')],
      join(directory, 'leaf'),
    ]);
    expect(read).toContain('OK');
  });
});

describe('an authority whose parent is on another machine', () => {
  async function waiting(options: { readonly domain?: string; readonly passphrase?: string } = {}) {
    const stateDirectory = join(await temporaryDirectory(), 'far');
    const made = await initializeSubordinate(
      { stateDirectory, overlayName: OVERLAY, name: 'far', ...options },
      undefined,
    );
    expect(made.authority).toBeUndefined();
    return { stateDirectory, request: await readFile(made.requestFile, 'utf8') };
  }

  async function servedRoot() {
    const stateDirectory = await newAuthorityState();
    await (await serve(stateDirectory)).close();
    return { stateDirectory };
  }

  it('writes a request, waits, is made complete, and issues', async () => {
    const { stateDirectory, request } = await waiting();
    await expect(serve(stateDirectory)).rejects.toThrow('waits for its certificate');
    const parent = await servedRoot();
    const pem = await signAuthorityRequest(parent, request, undefined);
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const { rootSha256 } = await completeSubordinate(stateDirectory, pem);
    expect(rootSha256).toMatch(/^[0-9a-f]{64}$/);
    const child = await serve(stateDirectory);
    await child.addUser('anne@hathaway.lit', PASSWORD);
    const root = await serve(parent.stateDirectory);
    const { configuration, authenticator } = await configurationOf(root);
    const identity = await enroll({
      url: child.enrollmentUrl,
      trust: child.trustedCertificates,
      overlayName: OVERLAY,
      configuration,
      authenticator,
      userName: 'anne@hathaway.lit',
      password: PASSWORD,
    });
    expect(identity.chain).toHaveLength(2);
  });

  it('no private key leaves its directory', async () => {
    const { stateDirectory, request } = await waiting();
    const parent = await servedRoot();
    const pem = await signAuthorityRequest(parent, request, undefined);
    await completeSubordinate(stateDirectory, pem);
    expect(`${request}${pem}`).not.toContain('PRIVATE');
    expect(await readdir(stateDirectory)).not.toContain('root-key.pem');
    expect(await readdir(parent.stateDirectory)).not.toContain('authority-key.pem');
  });

  it('is what its operator and the one above agree on', async () => {
    const parent = await servedRoot();
    const { request } = await waiting({ domain: DOMAIN });
    await expect(signAuthorityRequest(parent, request, undefined)).rejects.toThrow(
      `it is for the domain ${DOMAIN}, and any domain is what you allow`,
    );
    await expect(signAuthorityRequest(parent, request, 'hathaway.lit')).rejects.toThrow(
      'and the domain hathaway.lit is what you allow',
    );
    expect(await signAuthorityRequest(parent, request, DOMAIN)).toContain('CERTIFICATE');
    const free = await waiting();
    await expect(signAuthorityRequest(parent, free.request, DOMAIN)).rejects.toThrow(
      'it is for any domain',
    );
  });

  it('has a name of its own', async () => {
    const parent = await servedRoot();
    const first = await waiting();
    const second = await waiting();
    await signAuthorityRequest(parent, first.request, undefined);
    await signAuthorityRequest(parent, first.request, undefined);
    await expect(signAuthorityRequest(parent, second.request, undefined)).rejects.toThrow(
      'another authority is called "far overlay.example.org"',
    );
  });

  it('takes no certificates of another key, another root or in another order', async () => {
    const parent = await servedRoot();
    const one = await waiting();
    const pem = await signAuthorityRequest(parent, one.request, undefined);
    const other = await waiting();
    await expect(completeSubordinate(other.stateDirectory, pem)).rejects.toThrow('another key');
    const [own = '', root = ''] = pem.split(/(?<=-\n)(?=-)/);
    await expect(completeSubordinate(one.stateDirectory, root + own)).rejects.toThrow(
      'do not do for this authority',
    );
    await expect(completeSubordinate(one.stateDirectory, own)).rejects.toThrow('the root');
    await completeSubordinate(one.stateDirectory, pem);
    const again = await signAuthorityRequest(await servedRoot(), one.request, undefined);
    await expect(completeSubordinate(one.stateDirectory, again)).rejects.toThrow('another root');
    await expect(completeSubordinate(parent.stateDirectory, pem)).rejects.toThrow('is a root');
  });

  it('is certified by nobody who never served: no peer would find its list', async () => {
    const { request } = await waiting();
    const stateDirectory = await newAuthorityState();
    await expect(signAuthorityRequest({ stateDirectory }, request, undefined)).rejects.toThrow(
      'has never served',
    );
    await expect(signAuthorityRequest(await servedRoot(), 'nothing', undefined)).rejects.toThrow(
      'no CERTIFICATE REQUEST',
    );
  });
});

async function requestOf(privateKey: Parameters<typeof encodeSigningRequest>[0]) {
  return encodeSigningRequest(privateKey, BARD);
}
