/** Every check of RFC 6940 §7.4.1.1 that the store makes, and what is answered when it fails. */
import { beforeAll, describe, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { decode } from '../../src/wire/codec.ts';
import { ErrorCode, UnknownKinds } from '../../src/wire/error-response.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import { NO_SIGNATURE } from '../../src/wire/security-block.ts';
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
  DEVICE_KIND,
  DICTIONARY_KIND,
  fetchNow,
  NODE_KIND,
  newStore,
  refusalOf,
  request,
  requestOfKinds,
  SINGLE_KIND,
  storeNow,
  THE_SINGLE,
  textOf,
  UNKNOWN_KIND,
} from './store-fixture.ts';

const juliets = resourceIdOf('juliet@example.org');
const T0 = BigInt(START_UNIX_MS);

let juliet: TestNode;
let romeo: TestNode;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  juliet = await authority.node({ userName: 'juliet@example.org', nodeId: testNodeId('1a') });
  romeo = await authority.node({ userName: 'romeo@example.org', nodeId: testNodeId('2b') });
});

function julietsSingle(text: string | undefined, storageTime = T0, lifetime = 86_400) {
  return signedValue(juliet, juliets, SINGLE_KIND, single(text), { storageTime, lifetime });
}

describe('the request', () => {
  test('RFC 6940 §7.4.1.1 (171): the same Kind twice in a StoreReq is refused', () => {
    const kindRequest = {
      kind: SINGLE_KIND,
      generationCounter: 0n,
      values: [julietsSingle('balcony')],
    };
    const refusal = refusalOf(
      newStore(),
      requestOfKinds(juliets, [kindRequest, kindRequest]),
      after(0),
    );
    expect(refusal.errorCode).toBe(ErrorCode.Error_Invalid_Message);
    expect(refusal.detail).toContain('twice');
  });

  test('RFC 6940 §7.4.1.1 (176): a Kind that the configuration does not have is refused', () => {
    const value = signedValue(juliet, juliets, UNKNOWN_KIND, single('x'));
    const refusal = refusalOf(newStore(), request(juliets, UNKNOWN_KIND, [value]), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Unknown_Kind);
  });

  test('RFC 6940 §7.4.1.2 (197): the error lists all unknown Kinds, and only those', () => {
    const unknown = (kind: number) => ({
      kind,
      generationCounter: 0n,
      values: [signedValue(juliet, juliets, kind, single('x'))],
    });
    const known = { ...unknown(SINGLE_KIND), values: [julietsSingle('balcony')] };
    const storeRequest = requestOfKinds(juliets, [unknown(7), known, unknown(8)]);
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(decode(UnknownKinds, refusal.errorInfo)).toEqual({ kinds: [7, 8] });
  });

  test('a Kind without values is refused', () => {
    const storeRequest = request(juliets, SINGLE_KIND, [], { requestSigner: juliet });
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Invalid_Message);
  });

  test('a value of another data model than its Kind’s is refused', () => {
    const value = signedValue(juliet, juliets, SINGLE_KIND, arrayEntry(0, 'x'));
    const refusal = refusalOf(newStore(), request(juliets, SINGLE_KIND, [value]), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Invalid_Message);
  });
});

describe('the signers', () => {
  test('RFC 6940 §7.4.1.1 (179), §7.3 (158): a value by somebody else is Forbidden', () => {
    const value = signedValue(romeo, juliets, SINGLE_KIND, single('mine'));
    const storeRequest = request(juliets, SINGLE_KIND, [value], { requestSigner: juliet });
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Forbidden);
    expect(refusal.detail).toContain('signer of the value');
  });

  test('RFC 6940 §7.4.1.1 (180), §7.3 (158): a StoreReq by somebody else is Forbidden', () => {
    const storeRequest = request(juliets, SINGLE_KIND, [julietsSingle('balcony')], {
      requestSigner: romeo,
    });
    const refusal = refusalOf(newStore(), storeRequest, after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Forbidden);
    expect(refusal.detail).toContain('signer of the StoreReq');
  });

  test('RFC 6940 §7.3 (159): the sender of a replica Store need not own the value', () => {
    const store = newStore();
    storeNow(
      store,
      request(juliets, SINGLE_KIND, [julietsSingle('balcony')], {
        requestSigner: romeo,
        replicaNumber: 1,
      }),
      after(0),
    );
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, after(0));
    expect(values.map(textOf)).toEqual(['balcony']);
  });

  test('RFC 6940 §7.3 (159): the signer of a value in a replica Store must own it', () => {
    const value = signedValue(romeo, juliets, SINGLE_KIND, single('mine'));
    const storeRequest = request(juliets, SINGLE_KIND, [value], { replicaNumber: 1 });
    expect(refusalOf(newStore(), storeRequest, after(0)).errorCode).toBe(ErrorCode.Error_Forbidden);
  });

  test('RFC 6940 §13.5.1 (169): the policy of the Kind decides, not that of another Kind', () => {
    const own = resourceIdOf(nodeIdBytes(juliet.signer.nodeId));
    const store = newStore();
    const atNode = signedValue(juliet, own, NODE_KIND, arrayEntry(0, 'certificate'));
    storeNow(store, request(own, NODE_KIND, [atNode]), after(0));
    const atUser = signedValue(juliet, juliets, NODE_KIND, arrayEntry(0, 'certificate'));
    const refusal = refusalOf(store, request(juliets, NODE_KIND, [atUser]), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Forbidden);
  });

  test('RFC 6940 §7.3.3 (163): a device cannot write another device’s entry', () => {
    const key = romeo.signer.nodeId;
    const value = signedValue(juliet, juliets, DEVICE_KIND, dictionaryEntry(key, 'here'));
    const refusal = refusalOf(newStore(), request(juliets, DEVICE_KIND, [value]), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Forbidden);
  });

  test('RFC 6940 §7.4.1.1 (187): a value signed with "none" or {0, 0} is Forbidden', () => {
    const signed = julietsSingle('balcony');
    const { identity } = signed.data.signature;
    const unsigned = [
      NO_SIGNATURE,
      { ...signed.data.signature, identity: { type: 'none' } as const },
      { ...NO_SIGNATURE, identity },
      { ...signed.data.signature, hashAlgorithm: 0 },
      { ...signed.data.signature, signatureAlgorithm: 0 },
    ];
    for (const signature of unsigned) {
      const value = { ...signed, data: { ...signed.data, signature } };
      for (const replicaNumber of [0, 1]) {
        const storeRequest = request(juliets, SINGLE_KIND, [value], { replicaNumber });
        const refusal = refusalOf(newStore(), storeRequest, after(0));
        expect(refusal.errorCode).toBe(ErrorCode.Error_Forbidden);
      }
    }
  });
});

