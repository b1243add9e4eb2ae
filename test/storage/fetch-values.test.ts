/** Fetch and Stat: RFC 6940 §7.4.2 and §7.4.3. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
import { StoreRefusal } from '../../src/storage/store-refusal.ts';
import { decode, uint32, vector } from '../../src/wire/codec.ts';
import { ErrorCode, UnknownKinds } from '../../src/wire/error-response.ts';
import { fromHex } from '../../src/wire/hex.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { NO_SIGNATURE } from '../../src/wire/security-block.ts';
import { type ModelSpecifier, type StoredMetaData, storedMetaData } from '../../src/wire/store.ts';
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
let secondDevice: TestNode;
let store: ResourceStore;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  const userName = 'juliet@example.org';
  juliet = await authority.node({ userName, nodeId: testNodeId('1a') });
  secondDevice = await authority.node({ userName, nodeId: testNodeId('1b') });
  store = newStore();
  storeNow(store, everyModel(), after(0));
});

/** "a" as single; "b" and "d" at 0 and 2 of an array; "e" and "f" under two keys. */
function everyModel() {
  const entryOf = (kind: number, value: Parameters<typeof signedValue>[3], by = juliet) =>
    signedValue(by, juliets, kind, value, { lifetime: 1000 });
  return requestOfKinds(juliets, [
    { kind: SINGLE_KIND, generationCounter: 0n, values: [entryOf(SINGLE_KIND, single('a'))] },
    {
      kind: ARRAY_KIND,
      generationCounter: 0n,
      values: [
        entryOf(ARRAY_KIND, arrayEntry(0, 'b')),
        entryOf(ARRAY_KIND, arrayEntry(2, 'd'), secondDevice),
      ],
    },
    {
      kind: DICTIONARY_KIND,
      generationCounter: 0n,
      values: [
        entryOf(DICTIONARY_KIND, dictionaryEntry('e0', 'e')),
        entryOf(DICTIONARY_KIND, dictionaryEntry('f0', 'f'), secondDevice),
      ],
    },
  ]);
}

function ranges(...pairs: [number, number][]): ModelSpecifier {
  return { model: 'array', ranges: pairs.map(([first, last]) => ({ first, last })) };
}

function keys(...hex: string[]): ModelSpecifier {
  return { model: 'dictionary', keys: hex.map(fromHex) };
}

function isMadeUp(data: StoredData | undefined): boolean {
  return data !== undefined && data.signature.identity.type === 'none';
}

function refusedFetch(kind: number, specifier: ModelSpecifier): StoreRefusal {
  const result = store.fetch(juliets, [{ kind, generation: 0n, specifier }], after(0));
  if (result instanceof StoreRefusal) return result;
  throw new Error('the Fetch was not refused');
}

describe('what is answered', () => {
  test('RFC 6940 §7.4.2.2 (201): one response for each Kind asked for, stored or not', () => {
    const nothing = resourceIdOf('nothing here');
    const specifiers = [
      { kind: ARRAY_KIND, generation: 0n, specifier: ALL_OF_ARRAY },
      { kind: SINGLE_KIND, generation: 0n, specifier: THE_SINGLE },
    ];
    for (const resource of [juliets, nothing]) {
      const result = store.fetch(resource, specifiers, after(0));
      if (result instanceof StoreRefusal) throw new Error(result.detail);
      expect(result.responses.map(({ kind }) => kind)).toEqual([ARRAY_KIND, SINGLE_KIND]);
    }
  });

  test('RFC 6940 §7.4.2.2 (202): another counter than the stored one brings all values', () => {
    for (const generation of [0n, 2n]) {
      const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(0), generation);
      expect(values.map(textOf)).toEqual(['a']);
    }
  });

  test('RFC 6940 §7.4.2.1: the stored counter brings no values', () => {
    const answer = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(0), 1n);
    expect(answer).toEqual({ values: [], generation: 1n, certificateCount: 0 });
  });

  test('RFC 6940 §7.4.2.2: what is not there does not exist, and nobody signed it', () => {
    const nothing = resourceIdOf('nothing here');
    const { values, generation } = fetchNow(store, nothing, SINGLE_KIND, THE_SINGLE, after(0));
    expect(generation).toBe(0n);
    expect(values).toEqual([
      {
        storageTime: 0n,
        lifetime: 0,
        value: { model: 'single', value: { exists: false, value: new Uint8Array(0) } },
        signature: NO_SIGNATURE,
      },
    ]);
  });

  test('RFC 6940 §7.4.1.1 (191): the lifetime is what is left of it', () => {
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(400));
    expect(values[0]?.lifetime).toBe(600);
  });

  test('a jump of the wall clock changes no lifetime', () => {
    const jumped = { ...after(400), unixMs: START_UNIX_MS + 10_000_000 };
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, jumped);
    expect(values[0]?.lifetime).toBe(600);
  });

  test('RFC 6940 §6.3.4: the certificates of all signers come along, each once', () => {
    const { certificateCount } = fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(0));
    expect(certificateCount).toBe(2);
    const one = fetchNow(store, juliets, ARRAY_KIND, ranges([0, 0]), after(0));
    expect(one.certificateCount).toBe(1);
  });

  test('RFC 6940 §7.1 (204): a value whose certificate has expired is not served', () => {
    const expired = { ...after(0), unixMs: juliet.verified.node.validUntilUnixMs };
    const { values, certificateCount } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, expired);
    expect(values.map(isMadeUp)).toEqual([true]);
    expect(certificateCount).toBe(0);
  });
});

