import { describe, expect, it } from 'vitest';
import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import { REGISTERED_KINDS } from '../../src/overlay-config/registered-kinds.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { signData } from '../../src/tls-auth/data-signature.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { encode } from '../../src/wire/codec.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { FetchAns, FindAns, FindReq, StoreAns, StoreReq } from '../../src/wire/store.ts';
import { ARRAY_INDEX_END, type StoredDataValue, storedData } from '../../src/wire/stored-data.ts';
import { VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { ask, bodyOf, errorOf, forge, framed } from './forged-message.ts';
import { messagesIn, Wiretap } from './wiretap.ts';

const KIND = KindIds.certificateByNode;

/** The peers of a ring by their place, and who is responsible for `resource`. */
function ring(digits: string) {
  const overlay = new VirtualOverlay();
  const peers = [...digits].map((digit) => overlay.join(digit));
  overlay.runFor(5_000);
  const sorted = [...peers].sort((x, y) => (x.nodeId < y.nodeId ? -1 : 1));
  const holders = (resource: string): VirtualPeer[] => {
    const at = sorted.findIndex(({ nodeId }) => nodeId >= resource);
    const from = Math.max(at, 0);
    return [...sorted.slice(from), ...sorted.slice(0, from)];
  };
  return { overlay, peers, holders };
}

const ownPlace = (peer: VirtualPeer) => resourceIdOf(nodeIdBytes(peer.nodeId));

interface StoreContent {
  readonly replicaNumber?: number;
  readonly counter?: bigint;
  readonly signer?: Signer;
  readonly spoil?: boolean;
  readonly storageTime?: number;
}

/** The certificate of `author` as StoredData, signed rightly or not. */
function signedValue(author: VirtualPeer, resource: ResourceId, content: StoreContent): Uint8Array {
  const value: StoredDataValue = {
    model: 'array',
    index: 0,
    value: { exists: true, value: author.signer.node.chain[0] ?? new Uint8Array(0) },
  };
  const storageTime = BigInt(content.storageTime ?? TEST_UNIX_MS + 600_000);
  const signer = content.signer ?? author.signer;
  const signature = signData(signer, resource, KIND, storageTime, value);
  const signed = content.spoil
    ? { ...signature, value: signature.value.map((x) => x ^ 1) }
    : signature;
  return encode(storedData('array'), { storageTime, lifetime: 60, value, signature: signed });
}

/** A StoreReq of one certificate of `author`. */
function storeOf(author: VirtualPeer, resource: ResourceId, content: StoreContent = {}) {
  const values = signedValue(author, resource, content);
  const generationCounter = content.counter ?? 0n;
  const replicaNumber = content.replicaNumber ?? 0;
  const kindData = [{ kind: KIND, generationCounter, values }];
  return {
    code: MessageCode.storeReq,
    body: encode(StoreReq, { resource, replicaNumber, kindData }),
  };
}

describe('Store', () => {
  it('RFC 6940 §7.4.1.1, §10.4 (174, 217): stored where this peer is responsible, else refused', () => {
    const { overlay, peers, holders } = ring('28c');
    const [author] = peers as [VirtualPeer];
    const place = ownPlace(author);
    const [owner, replica] = holders(place).filter((peer) => peer !== author);
    if (owner === undefined || replica === undefined) throw new Error('expected two others');
    const responsible = holders(place)[0];
    for (const peer of [owner, replica]) {
      const answer = ask(overlay, author, peer, storeOf(author, place));
      const expected = peer === responsible ? undefined : 'Error_Not_Found';
      expect(errorOf(answer)).toBe(expected);
    }
  });

  it('RFC 6940 §7.4.1.1 (178): a value whose signature does not verify is forbidden', () => {
    const { overlay, peers, holders } = ring('28c');
    const author = notOwner(peers, holders);
    const place = ownPlace(author);
    const owner = holders(place)[0] as VirtualPeer;
    const wrong = ask(overlay, author, owner, storeOf(author, place, { spoil: true }));
    expect(errorOf(wrong)).toBe('Error_Forbidden');
    expect(errorOf(ask(overlay, author, owner, storeOf(author, place)))).toBeUndefined();
  });

  it('RFC 6940 §7.4.1.1 (175, 181, 182): a replica comes from the replica set or a nearer node', () => {
    const { overlay, peers, holders } = ring('2468ace');
    const author = notOwner(peers, holders);
    const place = ownPlace(author);
    const members = holders(place);
    const [owner, second, , fourth, fifth] = members as VirtualPeer[];
    if (owner === undefined || second === undefined) throw new Error('expected members');
    if (fourth === undefined || fifth === undefined) throw new Error('expected more');
    const copy = storeOf(author, place, { replicaNumber: 1, counter: 9n });
    expect(errorOf(ask(overlay, owner, second, copy))).toBeUndefined();
    // The fourth is no member; and nobody that far away may give the second one a copy.
    expect(errorOf(ask(overlay, owner, fourth, copy))).toBe('Error_Forbidden');
    expect(errorOf(ask(overlay, fifth, second, copy))).toBe('Error_Forbidden');
  });

  it('RFC 6940 §7.4.1.2 (193): the answer has the counter and who holds the copies', () => {
    const { overlay, peers, holders } = ring('28c');
    const author = notOwner(peers, holders);
    const place = ownPlace(author);
    const [owner, ...copies] = holders(place);
    const answer = ask(overlay, author, owner as VirtualPeer, storeOf(author, place));
    expect(bodyOf(answer, StoreAns).kindResponses).toEqual([
      {
        kind: KIND,
        generationCounter: expect.any(BigInt),
        replicas: copies.map(({ nodeId }) => nodeId),
      },
    ]);
  });

  it('RFC 6940 §10.4 (218, 219): then it is copied to the two successors, numbered 1 and 2', () => {
    const { overlay, peers, holders } = ring('2468ac');
    const author = notOwner(peers, holders);
    const place = ownPlace(author);
    const [owner, second, third] = holders(place) as VirtualPeer[];
    if (owner === undefined) throw new Error('expected an owner');
    const tap = new Wiretap(owner);
    overlay.result(author, storeCommand(author, place), 'stored');
    overlay.runFor(1_000);
    const numbers = tap
      .ofCode(MessageCode.storeReq)
      .filter(({ message }) => bodyOf(message, StoreReq).resource === place)
      .map(({ to, message }) => [to.name, bodyOf(message, StoreReq).replicaNumber]);
    expect(numbers).toEqual([
      [second?.name, 1],
      [third?.name, 2],
    ]);
    for (const peer of [second, third]) {
      expect([...(peer?.options.store.resourceIds() ?? [])]).toContain(place);
    }
  });

  it('RFC 6940 §7.4.1.1 (192): a copy refused as too old brings the newer data', () => {
    const { overlay, peers, holders } = ring('28c');
    const author = notOwner(peers, holders);
    const place = ownPlace(author);
    const [owner, second] = holders(place) as [VirtualPeer, VirtualPeer];
    const newer = { replicaNumber: 1, counter: 90n, storageTime: TEST_UNIX_MS + 900_000 };
    expect(errorOf(ask(overlay, owner, second, storeOf(author, place, newer)))).toBeUndefined();
    // The owner stores an older one, and its copy is refused by the second peer.
    const older = storeOf(author, place, { storageTime: TEST_UNIX_MS + 800_000 });
    expect(errorOf(ask(overlay, author, owner, older))).toBeUndefined();
    overlay.runFor(2_000);
    const ranges = [{ first: 0, last: ARRAY_INDEX_END }];
    const held = owner.options.store.fetch(
      place,
      [{ kind: KIND, generation: 0n, specifier: { model: 'array', ranges } }],
      overlay.now,
    );
    if (!('responses' in held)) throw new Error('expected values');
    expect(held.responses[0]?.generation).toBeGreaterThanOrEqual(90n);
  });
});

describe('Fetch and Find', () => {
  it('RFC 6940 §7.4.2.2 (203): what is fetched is verified value by value', () => {
    const { overlay, peers, holders } = ring('28c');
    const author = notOwner(peers, holders);
    const owner = holders(ownPlace(author))[0] as VirtualPeer;
    const command = { type: 'lookupByNodeId', nodeId: author.nodeId } as const;
    expect(overlay.result(author, command, 'certificates').nodes).toHaveLength(1);
    const wrongs = [{ signer: owner.signer }, { spoil: true }];
    for (const wrong of wrongs) {
      answerFetches(owner, signedValue(author, ownPlace(author), wrong));
      const outcome = overlay.run(author, command);
      expect(outcome).toMatchObject({ ok: false, failure: { code: 'not-verified' } });
    }
  });

  it('RFC 6940 §7.4.4.2 (209): Find answers 0 for a Kind that is nowhere', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    const resource = b.nodeId as string as ResourceId;
    const body = encode(FindReq, { resource, kinds: [0xf0001234] });
    const found = ask(overlay, a, b, { code: MessageCode.findReq, body });
    const [result] = bodyOf(found, FindAns).results;
    // The RFC's Resource-ID 0: one without bytes, which is nobody's place.
    expect(result?.closest).toMatch(/^0*$/);
  });

  it('RFC 6940 §7.4.5 (210): every Kind has an ID, a data model and an access policy', () => {
    const { overlay } = ring('2');
    const kinds = [...overlay.configuration.kinds.values(), ...REGISTERED_KINDS.values()];
    expect(kinds.length).toBeGreaterThan(4);
    for (const kind of kinds) {
      expect(kind.kindId).toBeGreaterThan(0);
      expect(kind.dataModel).toMatch(/^(single|array|dictionary)$/);
      expect(kind.accessPolicy).toMatch(/^(USER|NODE)-/);
    }
  });

  it('RFC 6940 §8 (211): the certificate is stored under user name and Node-ID', () => {
    const { overlay, peers } = ring('28c');
    for (const { nodeId, options } of peers) {
      const { userName } = options.signer.node;
      const asked = peers[0] as VirtualPeer;
      const byNode = overlay.result(asked, { type: 'lookupByNodeId', nodeId }, 'certificates');
      const byUser = overlay.result(asked, { type: 'lookupByUserName', userName }, 'certificates');
      for (const { nodes } of [byNode, byUser]) {
        expect(nodes.map((node) => node.nodeId)).toEqual([nodeId]);
      }
    }
  });
});

