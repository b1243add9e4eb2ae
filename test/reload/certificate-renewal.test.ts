import { describe, expect, it } from 'vitest';
import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import type { Command, CommandOutcome } from '../../src/reload/command.ts';
import type { PeerEvent } from '../../src/reload/peer-event.ts';
import { nodeMultipleResourceId, resourceIdOf } from '../../src/storage/resource-name.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { FrameType } from '../../src/wire/framed-message.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';
import { ARRAY_INDEX_END } from '../../src/wire/stored-data.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const MINUTE_MS = 60_000;
const DIGITS = ['1a', '3c', '5e', '7a', '9c', 'be', 'da', 'f0'];

/** An overlay whose certificates end `livesMs` after the beginning. */
function shortLivedOverlay(livesMs: number, count = DIGITS.length, latencyMs = 10): VirtualOverlay {
  const overlay = new VirtualOverlay({ latencyMs });
  for (const [index, digits] of DIGITS.slice(0, count).entries()) {
    overlay.join(digits, { signer: newSigner(overlay, digits, index, livesMs) });
  }
  // Until who had copies while the ring grew has none any more.
  overlay.runFor(5 * MINUTE_MS);
  return overlay;
}

function newSigner(overlay: VirtualOverlay, digits: string, index: number, livesMs: number) {
  const nodeId = digits.padEnd(32, '0') as NodeId;
  const notAfterUnixMs = TEST_UNIX_MS + livesMs;
  return overlay.newSigner(nodeId, `user${index}@example.org`, { notAfterUnixMs });
}

/** As a host does it: new links show the new certificate, then the Peer hears of it. */
function renew(overlay: VirtualOverlay, peer: VirtualPeer, livesMs: number): Signer {
  peer.signer = newSigner(overlay, peer.name, overlay.peers.indexOf(peer), livesMs);
  overlay.handle(peer, { type: 'renewed', signer: peer.signer });
  return peer.signer;
}

function isRenewed(peer: VirtualPeer): boolean {
  const { values, links } = peer.peer.status().formerCertificate;
  return values === 0 && links === 0;
}

function eventsOf<T extends PeerEvent['type']>(peer: VirtualPeer, type: T) {
  return peer.events.filter((event) => event.type === type) as Extract<PeerEvent, { type: T }>[];
}

/** Peers that store anything that was signed with this certificate. */
function holders(overlay: VirtualOverlay, { node }: Signer): string[] {
  const bytes = Buffer.from(node.certificate.der);
  const holding = overlay.peers.filter(({ options: { store } }) =>
    store.resourceIds().some((resource) => {
      const certificates = store.exportResource(resource, overlay.now)?.certificates ?? [];
      return certificates.some(({ certificate }) => bytes.equals(certificate));
    }),
  );
  return holding.map(({ name }) => name);
}

/** What is wrong with the neighbours of a peer; undefined: nothing. */
function ringFault(overlay: VirtualOverlay, peer: VirtualPeer): string | undefined {
  const all = overlay.peers.map(({ nodeId }) => nodeId).sort();
  const at = all.indexOf(peer.nodeId);
  const { successors, predecessors } = peer.peer.neighbors();
  const next = all[(at + 1) % all.length];
  const previous = all.at(at - 1);
  if (successors[0] === next && predecessors[0] === previous) return undefined;
  return `${peer.name}: ${predecessors[0]} and ${successors[0]}, not ${previous} and ${next}`;
}

