import { describe, expect, it } from 'vitest';
import { makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  signConfiguration,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../src/overlay-config/configuration-trust.ts';
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import { BUILT_IN_KINDS } from '../../src/overlay-config/registered-kinds.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { encode } from '../../src/wire/codec.ts';
import { ConfigUpdateReq } from '../../src/wire/config-update.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { fromHex } from '../../src/wire/hex.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { forge, framed } from '../rfc6940/forged-message.ts';
import { makeSigner } from '../tls-auth/test-node.ts';
import { OVERLAY } from './virtual-configuration.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const root = makeRoot();
const secondRoot = makeRoot({ name: 'Second root' });
const administrator = makeSigner(root, {
  nodeId: 'ad'.repeat(16) as NodeId,
  jid: 'admin@example.org',
});
const stranger = makeSigner(root, {
  nodeId: 'ee'.repeat(16) as NodeId,
  jid: 'mallory@example.org',
});
const base = {
  instanceName: OVERLAY,
  rootCertificates: [root.certificate, secondRoot.certificate],
  configurationSigners: [administrator.nodeId],
  kindSigners: [administrator.nodeId],
  noIce: true,
  maxMessageSizeBytes: 65_536,
};
const PRIVATE_KIND = 0xf000_0001;
const privateKind = (maxSizeBytes: number) =>
  buildKindBlock(
    {
      kindId: PRIVATE_KIND,
      dataModel: 'single',
      accessPolicy: 'USER-MATCH',
      maxCount: 1,
      maxSizeBytes,
      findAllowed: true,
    },
    administrator,
  );

function signed(sequence: number, change: Partial<ConfigurationContent> = {}, by = administrator) {
  return signConfiguration(buildConfiguration({ ...base, sequence, ...change }), by);
}

/** What the host of a peer gives it, as fetched and verified. */
function fetched(
  sequence: number,
  change: Partial<ConfigurationContent> = {},
): VerifiedConfiguration {
  const parsed = parseConfigurationDocument(signed(sequence, change), OVERLAY);
  if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
  return trustInitialConfiguration(parsed);
}

/** A ring of six, of which the last two have certificates of the second root. */
function ring(): { overlay: VirtualOverlay; peers: VirtualPeer[]; ofSecond: VirtualPeer[] } {
  const overlay = new VirtualOverlay({ root, configuration: { ...base, sequence: 1 } });
  const join = (place: string) => overlay.join(place);
  const peers = ['1', '3', '6', '9'].map(join);
  const ofSecond = ['b', 'e'].map((place) => {
    const nodeId = place.padEnd(32, '0') as NodeId;
    const signer = makeSigner(secondRoot, { nodeId, jid: `user-${place}@example.org` });
    return overlay.join(place, { signer });
  });
  overlay.runFor(5_000);
  return { overlay, peers, ofSecond };
}

const sequenceOf = ({ peer }: VirtualPeer) => peer.status().configurationSequence;

function give(overlay: VirtualOverlay, to: VirtualPeer, configuration: VerifiedConfiguration) {
  overlay.handle(to, { type: 'configuration', configuration });
}

/** Stores a value of the private Kind under the own user name. */
function store(overlay: VirtualOverlay, by: VirtualPeer, bytes: number, kind = PRIVATE_KIND) {
  const resource = resourceIdOf(by.signer.node.userName);
  const value = new Uint8Array(bytes).fill(7);
  const values = [{ kind, place: { model: 'single' as const }, value, lifetimeSeconds: 3_600 }];
  return overlay.run(by, { type: 'store', resource, values });
}

describe('RFC 6940 §6.5.4, a new configuration reaches every live peer', () => {
  it('within seconds of the first peer that has it, though nobody asks for anything', () => {
    const { overlay, peers, ofSecond } = ring();
    give(overlay, peers[0] as VirtualPeer, fetched(2));
    overlay.runFor(2_000);
    expect([...peers, ...ofSecond].map(sequenceOf)).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it('also when the next but one follows at once', () => {
    const { overlay, peers, ofSecond } = ring();
    for (const sequence of [2, 3, 4]) {
      give(overlay, peers[sequence - 2] as VirtualPeer, fetched(sequence));
      overlay.runFor(1_000);
    }
    overlay.runFor(1_000);
    expect([...peers, ...ofSecond].map(sequenceOf)).toEqual([4, 4, 4, 4, 4, 4]);
  });

  it('and one that is not newer than what a peer has changes nothing there', () => {
    const { overlay, peers } = ring();
    const [first] = peers as [VirtualPeer];
    give(overlay, first, fetched(5));
    give(overlay, first, fetched(4, { badNodes: [peers[1]?.nodeId ?? ''] }));
    expect(sequenceOf(first)).toBe(5);
    expect(peers[1] && overlay.isConnected(first, peers[1])).toBe(true);
  });

  it('keeps Kinds that came by ConfigUpdate, also when it was fetched from a server', () => {
    const { overlay, peers, ofSecond } = ring();
    const [first] = peers as [VirtualPeer];
    const body = encode(ConfigUpdateReq, { type: 'kind', kinds: [privateKind(10)] });
    const header = { configurationSequence: 65_535 };
    for (const to of [...peers, ...ofSecond]) {
      const from = to === first ? (peers[1] as VirtualPeer) : first;
      const destination = [nodeDestination(to.nodeId)];
      const request = { to: destination, code: MessageCode.configUpdateReq, body, header };
      overlay.inject(to, from, framed(forge(from, request)));
    }
    overlay.runFor(100);
    expect(store(overlay, first, 10).ok).toBe(true);
    give(overlay, first, fetched(2));
    overlay.runFor(2_000);
    expect(store(overlay, first, 10).ok).toBe(true);
  });
});

describe('a root that goes', () => {
  it('closes the links of its leaves everywhere, and their values are served no more', () => {
    const { overlay, peers, ofSecond } = ring();
    const [first] = peers as [VirtualPeer];
    const [gone] = ofSecond as [VirtualPeer];
    const lookup = { type: 'lookupByNodeId', nodeId: gone.nodeId } as const;
    expect(overlay.run(first, lookup).ok).toBe(true);
    give(overlay, first, fetched(2, { rootCertificates: [root.certificate] }));
    overlay.runFor(2_000);
    for (const peer of peers) {
      expect(sequenceOf(peer)).toBe(2);
      for (const other of ofSecond) expect(overlay.isConnected(peer, other)).toBe(false);
      const signers = peer.options.store.summary().map(({ signerNodeId }) => signerNodeId);
      for (const { nodeId } of ofSecond) expect(signers).not.toContain(nodeId);
      expect(overlay.run(peer, lookup)).toMatchObject({ ok: false });
    }
  });

  it('does not disturb lookups between those that remain', () => {
    const { overlay, peers } = ring();
    const [first] = peers as [VirtualPeer];
    const asked = peers.flatMap((peer) =>
      peers.map(({ nodeId }) => overlay.command(peer, { type: 'lookupByNodeId', nodeId })),
    );
    give(overlay, first, fetched(2, { rootCertificates: [root.certificate] }));
    overlay.runFor(30_000);
    expect(asked.map((outcome) => outcome()?.ok)).toEqual(asked.map(() => true));
    for (const peer of peers) {
      for (const { nodeId } of peers) {
        expect(overlay.run(peer, { type: 'lookupByNodeId', nodeId }).ok).toBe(true);
      }
    }
  });

  it('makes a peer leave whose own certificate is of it, and say why', () => {
    const { overlay, ofSecond } = ring();
    const [gone] = ofSecond as [VirtualPeer];
    give(overlay, gone, fetched(2, { rootCertificates: [root.certificate] }));
    expect(overlay.runUntil(() => gone.peer.state === 'stopped', 60_000)).toBe(true);
    const reasons = gone.events.flatMap((event) =>
      event.type === 'mustLeave' ? [event.reason] : [],
    );
    expect(reasons).toEqual([expect.stringMatching(/own certificate no longer counts.*no-path/)]);
  });

  it('and comes back lets its leaves in again', () => {
    const { overlay, peers, ofSecond } = ring();
    const [first] = peers as [VirtualPeer];
    const [returning] = ofSecond as [VirtualPeer];
    give(overlay, first, fetched(2, { rootCertificates: [root.certificate] }));
    overlay.runFor(2_000);
    give(overlay, first, fetched(3));
    overlay.runFor(2_000);
    overlay.crash(returning);
    overlay.restart(returning);
    const lookup = { type: 'lookupByNodeId', nodeId: returning.nodeId } as const;
    overlay.runUntil(() => returning.peer.status().ownRecordsComplete, 120_000);
    expect(overlay.run(first, lookup).ok).toBe(true);
  });
});

describe('RFC 6940 §11.1, Kinds of a new configuration', () => {
  it('are there at once, changed at once and gone at once', () => {
    const { overlay, peers } = ring();
    const [first, second] = peers as [VirtualPeer, VirtualPeer];
    expect(store(overlay, second, 8)).toMatchObject({ ok: false });
    give(overlay, first, fetched(2, { requiredKinds: [privateKind(10)] }));
    overlay.runFor(2_000);
    expect(store(overlay, second, 8).ok).toBe(true);
    expect(store(overlay, second, 11)).toMatchObject({ ok: false });
    give(overlay, first, fetched(3, { requiredKinds: [privateKind(20)] }));
    overlay.runFor(2_000);
    expect(store(overlay, second, 11).ok).toBe(true);
    give(overlay, first, fetched(4));
    overlay.runFor(2_000);
    expect(store(overlay, second, 8)).toMatchObject({ ok: false });
    const kinds = peers.flatMap(({ options }) => options.store.summary().map(({ kind }) => kind));
    expect(kinds).not.toContain(PRIVATE_KIND);
  });

  it('a built-in Kind gets the limits of the document', () => {
    const { overlay, peers } = ring();
    const [first] = peers as [VirtualPeer];
    const location = BUILT_IN_KINDS.get(KindIds.xmppLocation);
    if (location === undefined) throw new Error('XMPP-LOCATION is built in');
    const place = { model: 'dictionary', key: fromHex(first.nodeId) } as const;
    const kind = KindIds.xmppLocation;
    const value = new Uint8Array(100);
    const values = [{ kind, place, value, lifetimeSeconds: 3_600 }];
    const resource = resourceIdOf(first.signer.node.userName);
    expect(overlay.run(first, { type: 'store', resource, values }).ok).toBe(true);
    const block = buildKindBlock({ ...location, maxSizeBytes: 77 }, administrator);
    give(overlay, first, fetched(2, { requiredKinds: [block] }));
    overlay.runFor(2_000);
    expect(peers.map(sequenceOf)).toEqual([2, 2, 2, 2]);
    expect(overlay.run(first, { type: 'store', resource, values })).toMatchObject({ ok: false });
  });
});

describe('initial-ttl of a new configuration', () => {
  it.each([7, 255])('may be another one, here %d, and the overlay still speaks', (initialTtl) => {
    const { overlay, peers } = ring();
    give(overlay, peers[0] as VirtualPeer, fetched(2, { initialTtl }));
    overlay.runFor(2_000);
    expect(peers.map(sequenceOf)).toEqual([2, 2, 2, 2]);
    for (const peer of peers) {
      for (const { nodeId } of peers) {
        expect(overlay.run(peer, { type: 'lookupByNodeId', nodeId }).ok).toBe(true);
      }
    }
  });
});

describe('max-message-size of a new configuration', () => {
  it('holds on the links that there are', () => {
    const limited = { ...base, sequence: 1, maxMessageSizeBytes: 20_000 };
    const overlay = new VirtualOverlay({ root, configuration: limited });
    const [a, b] = ['2', '8'].map((place) => overlay.join(place)) as [VirtualPeer, VirtualPeer];
    give(overlay, a, fetched(2, { requiredKinds: [privateKind(50_000)] }));
    overlay.runFor(2_000);
    expect(sequenceOf(b)).toBe(2);
    for (const peer of [a, b]) expect(store(overlay, peer, 45_000).ok).toBe(true);
  });
});

describe('RFC 6940 §11.1, a document that demands what this program cannot do', () => {
  /** A document with a mandatory extension that nobody knows. */
  const demanding = (sequence: number, by = administrator) =>
    signed(sequence, { mandatoryExtensions: ['urn:example:unknown'] }, by);
  const update = (overlay: VirtualOverlay, from: VirtualPeer, to: VirtualPeer, doc: Uint8Array) => {
    const body = encode(ConfigUpdateReq, { type: 'config', configData: doc });
    const request = { to: [nodeDestination(to.nodeId)], code: MessageCode.configUpdateReq, body };
    const header = { configurationSequence: 65_535 };
    overlay.inject(to, from, framed(forge(from, { ...request, header })));
    overlay.runFor(20_000);
  };

  it('makes a peer leave when it is signed as it must be', () => {
    const { overlay, peers } = ring();
    const [first, second] = peers as [VirtualPeer, VirtualPeer];
    update(overlay, second, first, demanding(2));
    expect(first.peer.state).toBe('stopped');
    expect(first.events).toContainEqual({
      type: 'mustLeave',
      reason: expect.stringContaining('urn:example:unknown'),
    });
  });

  it('is refused, and said so, when it is not', () => {
    const { overlay, peers } = ring();
    const [first, second] = peers as [VirtualPeer, VirtualPeer];
    update(overlay, second, first, demanding(2, stranger));
    update(overlay, second, first, demanding(1));
    expect(first.peer.state).toBe('joined');
    expect(sequenceOf(first)).toBe(1);
    const refused = first.events.filter(({ type }) => type === 'configurationRefused');
    expect(refused).toHaveLength(2);
  });

  it('makes a client leave where clients are no longer permitted', () => {
    const { overlay, peers } = ring();
    const client = overlay.join('c', { role: 'client' });
    give(overlay, peers[0] as VirtualPeer, fetched(2, { clientsPermitted: false }));
    expect(overlay.runUntil(() => client.peer.state === 'stopped', 60_000)).toBe(true);
    expect(peers.map(({ peer }) => peer.state)).toEqual(peers.map(() => 'joined'));
  });
});
