import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { leafCertificateContent, validityFrom } from '../../../src/ca/certificate-content.ts';
import { certifyKey } from '../../../src/host/authority/authority-keys.ts';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { keyPairOf } from '../../../src/host/authority/signing-key.ts';
import { type EnrolledIdentity, renew } from '../../../src/host/enrollment/enrollment-client.ts';
import { generatePrivateKey, KEY_TYPES } from '../../../src/host/enrollment/enrollment-key.ts';
import {
  ask,
  enrollJuliet,
  enrollOptions,
  isOpensslMissing,
  JULIET,
  newAuthority,
  openssl,
} from '../authority/authority-fixture.ts';

async function renewed(
  authority: RunningAuthority,
  identity: Pick<EnrolledIdentity, 'privateKey' | 'chain'>,
  newPrivateKey?: KeyObject,
) {
  return renew({ ...(await enrollOptions(authority)), identity, newPrivateKey });
}

describe('renewal by mutual TLS', () => {
  it.each(KEY_TYPES)('RFC 6940 §11.3: keeps the Node-ID, with a %s key', async (keyType) => {
    const authority = await newAuthority();
    const identity = await enrollJuliet(authority, { keyType });
    const newKey = await generatePrivateKey(keyType);
    const next = await renewed(authority, identity, newKey);
    expect(next.node.nodeId).toBe(identity.node.nodeId);
    expect(next.node.userName).toBe(JULIET);
    expect(next.privateKey).toBe(newKey);
    expect(next.node.certificate.sha256).not.toBe(identity.node.certificate.sha256);
  });

  it('gives the same key a new certificate when half of the time of the old one is over', async () => {
    const year = 365 * 86_400_000;
    let nowUnixMs = Date.now() - 0.6 * year;
    const clock = { nowUnixMs: () => nowUnixMs };
    const authority = await newAuthority(clock, clock);
    const identity = await enrollJuliet(authority);
    nowUnixMs += 0.4 * year;
    const same = await renewed(authority, identity);
    expect(same.node.certificate.sha256).toBe(identity.node.certificate.sha256);
    nowUnixMs += 0.2 * year;
    const next = await renewed(authority, identity);
    expect(next.node.nodeId).toBe(identity.node.nodeId);
    expect(next.node.validUntilUnixMs).toBeGreaterThan(identity.node.validUntilUnixMs);
  });

  it('takes the certificate that was renewed as well as the one before', async () => {
    const authority = await newAuthority();
    const first = await enrollJuliet(authority);
    const second = await renewed(authority, first, await generatePrivateKey('p256'));
    for (const identity of [first, second]) {
      const next = await renewed(authority, identity, await generatePrivateKey('p256'));
      expect(next.node.nodeId).toBe(first.node.nodeId);
    }
  });

  it('a revoked certificate cannot renew', async () => {
    const authority = await newAuthority();
    const identity = await enrollJuliet(authority);
    await authority.revoke(identity.node.nodeId, 'keyCompromise');
    await expect(
      renewed(authority, identity, await generatePrivateKey('p256')),
    ).rejects.toMatchObject({
      code: 'failed_authentication',
      message: expect.stringContaining('enroll anew'),
    });
  });

  it('an expired certificate cannot renew', async () => {
    let aheadMs = 0;
    const authority = await newAuthority({ nowUnixMs: () => Date.now() + aheadMs });
    const identity = await enrollJuliet(authority);
    aheadMs = identity.node.validUntilUnixMs - Date.now() + 1_000;
    await expect(
      renewed(authority, identity, await generatePrivateKey('p256')),
    ).rejects.toMatchObject({ code: 'failed_authentication' });
  });

  it('a certificate of an account that was removed cannot renew', async () => {
    const authority = await newAuthority();
    const identity = await enrollJuliet(authority);
    await authority.removeUser(JULIET);
    await expect(renewed(authority, identity)).rejects.toMatchObject({
      code: 'failed_authentication',
    });
  });

  it('a certificate of another authority cannot renew', async () => {
    const [authority, other] = [await newAuthority(), await newAuthority()];
    const foreign = await enrollJuliet(other);
    const { authenticator } = await enrollOptions(other);
    const options = { ...(await enrollOptions(authority)), authenticator, identity: foreign };
    await expect(renew(options)).rejects.toMatchObject({ code: 'failed_authentication' });
  });

  it('a signer of the authority cannot be renewed or impersonated over the network', async () => {
    const authority = await newAuthority();
    const key = keyPairOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const listed = (await authority.list()).certificates[0];
    const content = leafCertificateContent(
      'xep-0416',
      {
        overlayName: authority.overlayName,
        userName: JULIET as never,
        nodeIds: listed?.nodeIds as never,
      },
      'ca overlay.example.org',
      '4001',
      validityFrom(Date.now(), 1, Number.MAX_SAFE_INTEGER),
      'https://ca/crl',
    );
    const forged = await certifyKey(key, content, key);
    const { authenticator } = await enrollOptions(await newAuthority());
    const identity = { privateKey: key.privateKey, chain: [forged.certificate] };
    const own = { ...(await enrollOptions(authority)), identity };
    await expect(renew(own)).rejects.toMatchObject({ code: 'bad-certificate' });
    await expect(renew({ ...own, authenticator })).rejects.toMatchObject({
      code: 'bad-certificate',
    });
  });
});

