import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { type EnrolledIdentity, renew } from '../../../src/host/enrollment/enrollment-client.ts';
import { KEY_TYPES } from '../../../src/host/enrollment/enrollment-key.ts';
import { loadIdentity, pendingPrivateKey, saveIdentity } from '../../../src/host/identity-file.ts';
import type { LinkCredentials } from '../../../src/host/links/link-credentials.ts';
import { silentLog } from '../../../src/host/log.ts';
import {
  IdentityRenewal,
  type IdentityRenewalOptions,
} from '../../../src/host/renewal/identity-renewal.ts';
import type { VerifiedConfiguration } from '../../../src/overlay-config/verified-configuration.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { createSigner, type Signer } from '../../../src/tls-auth/signer.ts';
import {
  afterTest,
  configurationOf,
  enrollJuliet,
  enrollOptions,
  JULIET,
  newAuthority,
  newAuthorityState,
  PASSWORD,
  serve,
  temporaryDirectory,
} from '../authority/authority-fixture.ts';
import { ManualTime } from '../manual-time.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const WRITER = fileURLToPath(new URL('identity-writer.ts', import.meta.url));

/** An authority whose certificates last ten days, and its clock. */
async function tenDays(agoMs: number) {
  const clock = { behindMs: agoMs, nowUnixMs: () => Date.now() - clock.behindMs };
  const authority = await newAuthority(clock, { ...clock, certificateDays: 10 });
  return { authority, clock };
}

interface Renewed {
  readonly signer: Signer;
  readonly credentials: LinkCredentials;
}

/** A peer's renewal, on the machine's present but with timers that wait for the test. */
async function renewalOf(
  authority: RunningAuthority,
  identity: EnrolledIdentity,
  change: Partial<VerifiedConfiguration> = {},
  others: Partial<IdentityRenewalOptions> = {},
) {
  const { configuration, authenticator } = await configurationOf(authority);
  const directory = await temporaryDirectory();
  await saveIdentity(directory, identity);
  const time = new ManualTime(Date.now());
  const renewed: Renewed[] = [];
  const renewal = new IdentityRenewal({
    stateDirectory: directory,
    credentials: identity,
    signer: createSigner(identity.node, identity.node.nodeId, identity.privateKey),
    authenticator,
    configuration: () => ({ ...configuration, ...change }),
    trust: authority.trustedCertificates,
    renewed: (signer, credentials) => renewed.push({ signer, credentials }),
    log: silentLog,
    time,
    ...others,
  });
  afterTest(() => renewal.stop());
  return { renewal, time, renewed, directory };
}

/** Fires the timer and waits until that try has ended. */
async function attempt(renewal: IdentityRenewal, time: ManualTime): Promise<void> {
  const tries = () => renewal.status.renewals + renewal.status.failures;
  const before = tries();
  time.fireNext();
  await vi.waitFor(() => expect(tries()).toBe(before + 1), { timeout: 20_000 });
}

