/** What decides whether a Store is news: generation counters and storage times. */
import { beforeAll, describe, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { decode } from '../../src/wire/codec.ts';
import { ErrorCode } from '../../src/wire/error-response.ts';
import { StoreAns } from '../../src/wire/store.ts';
import {
  arrayEntry,
  dictionaryEntry,
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
  DICTIONARY_KIND,
  fetchNow,
  newStore,
  refusalOf,
  request,
  requestOfKinds,
  SINGLE_KIND,
  storeNow,
  THE_SINGLE,
  textOf,
} from './store-fixture.ts';

const juliets = resourceIdOf('juliet@example.org');
const T0 = BigInt(START_UNIX_MS);

let juliet: TestNode;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  juliet = await authority.node({ userName: 'juliet@example.org', nodeId: testNodeId('1a') });
});

function julietsSingle(text: string | undefined, storageTime = T0, lifetime = 86_400) {
  return signedValue(juliet, juliets, SINGLE_KIND, single(text), { storageTime, lifetime });
}

describe('the generation counter', () => {
  test('RFC 6940 §7.4.1.1 (188, 190): what passes is stored, with a counter of at least 1', () => {
    const store = newStore();
    const result = storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    expect(result.responses).toEqual([{ kind: SINGLE_KIND, generationCounter: 1n }]);
    expect(result.changed).toBe(true);
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(0));
    expect(values.map(textOf)).toEqual(['a']);
  });

  test('RFC 6940 §7.4.1.1 (189): a change raises the counter', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    const second = request(juliets, SINGLE_KIND, [julietsSingle('b', T0 + 1n)]);
    expect(storeNow(store, second, after(1)).responses[0]?.generationCounter).toBe(2n);
    expect(fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(1)).generation).toBe(2n);
  });

  test('RFC 6940 §7.4.1.1 (183): an expected counter must equal the current one', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    const next = request(juliets, SINGLE_KIND, [julietsSingle('b', T0 + 1n)], {
      generationCounter: 1n,
    });
    expect(storeNow(store, next, after(1)).responses[0]?.generationCounter).toBe(2n);
  });

  test('RFC 6940 §7.4.1.2 (194, 195): a counter too low fails all, with the counters in force', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('b', T0 + 1n)]), after(1));
    const stale = requestOfKinds(juliets, [
      {
        kind: ARRAY_KIND,
        generationCounter: 0n,
        values: [signedValue(juliet, juliets, ARRAY_KIND, arrayEntry(0, 'x'))],
      },
      { kind: SINGLE_KIND, generationCounter: 1n, values: [julietsSingle('c', T0 + 2n)] },
    ]);
    const refusal = refusalOf(store, stale, after(2));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Generation_Counter_Too_Low);
    expect(decode(StoreAns, refusal.errorInfo)).toEqual({
      kindResponses: [
        { kind: ARRAY_KIND, generationCounter: 0n, replicas: [] },
        { kind: SINGLE_KIND, generationCounter: 2n, replicas: [] },
      ],
    });
  });

  test('RFC 6940 §7.4.1.1 (183): a counter too high gets the same answer', () => {
    const storeRequest = request(juliets, SINGLE_KIND, [julietsSingle('a')], {
      generationCounter: 9n,
    });
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Generation_Counter_Too_Low);
    expect(decode(StoreAns, refusal.errorInfo)).toEqual({
      kindResponses: [{ kind: SINGLE_KIND, generationCounter: 0n, replicas: [] }],
    });
  });

  test('RFC 6940 §7.4.1.1 (184, 185): a replica takes the counter of the message, unchecked', () => {
    const store = newStore();
    const copy = (text: string, storageTime: bigint, generationCounter: bigint) =>
      request(juliets, SINGLE_KIND, [julietsSingle(text, storageTime)], {
        replicaNumber: 2,
        generationCounter,
      });
    expect(storeNow(store, copy('a', T0, 7n), after(0)).responses[0]?.generationCounter).toBe(7n);
    storeNow(store, copy('b', T0 + 1n, 3n), after(1));
    expect(fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(1)).generation).toBe(3n);
  });

  test('RFC 6940 §7.4.1.1 (186): a replica Store with counter 0 is refused', () => {
    const storeRequest = request(juliets, SINGLE_KIND, [julietsSingle('a')], {
      replicaNumber: 1,
      generationCounter: 0n,
    });
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Invalid_Message);
  });

  test('a counter that a replica Store drove to the end begins again at 1', () => {
    const store = newStore();
    const copy = request(juliets, SINGLE_KIND, [julietsSingle('a')], {
      replicaNumber: 1,
      generationCounter: 0xffffffffffffffffn,
    });
    storeNow(store, copy, after(0));
    const next = request(juliets, SINGLE_KIND, [julietsSingle('b', T0 + 1n)]);
    expect(storeNow(store, next, after(1)).responses[0]?.generationCounter).toBe(1n);
  });
});

