import { beforeAll, describe, expect, test } from 'vitest';
import { nodeMultipleResourceId, resourceIdOf } from '../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
import { StoreRefusal } from '../../src/storage/store-refusal.ts';
import { ErrorCode } from '../../src/wire/error-response.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import {
  START_UNIX_MS,
  signedValue,
  single,
  TestAuthority,
  type TestNode,
  testNodeId,
} from './signer-fixture.ts';
import {
  after,
  newStore,
  request,
  SINGLE_KIND,
  storeNow,
  TURN_KIND,
  UNKNOWN_KIND,
} from './store-fixture.ts';

const nodeId = testNodeId('1a');
const NONE = '' as ResourceId;
const FIRST = '0'.repeat(32) as ResourceId;
const LAST = 'f'.repeat(32) as ResourceId;
/** Where the TURN servers of the test stand, in the order of the ring. */
const resources = Array.from({ length: 20 }, (_, i) =>
  nodeMultipleResourceId(nodeId, i + 1),
).sort();

let node: TestNode;
let store: ResourceStore;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  node = await authority.node({ userName: 'juliet@example.org', nodeId });
  store = newStore();
  for (const resource of resources) {
    const value = signedValue(node, resource, TURN_KIND, single('turn'), { lifetime: 100 });
    storeNow(store, request(resource, TURN_KIND, [value]), after(0));
  }
});

function found(from: ResourceId, last: ResourceId | undefined, seconds = 0): ResourceId {
  const results = store.find(from, [TURN_KIND], last, after(seconds));
  if (results instanceof StoreRefusal) throw new Error(results.detail);
  return results[0]?.closest ?? NONE;
}

function following(resource: ResourceId): ResourceId {
  const next = (BigInt(`0x${resource}`) + 1n) % 2n ** 128n;
  return next.toString(16).padStart(32, '0') as ResourceId;
}

describe('Find', () => {
  test('RFC 6940 §7.4.4: the walk R’ = nearest(1 + R) meets every resource and ends', () => {
    const met: ResourceId[] = [];
    let at = found(FIRST, LAST);
    while (at !== NONE) {
      met.push(at);
      at = found(following(at), LAST);
    }
    expect(met).toEqual(resources);
  });

  test('RFC 6940 §7.4.4: a peer alone in the overlay is asked around the whole ring', () => {
    expect(found(LAST, undefined)).toBe(resources[0]);
  });

  test('RFC 6940 §7.4.4: only the own range counts, also where it passes the ring’s zero', () => {
    const [first, second] = resources;
    if (first === undefined || second === undefined) throw new Error('too few resources');
    expect(found(following(first), following(first))).toBe(NONE);
    expect(found(LAST, first)).toBe(first);
    expect(found(LAST, FIRST)).toBe(NONE);
    expect(found(second, second)).toBe(second);
  });

  test('RFC 6940 §7.4.4.1 (205, 206): a Kind twice is refused', () => {
    const refusal = store.find(FIRST, [TURN_KIND, TURN_KIND], LAST, after(0));
    expect(refusal).toMatchObject({ errorCode: ErrorCode.Error_Invalid_Message });
  });

  test('RFC 6940 §7.4.4.2 (207, 209): each Kind is answered; an unknown one with "0"', () => {
    expect(store.find(FIRST, [UNKNOWN_KIND, TURN_KIND], LAST, after(0))).toEqual([
      { kind: UNKNOWN_KIND, closest: NONE },
      { kind: TURN_KIND, closest: resources[0] },
    ]);
  });

  test('RFC 6940 §7.4.4.2 (208): Kinds that are not for Find are left out', () => {
    const results = store.find(FIRST, [SINGLE_KIND, TURN_KIND], LAST, after(0));
    expect(results).toEqual([{ kind: TURN_KIND, closest: resources[0] }]);
  });

  test('values that have expired or were removed are not found', () => {
    expect(found(FIRST, LAST, 100)).toBe(NONE);
    const one = newStore();
    const resource = resources[0] ?? NONE;
    const value = signedValue(node, resource, TURN_KIND, single(undefined), {
      storageTime: BigInt(START_UNIX_MS),
    });
    storeNow(one, request(resource, TURN_KIND, [value]), after(0));
    expect(one.find(FIRST, [TURN_KIND], LAST, after(0))).toEqual([
      { kind: TURN_KIND, closest: NONE },
    ]);
  });

  test('resources that come and go are kept in order', () => {
    const own = newStore();
    const values = resources.map((resource) => ({
      resource,
      value: signedValue(node, resource, TURN_KIND, single('turn')),
    }));
    const first = () => own.find(FIRST, [TURN_KIND], LAST, after(0));
    for (const { resource, value } of values.toReversed()) {
      storeNow(own, request(resource, TURN_KIND, [value]), after(0));
      expect(first()).toEqual([{ kind: TURN_KIND, closest: resource }]);
    }
    for (const [index, { resource }] of values.entries()) {
      own.remove(resource);
      expect(first()).toEqual([{ kind: TURN_KIND, closest: resources[index + 1] ?? NONE }]);
    }
  });
});

test('a Resource-ID of another length does no harm', () => {
  const odd = resourceIdOf('odd').slice(0, 10) as ResourceId;
  expect(store.find(odd, [TURN_KIND], LAST, after(0))).toHaveLength(1);
  expect(store.find(NONE, [TURN_KIND], undefined, after(0))).toHaveLength(1);
});