describe('A renewed certificate of a running peer (RFC 6940 §7, §8)', () => {
  it('replaces the old one at every holder: nothing hangs on the old certificate', () => {
    const overlay = shortLivedOverlay(60 * MINUTE_MS);
    const [asker, peer] = overlay.peers as [VirtualPeer, VirtualPeer];
    const former = peer.signer;
    expect(holders(overlay, former).length).toBeGreaterThan(0);
    const { node } = renew(overlay, peer, 120 * MINUTE_MS);
    expect(eventsOf(peer, 'renewed')).toEqual([
      { type: 'renewed', notAfterUnixMs: TEST_UNIX_MS + 120 * MINUTE_MS },
    ]);
    expect(overlay.runUntil(() => isRenewed(peer), MINUTE_MS)).toBe(true);
    overlay.runFor(5_000);
    expect(holders(overlay, former)).toEqual([]);
    const lookups: Command[] = [
      { type: 'lookupByNodeId', nodeId: peer.nodeId },
      { type: 'lookupByUserName', userName: node.userName },
    ];
    for (const lookup of lookups) {
      const { nodes } = overlay.result(asker, lookup, 'certificates');
      expect(nodes.map(({ certificate }) => certificate.sha256)).toEqual([node.certificate.sha256]);
    }
    const locate = { type: 'locate', userName: node.userName } as const;
    const { locations } = overlay.result(asker, locate, 'locations');
    expect(locations.map(({ signer }) => signer.certificate.sha256)).toEqual([
      node.certificate.sha256,
    ]);
  });

  it('leaves no second entry of the same node, however it came there', () => {
    const overlay = shortLivedOverlay(60 * MINUTE_MS, 4);
    const [asker, peer] = overlay.peers as [VirtualPeer, VirtualPeer];
    const former = peer.signer;
    const kind = KindIds.certificateByNode;
    const resource = resourceIdOf(nodeIdBytes(peer.nodeId));
    const place = { model: 'array', index: ARRAY_INDEX_END } as const;
    const value = former.node.certificate.der;
    const values = [{ kind, place, value, lifetimeSeconds: 3_600 }];
    overlay.result(peer, { type: 'store', resource, values }, 'stored');
    const lookup = { type: 'lookupByNodeId', nodeId: peer.nodeId } as const;
    renew(overlay, peer, 120 * MINUTE_MS);
    expect(overlay.runUntil(() => isRenewed(peer), MINUTE_MS)).toBe(true);
    overlay.runFor(5_000);
    expect(holders(overlay, former)).toEqual([]);
    expect(overlay.result(asker, lookup, 'certificates').nodes).toHaveLength(1);
  });

  it('signs values anew that an application stored, with what is left of their lifetime', () => {
    const overlay = shortLivedOverlay(600 * MINUTE_MS, 4);
    const [asker, peer] = overlay.peers as [VirtualPeer, VirtualPeer];
    const kind = KindIds.turnService;
    const resource = nodeMultipleResourceId(peer.nodeId, 2);
    const value = Uint8Array.from([1, 2, 0, 6, 1, 127, 0, 0, 1, 13, 150]);
    const place = { model: 'single' } as const;
    const values = [{ kind, place, value, lifetimeSeconds: 7_200 }];
    overlay.result(peer, { type: 'store', resource, values }, 'stored');
    overlay.runFor(10 * MINUTE_MS);
    const former = peer.signer;
    const { node } = renew(overlay, peer, 700 * MINUTE_MS);
    expect(overlay.runUntil(() => isRenewed(peer), MINUTE_MS)).toBe(true);
    overlay.runFor(60 * MINUTE_MS);
    expect(holders(overlay, former)).toEqual([]);
    const specifiers = [{ kind, specifier: place }];
    const fetched = overlay.result(asker, { type: 'fetch', resource, specifiers }, 'values');
    expect(fetched.values).toHaveLength(1);
    expect(fetched.values[0]?.signer?.certificate.sha256).toBe(node.certificate.sha256);
    expect(fetched.values[0]?.value).toEqual(value);
    expect(fetched.values[0]?.lifetimeSeconds).toBeLessThan(7_200 - 70 * 60 + 60);
  });

  it('of every peer in turn costs no lookup and no neighbour, beyond the end of the old ones', () => {
    const overlay = shortLivedOverlay(40 * MINUTE_MS);
    const outcomes: (() => CommandOutcome | undefined)[] = [];
    const faults: string[] = [];
    let turn = 0;
    for (let minute = 5; minute < 60; minute++) {
      const renewing = overlay.peers[(minute - 20) / 2];
      if (renewing !== undefined) renew(overlay, renewing, 180 * MINUTE_MS);
      for (let second = 0; second < 60; second += 5) {
        const asker = overlay.peers[turn % 8] as VirtualPeer;
        const target = overlay.peers[(turn * 3 + 1) % 8] as VirtualPeer;
        turn++;
        const { nodeId } = target;
        outcomes.push(overlay.command(asker, { type: 'lookupByNodeId', nodeId }));
        overlay.runFor(5_000);
        for (const peer of overlay.peers) {
          const fault = ringFault(overlay, peer);
          if (fault !== undefined) faults.push(`minute ${minute}: ${fault}`);
        }
      }
    }
    overlay.runFor(20_000);
    expect(faults).toEqual([]);
    expect(outcomes.filter((outcome) => outcome()?.ok !== true)).toEqual([]);
    for (const peer of overlay.peers) {
      expect(isRenewed(peer)).toBe(true);
      const reasons = eventsOf(peer, 'linkClosed').map(({ reason }) => reason);
      expect(reasons).not.toContain('its certificate has expired');
    }
  });

  it('is shown on links made anew one after another, each before the old one goes', () => {
    const overlay = shortLivedOverlay(60 * MINUTE_MS);
    const peer = overlay.peers[3] as VirtualPeer;
    const linksOf = () => peer.peer.status().links;
    overlay.runFor(MINUTE_MS);
    const before = linksOf();
    const nodes = new Set(before.map(({ nodeId }) => nodeId));
    renew(overlay, peer, 120 * MINUTE_MS);
    let doubledMax = 0;
    const isDone = () => {
      const ids = linksOf().map(({ nodeId }) => nodeId);
      for (const nodeId of nodes) expect(ids).toContain(nodeId);
      doubledMax = Math.max(doubledMax, ids.length - new Set(ids).size);
      return peer.peer.status().formerCertificate.links === 0;
    };
    expect(overlay.runUntil(isDone, 2 * MINUTE_MS)).toBe(true);
    const former = before.map(({ link }) => link);
    expect(linksOf().filter(({ link }) => former.includes(link))).toEqual([]);
    expect(doubledMax).toBeGreaterThan(0);
    expect(doubledMax).toBeLessThan(before.length);
    for (const other of overlay.peers) expect(eventsOf(other, 'joinFailed')).toEqual([]);
  });

  it('costs no neighbour where answers come late, after the older link has lingered', () => {
    const overlay = shortLivedOverlay(600 * MINUTE_MS, 5, 1_100);
    for (const peer of overlay.peers) {
      const before = overlay.peers.map((one) => eventsOf(one, 'neighborsChanged').length);
      renew(overlay, peer, 900 * MINUTE_MS);
      expect(overlay.runUntil(() => isRenewed(peer), 5 * MINUTE_MS)).toBe(true);
      overlay.runFor(20_000);
      expect(overlay.peers.map((one) => eventsOf(one, 'neighborsChanged').length)).toEqual(before);
      expect(ringFault(overlay, peer)).toBeUndefined();
    }
  });

  it('costs no neighbour that something is sent to while the older link closes', () => {
    const overlay = shortLivedOverlay(600 * MINUTE_MS, 2, 300);
    const [smaller, larger] = overlay.peers as [VirtualPeer, VirtualPeer];
    const linkCount = () => smaller.peer.status().links.length;
    renew(overlay, smaller, 900 * MINUTE_MS);
    // What the larger Node-ID sent last over the older link makes the other end prefer that.
    for (let tries = 0; linkCount() < 2 && tries < 100; tries++) {
      overlay.command(larger, { type: 'ping', nodeId: smaller.nodeId });
      overlay.runFor(20);
    }
    expect(linkCount()).toBe(2);
    const before = eventsOf(smaller, 'neighborsChanged').length;
    // Nothing but acknowledgements comes any more, so it goes on preferring it.
    larger.intercept = (bytes) => (bytes[0] === FrameType.data ? undefined : bytes);
    // The larger one closes the older link after 2 s; this is on its way over it then.
    overlay.runFor(2_100);
    const pinged = overlay.command(smaller, { type: 'ping', nodeId: larger.nodeId });
    overlay.runFor(400);
    expect(linkCount()).toBe(1);
    expect(eventsOf(smaller, 'neighborsChanged')).toHaveLength(before);
    larger.intercept = undefined;
    overlay.runFor(10_000);
    expect(pinged()?.ok).toBe(true);
  });

  it('is shown before the old one ends also to a client that nobody can connect to', () => {
    const overlay = shortLivedOverlay(30 * MINUTE_MS, 3);
    const nobody = { type: 'ipv4', address: Uint8Array.of(10, 9, 9, 9), port: 6084 } as const;
    const client = overlay.join('44', { role: 'client', addresses: [nobody] });
    const [link] = client.peer.status().links;
    const peers = overlay.peers.slice(0, 3);
    overlay.runFor(10 * MINUTE_MS);
    for (const peer of peers) renew(overlay, peer, 120 * MINUTE_MS);
    overlay.runFor(30 * MINUTE_MS);
    const [later] = client.peer.status().links;
    expect(later?.nodeId).toBe(link?.nodeId);
    expect(later?.link).not.toBe(link?.link);
    expect(client.peer.status().state).toBe('joined');
    const reasons = eventsOf(client, 'linkClosed').map(({ reason }) => reason);
    expect(reasons).not.toContain('its certificate has expired');
  });

  it('that comes while values are stored is in force for them as well', () => {
    const overlay = shortLivedOverlay(60 * MINUTE_MS, 4);
    const peer = overlay.peers[2] as VirtualPeer;
    const former = peer.signer;
    renew(overlay, peer, 120 * MINUTE_MS);
    overlay.runFor(15);
    const between = peer.signer;
    renew(overlay, peer, 180 * MINUTE_MS);
    expect(overlay.runUntil(() => isRenewed(peer), 2 * MINUTE_MS)).toBe(true);
    overlay.runFor(5_000);
    for (const old of [former, between]) expect(holders(overlay, old)).toEqual([]);
    expect(holders(overlay, peer.signer).length).toBeGreaterThan(0);
  });
});

