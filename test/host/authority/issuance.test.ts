import { createPrivateKey } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AccountName } from '../../../src/ca/account-name.ts';
import { REVOCATION_LIST_ENTRIES_MAX } from '../../../src/ca/certificate-content.ts';
import { Authority } from '../../../src/host/authority/authority.ts';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { auditRecords } from '../../../src/host/authority/ledger/ledger-audit.ts';
import { openLedgerStore } from '../../../src/host/authority/ledger/open-ledger-store.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { encodeSigningRequest } from '../../../src/host/enrollment/enrollment-request.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { findPath } from '../../../src/tls-auth/path-building.ts';
import { RevocationCheck, type RevocationPolicy } from '../../../src/tls-auth/revocation-check.ts';
import { parseRevocationList, type RevocationList } from '../../../src/tls-auth/revocation-list.ts';
import { verifyWithKey } from '../../../src/tls-auth/signature-verifier.ts';
import { certificateIssued } from '../../ca/register-events.ts';
import {
  afterTest,
  ask,
  enrollJuliet,
  JULIET,
  newAuthorityState,
  PASSWORD,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';
import { ModuleKey } from './module-key.ts';

/** A state whose issuing key has been taken out, and the key. */
async function withModuleKey(): Promise<{ state: string; key: ModuleKey }> {
  const state = await newAuthorityState();
  const elsewhere = join(await temporaryDirectory(), 'root-key.pem');
  await rename(join(state, 'root-key.pem'), elsewhere);
  return { state, key: new ModuleKey(createPrivateKey(await readFile(elsewhere))) };
}

/** What is on the list that peers see. */
async function listed(authority: RunningAuthority): Promise<string[]> {
  const { body } = await ask(authority, '/crl/ca.crl');
  const list = parseRevocationList(new Uint8Array(body));
  if (list instanceof CertificateRefusal) throw new Error(list.describe());
  const { certificates } = await authority.list();
  const all = certificates.map(({ serialNumber }) => serialNumber);
  return all.filter((serialNumber) => list.entries.find(list.issuer, serialNumber) !== undefined);
}

describe('a signing key that is elsewhere', () => {
  it('signs certificates and lists; no file has it', async () => {
    const { state, key } = await withModuleKey();
    const authority = await serve(state, { signingKeys: { issuer: key } });
    await authority.addUser(JULIET, PASSWORD);
    const { node } = await enrollJuliet(authority);
    await authority.revoke(node.nodeId);
    // Two signers and a list at the start, then a certificate and a list.
    expect(key.signatures).toBe(5);
  });

  it('is the one of the certificate, or the state does not open', async () => {
    const { state } = await withModuleKey();
    const issuer = new ModuleKey(await generatePrivateKey('p256'));
    await expect(serve(state, { signingKeys: { issuer } })).rejects.toThrow(
      'the signing key is not the one',
    );
  });
});

describe('what a peer would refuse', () => {
  it('is neither issued nor recorded, and is counted', async () => {
    const { state, key } = await withModuleKey();
    const running = await serve(state, { signingKeys: { issuer: key } });
    await running.addUser(JULIET, PASSWORD);
    await running.close();
    const authority = await Authority.open(state, { signingKeys: { issuer: key } });
    const before = (await authority.list()).certificates.length;
    key.isBroken = true;
    const csr = encodeSigningRequest(await generatePrivateKey('p256'), JULIET);
    const juliet = { userName: JULIET, device: undefined };
    await expect(authority.issuer.certify(juliet, csr, undefined)).rejects.toThrow(
      /would be refused, so it is not issued: signature-invalid/,
    );
    expect(authority.issuer.refusedByLint).toBe(1);
    expect((await authority.list()).certificates).toHaveLength(before);
    key.isBroken = false;
    const outcome = await authority.issuer.certify(juliet, csr, undefined);
    expect(outcome.type).toBe('certificate');
    expect((await authority.list()).certificates).toHaveLength(before + 1);
    await authority.close();
    const store = await openLedgerStore(state, undefined, 'existing');
    afterTest(() => store.close());
    const refused: object[] = [];
    for await (const record of auditRecords(store, 0)) {
      if (typeof record === 'string') throw new Error(record);
      if (record.event.type === 'issuanceRefused') refused.push(record.event);
    }
    expect(refused).toMatchObject([{ what: `a certificate of ${JULIET}` }]);
  });

  it('a list with a wrong signature is not shown', async () => {
    const { state, key } = await withModuleKey();
    const authority = await serve(state, { signingKeys: { issuer: key } });
    await authority.addUser(JULIET, PASSWORD);
    const { node } = await enrollJuliet(authority);
    key.isBroken = true;
    await expect(authority.revoke(node.nodeId)).rejects.toThrow(
      'a revocation list that was made here would be refused',
    );
  });

  it('a revocation whose list could not be made is on the next one that can', async () => {
    const { state, key } = await withModuleKey();
    const authority = await serve(state, { signingKeys: { issuer: key } });
    await authority.addUser(JULIET, PASSWORD);
    const [first, second] = [await enrollJuliet(authority), await enrollJuliet(authority)];
    key.isBroken = true;
    await expect(authority.revoke(first.node.nodeId)).rejects.toThrow('would be refused');
    expect(await listed(authority)).toEqual([]);
    key.isBroken = false;
    await authority.revoke(first.node.nodeId);
    expect(await listed(authority)).toEqual([first.node.certificate.serialNumber]);

    key.isBroken = true;
    await expect(authority.removeUser(JULIET)).rejects.toThrow('would be refused');
    const { accounts, certificates } = await authority.list();
    expect(accounts).toEqual([]);
    const own = certificates.filter(({ jid }) => jid === JULIET);
    expect(own.map(({ status }) => status)).toEqual(['revoked', 'revoked']);
    key.isBroken = false;
    await authority.refresh();
    expect((await listed(authority)).toSorted()).toEqual(
      [first, second].map(({ node }) => node.certificate.serialNumber).toSorted(),
    );
  });

  it('RFC 5280 §6.1.3 (a) (2): nothing is issued after the end of the issuer', async () => {
    const state = await newAuthorityState();
    const running = await serve(state);
    await running.addUser(JULIET, PASSWORD);
    await running.close();
    const nowUnixMs = () => Date.now() + 21 * 365 * 86_400_000;
    const authority = await Authority.open(state, { nowUnixMs });
    afterTest(() => authority.close());
    const csr = encodeSigningRequest(await generatePrivateKey('p256'), JULIET);
    const juliet = { userName: JULIET, device: undefined };
    await expect(authority.issuer.certify(juliet, csr, undefined)).rejects.toThrow('expired');
  });
});

describe('several revocation lists', () => {
  /** An authority that has issued as many certificates as fit on one list, but one. */
  async function almostFull() {
    const state = await newAuthorityState();
    const running = await serve(state);
    await running.addUser(JULIET, PASSWORD);
    await running.close();
    const authority = await Authority.open(state);
    afterTest(() => authority.close());
    const place = { publicUrl: 'https://ca.example.org', hosts: [], bootstrap: undefined };
    await authority.serveAt({ ...place, enrollmentServers: undefined });
    const { issuedCount } = authority.state.register;
    await authority.state.exclusive(async () => {
      for (let count = issuedCount; count < REVOCATION_LIST_ENTRIES_MAX - 1; count++) {
        const name = `user@many.example` as AccountName;
        authority.state.record(certificateIssued(name));
      }
    });
    return authority;
  }

  async function issue(authority: Authority) {
    const csr = encodeSigningRequest(await generatePrivateKey('p256'), JULIET);
    const juliet = { userName: JULIET, device: undefined };
    const outcome = await authority.issuer.certify(juliet, csr, undefined);
    if (outcome.type !== 'certificate') throw new Error(outcome.type);
    const certificate = parseCertificate(outcome.der);
    if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
    return certificate;
  }

  function listAt(authority: Authority, path: string): RevocationList {
    const list = parseRevocationList(authority.revocation.listAt(path)?.bytes ?? new Uint8Array());
    if (list instanceof CertificateRefusal) throw new Error(`${path}: ${list.describe()}`);
    return list;
  }

  function statusOf(
    authority: Authority,
    certificate: Awaited<ReturnType<typeof issue>>,
    lists: readonly RevocationList[],
    policy: RevocationPolicy = 'require',
  ) {
    const root = parseCertificate(authority.state.hierarchy.root);
    if (root instanceof CertificateRefusal) throw new Error(root.describe());
    const unixMs = Date.now();
    const material = { pool: [], anchors: [root], verifySignature: verifyWithKey };
    const path = findPath(certificate, material, { unixMs });
    if (path instanceof CertificateRefusal) throw new Error(path.describe());
    const check = new RevocationCheck({
      lists,
      pool: [],
      verifySignature: verifyWithKey,
      unixMs,
      policy,
    });
    return check.status(certificate, path).status;
  }

  it('RFC 5280 §5.2.5: above 10,000 each certificate names its list, and that list itself', async () => {
    const authority = await almostFull();
    const first = '/crl/ca.crl';
    const second = '/crl/ca-1.crl';
    const one = await issue(authority);
    expect(listAt(authority, first).issuingDistributionPoint).toBeUndefined();
    expect(authority.revocation.listAt(second)).toBeUndefined();
    const two = await issue(authority);
    const points = [one, two].map(
      ({ extensions }) => extensions.crlDistributionPoints?.[0]?.fullName?.uris,
    );
    expect(points).toEqual([
      [`https://ca.example.org${first}`],
      [`https://ca.example.org${second}`],
    ]);
    for (const path of [first, second]) {
      const { issuingDistributionPoint } = listAt(authority, path);
      expect(issuingDistributionPoint?.fullName?.uris).toEqual([`https://ca.example.org${path}`]);
    }
    await authority.revoke(two.serialNumber, 'keyCompromise');
    const lists = [listAt(authority, first), listAt(authority, second)];
    expect(statusOf(authority, one, lists)).toBe('good');
    expect(statusOf(authority, two, lists)).toBe('revoked');
    // Nobody passes for the other.
    expect(statusOf(authority, one, lists.slice(1))).toBe('undetermined');
    expect(statusOf(authority, two, lists.slice(0, 1))).toBe('undetermined');
  });

  it('RFC 5280 §5.2.3: the numbers of each grow; only those that change are made anew', async () => {
    const authority = await almostFull();
    await issue(authority);
    const two = await issue(authority);
    const before = listAt(authority, '/crl/ca-1.crl').crlNumber ?? 0n;
    const untouched = authority.revocation.listAt('/crl/ca.crl')?.bytes;
    await authority.revoke(two.serialNumber, 'superseded');
    expect(listAt(authority, '/crl/ca-1.crl').crlNumber).toBeGreaterThan(before);
    expect(authority.revocation.listAt('/crl/ca.crl')?.bytes).toEqual(untouched);
  });
});

it('no key of the authority itself is certified for a device', async () => {
  const state = await newAuthorityState();
  const authority = await serve(state);
  await authority.addUser(JULIET, PASSWORD);
  for (const file of ['root-key.pem', 'configuration-signer-key.pem', 'https-server-key.pem']) {
    const privateKey = createPrivateKey(await readFile(join(state, file)));
    await expect(enrollJuliet(authority, { privateKey })).rejects.toThrow();
  }
});