describe('sizes', () => {
  test('RFC 6940 §13.5.2 (170), §7.4.1.2 (196): a value above max-size is Too_Large', () => {
    const store = newStore();
    const fits = request(juliets, SINGLE_KIND, [julietsSingle('x'.repeat(100))]);
    storeNow(store, fits, after(0));
    const large = request(juliets, SINGLE_KIND, [julietsSingle('x'.repeat(101), T0 + 1n)]);
    expect(refusalOf(store, large, after(1)).errorCode).toBe(ErrorCode.Error_Data_Too_Large);
  });

  test('RFC 6940 §7.4.1.2 (196): more entries than max-count are Too_Large', () => {
    const store = newStore();
    const entry = (digits: string) =>
      signedValue(juliet, juliets, DICTIONARY_KIND, dictionaryEntry(digits.repeat(16), 'x'));
    const four = ['aa', 'bb', 'cc', 'dd'].map(entry);
    storeNow(store, request(juliets, DICTIONARY_KIND, four), after(0));
    const refusal = refusalOf(store, request(juliets, DICTIONARY_KIND, [entry('ee')]), after(1));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Data_Too_Large);
  });

  test('a dictionary key above its limit is Too_Large', () => {
    const store = newStore({ dictionaryKeyBytesMax: 16 });
    const value = signedValue(
      juliet,
      juliets,
      DICTIONARY_KIND,
      dictionaryEntry('aa'.repeat(17), ''),
    );
    const refusal = refusalOf(store, request(juliets, DICTIONARY_KIND, [value]), after(0));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Data_Too_Large);
  });
});

describe('all or nothing', () => {
  test('RFC 6940 §7.4.1.1 (172, 173, 177): one value that fails undoes the whole request', () => {
    const store = newStore();
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    const before = store.recordsOf(juliets);
    const good = signedValue(juliet, juliets, ARRAY_KIND, arrayEntry(0, 'x'));
    const storeRequest = requestOfKinds(juliets, [
      { kind: ARRAY_KIND, generationCounter: 0n, values: [good] },
      { kind: SINGLE_KIND, generationCounter: 0n, values: [julietsSingle('b')] },
    ]);
    const refusal = refusalOf(store, storeRequest, after(1));
    expect(refusal.errorCode).toBe(ErrorCode.Error_Data_Too_Old);
    expect(store.recordsOf(juliets)).toEqual(before);
    expect(store.counters().values).toBe(1);
  });

  test('RFC 6940 §7.4.1.1 (172): a plan changes nothing before it is committed', () => {
    const store = newStore();
    store.plan(request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    expect(store.counters()).toEqual({
      resources: 0,
      values: 0,
      bytes: 0,
      certificates: 0,
      certificateBytes: 0,
    });
  });

  test('a plan made before another change is not carried out', () => {
    const store = newStore();
    const plan = store.plan(request(juliets, SINGLE_KIND, [julietsSingle('a')]), after(0));
    storeNow(store, request(juliets, SINGLE_KIND, [julietsSingle('b', T0 + 1n)]), after(0));
    if (!('revision' in plan)) throw new Error('the plan was refused');
    expect(() => store.commit(plan, after(0))).toThrow('changed since');
  });
});
