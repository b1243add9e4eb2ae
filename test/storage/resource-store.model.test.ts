/**
 * The store against a model that is too simple to be wrong: random Stores, copies, merges, passing
 * time, expiry and restarts. After each step both must serve the same values and counters; a Store
 * that is refused must leave no trace; and the records must always give the same store back.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import { StoreRefusal } from '../../src/storage/store-refusal.ts';
import type { StoreKindRequest, VerifiedValue } from '../../src/storage/store-request.ts';
import { ErrorCode } from '../../src/wire/error-response.ts';
import { ARRAY_INDEX_END, type KindId } from '../../src/wire/stored-data.ts';
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
  RecordFile,
  requestOfKinds,
  SINGLE_KIND,
  THE_SINGLE,
  textOf,
} from './store-fixture.ts';

const userName = 'juliet@example.org';
const juliets = resourceIdOf(userName);
const COUNT_MAX = 4;
const SPECIFIERS = [
  { kind: SINGLE_KIND, specifier: THE_SINGLE },
  { kind: ARRAY_KIND, specifier: ALL_OF_ARRAY },
  { kind: DICTIONARY_KIND, specifier: ALL_OF_DICTIONARY },
];

let authority: TestAuthority;
let juliet: TestNode;
let stranger: TestNode;

beforeAll(async () => {
  authority = await TestAuthority.create();
  juliet = await authority.node({ userName, nodeId: testNodeId('1a') });
  stranger = await authority.node({ userName: 'iago@example.org', nodeId: testNodeId('66') });
});

/** A value before it is signed. `slot` is an index or a key; 9 appends to an array. */
interface Draft {
  readonly kind: KindId;
  readonly slot: number;
  readonly text: string | undefined;
  readonly time: number;
  readonly lifetime: number;
  readonly byStranger: boolean;
}

type Step =
  | {
      readonly type: 'store';
      readonly drafts: readonly Draft[];
      readonly mode: 'original' | 'replica' | 'merge';
      readonly counter: number;
    }
  | { readonly type: 'wait'; readonly seconds: number }
  | { readonly type: 'expire' }
  | { readonly type: 'restart' };

