/** What is copied to replicas and handed over: RFC 6940 §7.4.1.1 and §10.4. */
import { beforeAll, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
import type { ResourceExport } from '../../src/storage/store-result.ts';
import { verifyData } from '../../src/tls-auth/data-signature.ts';
import { SignatureRefusal } from '../../src/tls-auth/verified-signer.ts';
import { encode, uint16, vector } from '../../src/wire/codec.ts';
import { GenericCertificate } from '../../src/wire/security-block.ts';
import type { DataModel, KindId } from '../../src/wire/stored-data.ts';
import {
  arrayEntry,
  START_UNIX_MS,
  signedValue,
  single,
  TestAuthority,
  type TestNode,
  testNodeId,
} from './signer-fixture.ts';
import {
  ALL_OF_ARRAY,
  ARRAY_KIND,
  after,
  decodedValues,
  fetchNow,
  newStore,
  requestOfKinds,
  SINGLE_KIND,
  storeNow,
  textOf,
} from './store-fixture.ts';

const userName = 'juliet@example.org';
const juliets = resourceIdOf(userName);

let authority: TestAuthority;
let juliet: TestNode;
let secondDevice: TestNode;
let store: ResourceStore;

beforeAll(async () => {
  authority = await TestAuthority.create();
  juliet = await authority.node({ userName, nodeId: testNodeId('1a') });
  secondDevice = await authority.node({ userName, nodeId: testNodeId('1b') });
  store = newStore();
  const entry = (by: TestNode, index: number, lifetime: number) =>
    signedValue(by, juliets, ARRAY_KIND, arrayEntry(index, `entry ${index}`), { lifetime });
  const entries = [entry(juliet, 0, 10), entry(juliet, 1, 1000), entry(secondDevice, 3, 1000)];
  storeNow(
    store,
    requestOfKinds(juliets, [
      {
        kind: SINGLE_KIND,
        generationCounter: 0n,
        values: [signedValue(juliet, juliets, SINGLE_KIND, single('a'), { lifetime: 500 })],
      },
      { kind: ARRAY_KIND, generationCounter: 0n, values: entries },
    ]),
    after(0),
  );
});

function modelOf(kind: KindId): DataModel {
  return kind === SINGLE_KIND ? 'single' : 'array';
}

/** Stores what was exported, as the receiving peer does. */
function takeOver(part: ResourceExport, receiver: ResourceStore, seconds: number): void {
  const kindRequests = part.kindData.map(({ kind, generationCounter, values }) => ({
    kind,
    generationCounter,
    values: decodedValues(modelOf(kind), values).map((data) => {
      const { authenticator } = authority;
      const signer = verifyData(
        authenticator,
        juliets,
        kind,
        data,
        part.certificates,
        START_UNIX_MS,
      );
      if (signer instanceof SignatureRefusal) throw new Error(signer.describe());
      return { data, signer };
    }),
  }));
  const parts = { replicaNumber: 1, requestSigner: secondDevice };
  storeNow(receiver, requestOfKinds(juliets, kindRequests, parts), after(seconds));
}

test('RFC 6940 §7.4.1.1 (191): what is passed on has its lifetime reduced by the time it was here', () => {
  const kindData = store.exportResource(juliets, after(400))?.kindData ?? [];
  const lifetimes = kindData.map(({ kind, values }) =>
    decodedValues(modelOf(kind), values).map(({ lifetime }) => lifetime),
  );
  expect(lifetimes).toEqual([[100], [600, 600]]);
});

test('RFC 6940 §7.4.1.3: values made up for gaps are not replicated', () => {
  const [, array] = store.exportResource(juliets, after(400))?.kindData ?? [];
  const texts = decodedValues('array', array?.values ?? new Uint8Array(0)).map(textOf);
  expect(texts).toEqual(['entry 1', 'entry 3']);
});

test('a value that ends within the second is not worth passing on', () => {
  const exported = store.exportResource(juliets, after(499.5));
  expect(exported?.kindData.map(({ kind }) => kind)).toEqual([ARRAY_KIND]);
});

test('nothing is exported from where there is nothing', () => {
  expect(store.exportResource(resourceIdOf('nothing'), after(0))).toBeUndefined();
  expect(store.exportParts(resourceIdOf('nothing'), 1000, after(0))).toEqual([]);
  expect(store.exportResource(juliets, after(2000))).toBeUndefined();
});

test('a replica that takes an export over serves the same, certificates included', () => {
  const receiver = newStore();
  const exported = store.exportResource(juliets, after(5));
  if (exported === undefined) throw new Error('nothing to export');
  expect(exported.certificates).toHaveLength(2);
  takeOver(exported, receiver, 5);
  const copy = fetchNow(receiver, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(5));
  expect(copy).toEqual(fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(5)));
});

test('parts keep to their size, and together are everything', () => {
  const partBytesMax = 700;
  const parts = store.exportParts(juliets, partBytesMax, after(5));
  expect(parts.length).toBeGreaterThan(1);
  const receiver = newStore();
  for (const part of parts) {
    const certificates = encode(vector(uint16, GenericCertificate), [...part.certificates]);
    const values = part.kindData.reduce((sum, { values: bytes }) => sum + 16 + bytes.length, 0);
    expect(certificates.length - 2 + values).toBeLessThanOrEqual(partBytesMax);
    takeOver(part, receiver, 5);
  }
  expect(receiver.counters()).toEqual(store.counters());
});

test('a value that is larger than a part alone is a part of its own', () => {
  expect(store.exportParts(juliets, 1, after(5))).toHaveLength(4);
});
