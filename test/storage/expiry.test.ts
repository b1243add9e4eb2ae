/** What leaves the store: ended lifetimes and certificates, revoked signers, Kinds that are gone. */
import { beforeAll, describe, expect, test } from 'vitest';
import { AccessPolicy } from '../../src/overlay-config/kind-definition.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
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
  fetchNow,
  kind,
  kinds,
  newStore,
  RecordFile,
  request,
  SINGLE_KIND,
  storeNow,
  THE_SINGLE,
  textOf,
} from './store-fixture.ts';

const userName = 'juliet@example.org';
const juliets = resourceIdOf(userName);

let juliet: TestNode;
let secondDevice: TestNode;
let briefDevice: TestNode;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  juliet = await authority.node({ userName, nodeId: testNodeId('1a') });
  secondDevice = await authority.node({ userName, nodeId: testNodeId('1b') });
  const notAfterUnixMs = START_UNIX_MS + 50_000;
  briefDevice = await authority.node({ userName, nodeId: testNodeId('1c'), notAfterUnixMs });
});

function putEntry(
  store: ResourceStore,
  file: RecordFile,
  index: number,
  lifetime: number,
  by = juliet,
): void {
  const value = signedValue(by, juliets, ARRAY_KIND, arrayEntry(index, `${index}`), { lifetime });
  file.write(storeNow(store, request(juliets, ARRAY_KIND, [value]), after(0)).records);
}

function textsAt(store: ResourceStore, seconds: number): (string | undefined)[] {
  return fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(seconds)).values.map(textOf);
}

const EMPTY = { resources: 0, values: 0, bytes: 0, certificates: 0, certificateBytes: 0 };

describe('lifetimes', () => {
  test('RFC 6940 §7.4.1.3: an expired entry leaves a gap, then the array is shorter', () => {
    const store = newStore();
    const file = new RecordFile();
    putEntry(store, file, 0, 10);
    putEntry(store, file, 1, 30);
    putEntry(store, file, 2, 20);
    expect(textsAt(store, 9)).toEqual(['0', '1', '2']);
    expect(textsAt(store, 10)).toEqual([undefined, '1', '2']);
    expect(textsAt(store, 20)).toEqual([undefined, '1']);
    expect(textsAt(store, 30)).toEqual([]);
  });

  test('expire removes what has ended from memory and disk, and says when to come again', () => {
    const store = newStore();
    const file = new RecordFile();
    for (const [index, lifetime] of [10, 30, 20].entries()) putEntry(store, file, index, lifetime);
    expect(file.records.size).toBe(4);
    expect(store.nextDeadline()).toBe(after(10).monotonicMs);
    expect(store.expire(after(9))).toEqual([]);
    file.write(store.expire(after(20)));
    expect(file.records.size).toBe(2);
    expect(store.nextDeadline()).toBe(after(30).monotonicMs);
    file.write(store.expire(after(1000)));
    expect(file.records.size).toBe(0);
    expect(store.counters()).toEqual(EMPTY);
    expect(store.nextDeadline()).toBeUndefined();
  });

  test('a value that was replaced does not expire with the old lifetime', () => {
    const store = newStore();
    for (let change = 0; change < 500; change++) {
      const value = signedValue(juliet, juliets, SINGLE_KIND, single(`${change}`), {
        storageTime: BigInt(START_UNIX_MS + change),
        lifetime: 1000 - change,
      });
      storeNow(store, request(juliets, SINGLE_KIND, [value]), after(0));
    }
    expect(store.nextDeadline()).toBe(after(501).monotonicMs);
    expect(store.expire(after(501))).toHaveLength(2);
    expect(store.nextDeadline()).toBeUndefined();
  });

  test('RFC 6940 §13.5.3: an ended value does not keep an older one out', () => {
    const store = newStore();
    const store1 = (text: string, storageTime: number, lifetime: number, seconds: number) => {
      const parts = { storageTime: BigInt(storageTime), lifetime };
      const value = signedValue(juliet, juliets, SINGLE_KIND, single(text), parts);
      storeNow(store, request(juliets, SINGLE_KIND, [value]), after(seconds));
    };
    store1('new', 2000, 10, 0);
    store1('old', 1000, 10, 10);
    expect(fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(11)).values.map(textOf)).toEqual(
      ['old'],
    );
  });

  test('values end in the order of their lifetimes, whatever order they came in', () => {
    const store = newStore({ signerValuesMax: 1000 });
    const wide = new Map([
      [ARRAY_KIND, kind(ARRAY_KIND, 'array', AccessPolicy.userMatch, { maxCount: 200 })],
    ]);
    store.replaceKinds(wide);
    const lifetimes = Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1);
    for (const [index, lifetime] of lifetimes.entries()) {
      putEntry(store, new RecordFile(), index, lifetime);
    }
    for (let seconds = 1; seconds <= 100; seconds++) {
      expect(store.nextDeadline()).toBe(after(seconds).monotonicMs);
      store.expire(after(seconds));
      expect(store.counters().values).toBe(100 - seconds);
    }
  });
});

