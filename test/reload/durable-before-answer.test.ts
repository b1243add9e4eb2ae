import { expect, it } from 'vitest';
import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import { HOUSEKEEPING_MS } from '../../src/reload/timing.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { signData } from '../../src/tls-auth/data-signature.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import type { Message } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { StoreReq } from '../../src/wire/store.ts';
import { type StoredDataValue, storedData } from '../../src/wire/stored-data.ts';
import { errorOf, exchange } from '../rfc6940/forged-message.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/**
 * Found by reading the Peer against the rule in output.ts: only Stores that waited for their own write
 * counted as unwritten, not what was adopted, nor what was being written again.
 */
const KIND = KindIds.certificateByNode;

interface StoreContent {
  readonly seconds: number;
  readonly replicaNumber: number;
  readonly generationCounter?: bigint;
}

/** A ring, and a certificate whose author is neither its owner nor holds a copy. */
function scene() {
  const overlay = new VirtualOverlay();
  const peers = [...'2468ace'].map((digit) => overlay.join(digit));
  overlay.runFor(5_000);
  for (const author of peers) {
    const resource = resourceIdOf(nodeIdBytes(author.nodeId));
    const at = peers.findIndex(({ nodeId }) => (nodeId as string) >= resource);
    const from = Math.max(at, 0);
    const holders = [...peers.slice(from), ...peers.slice(0, from)];
    const [owner, replica] = holders as [VirtualPeer, VirtualPeer];
    if (holders.slice(0, 3).includes(author)) continue;
    return { overlay, author, owner, replica, resource, signed: new Map<number, Uint8Array>() };
  }
  throw new Error('every author holds its own certificate');
}

function signedValue(author: VirtualPeer, resource: ResourceId, seconds: number): Uint8Array {
  const der = author.signer.node.chain[0] ?? new Uint8Array(0);
  const value: StoredDataValue = { model: 'array', index: 0, value: { exists: true, value: der } };
  const storageTime = BigInt(TEST_UNIX_MS + 600_000 + 1_000 * seconds);
  const signature = signData(author.signer, resource, KIND, storageTime, value);
  return encode(storedData('array'), { storageTime, lifetime: 3_600, value, signature });
}

/** The answer, if one comes at once, to a Store of the author's certificate. */
function store(
  { overlay, author, resource, signed }: ReturnType<typeof scene>,
  [from, to]: readonly [VirtualPeer, VirtualPeer],
  content: StoreContent,
): Message | undefined {
  const { seconds, replicaNumber } = content;
  // No two signatures are alike: a copy has the very one.
  const values = signed.get(seconds) ?? signedValue(author, resource, seconds);
  signed.set(seconds, values);
  const generationCounter = content.generationCounter ?? 0n;
  const kindData = [{ kind: KIND, generationCounter, values }];
  const code = MessageCode.storeReq;
  const body = encode(StoreReq, { resource, replicaNumber, kindData });
  return exchange(overlay, from, to, { to: [nodeDestination(to.nodeId)], code, body })[0];
}

const ORIGINAL = { seconds: 1, replicaNumber: 0 };
/** What the owner has after ORIGINAL: the author stored its certificate on joining, too. */
const COPY = { seconds: 1, replicaNumber: 1, generationCounter: 2n };
const NEWER_COPY = { seconds: 2, replicaNumber: 1, generationCounter: 9n };

const code = (answer: Message | undefined) => answer?.contents.code;

it('a copy of what was adopted from a replica is answered after that is on disk', () => {
  const all = scene();
  const { overlay, author, owner, replica } = all;
  // The replica has a newer value than the owner, which learns of it when it sends its own.
  expect(code(store(all, [owner, replica], NEWER_COPY))).toBe(MessageCode.storeAns);
  expect(code(store(all, [author, owner], ORIGINAL))).toBe(MessageCode.storeAns);
  owner.diskIsStuck = true;
  overlay.runFor(1_000);
  expect(code(store(all, [replica, owner], NEWER_COPY))).toBeUndefined();
});

it('what could not be written is not acknowledged while it is being written again', () => {
  const all = scene();
  const { overlay, author, owner, replica } = all;
  owner.diskFails = true;
  expect(errorOf(store(all, [author, owner], ORIGINAL) as Message)).toBe('Error_Data_Too_Large');
  owner.diskFails = false;
  owner.diskIsStuck = true;
  overlay.runFor(2 * HOUSEKEEPING_MS);
  expect(code(store(all, [replica, owner], COPY))).toBeUndefined();
});

it('what could not be written a second time either is written a third time', () => {
  const all = scene();
  const { overlay, author, owner, replica, resource } = all;
  owner.diskFails = true;
  store(all, [author, owner], ORIGINAL);
  overlay.runFor(2 * HOUSEKEEPING_MS);
  const again = store(all, [replica, owner], COPY) as Message;
  expect(errorOf(again)).toBe('Error_Data_Too_Large');
  owner.diskFails = false;
  overlay.runFor(2 * HOUSEKEEPING_MS);
  expect([...owner.records.keys()].filter((key) => key.includes(resource))).not.toEqual([]);
});