const draft = fc.record({
  kind: fc.constantFrom(SINGLE_KIND, ARRAY_KIND, DICTIONARY_KIND),
  slot: fc.constantFrom(0, 1, 2, 3, 4, 9),
  text: fc.option(fc.constantFrom('a', 'bb', 'x'.repeat(100), 'x'.repeat(101)), {
    nil: undefined,
  }),
  time: fc.integer({ min: 1, max: 12 }),
  lifetime: fc.integer({ min: 1, max: 30 }),
  byStranger: fc.integer({ min: 0, max: 19 }).map((dice) => dice === 0),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('store' as const),
      drafts: fc.array(draft, { minLength: 1, maxLength: 4 }),
      mode: fc.constantFrom(
        'original' as const,
        'original' as const,
        'replica' as const,
        'merge' as const,
      ),
      counter: fc.constantFrom(0, 0, 0, 1, 2, 5),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      seconds: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'expire' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
);

interface ModelValue {
  readonly text: string | undefined;
  readonly time: number;
  readonly endsAt: number;
  /** Two values with the same signature are the same element. */
  readonly signature: string;
}

interface ModelKind {
  counter: bigint;
  readonly values: Map<number, ModelValue>;
}

type Model = Map<KindId, ModelKind>;

class Refused extends Error {}

const signedDrafts = new Map<string, VerifiedValue>();

/** The signed form of a draft; the same draft always gives the same signature. */
function signed(one: Draft): VerifiedValue {
  const { lifetime, ...content } = one;
  const name = JSON.stringify(content);
  let value = signedDrafts.get(name);
  if (value === undefined) {
    const node = one.byStranger ? stranger : juliet;
    const parts = { storageTime: BigInt(one.time) };
    value = signedValue(node, juliets, one.kind, wireValue(one), parts);
    signedDrafts.set(name, value);
  }
  return { ...value, data: { ...value.data, lifetime } };
}

function wireValue({ kind, slot, text }: Draft) {
  if (kind === SINGLE_KIND) return single(text);
  if (kind === ARRAY_KIND) return arrayEntry(slot === 9 ? ARRAY_INDEX_END : slot, text);
  return dictionaryEntry(`0${slot}`, text);
}

function signatureOf(one: Draft): string {
  return Buffer.from(signed(one).data.signature.value).toString('hex');
}

function live(model: Model, kind: KindId, seconds: number): Map<number, ModelValue> {
  const values = model.get(kind)?.values ?? new Map<number, ModelValue>();
  return new Map([...values].filter(([, value]) => value.endsAt > seconds));
}

/** Carries a Store out on a copy of the model; throws Refused where the store must refuse. */
function modelAfter(model: Model, one: Step & { type: 'store' }, seconds: number): Model {
  const next: Model = new Map(model);
  for (const kind of new Set(one.drafts.map((each) => each.kind))) {
    const values = live(model, kind, seconds);
    // A Kind stays, with its counter, until the last value was expired, not only ended.
    const before = model.get(kind)?.counter ?? 0n;
    const asked = BigInt(one.counter);
    if (one.mode === 'original' && asked !== 0n && asked !== before) throw new Refused();
    if (one.mode !== 'original' && asked === 0n) throw new Refused();
    let changed = false;
    for (const each of one.drafts) {
      if (each.kind === kind && modelPut(values, each, one.mode, seconds)) changed = true;
    }
    const counter = modelCounter(one.mode, before, asked, changed);
    const stale = [...(model.get(kind)?.values ?? [])].filter(([slot]) => !values.has(slot));
    const all = new Map([...values, ...stale]);
    if (all.size > 0) next.set(kind, { counter, values: all });
  }
  return next;
}

function modelCounter(mode: string, before: bigint, asked: bigint, changed: boolean): bigint {
  if (mode === 'replica') return asked;
  if (mode === 'merge' && asked > before) return asked;
  return changed ? before + 1n : before;
}

function modelPut(
  values: Map<number, ModelValue>,
  one: Draft,
  mode: string,
  seconds: number,
): boolean {
  if (one.byStranger || (one.text?.length ?? 0) > 100) throw new Refused();
  const signature = signatureOf(one);
  let slot = one.kind === SINGLE_KIND ? 0 : one.slot;
  if (one.kind === ARRAY_KIND && slot === 9) {
    slot = Math.max(-1, ...values.keys()) + 1;
    if (slot >= COUNT_MAX) slot = [0, 1, 2, 3].find((index) => !values.has(index)) ?? COUNT_MAX;
    const isHere = [...values.values()].some((value) => value.signature === signature);
    if (slot < COUNT_MAX && mode !== 'original' && isHere) return false;
  }
  if (one.kind === ARRAY_KIND && slot >= COUNT_MAX) throw new Refused();
  const current = values.get(slot);
  if (current === undefined && values.size >= (one.kind === SINGLE_KIND ? 1 : COUNT_MAX)) {
    throw new Refused();
  }
  if (current !== undefined && one.time <= current.time) {
    if (mode !== 'original' && current.signature === signature) return false;
    if (mode === 'merge') return false;
    throw new Refused();
  }
  const endsAt = seconds + one.lifetime;
  values.set(slot, { text: one.text, time: one.time, endsAt, signature });
  return true;
}

function expiredModel(model: Model, seconds: number): Model {
  const next: Model = new Map();
  for (const [kind, { counter }] of model) {
    const values = live(model, kind, seconds);
    if (values.size > 0) next.set(kind, { counter, values });
  }
  return next;
}

/** What a Fetch of everything says of the model. */
function servedByModel(model: Model, seconds: number): unknown {
  return SPECIFIERS.map(({ kind }) => {
    const values = live(model, kind, seconds);
    const told = ({ text, time, endsAt }: ModelValue) => ({ text, time, left: endsAt - seconds });
    const nothing = { text: undefined, time: 0, left: 0 };
    const counter = model.get(kind)?.counter ?? 0n;
    if (kind === DICTIONARY_KIND) {
      const sorted = [...values].sort(([one], [other]) => one - other);
      return { counter, values: sorted.map(([slot, value]) => ({ slot, ...told(value) })) };
    }
    const end = kind === SINGLE_KIND ? 0 : Math.max(-1, ...values.keys());
    const all = Array.from({ length: end + 1 }, (_, slot) => {
      const value = values.get(slot);
      return { slot, ...(value === undefined ? nothing : told(value)) };
    });
    return { counter, values: all };
  });
}

function servedByStore(store: ResourceStore, seconds: number): unknown {
  return SPECIFIERS.map(({ kind, specifier }) => {
    const answer = fetchNow(store, juliets, kind, specifier, after(seconds));
    const values = answer.values.map((data) => {
      const { value } = data;
      const slot =
        value.model === 'single' ? 0 : value.model === 'array' ? value.index : (value.key[0] ?? -1);
      return { slot, text: textOf(data), time: Number(data.storageTime), left: data.lifetime };
    });
    return {
      counter: answer.generation,
      values: values.sort((one, other) => one.slot - other.slot),
    };
  });
}

class Run {
  private store = new ResourceStore({ kinds });
  private readonly file = new RecordFile();
  private model: Model = new Map();
  private seconds = 0;

  take(one: Step): void {
    if (one.type === 'wait') this.seconds += one.seconds;
    else if (one.type === 'store') this.storeStep(one);
    else {
      this.model = expiredModel(this.model, this.seconds);
      if (one.type === 'expire') this.file.write(this.store.expire(after(this.seconds)));
      else this.restart();
    }
    expect(servedByStore(this.store, this.seconds)).toEqual(
      servedByModel(this.model, this.seconds),
    );
    const onDisk = new RecordFile();
    for (const resource of this.store.resourceIds()) onDisk.write(this.store.recordsOf(resource));
    expect([...onDisk.records.keys()].sort()).toEqual([...this.file.records.keys()].sort());
  }

  private restart(): void {
    this.store = new ResourceStore({ kinds });
    const now = after(this.seconds);
    const result = this.store.restore(this.file.load(), authority.authenticator, now);
    expect(result).toMatchObject({ damaged: [], refused: [] });
    this.file.write(result.records);
  }

  private storeStep(one: Step & { type: 'store' }): void {
    const kindRequests: StoreKindRequest[] = [...new Set(one.drafts.map((each) => each.kind))].map(
      (kind) => ({
        kind,
        generationCounter: BigInt(one.counter),
        values: one.drafts.filter((each) => each.kind === kind).map(signed),
      }),
    );
    const before = this.store.recordsOf(juliets);
    const counters = this.store.counters();
    const plan = this.store.plan(
      requestOfKinds(juliets, kindRequests, {
        replicaNumber: one.mode === 'original' ? 0 : 1,
        requestSigner: juliet,
        ...(one.mode === 'merge' ? { leaveOutOlder: true } : {}),
      }),
      after(this.seconds),
    );
    let expected: Model | undefined;
    try {
      expected = modelAfter(this.model, one, this.seconds);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    if (plan instanceof StoreRefusal) {
      expect(expected, plan.detail).toBeUndefined();
      expect(Object.values(ErrorCode)).toContain(plan.errorCode);
      expect(this.store.recordsOf(juliets)).toEqual(before);
      expect(this.store.counters()).toEqual(counters);
      return;
    }
    if (expected === undefined) throw new Error('the Store should have been refused');
    this.file.write(this.store.commit(plan, after(this.seconds)).records);
    this.model = expected;
  }
}

test('RFC 6940 §7.4.1.1 (172, 173): random histories agree with the model, refusals leave no trace', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const run = new Run();
      for (const one of steps) run.take(one);
    }),
    { numRuns: 300 },
  );
});

test('a counter that an identical copy set back is still back after a restart', () => {
  const removed = { kind: SINGLE_KIND, slot: 0, text: undefined, time: 1, lifetime: 9 };
  const drafts = [{ ...removed, byStranger: false }];
  const run = new Run();
  run.take({ type: 'store', drafts, mode: 'merge', counter: 2 });
  run.take({ type: 'store', drafts, mode: 'replica', counter: 1 });
  run.take({ type: 'restart' });
  run.take({ type: 'wait', seconds: 1 });
});

test('the model is no rubber stamp: it sees a store that forgets a counter', () => {
  const store = new ResourceStore({ kinds });
  expect(servedByStore(store, 0)).not.toEqual(
    servedByModel(new Map([[SINGLE_KIND, { counter: 1n, values: new Map() }]]), 0),
  );
});

test('the tests play while the certificates are valid', () => {
  expect(juliet.verified.node.validUntilUnixMs).toBeGreaterThan(START_UNIX_MS + 400_000);
});