describe('What is no renewal', () => {
  const overlay = shortLivedOverlay(60 * MINUTE_MS, 2);
  const [peer] = overlay.peers as [VirtualPeer];
  const notAfterUnixMs = TEST_UNIX_MS + 120 * MINUTE_MS;
  const cases: readonly [string, () => Signer, string][] = [
    [
      'a certificate of another node',
      () => overlay.newSigner('99'.padEnd(32, '0') as NodeId, 'user0@example.org'),
      'other-node',
    ],
    [
      'a certificate of another user',
      () => overlay.newSigner(peer.nodeId, 'eve@example.org', { notAfterUnixMs }),
      'other-user',
    ],
    [
      'a certificate that ends no later',
      () => newSigner(overlay, '1a', 0, 50 * MINUTE_MS),
      'not-later',
    ],
    [
      'a certificate of another authority',
      () => newSigner(new VirtualOverlay(), '1a', 0, 120 * MINUTE_MS),
      'certificate-refused',
    ],
  ];

  it.each(cases)('%s is refused, and the present one stays in force', (_, make, code) => {
    const before = peer.peer.status().certificateNotAfterUnixMs;
    overlay.handle(peer, { type: 'renewed', signer: make() });
    const refused = eventsOf(peer, 'renewalRefused').at(-1);
    expect(refused?.reason).toContain(`${code}: `);
    expect(peer.peer.status().certificateNotAfterUnixMs).toBe(before);
    expect(eventsOf(peer, 'renewed')).toEqual([]);
  });
});