/** A peer that is not responsible for its own certificate. */
function notOwner(
  peers: readonly VirtualPeer[],
  holders: (resource: string) => VirtualPeer[],
): VirtualPeer {
  const found = peers.find((peer) => holders(ownPlace(peer))[0] !== peer);
  if (found === undefined) throw new Error('every peer holds its own certificate');
  return found;
}

function storeCommand(author: VirtualPeer, resource: ResourceId) {
  const value = author.signer.node.chain[0] ?? new Uint8Array(0);
  const place = { model: 'array', index: 1 } as const;
  const values = [{ kind: KIND, place, value, lifetimeSeconds: 60 }];
  return { type: 'store' as const, resource, values };
}

/** From now on `peer` answers every Fetch with these values. */
function answerFetches(peer: VirtualPeer, values: Uint8Array): void {
  peer.intercept = (bytes) => {
    const [message] = messagesIn(bytes);
    const decoded = message === undefined ? undefined : decodeMessage(message);
    if (decoded === undefined || decoded instanceof MalformedMessage) return bytes;
    if (decoded.contents.code !== MessageCode.fetchAns) return bytes;
    const body = encode(FetchAns, { kindResponses: [{ kind: KIND, generation: 1n, values }] });
    const { header, contents } = decoded;
    return framed(forge(peer, { to: header.destinationList, code: contents.code, body, header }));
  };
}
