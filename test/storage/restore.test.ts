/** From memory to records and back, past damage, expiry and changed trust. */
import { beforeAll, describe, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
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
  kinds,
  newStore,
  RecordFile,
  refusalOf,
  request,
  requestOfKinds,
  SINGLE_KIND,
  storeNow,
  THE_SINGLE,
  textOf,
} from './store-fixture.ts';

const userName = 'juliet@example.org';
const juliets = resourceIdOf(userName);
const LONG_KEY = 'ab'.repeat(500);

let authority: TestAuthority;
let juliet: TestNode;
let secondDevice: TestNode;

beforeAll(async () => {
  authority = await TestAuthority.create();
  juliet = await authority.node({ userName, nodeId: testNodeId('1a') });
  secondDevice = await authority.node({ userName, nodeId: testNodeId('1b') });
});

function filled(): { store: ResourceStore; file: RecordFile } {
  const store = newStore();
  const file = new RecordFile();
  const by = (node: TestNode, kind: number, value: Parameters<typeof signedValue>[3]) =>
    signedValue(node, juliets, kind, value, { lifetime: 1000 });
  const brief = signedValue(juliet, juliets, ARRAY_KIND, arrayEntry(2, 'brief'), { lifetime: 10 });
  const storeRequest = requestOfKinds(juliets, [
    { kind: SINGLE_KIND, generationCounter: 0n, values: [by(juliet, SINGLE_KIND, single('a'))] },
    {
      kind: ARRAY_KIND,
      generationCounter: 0n,
      values: [by(juliet, ARRAY_KIND, arrayEntry(0, 'b')), brief],
    },
    {
      kind: DICTIONARY_KIND,
      generationCounter: 0n,
      values: [by(secondDevice, DICTIONARY_KIND, dictionaryEntry(LONG_KEY, 'c'))],
    },
  ]);
  file.write(storeNow(store, storeRequest, after(0)).records);
  return { store, file };
}

/** After a restart the monotonic clock begins anew. */
function restarted(seconds: number) {
  return { monotonicMs: 77, unixMs: START_UNIX_MS + seconds * 1000 };
}

function restored(file: RecordFile, seconds: number, authenticator = authority.authenticator) {
  const store = newStore();
  const result = store.restore(file.load(), authenticator, restarted(seconds));
  file.write(result.records);
  return { store, result };
}

describe('restore', () => {
  test('what was stored is served again, with lifetimes reduced by the time away', () => {
    const { file } = filled();
    const { store, result } = restored(file, 400);
    expect(result).toMatchObject({ restored: 3, expired: 1, damaged: [], refused: [] });
    const at = restarted(400);
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, at);
    expect(values.map(textOf)).toEqual(['a']);
    expect(values[0]?.lifetime).toBe(600);
    const entries = fetchNow(store, juliets, DICTIONARY_KIND, ALL_OF_DICTIONARY, at);
    expect(entries.values.map(textOf)).toEqual(['c']);
    expect(entries.certificateCount).toBe(1);
  });

  test('what expired meanwhile leaves the disk, too', () => {
    const { file } = filled();
    expect(file.records.size).toBe(7);
    restored(file, 400);
    expect(file.records.size).toBe(6);
    restored(file, 1000);
    expect(file.records.size).toBe(0);
  });

  test('RFC 6940 §7.4.1.1: generation counters go on from where they were', () => {
    const { store, file } = filled();
    for (const step of [1, 2, 3]) {
      const value = signedValue(juliet, juliets, ARRAY_KIND, arrayEntry(3, 'x'), {
        storageTime: BigInt(START_UNIX_MS + step),
        lifetime: 5,
      });
      file.write(storeNow(store, request(juliets, ARRAY_KIND, [value]), after(step)).records);
    }
    file.write(store.expire(after(20)));
    const again = restored(file, 20).store;
    const { generation } = fetchNow(again, juliets, ARRAY_KIND, ALL_OF_ARRAY, restarted(20));
    expect(generation).toBe(4n);
  });

  test('a store restored twice writes and serves the same', () => {
    const { file } = filled();
    const once = restored(file, 5).store;
    const copy = new RecordFile();
    copy.write(once.recordsOf(juliets));
    expect(copy.records).toEqual(file.records);
  });

  test('RFC 6940 §7 (155): storage times still keep older values out', () => {
    const { file } = filled();
    const { store } = restored(file, 5);
    const older = signedValue(juliet, juliets, SINGLE_KIND, single('old'), {
      storageTime: BigInt(START_UNIX_MS - 1),
    });
    const refusal = refusalOf(store, request(juliets, SINGLE_KIND, [older]), restarted(5));
    expect(refusal.detail).toContain('storage time');
  });

  test('a wall clock that was set back makes no lifetime longer', () => {
    const { file } = filled();
    const { store } = restored(file, -5000);
    const { values } = fetchNow(store, juliets, SINGLE_KIND, THE_SINGLE, restarted(-5000));
    expect(values[0]?.lifetime).toBe(1000);
  });

  test('keys of others are passed over', () => {
    const { file } = filled();
    file.write([{ key: 'peers', value: new Uint8Array(3) }]);
    expect(restored(file, 5).result).toMatchObject({ restored: 4, damaged: [] });
    expect(file.records.has('peers')).toBe(true);
  });

  test('only an empty store can be restored', () => {
    const { store, file } = filled();
    expect(() => store.restore(file.load(), authority.authenticator, after(1))).toThrow('empty');
  });
});

