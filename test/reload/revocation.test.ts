import { describe, expect, test } from 'vitest';
import { TEST_UNIX_MS, type TestAuthority } from '../../sim/certificates/certificate-maker.ts';
import { entryOf, listNumber, makeList } from '../../sim/certificates/revocation-list-maker.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { RevocationLists } from '../../src/tls-auth/revocation-lists.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import { testConfiguration } from './virtual-configuration.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const DAY_MS = 86_400_000;
const DIGITS = ['1a', '4b', '7c', 'a0', 'd1'];

/** Five peers that each hold lists of their own, all attached to each other. */
function overlayWithLists() {
  const overlay = new VirtualOverlay();
  const lists = DIGITS.map(() => new RevocationLists({ policy: 'prefer' }));
  const peers = DIGITS.map((digits, at) => {
    const settings = trustSettingsOf(overlay.configuration);
    const authenticator = new Authenticator(settings, verifyWithKey, undefined, lists[at]);
    return overlay.join(digits, { authenticator });
  });
  overlay.runFor(60_000);
  /** Every peer's host has fetched this list. */
  const deliver = (der: Uint8Array) => {
    for (const [at, peer] of peers.entries()) {
      const [{ url } = { url: '' }] = lists[at]?.wanted() ?? [];
      const offered = lists[at]?.offer(url, der, overlay.now.unixMs);
      if (offered?.type === 'refused') throw new Error(offered.refusal.describe());
      overlay.handle(peer, { type: 'trustChanged' });
    }
  };
  return { overlay, peers, deliver };
}

function listOf(root: TestAuthority, number: number, revoked: readonly VirtualPeer[]): Uint8Array {
  const entries = revoked.map(({ signer }) =>
    entryOf(BigInt(`0x${signer.node.certificate.serialNumber}`), 'keyCompromise'),
  );
  return makeList(root, entries, ({ extensions }) => ({
    thisUpdateUnixMs: TEST_UNIX_MS,
    nextUpdateUnixMs: TEST_UNIX_MS + 7 * DAY_MS,
    extensions: { ...extensions, listNumber: listNumber(number) },
  }));
}

const certificateOf = (peer: VirtualPeer) => resourceIdOf(nodeIdBytes(peer.nodeId));

function valuesOf(holder: VirtualPeer, signer: VirtualPeer): number {
  const stored = holder.options.store.summary();
  return stored.filter(({ signerNodeId }) => signerNodeId === signer.nodeId).length;
}

function others(peers: readonly VirtualPeer[], one: VirtualPeer): VirtualPeer[] {
  return peers.filter((peer) => peer !== one);
}

/** Every other peer has dropped it: no link, none of its values, and it is not let in again. */
function expectDropped(overlay: VirtualOverlay, peers: readonly VirtualPeer[], gone: VirtualPeer) {
  for (const peer of others(peers, gone)) {
    expect(overlay.isConnected(peer, gone)).toBe(false);
    expect(valuesOf(peer, gone)).toBe(0);
    const { predecessors, successors, fingers } = peer.peer.status();
    expect([...predecessors, ...successors, ...fingers]).not.toContain(gone.nodeId);
  }
}

describe('A certificate that a new list revokes (RFC 5280 §6.3)', () => {
  test('its links close within the input, its values are gone and come not again', () => {
    const { overlay, peers, deliver } = overlayWithLists();
    const [first, revoked, third] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
    expect(others(peers, revoked).some((peer) => valuesOf(peer, revoked) > 0)).toBe(true);
    deliver(listOf(overlay.root, 1, []));
    expect(overlay.isConnected(first, revoked)).toBe(true);
    deliver(listOf(overlay.root, 2, [revoked]));
    for (const peer of others(peers, revoked)) {
      expect(overlay.isConnected(peer, revoked)).toBe(false);
      expect(valuesOf(peer, revoked)).toBe(0);
    }
    overlay.runFor(10 * 60_000);
    expectDropped(overlay, peers, revoked);
    expect(overlay.result(first, { type: 'ping', nodeId: third.nodeId }, 'pong')).toBeDefined();
  });

  test('a lookup says that it is revoked, since when and why', () => {
    const { overlay, peers, deliver } = overlayWithLists();
    const [first, revoked] = peers as [VirtualPeer, VirtualPeer];
    deliver(listOf(overlay.root, 1, [revoked]));
    overlay.runFor(60_000);
    const userName = revoked.signer.node.userName;
    for (const command of [
      { type: 'lookupByNodeId', nodeId: revoked.nodeId } as const,
      { type: 'lookupByUserName', userName } as const,
    ]) {
      const outcome = overlay.run(first, command);
      expect(outcome).toMatchObject({
        ok: false,
        failure: {
          code: 'revoked',
          detail: expect.stringContaining('revoked since 2025-11-03T00:00:00Z for keyCompromise'),
          revocation: { sinceUnixMs: Date.UTC(2025, 10, 3), reason: 'keyCompromise' },
        },
      });
    }
  });

  test('its Stores are refused by those who know, and it leaves when it hears of it', () => {
    const { overlay, peers, deliver } = overlayWithLists();
    const [, revoked] = peers as [VirtualPeer, VirtualPeer];
    const list = listOf(overlay.root, 1, [revoked]);
    deliver(list);
    overlay.runFor(60_000);
    expect(revoked.peer.state).toMatch(/leaving|stopped/);
  });

  test('a list that comes while a peer still talks to it: the Store is not carried out', () => {
    const { overlay, peers } = overlayWithLists();
    const [first, , third] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
    const { revocation } = first.options.authenticator;
    const [{ url } = { url: '' }] = revocation?.wanted() ?? [];
    // Only the responsible peers' lists change; no `trustChanged` was delivered yet.
    for (const peer of others(peers, third)) {
      const { revocation: lists } = peer.options.authenticator;
      lists?.offer(url, listOf(overlay.root, 1, [third]), overlay.now.unixMs);
    }
    const outcome = overlay.run(third, {
      type: 'store',
      resource: certificateOf(third),
      values: [
        {
          kind: KindIds.certificateByNode,
          place: { model: 'array', index: 0 },
          value: third.signer.node.certificate.der,
          lifetimeSeconds: 3600,
        },
      ],
    });
    expect(outcome.ok).toBe(false);
  });
});

