/** What one peer stores at most; and that whoever removes something is never told "full". */
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeMultipleResourceId, resourceIdOf } from '../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
import type { StoreLimits } from '../../src/storage/store-limits.ts';
import { ErrorCode } from '../../src/wire/error-response.ts';
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
  ARRAY_KIND,
  after,
  newStore,
  refusalOf,
  request,
  SINGLE_KIND,
  storeNow,
  TURN_KIND,
} from './store-fixture.ts';

let juliet: TestNode;
let romeo: TestNode;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  juliet = await authority.node({ userName: 'juliet@example.org', nodeId: testNodeId('1a') });
  romeo = await authority.node({ userName: 'romeo@example.org', nodeId: testNodeId('2b') });
});

function singleOf(node: TestNode, text: string | undefined, storageTime = START_UNIX_MS) {
  const resource = resourceIdOf(node.verified.node.userName);
  const parts = { storageTime: BigInt(storageTime) };
  const value = signedValue(node, resource, SINGLE_KIND, single(text), parts);
  return request(resource, SINGLE_KIND, [value]);
}

function entriesOf(node: TestNode, indexes: number[]) {
  const resource = resourceIdOf(node.verified.node.userName);
  const values = indexes.map((index) =>
    signedValue(node, resource, ARRAY_KIND, arrayEntry(index, 'x')),
  );
  return request(resource, ARRAY_KIND, values);
}

function expectFull(store: ResourceStore, storeRequest: ReturnType<typeof request>, why: string) {
  const before = store.counters();
  const refusal = refusalOf(store, storeRequest, after(1));
  expect(refusal.errorCode).toBe(ErrorCode.Error_Data_Too_Large);
  expect(refusal.detail).toContain(why);
  expect(store.counters()).toEqual(before);
}

describe('limits', () => {
  test('values altogether', () => {
    const store = newStore({ valuesMax: 1 });
    storeNow(store, singleOf(juliet, 'a'), after(0));
    expectFull(store, singleOf(romeo, 'b'), '1 values');
  });

  test('Resource-IDs altogether', () => {
    const store = newStore({ resourcesMax: 1 });
    storeNow(store, singleOf(juliet, 'a'), after(0));
    storeNow(store, entriesOf(juliet, [0]), after(0));
    expectFull(store, singleOf(romeo, 'b'), 'Resource-IDs');
  });

  test('bytes altogether, and of one Kind', () => {
    for (const limit of ['bytesMax', 'kindBytesMax'] satisfies (keyof StoreLimits)[]) {
      const store = newStore({ [limit]: 300 });
      storeNow(store, singleOf(juliet, 'x'.repeat(100)), after(0));
      expectFull(store, singleOf(romeo, 'x'.repeat(100)), '300 bytes');
    }
  });

  test('one Kind’s bytes leave room for other Kinds', () => {
    const store = newStore({ kindBytesMax: 300 });
    storeNow(store, singleOf(juliet, 'x'.repeat(100)), after(0));
    storeNow(store, entriesOf(romeo, [0]), after(0));
    expect(store.counters().values).toBe(2);
  });

  test('values of one node, at all its Resource-IDs together', () => {
    const store = newStore({ signerValuesMax: 2 });
    storeNow(store, entriesOf(juliet, [0, 1]), after(0));
    const resource = nodeMultipleResourceId(juliet.signer.nodeId, 1);
    const turn = signedValue(juliet, resource, TURN_KIND, single('x'));
    expectFull(store, request(resource, TURN_KIND, [turn]), 'of a node');
    storeNow(store, entriesOf(romeo, [0]), after(0));
  });

  test('bytes of one node', () => {
    const store = newStore({ signerBytesMax: 300 });
    storeNow(store, singleOf(juliet, 'x'.repeat(100)), after(0));
    expectFull(store, entriesOf(juliet, [0]), 'bytes of a node');
  });

  test('certificates, and their bytes', () => {
    const length = juliet.verified.node.chain[0]?.length ?? 0;
    for (const limits of [{ certificatesMax: 1 }, { certificateBytesMax: length }]) {
      const store = newStore(limits);
      storeNow(store, singleOf(juliet, 'a'), after(0));
      storeNow(store, entriesOf(juliet, [0]), after(0));
      expectFull(store, singleOf(romeo, 'b'), 'certificates');
    }
  });

  test('a copy counts like an original', () => {
    const store = newStore({ valuesMax: 1 });
    storeNow(store, singleOf(juliet, 'a'), after(0));
    const copy = { ...singleOf(romeo, 'b'), replicaNumber: 1 };
    const [kindRequest] = copy.kinds;
    if (kindRequest === undefined) throw new Error('no Kind');
    expectFull(store, { ...copy, kinds: [{ ...kindRequest, generationCounter: 1n }] }, '1 values');
  });
});

describe('a full store', () => {
  test('takes what replaces a value by one that is not larger', () => {
    const full = newStore({ valuesMax: 1, bytesMax: 200, signerValuesMax: 1, certificatesMax: 1 });
    storeNow(full, singleOf(juliet, 'abc'), after(0));
    storeNow(full, singleOf(juliet, 'ab', START_UNIX_MS + 1), after(1));
    storeNow(full, singleOf(juliet, undefined, START_UNIX_MS + 2), after(2));
    expect(full.counters().values).toBe(1);
  });

  test('has room again when a value has expired', () => {
    const store = newStore({ valuesMax: 1 });
    storeNow(store, singleOf(juliet, 'a'), after(0));
    store.expire(after(86_400));
    storeNow(store, singleOf(romeo, 'b'), after(86_400));
    expect(store.counters().values).toBe(1);
  });
});
