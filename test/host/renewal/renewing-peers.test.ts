import { describe, expect, it, vi } from 'vitest';
import { HttpApi } from '../../../src/host/http-api/http-api.ts';
import { loadIdentity } from '../../../src/host/identity-file.ts';
import type { PeerHost } from '../../../src/host/join-overlay.ts';
import { silentLog } from '../../../src/host/log.ts';
import { afterTest } from '../authority/authority-fixture.ts';
import { RenewingOverlay } from './renewing-overlay.ts';

const PATIENCE = { timeout: 90_000, interval: 100 };

async function certificateOf(asker: PeerHost, asked: PeerHost) {
  const { nodeId } = asked;
  const [node, ...more] = await asker.lookupCertificates({ nodeId });
  expect(more).toEqual([]);
  return node?.certificate;
}

/** The API of a peer at a port of the system's choice. */
async function apiOf(host: PeerHost): Promise<string> {
  const listen = { host: '127.0.0.1', port: 0 };
  const api = await HttpApi.open({ host, listen, token: 'a token', log: silentLog });
  afterTest(() => api.close());
  return api.url;
}

describe('peers over real TLS whose certificates end soon', () => {
  it('renew them while lookups go on, and show the new ones on every link', async () => {
    const overlay = await RenewingOverlay.enrolled(3, 240_000);
    const before = await Promise.all([1, 2, 3].map((n) => loadIdentity(overlay.state(n))));
    for (let number = 1; number <= 3; number++) await overlay.start();
    const { peers } = overlay;
    const isRenewed = (peer: PeerHost) => {
      const { formerCertificate, ownRecordsComplete } = peer.status();
      const { values, links } = formerCertificate;
      return peer.renewal?.renewals === 1 && ownRecordsComplete && values + links === 0;
    };
    let lookups = 0;
    const failures: unknown[] = [];
    await vi.waitFor(async () => {
      for (const asker of peers) {
        for (const asked of peers.filter((peer) => peer !== asker)) {
          lookups += 1;
          await certificateOf(asker, asked).catch((error: unknown) => failures.push(error));
        }
      }
      expect(peers.every(isRenewed)).toBe(true);
    }, PATIENCE);
    expect(failures).toEqual([]);
    expect(lookups).toBeGreaterThan(12);
    for (const [index, peer] of peers.entries()) {
      const asker = peers[(index + 1) % 3] as PeerHost;
      const former = before[index];
      const held = await loadIdentity(overlay.state(index + 1));
      const found = await certificateOf(asker, peer);
      expect(held?.privateKey.equals(former?.privateKey as never)).toBe(false);
      expect(found?.der).toEqual(held?.certificateDer);
      const left = (found?.notAfterUnixMs ?? 0) - Date.now();
      expect(left).toBeGreaterThan(20 * 3_600_000);
      expect(peer.status()).toMatchObject({ state: 'joined' });
      expect(peer.status().successors).toHaveLength(2);
    }
  }, 120_000);

  it('say in /readyz and the metrics that they cannot, before it hurts', async () => {
    const overlay = await RenewingOverlay.enrolled(2, 240_000);
    await overlay.authority.close();
    for (let number = 1; number <= 2; number++) await overlay.start();
    const [peer] = overlay.peers as [PeerHost];
    const url = await apiOf(peer);
    await vi.waitFor(async () => {
      const answer = await fetch(`${url}/readyz`);
      const problem = await answer.text();
      expect(answer.status).toBe(503);
      expect(problem).toContain('could not be renewed');
      expect(problem).toContain('cannot be reached');
    }, PATIENCE);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^xor_renewal_failures_total [1-9]/m);
    expect(metrics).toMatch(/^xor_ready 0$/m);
    const ends = /^xor_certificate_not_after_seconds (\d+)$/m.exec(metrics)?.[1];
    expect(Number(ends)).toBe(Math.floor((peer.renewal?.notAfterUnixMs ?? 0) / 1000));
    // It works on meanwhile.
    expect(await certificateOf(peer, overlay.peers[1] as PeerHost)).toBeDefined();
  }, 120_000);
});