describe('a certificate in force is renewed', () => {
  it('at two thirds of its life, and not before, also when timers come early', async () => {
    const { authority } = await tenDays(0);
    const identity = await enrollJuliet(authority);
    const { renewal, time } = await renewalOf(authority, identity);
    time.chance = 0;
    renewal.start();
    const { notBeforeUnixMs } = identity.node.certificate;
    const { validUntilUnixMs } = identity.node;
    const due = notBeforeUnixMs + ((validUntilUnixMs - notBeforeUnixMs) * 2) / 3;
    expect(renewal.status.nextTryUnixMs).toBe(due);
    for (let hour = 0; hour < 100; hour++) {
      expect(time.pendingMs).toEqual([HOUR_MS]);
      time.fireNext();
    }
    expect(renewal.status).toMatchObject({ renewals: 0, failures: 0, fault: undefined });
  });

  it.each(KEY_TYPES)('with a new %s key, which is on disk with it', async (keyType) => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority, { keyType });
    clock.behindMs = 0;
    const { renewal, time, renewed, directory } = await renewalOf(authority, identity);
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status).toMatchObject({ renewals: 1, failures: 0, fault: undefined });
    const [{ signer, credentials }] = renewed as [Renewed];
    expect(signer.nodeId).toBe(identity.node.nodeId);
    expect(signer.node.validUntilUnixMs).toBeGreaterThan(
      identity.node.validUntilUnixMs + 6.9 * DAY_MS,
    );
    expect(credentials.privateKey.equals(identity.privateKey)).toBe(false);
    const { asymmetricKeyType } = credentials.privateKey;
    expect(asymmetricKeyType).toBe(identity.privateKey.asymmetricKeyType);
    const stored = await loadIdentity(directory);
    expect(stored?.chain).toEqual(credentials.chain.map((der) => new Uint8Array(der)));
    expect(stored?.privateKey.equals(credentials.privateKey)).toBe(true);
    // And the next time counts from now.
    const left = (renewal.status.nextTryUnixMs ?? 0) - time.now;
    expect(left).toBeGreaterThan(6 * DAY_MS);
    expect(left).toBeLessThan(7 * DAY_MS);
  });
});

describe('a certificate that is not renewed', () => {
  it('stays in force while the authority is away, and is tried again until that is back', async () => {
    const clock = { behindMs: 8 * DAY_MS, nowUnixMs: () => Date.now() - clock.behindMs };
    const { nowUnixMs } = clock;
    const state = await newAuthorityState({ nowUnixMs, certificateDays: 10 });
    const authority = await serve(state, { nowUnixMs });
    await authority.addUser(JULIET, PASSWORD);
    const identity = await enrollJuliet(authority);
    const { renewal, time, renewed, directory } = await renewalOf(authority, identity);
    await authority.close();
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status).toMatchObject({ renewals: 0, failures: 1, isUrgent: true });
    expect(renewal.status.fault).toContain('cannot be reached');
    const { pendingMs } = time;
    expect(pendingMs[0]).toBeGreaterThanOrEqual(30_000);
    expect(pendingMs[0]).toBeLessThanOrEqual(60_000);
    await attempt(renewal, time);
    expect(time.pendingMs[0]).toBeGreaterThanOrEqual(60_000);
    expect(renewed).toEqual([]);
    expect((await loadIdentity(directory))?.privateKey.equals(identity.privateKey)).toBe(true);
    clock.behindMs = 0;
    await serve(state, { nowUnixMs, listen: authority.listenAddress });
    await attempt(renewal, time);
    expect(renewal.status).toMatchObject({ renewals: 1, failures: 2, fault: undefined });
    expect(renewal.status.isUrgent).toBe(false);
  });

  it('says so when it is revoked, and the files stay as they are', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    await authority.revoke(identity.node.nodeId, 'keyCompromise');
    const { renewal, time, renewed, directory } = await renewalOf(authority, identity);
    const before = await readFile(join(directory, 'identity.pem'), 'utf8');
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status.fault).toContain('revoked');
    expect(renewal.status.fault).toContain('enroll anew');
    expect(renewed).toEqual([]);
    expect(await readFile(join(directory, 'identity.pem'), 'utf8')).toBe(before);
  });

  it('says so when the authority gives one that ends no later, and asks with another key', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs += 60_000;
    const { renewal, time, directory } = await renewalOf(authority, identity);
    const key = await pendingPrivateKey(directory, 'p256');
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status.fault).toContain('ends no later');
    expect((await pendingPrivateKey(directory, 'p256')).equals(key)).toBe(false);
  });
});