describe('revocation', () => {
  it.skipIf(isOpensslMissing)(
    'eax-car: the list names what is revoked, with its reason',
    async () => {
      const authority = await newAuthority();
      const identity = await enrollJuliet(authority);
      const before = openssl(CRL_TEXT, (await ask(authority, '/crl/ca.crl')).body);
      expect(before).toContain('No Revoked Certificates');
      const [revoked] = await authority.revoke(identity.node.nodeId, 'keyCompromise');
      expect(revoked).toMatchObject({ status: 'revoked', reason: 'keyCompromise', jid: JULIET });
      const answer = await ask(authority, '/crl/ca.crl');
      expect(answer.headers['content-type']).toBe('application/pkix-crl');
      const text = openssl(CRL_TEXT, answer.body);
      expect(text).toContain(identity.node.certificate.serialNumber.toUpperCase());
      expect(text).toContain('Key Compromise');
      const number = (list: string) => Number(/CRL Number:\s*(\d+)/.exec(list)?.[1]);
      expect(number(text)).toBe(number(before) + 1);
    },
  );

  it('by serial number revokes that certificate alone', async () => {
    const authority = await newAuthority();
    const first = await enrollJuliet(authority);
    const second = await renewed(authority, first, await generatePrivateKey('p256'));
    const { serialNumber } = second.node.certificate;
    const revoked = await authority.revoke(serialNumber.replace(/..(?=.)/g, '$&:').toUpperCase());
    expect(revoked.map((certificate) => certificate.serialNumber)).toEqual([serialNumber]);
    await renewed(authority, first);
  });

  it('takes all forms of a Node-ID, and does nothing the second time', async () => {
    const authority = await newAuthority();
    const forms = [
      (id: string) => id,
      (id: string) => `0110${id}`,
      (id: string) => BigInt(`0x${id}`).toString(),
    ];
    for (const form of forms) {
      const { node } = await enrollJuliet(authority);
      expect(await authority.revoke(form(node.nodeId))).toHaveLength(1);
      expect(await authority.revoke(form(node.nodeId))).toHaveLength(0);
    }
  });

  it('says so for what names nothing, and keeps its own signers', async () => {
    const authority = await newAuthority();
    await expect(authority.revoke('0'.repeat(40))).rejects.toThrow('xor ca list');
    const signer = (await authority.list()).certificates[0];
    await expect(authority.revoke(signer?.nodeIds[0] ?? '')).rejects.toThrow('own signer');
  });

  it('frees the place of a device', async () => {
    const authority = await newAuthority();
    await authority.updateUser(JULIET, { devicesMax: 1 });
    const { node, privateKey } = await enrollJuliet(authority);
    await authority.revoke(node.nodeId, 'superseded');
    const next = await enrollJuliet(authority);
    expect(next.node.nodeId).not.toBe(node.nodeId);
    await expect(enrollJuliet(authority, { privateKey })).rejects.toMatchObject({
      code: 'bad_CSR',
    });
  });
});

const CRL_TEXT = ['crl', '-inform', 'DER', '-noout', '-text'];
