/** What a Store does in each data model, and what removing a value means. */
import { beforeAll, describe, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { verifyData } from '../../src/tls-auth/data-signature.ts';
import { SignatureRefusal } from '../../src/tls-auth/verified-signer.ts';
import { ErrorCode } from '../../src/wire/error-response.ts';
import { CertificateType } from '../../src/wire/security-block.ts';
import { ARRAY_INDEX_END, type StoredData } from '../../src/wire/stored-data.ts';
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
  ALL_OF_ARRAY,
  ALL_OF_DICTIONARY,
  ARRAY_KIND,
  after,
  DICTIONARY_KIND,
  fetchNow,
  newStore,
  refusalOf,
  request,
  SINGLE_KIND,
  storeNow,
  THE_SINGLE,
  textOf,
} from './store-fixture.ts';

const juliets = resourceIdOf('juliet@example.org');
const T0 = BigInt(START_UNIX_MS);

let authority: TestAuthority;
let juliet: TestNode;

beforeAll(async () => {
  authority = await TestAuthority.create();
  juliet = await authority.node({ userName: 'juliet@example.org', nodeId: testNodeId('1a') });
});

function entry(index: number, text: string | undefined, storageTime = T0, lifetime = 1000) {
  const value = arrayEntry(index, text);
  return signedValue(juliet, juliets, ARRAY_KIND, value, { storageTime, lifetime });
}

function indexOf(data: StoredData): number {
  if (data.value.model !== 'array') throw new Error('not an array entry');
  return data.value.index;
}

describe('arrays', () => {
  test('RFC 6940 §7.2.2: a Store past the end leaves gaps that do not exist', () => {
    const store = newStore();
    storeNow(store, request(juliets, ARRAY_KIND, [entry(2, 'X')]), after(0));
    const { values } = fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(0));
    expect(values.map(indexOf)).toEqual([0, 1, 2]);
    expect(values.map(textOf)).toEqual([undefined, undefined, 'X']);
  });

  test('RFC 6940 §7.4.1.1: index 0xffffffff appends, and the entry gets its index', () => {
    const store = newStore();
    storeNow(store, request(juliets, ARRAY_KIND, [entry(1, 'a')]), after(0));
    const appended = [entry(ARRAY_INDEX_END, 'b'), entry(ARRAY_INDEX_END, 'c')];
    storeNow(store, request(juliets, ARRAY_KIND, appended), after(0));
    const { values } = fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(0));
    expect(values.map(indexOf)).toEqual([0, 1, 2, 3]);
    expect(values.map(textOf)).toEqual([undefined, 'a', 'b', 'c']);
  });

  test('RFC 6940 §7.4.2.2: the signature of an appended entry stays true', () => {
    const store = newStore();
    storeNow(store, request(juliets, ARRAY_KIND, [entry(0, 'a')]), after(0));
    storeNow(store, request(juliets, ARRAY_KIND, [entry(ARRAY_INDEX_END, 'b')]), after(0));
    const { values } = fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(0));
    const certificates = juliet.verified.node.chain.map((certificate) => ({
      type: CertificateType.x509,
      certificate,
    }));
    for (const data of values) {
      const signer = verifyData(
        authority.authenticator,
        juliets,
        ARRAY_KIND,
        data,
        certificates,
        START_UNIX_MS,
      );
      expect(signer).not.toBeInstanceOf(SignatureRefusal);
    }
  });

  test('an index at or above max-count is Too_Large', () => {
    const store = newStore();
    storeNow(store, request(juliets, ARRAY_KIND, [entry(3, 'last')]), after(0));
    const refusal = refusalOf(store, request(juliets, ARRAY_KIND, [entry(4, 'x')]), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Data_Too_Large);
  });

  test('an append to an array without gaps that is full is Too_Large', () => {
    const store = newStore();
    const all = [0, 1, 2, 3].map((index) => entry(index, 'x'));
    storeNow(store, request(juliets, ARRAY_KIND, all), after(0));
    const append = request(juliets, ARRAY_KIND, [entry(ARRAY_INDEX_END, 'y')]);
    expect(refusalOf(store, append, after(0)).errorCode).toBe(ErrorCode.Error_Data_Too_Large);
  });

  test('an append at the end of the index range takes the first gap', () => {
    const store = newStore();
    const brief = entry(0, 'brief', T0, 10);
    const later = [1, 2, 3].map((index) => entry(index, 'x'));
    storeNow(store, request(juliets, ARRAY_KIND, [brief, ...later]), after(0));
    const append = request(juliets, ARRAY_KIND, [entry(ARRAY_INDEX_END, 'y')]);
    storeNow(store, append, after(11));
    const { values } = fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(11));
    expect(values.map(textOf)).toEqual(['y', 'x', 'x', 'x']);
  });

  test('a copy of an append that is in the array already changes nothing', () => {
    const store = newStore();
    const append = entry(ARRAY_INDEX_END, 'a');
    storeNow(store, request(juliets, ARRAY_KIND, [append]), after(0));
    const copy = request(juliets, ARRAY_KIND, [append], { replicaNumber: 1 });
    expect(storeNow(store, copy, after(0)).changed).toBe(false);
    expect(store.counters().values).toBe(1);
  });

  test('RFC 6940 §13.5.3 (156): each entry has its own storage time', () => {
    const store = newStore();
    storeNow(store, request(juliets, ARRAY_KIND, [entry(0, 'a', T0 + 5n)]), after(0));
    storeNow(store, request(juliets, ARRAY_KIND, [entry(1, 'b', T0)]), after(0));
    const older = request(juliets, ARRAY_KIND, [entry(0, 'c', T0 + 4n)]);
    expect(refusalOf(store, older, after(0)).errorCode).toBe(ErrorCode.Error_Data_Too_Old);
  });
});