describe('certificates', () => {
  test('RFC 6940 §7.1 (204): a value ends with its signer’s certificate', () => {
    const store = newStore();
    const file = new RecordFile();
    putEntry(store, file, 0, 1000, briefDevice);
    putEntry(store, file, 1, 1000, juliet);
    const end = briefDevice.verified.node.validUntilUnixMs - START_UNIX_MS;
    expect(store.nextDeadline()).toBe(after(0).monotonicMs + end);
    expect(textsAt(store, 60)).toEqual([undefined, '1']);
    file.write(store.expire(after(60)));
    expect(store.counters().values).toBe(1);
    expect(file.records.size).toBe(2);
  });

  test('a wall clock that lags does not make the store busy', () => {
    const store = newStore();
    putEntry(store, new RecordFile(), 0, 1000, briefDevice);
    const lagging = { monotonicMs: after(60).monotonicMs, unixMs: START_UNIX_MS };
    expect(store.expire(lagging)).toEqual([]);
    expect(store.nextDeadline()).toBeGreaterThanOrEqual(lagging.monotonicMs + 1000);
  });

  test('each certificate is kept once, as long as a value needs it', () => {
    const store = newStore();
    const file = new RecordFile();
    putEntry(store, file, 0, 10);
    putEntry(store, file, 1, 20);
    const [der] = juliet.verified.node.chain;
    expect(store.counters().certificates).toBe(1);
    expect(store.counters().certificateBytes).toBe(der?.length);
    store.expire(after(10));
    expect(store.counters().certificates).toBe(1);
    store.expire(after(20));
    expect(store.counters()).toEqual(EMPTY);
  });

  test('the values of a node that is trusted no more go at once', () => {
    const store = newStore();
    const file = new RecordFile();
    putEntry(store, file, 0, 1000, juliet);
    putEntry(store, file, 1, 1000, secondDevice);
    putEntry(store, file, 2, 1000, secondDevice);
    file.write(store.removeSignedBy((node) => node.nodeId === secondDevice.signer.nodeId));
    expect(textsAt(store, 1)).toEqual(['0']);
    expect(file.records.size).toBe(2);
    expect(store.removeSignedBy(() => false)).toEqual([]);
  });
});

describe('Kinds of a new configuration', () => {
  const setUp = () => {
    const store = newStore();
    const file = new RecordFile();
    putEntry(store, file, 0, 1000);
    const value = signedValue(juliet, juliets, SINGLE_KIND, single('a'));
    file.write(storeNow(store, request(juliets, SINGLE_KIND, [value]), after(0)).records);
    return { store, file };
  };

  test('values of Kinds that stay, stay', () => {
    const { store } = setUp();
    expect(store.replaceKinds(new Map(kinds))).toEqual([]);
    expect(store.counters().values).toBe(2);
  });

  test('values of a Kind that is gone go', () => {
    const { store, file } = setUp();
    const remaining = new Map(kinds);
    remaining.delete(ARRAY_KIND);
    file.write(store.replaceKinds(remaining));
    expect(store.counters().values).toBe(1);
    expect(file.records.size).toBe(2);
  });

  test('values that the Kind’s new data model or policy does not allow go', () => {
    const { store } = setUp();
    const changed = new Map(kinds);
    changed.set(ARRAY_KIND, kind(ARRAY_KIND, 'single', AccessPolicy.userMatch));
    changed.set(SINGLE_KIND, kind(SINGLE_KIND, 'single', AccessPolicy.nodeMatch));
    store.replaceKinds(changed);
    expect(store.counters()).toEqual(EMPTY);
  });
});

test('RFC 6940 §7.4.4: what has expired leaves the order in which Find looks', () => {
  const store = newStore();
  const found = kind(SINGLE_KIND, 'single', AccessPolicy.userMatch, { findAllowed: true });
  store.replaceKinds(new Map([[SINGLE_KIND, found]]));
  for (let round = 0; round < 3; round++) {
    const value = signedValue(juliet, juliets, SINGLE_KIND, single('a'), { lifetime: 10 });
    storeNow(store, request(juliets, SINGLE_KIND, [value]), after(100 * round));
    const at = after(100 * round + 5);
    expect(store.find(juliets, [SINGLE_KIND], juliets, at)).toEqual([
      { kind: SINGLE_KIND, closest: juliets },
    ]);
    store.expire(after(100 * round + 10));
    expect(store.find(juliets, [SINGLE_KIND], juliets, at)).toEqual([
      { kind: SINGLE_KIND, closest: '' },
    ]);
  }
});

test('remove drops everything under one Resource-ID', () => {
  const store = newStore();
  const file = new RecordFile();
  putEntry(store, file, 0, 1000);
  putEntry(store, file, 1, 1000);
  file.write(store.remove(juliets));
  expect(store.counters()).toEqual(EMPTY);
  expect(file.records.size).toBe(0);
  expect(store.remove(juliets)).toEqual([]);
});