describe('a renewed certificate that would not count', () => {
  it('waits for the revocation lists that it rests on, and is asked for by the same key', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const decided = vi.fn().mockRejectedValueOnce(new Error('no list decides'));
    const { renewal, time, renewed, directory } = await renewalOf(
      authority,
      identity,
      {},
      {
        decided,
      },
    );
    const key = await pendingPrivateKey(directory, 'p256');
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status).toMatchObject({ renewals: 0, failures: 1, fault: 'no list decides' });
    expect((await loadIdentity(directory))?.privateKey.equals(identity.privateKey)).toBe(true);
    await attempt(renewal, time);
    expect(renewed[0]?.credentials.privateKey.equals(key)).toBe(true);
  });

  it('is not waited for when the peer stops while its list is fetched', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const decided = vi.fn(
      (_: readonly Uint8Array[], signal: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    const { renewal, time, renewed } = await renewalOf(authority, identity, {}, { decided });
    renewal.start();
    time.fireNext();
    await vi.waitFor(() => expect(decided).toHaveBeenCalled(), { timeout: 20_000 });
    await renewal.stop();
    expect(renewed).toEqual([]);
  });

  it('is not taken, and asked for with another key: by then its root may have gone', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const { authenticator } = await configurationOf(authority);
    const { trustSettings } = authenticator;
    const without = new Authenticator({ ...trustSettings, rootCertificates: [] });
    const authenticate: Authenticator['authenticate'] = (...args) => without.authenticate(...args);
    const others = { authenticator: { trustSettings, authenticate } };
    const { renewal, time, renewed, directory } = await renewalOf(authority, identity, {}, others);
    const key = await pendingPrivateKey(directory, 'p256');
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status.fault).toMatch(/does not count here \(no-path/);
    expect(renewed).toEqual([]);
    expect((await loadIdentity(directory))?.privateKey.equals(identity.privateKey)).toBe(true);
    expect((await pendingPrivateKey(directory, 'p256')).equals(key)).toBe(false);
  });
});

describe('a crash while a certificate is renewed', () => {
  it('before the answer is on disk: the same key gets the same certificate', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const { renewal, time, renewed, directory } = await renewalOf(authority, identity);
    const newPrivateKey = await pendingPrivateKey(directory, 'p256');
    const lost = await renew({ ...(await enrollOptions(authority)), identity, newPrivateKey });
    expect((await loadIdentity(directory))?.privateKey.equals(identity.privateKey)).toBe(true);
    renewal.start();
    await attempt(renewal, time);
    expect(renewed[0]?.signer.node.certificate.sha256).toBe(lost.node.certificate.sha256);
  });

  it('before the pending key is forgotten: the next renewal makes another', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const { renewal, time, renewed, directory } = await renewalOf(authority, identity);
    const pem = identity.privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(join(directory, 'pending-key.pem'), pem, { mode: 0o600 });
    renewal.start();
    await attempt(renewal, time);
    expect(renewed[0]?.credentials.privateKey.equals(identity.privateKey)).toBe(false);
  });

  it('at any moment leaves one valid identity', async () => {
    const directory = await temporaryDirectory();
    const seen = new Set<string>();
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', WRITER, directory]);
      const ended = once(child, 'exit');
      for (let saved = 0; saved < 2 + (round % 3); saved++) await once(child.stdout, 'data');
      await delay(round % 4);
      child.kill('SIGKILL');
      await ended;
      // Key and certificate belong together, or this throws.
      const identity = await loadIdentity(directory);
      seen.add(String(identity?.privateKey.export({ type: 'pkcs8', format: 'pem' })));
    }
    expect(seen.size).toBe(8);
  }, 60_000);
});

describe('of several enrollment servers', () => {
  it('the next is asked where one cannot be reached or is not trusted', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const other = await newAuthority();
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const dead = 'https://127.0.0.1:1/enroll';
    const enrollmentServers = [dead, other.enrollmentUrl, authority.enrollmentUrl];
    const { renewal, time } = await renewalOf(authority, identity, { enrollmentServers });
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status).toMatchObject({ renewals: 1, failures: 0 });
  });

  it('none is named: that is said', async () => {
    const { authority, clock } = await tenDays(7 * DAY_MS);
    const identity = await enrollJuliet(authority);
    clock.behindMs = 0;
    const change = { enrollmentServers: [] };
    const { renewal, time } = await renewalOf(authority, identity, change);
    renewal.start();
    await attempt(renewal, time);
    expect(renewal.status.fault).toContain('names no enrollment server');
  });
});