describe('dictionaries', () => {
  const keyed = (key: string, text: string, storageTime = T0) =>
    signedValue(juliet, juliets, DICTIONARY_KIND, dictionaryEntry(key, text), { storageTime });

  test('RFC 6940 §7.2.3: one value for each key', () => {
    const store = newStore();
    storeNow(
      store,
      request(juliets, DICTIONARY_KIND, [keyed('aa', '1'), keyed('', '2')]),
      after(0),
    );
    storeNow(store, request(juliets, DICTIONARY_KIND, [keyed('aa', '3', T0 + 1n)]), after(0));
    const { values } = fetchNow(store, juliets, DICTIONARY_KIND, ALL_OF_DICTIONARY, after(0));
    expect(values.map(textOf)).toEqual(['3', '2']);
  });
});

describe('removing', () => {
  const value = (text: string | undefined, storageTime: bigint, lifetime: number) =>
    signedValue(juliet, juliets, SINGLE_KIND, single(text), { storageTime, lifetime });

  test('RFC 6940 §7.4.1.3 (198): "nothing here" overwrites, and is returned with its signature', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [value('a', T0, 100)]), after(0));
    const removal = request(juliets, SINGLE_KIND, [value(undefined, T0 + 1n, 200)]);
    expect(storeNow(store, removal, after(1)).responses[0]?.generationCounter).toBe(2n);
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(1));
    expect(values.map(textOf)).toEqual([undefined]);
    expect(values[0]?.signature.identity.type).toBe('certHash');
  });

  test('RFC 6940 §7.4.1.3 (198): it keeps the older value from coming back', () => {
    const store = newStore();
    const original = value('a', T0, 100);
    storeNow(store, request(juliets, SINGLE_KIND, [original]), after(0));
    storeNow(store, request(juliets, SINGLE_KIND, [value(undefined, T0 + 1n, 200)]), after(1));
    for (const replicaNumber of [0, 1]) {
      const replay = request(juliets, SINGLE_KIND, [original], { replicaNumber });
      expect(refusalOf(store, replay, after(2)).errorCode).toBe(ErrorCode.Error_Data_Too_Old);
    }
  });

  test('RFC 6940 §7.4.1.3 (198): it is replicated like any other value', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [value(undefined, T0, 200)]), after(0));
    expect(store.exportResource(juliets, after(1))?.kindData).toHaveLength(1);
  });

  test('RFC 6940 §7.4.1.3 (198): it is gone when its lifetime ends', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [value(undefined, T0, 200)]), after(0));
    expect(store.expire(after(200))).toHaveLength(2);
    expect(store.resourceIds()).toEqual([]);
  });

  test('RFC 6940 §7.4.1.3: a value that does not exist has no bytes', () => {
    const smuggled = value(undefined, T0, 200);
    const dataValue = { exists: false, value: new Uint8Array(50) };
    const data = { ...smuggled.data, value: { model: 'single', value: dataValue } as const };
    const storeRequest = request(juliets, SINGLE_KIND, [{ ...smuggled, data }]);
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Invalid_Message);
  });
});