describe('arrays', () => {
  const texts = (specifier: ModelSpecifier) =>
    fetchNow(store, juliets, ARRAY_KIND, specifier, after(0)).values.map(textOf);

  test('RFC 6940 §7.2.2: gaps are values that do not exist', () => {
    const { values } = fetchNow(store, juliets, ARRAY_KIND, ALL_OF_ARRAY, after(0));
    expect(values.map(textOf)).toEqual(['b', undefined, 'd']);
    expect(values.map(isMadeUp)).toEqual([false, true, false]);
  });

  test('RFC 6940 §7.4.2.1: 0xffffffff is the last element', () => {
    expect(texts(ranges([ARRAY_INDEX_END, ARRAY_INDEX_END]))).toEqual(['d']);
    expect(texts(ranges([1, ARRAY_INDEX_END]))).toEqual([undefined, 'd']);
  });

  test('a range is clipped to the array; one index alone is answered anyway', () => {
    expect(texts(ranges([1, 1000]))).toEqual([undefined, 'd']);
    expect(texts(ranges([3, 1000]))).toEqual([]);
    expect(texts(ranges([1000, 1000]))).toEqual([undefined]);
    expect(texts(ranges())).toEqual([]);
  });

  test('several ranges are answered in their order', () => {
    expect(texts(ranges([2, 2], [0, 1]))).toEqual(['d', 'b', undefined]);
  });

  test('an array without values has no elements', () => {
    const nothing = resourceIdOf('nothing here');
    expect(fetchNow(store, nothing, ARRAY_KIND, ALL_OF_ARRAY, after(0)).values).toEqual([]);
  });

  test('RFC 6940 §7.4.2.1 (199): a range whose first is above its last is refused', () => {
    for (const range of [ranges([2, 1]), ranges([ARRAY_INDEX_END, 0])]) {
      expect(refusedFetch(ARRAY_KIND, range).errorCode).toBe(ErrorCode.Error_Invalid_Message);
    }
  });

  test('RFC 6940 §7.4.2.1 (200): ranges that overlap are refused', () => {
    for (const range of [ranges([0, 2], [2, 3]), ranges([5, 9], [0, ARRAY_INDEX_END])]) {
      expect(refusedFetch(ARRAY_KIND, range).detail).toContain('overlap');
    }
  });
});

describe('dictionaries', () => {
  const texts = (specifier: ModelSpecifier) =>
    fetchNow(store, juliets, DICTIONARY_KIND, specifier, after(0)).values.map(textOf);

  test('RFC 6940 §7.4.2.1: no keys ask for everything', () => {
    expect(texts(ALL_OF_DICTIONARY)).toEqual(['e', 'f']);
  });

  test('RFC 6940 §7.4.2.2: a key that is not there is a value that does not exist', () => {
    expect(texts(keys('f0', '99'))).toEqual(['f', undefined]);
  });

  test('a key that is asked for twice is answered once', () => {
    expect(texts(keys('f0', 'f0'))).toEqual(['f']);
  });
});