describe('While a list spreads (RFC 6940 §6.2.1)', () => {
  test('a Fetch that a revoked peer answers goes on at once to whoever is behind it', () => {
    const { overlay, peers } = overlayWithLists();
    const ring = [...peers].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    const ownerOf = (target: VirtualPeer) =>
      ring.find(({ nodeId }) => (nodeId as string) >= certificateOf(target)) ??
      (ring[0] as VirtualPeer);
    const target = peers.find((peer) => ownerOf(peer) !== peer) as VirtualPeer;
    const revoked = ownerOf(target);
    const asker = peers.find((peer) => peer !== target && peer !== revoked) as VirtualPeer;
    const { revocation } = asker.options.authenticator;
    const [{ url } = { url: '' }] = revocation?.wanted() ?? [];
    revocation?.offer(url, listOf(overlay.root, 1, [revoked]), overlay.now.unixMs);
    overlay.handle(asker, { type: 'trustChanged' });
    const { nodeId } = target;
    const outcome = overlay.command(asker, { type: 'lookupByNodeId', nodeId });
    // Before any timer could have it transmitted again.
    overlay.runFor(overlay.configuration.overlayReliabilityTimerMs - 100);
    expect(outcome()).toMatchObject({ ok: true, result: { nodes: [{ nodeId }] } });
  });
});

describe('A bad-node of a new configuration (RFC 6940 §11.1)', () => {
  test('its links close within the input, and its stored values are gone', () => {
    const { overlay, peers } = overlayWithLists();
    const [, bad] = peers as [VirtualPeer, VirtualPeer];
    expect(others(peers, bad).some((peer) => valuesOf(peer, bad) > 0)).toBe(true);
    const badNodes = [bad.nodeId];
    const configuration = testConfiguration(overlay.root, { sequence: 2, badNodes });
    for (const peer of others(peers, bad)) {
      overlay.handle(peer, { type: 'configuration', configuration });
      expect(overlay.isConnected(peer, bad)).toBe(false);
      expect(valuesOf(peer, bad)).toBe(0);
    }
    overlay.runFor(10 * 60_000);
    expectDropped(overlay, peers, bad);
  });
});

describe('A list that was seen and is not renewed', () => {
  test('a day after nextUpdate links close, but no value is thrown away', () => {
    const { overlay, peers, deliver } = overlayWithLists();
    const [first, second] = peers as [VirtualPeer, VirtualPeer];
    const brief = makeList(overlay.root, [], () => ({
      thisUpdateUnixMs: TEST_UNIX_MS - 2 * DAY_MS,
      nextUpdateUnixMs: TEST_UNIX_MS - DAY_MS + 20 * 60_000,
    }));
    deliver(brief);
    const before = valuesOf(first, second) + valuesOf(second, first);
    overlay.runFor(60_000);
    expect(first.peer.status().links).not.toHaveLength(0);
    const areClosed = () => first.peer.status().links.length === 0;
    expect(overlay.runUntil(areClosed, 30 * 60_000)).toBe(true);
    expect(first.peer.status().certificateRefusal).toContain('revocation-undetermined');
    overlay.handle(first, { type: 'trustChanged' });
    expect(valuesOf(first, second) + valuesOf(second, first)).toBeGreaterThanOrEqual(before);
  });
});