describe('what is not served', () => {
  test('a record with any byte changed is reported; the others are served', () => {
    const { file } = filled();
    const [key, bytes] = [...file.records].find(([name]) => name.includes('/value')) ?? [];
    if (key === undefined || bytes === undefined) throw new Error('no record');
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x20;
      const copy = new RecordFile();
      copy.write([...file.load(), { key, value: damaged }]);
      const { result } = restored(copy, 5);
      expect(result.damaged.map((record) => record.key)).toEqual([key]);
      expect(result.restored).toBe(3);
      expect(copy.records.has(key)).toBe(false);
    }
  });

  test('a record that was cut off, emptied or filed under another key is reported', () => {
    const { file } = filled();
    const [key, bytes] = [...file.records].find(([name]) => name.includes('/value')) ?? [];
    if (key === undefined || bytes === undefined) throw new Error('no record');
    const store = newStore();
    const records = [
      { key, value: bytes.subarray(0, 40) },
      { key: 'value/01', value: new Uint8Array(0) },
      { key: 'value/02', value: Uint8Array.of(1) },
      { key: 'value/03', value: bytes },
      { key: 'generation/04', value: Uint8Array.of(9, 9) },
    ];
    const result = store.restore(records, authority.authenticator, after(5));
    expect(result.damaged.map((record) => record.key)).toEqual(records.map((record) => record.key));
    expect(result.damaged.map((record) => record.reason)[4]).toContain('version');
  });

  test('a generation counter filed under another key is reported', () => {
    const { file } = filled();
    const [key, bytes] = [...file.records].find(([name]) => name.startsWith('generation')) ?? [];
    if (key === undefined || bytes === undefined) throw new Error('no record');
    const moved = { key: key.replace('f0000001', 'f0000002'), value: bytes };
    const result = newStore().restore([moved], authority.authenticator, after(5));
    expect(result.damaged.map((record) => record.key)).toEqual([moved.key]);
  });

  test('RFC 6940 §7.1 (204): values whose certificate has expired', () => {
    const { file } = filled();
    const late = restarted(0);
    const unixMs = juliet.verified.node.validUntilUnixMs + 1000;
    const store = newStore();
    const long = signedValue(juliet, juliets, SINGLE_KIND, single('long'), {
      storageTime: BigInt(START_UNIX_MS + 1),
      lifetime: 0xffffffff,
    });
    const writer = newStore();
    file.write(storeNow(writer, request(juliets, SINGLE_KIND, [long]), after(1)).records);
    const result = store.restore(file.load(), authority.authenticator, { ...late, unixMs });
    expect(result.restored).toBe(0);
    expect(result.refused).toHaveLength(1);
    expect(result.refused[0]?.reason).toContain('certificate-refused');
  });

  test('values of a node that is trusted no more; they stay on disk until they expire', () => {
    const { file } = filled();
    const settings = authority.authenticator.trustSettings;
    const badNodes = new Set<NodeId>([secondDevice.signer.nodeId]);
    const { result } = restored(file, 20, new Authenticator({ ...settings, badNodes }));
    expect(result.restored).toBe(2);
    expect(result.refused.map(({ reason }) => reason)[0]).toContain('bad-node');
    expect(restored(file, 20).result).toMatchObject({ restored: 3, refused: [] });
  });

  test('values of Kinds that the configuration does not have any more', () => {
    const { file } = filled();
    const remaining = new Map(kinds);
    remaining.delete(DICTIONARY_KIND);
    const store = new ResourceStore({ kinds: remaining });
    const result = store.restore(file.load(), authority.authenticator, restarted(5));
    expect(result.refused.map(({ reason }) => reason)).toEqual([
      `Kind 0x${DICTIONARY_KIND.toString(16)} is unknown`,
    ]);
  });

  test('more values than the limits allow', () => {
    const { file } = filled();
    const store = new ResourceStore({ kinds, limits: { valuesMax: 2 } });
    const result = store.restore(file.load(), authority.authenticator, restarted(5));
    expect(result.restored).toBe(2);
    expect(result.refused).toHaveLength(2);
  });
});