describe('what is refused', () => {
  test('RFC 6940 §7.4.1.2 (197): unknown Kinds, with their list', () => {
    const specifiers = [7, SINGLE_KIND, 8].map((kind) => ({
      kind,
      generation: 0n,
      specifier: THE_SINGLE,
    }));
    for (const result of [
      store.fetch(juliets, specifiers, after(0)),
      store.stat(juliets, specifiers, after(0)),
    ]) {
      if (!(result instanceof StoreRefusal)) throw new Error('not refused');
      expect(result.errorCode).toBe(ErrorCode.Error_Unknown_Kind);
      expect(decode(UnknownKinds, result.errorInfo)).toEqual({ kinds: [7, 8] });
    }
  });

  test('the same Kind twice', () => {
    const specifier = { kind: SINGLE_KIND, generation: 0n, specifier: THE_SINGLE };
    const result = store.fetch(juliets, [specifier, specifier], after(0));
    expect(result).toMatchObject({ errorCode: ErrorCode.Error_Invalid_Message });
  });

  test('an answer larger than its limit', () => {
    const small = newStore({ answerBytesMax: 300 });
    storeNow(small, everyModel(), after(0));
    const result = small.fetch(
      juliets,
      [{ kind: ARRAY_KIND, generation: 0n, specifier: ranges([0, 0], [1, 1], [2, 2], [3, 3]) }],
      after(0),
    );
    expect(result).toMatchObject({ errorCode: ErrorCode.Error_Response_Too_Large });
  });
});

describe('Stat', () => {
  const statNow = (kind: number, specifier: ModelSpecifier, seconds = 0): StoredMetaData[] => {
    const result = store.stat(juliets, [{ kind, generation: 0n, specifier }], after(seconds));
    if (result instanceof StoreRefusal) throw new Error(result.detail);
    const bytes = result[0]?.values ?? new Uint8Array(0);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    const entries = decode(
      vector(uint32, storedMetaData(specifier.model)),
      Buffer.concat([length, bytes]),
    );
    if (entries instanceof MalformedMessage) throw new Error(entries.describe());
    return entries;
  };
  const sha256 = (bytes: number[]) =>
    new Uint8Array(createHash('sha256').update(new Uint8Array(bytes)).digest());

  test('RFC 6940 §7.4.3.2: the hash covers the value with its four length bytes', () => {
    const hashes = [
      statNow(SINGLE_KIND, THE_SINGLE)[0],
      statNow(ARRAY_KIND, ranges([0, 0]))[0],
      statNow(DICTIONARY_KIND, keys('e0'))[0],
    ].map((entry) => new Uint8Array(entry?.value.metaData.hashValue ?? []));
    expect(hashes).toEqual(['a', 'b', 'e'].map((text) => sha256([0, 0, 0, 1, text.charCodeAt(0)])));
  });

  test('RFC 6940 §7.4.3.2: storage time, remaining lifetime, length and place are told', () => {
    const [entry] = statNow(ARRAY_KIND, ranges([2, 2]), 400);
    expect(entry).toMatchObject({
      storageTime: T0,
      lifetime: 600,
      value: { model: 'array', index: 2, metaData: { exists: true, valueLength: 1 } },
    });
  });

  test('RFC 6940 §7.4.3.2: what is not there is told like in a Fetch', () => {
    const [entry] = statNow(DICTIONARY_KIND, keys('99'));
    expect(entry).toMatchObject({
      storageTime: 0n,
      lifetime: 0,
      value: { model: 'dictionary', metaData: { exists: false, valueLength: 0 } },
    });
  });
});

test('the answer is the caller’s: changing it changes nothing that is stored', () => {
  const own = newStore();
  const value = signedValue(juliet, juliets, SINGLE_KIND, single('a'));
  storeNow(own, request(juliets, SINGLE_KIND, [value]), after(0));
  const specifiers = [{ kind: SINGLE_KIND, generation: 0n, specifier: THE_SINGLE }];
  const result = own.fetch(juliets, specifiers, after(0));
  if (result instanceof StoreRefusal) throw new Error(result.detail);
  result.responses[0]?.values.fill(0xff);
  expect(fetchNow(own, juliets, SINGLE_KIND, THE_SINGLE, after(0)).values.map(textOf)).toEqual([
    'a',
  ]);
});