describe('the storage time', () => {
  test('RFC 6940 §7 (155), §13.5.3 (156): a value that is not newer is Too_Old', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    for (const storageTime of [T0 - 1n, T0]) {
      const older = request(juliets, SINGLE_KIND, [julietsSingle('b', storageTime)]);
      expect(refusalOf(store, older, after(1)).errorCode).toBe(ErrorCode.Error_Data_Too_Old);
    }
  });

  test('RFC 6940 §7 (155): it is compared with the stored value, never with the own clock', () => {
    const store = newStore();
    const future = T0 + 10n ** 12n;
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a', 1n)]), after(0));
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('b', future)]), after(1));
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(1));
    expect(values.map(textOf)).toEqual(['b']);
  });

  test('RFC 6940 §7.4.1.1: a copy that is here already succeeds and changes nothing', () => {
    const store = newStore();
    const value = julietsSingle('a');
    const parts = { replicaNumber: 1, generationCounter: 4n };
    storeNow(store, request(juliets, SINGLE_KIND, [value], parts), after(0));
    const aged = { ...value, data: { ...value.data, lifetime: 100 } };
    const again = storeNow(store, request(juliets, SINGLE_KIND, [aged], parts), after(10));
    expect(again).toEqual({
      responses: [{ kind: SINGLE_KIND, generationCounter: 4n }],
      records: [],
      changed: false,
    });
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(10));
    expect(values[0]?.lifetime).toBe(86_390);
  });

  test('RFC 6940 §13.5.3 (156): a copy of the same time with another content is Too_Old', () => {
    const store = newStore();
    const parts = { replicaNumber: 1 };
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')], parts), after(0));
    const other = request(juliets, SINGLE_KIND, [julietsSingle('b')], parts);
    expect(refusalOf(store, other, after(1)).errorCode).toBe(ErrorCode.Error_Data_Too_Old);
  });

  test('RFC 6940 §7.4.1.1: values of one request are processed in turn', () => {
    const store = newStore();
    const rising = [julietsSingle('a'), julietsSingle('b', T0 + 1n)];
    storeNow(store, request(juliets, SINGLE_KIND, rising), after(0));
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(0));
    expect(values.map(textOf)).toEqual(['b']);
    const falling = [julietsSingle('d', T0 + 3n), julietsSingle('c', T0 + 2n)];
    const refusal = refusalOf(store, request(juliets, SINGLE_KIND, falling), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Data_Too_Old);
  });
});

describe('a merge after a partition', () => {
  const key = (digits: string) => digits.repeat(16);
  const entry = (digits: string, text: string, storageTime: bigint) =>
    signedValue(juliet, juliets, DICTIONARY_KIND, dictionaryEntry(key(digits), text), {
      storageTime,
    });

  test('RFC 6940 §7.4.1.1: newer values are taken, older ones left out', () => {
    const store = newStore();
    const mine = [entry('aa', 'mine, old', T0), entry('bb', 'mine, new', T0 + 9n)];
    storeNow(store, request(juliets, DICTIONARY_KIND, mine), after(0));
    const theirs = [entry('aa', 'theirs, new', T0 + 5n), entry('bb', 'theirs, old', T0 + 5n)];
    const merge = request(juliets, DICTIONARY_KIND, theirs, {
      replicaNumber: 1,
      leaveOutOlder: true,
    });
    expect(storeNow(store, merge, after(1)).changed).toBe(true);
    const specifier = { model: 'dictionary', keys: [] } as const;
    const { values, generation } = fetchNow(store, juliets, DICTIONARY_KIND, specifier, after(1));
    expect(values.map(textOf)).toEqual(['theirs, new', 'mine, new']);
    expect(generation).toBe(2n);
  });

  test('an original Store is never a merge', () => {
    const merge = request(juliets, SINGLE_KIND, [julietsSingle('a')], { leaveOutOlder: true });
    expect(() => newStore().plan(merge, after(0))).toThrow(RangeError);
  });
});
