import { expect, it, onTestFinished } from 'vitest';
import type { LedgerEvent } from '../../../../src/ca/ledger-event.ts';
import { AuthorityLedger } from '../../../../src/host/authority/ledger/authority-ledger.ts';
import {
  EMPTY_LEDGER_HEAD,
  type LedgerEntry,
  type LedgerHead,
  nextEntry,
} from '../../../../src/host/authority/ledger/ledger-entry.ts';
import type { LedgerStore } from '../../../../src/host/authority/ledger/ledger-store.ts';
import { accountAdded, certificateIssued } from '../../../ca/register-events.ts';

import { describeEachStore, type LedgerPlace } from './ledger-stores.ts';

const JULIET = 'juliet@capulet.lit';
const NO_DOCUMENTS: ReadonlyMap<string, string> = new Map();
const events = Array.from({ length: 50 }, (_, index) => accountAdded(`user-${index}@x.example`));

function chain(head: LedgerHead, ...added: readonly LedgerEvent[]): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const event of added) entries.push(nextEntry(entries.at(-1) ?? head, event));
  return entries;
}

async function opened(place: LedgerPlace): Promise<LedgerStore> {
  const store = await place.open();
  onTestFinished(() => store.close());
  return store;
}

async function ledgerOf(place: LedgerPlace): Promise<AuthorityLedger> {
  const ledger = await AuthorityLedger.open(await place.open());
  onTestFinished(() => ledger.close());
  return ledger;
}

function readAll(store: LedgerStore): Promise<readonly LedgerEntry[]> {
  return store.view((view) => view.read(0, 1_000));
}

describeEachStore('a store of the ledger', (newPlace) => {
  it('is empty at first', async () => {
    const store = await opened(await newPlace());
    expect(await store.view(async ({ head }) => head)).toEqual(EMPTY_LEDGER_HEAD);
    expect(await readAll(store)).toEqual([]);
  });

  it('gives back what was appended, in its order, also to whoever opens it later', async () => {
    const place = await newPlace();
    const store = await place.open();
    const entries = chain(EMPTY_LEDGER_HEAD, ...events);
    await store.transact(async () => ({ entries, documents: NO_DOCUMENTS }));
    expect(await readAll(store)).toEqual(entries);
    await store.close();
    const again = await opened(place);
    const last = entries[49];
    expect(await again.view(async ({ head }) => head)).toEqual({
      sequence: 50,
      hash: last?.hash,
    });
    expect(await again.view((view) => view.read(10, 3))).toEqual(entries.slice(10, 13));
  });

  it('keeps the last text of a document, and knows since which entry', async () => {
    const place = await newPlace();
    const store = await place.open();
    const add = (text: string) =>
      store.transact(async ({ head }) => ({
        entries: chain(head, events[0] as LedgerEvent),
        documents: new Map([['list', text]]),
      }));
    await add('one');
    await add('two');
    await store.close();
    const again = await opened(place);
    expect(await again.view((view) => view.documents(0))).toEqual(new Map([['list', 'two']]));
    expect(await again.view((view) => view.documents(1))).toEqual(new Map([['list', 'two']]));
    expect(await again.view((view) => view.documents(2))).toEqual(new Map());
  });

  it('keeps whatever text a stranger sent, to the last character', async () => {
    const store = await opened(await newPlace());
    const detail = `for "a\u0000b\ud800'\\u0000 ","type":"certificateIssued","serialNumber":"00`;
    const refused = {
      type: 'enrollmentRefused',
      unixMs: 1,
      userName: JULIET,
      token: 'bad_CSR',
      detail,
    } as const;
    const entries = chain(EMPTY_LEDGER_HEAD, refused, { ...refused, unixMs: 2 });
    await store.transact(async () => ({ entries, documents: NO_DOCUMENTS }));
    const read = await readAll(store);
    expect(read).toEqual(entries);
    expect(JSON.parse(read[0]?.text ?? '')).toEqual(refused);
  });

  it('appends nothing of a change that fails', async () => {
    const store = await opened(await newPlace());
    const failed = store.transact(async () => Promise.reject(new RangeError('no')));
    await expect(failed).rejects.toThrow('no');
    expect(await readAll(store)).toEqual([]);
    const next = store.transact(async ({ head }) => ({
      entries: chain(head, ...events),
      documents: NO_DOCUMENTS,
    }));
    await next;
    expect(await readAll(store)).toHaveLength(50);
  });

  it('lets one change after the other see what the one before left', async () => {
    const store = await opened(await newPlace());
    const append = (event: LedgerEvent) =>
      store.transact(async ({ head }) => ({
        entries: chain(head, event),
        documents: NO_DOCUMENTS,
      }));
    await Promise.all(events.map(append));
    const entries = await readAll(store);
    const inOrder = entries.map(({ text }) => JSON.parse(text) as LedgerEvent);
    expect(entries).toEqual(chain(EMPTY_LEDGER_HEAD, ...inOrder));
    expect(new Set(inOrder.map((event) => JSON.stringify(event))).size).toBe(events.length);
  });
});

describeEachStore('the ledger', (newPlace) => {
  it('has a register of all entries after it was opened again', async () => {
    const place = await newPlace();
    const first = await AuthorityLedger.open(await place.open());
    const issued = certificateIssued(JULIET);
    await first.change(async () => {
      first.record(accountAdded(JULIET, 3));
      first.record(issued);
      first.record({ type: 'keyUsed', unixMs: 1, key: 'root', purpose: 'a test' });
    });
    const { head } = first;
    await first.close();
    const again = await ledgerOf(place);
    expect(again.head).toEqual(head);
    expect(again.register.account(JULIET)?.devicesMax).toBe(3);
    expect(again.register.certificate(issued.serialNumber)).toMatchObject(issued);
  });

  it('decides each change on what the one before left', async () => {
    const ledger = await ledgerOf(await newPlace());
    const add = () =>
      ledger.change(async () => {
        if (ledger.register.accountCount >= 3) return false;
        ledger.record(accountAdded(`user-${ledger.register.accountCount}@x.example`));
        return true;
      });
    const outcomes = await Promise.all(Array.from({ length: 10 }, add));
    expect(outcomes.filter((isAdded) => isAdded)).toHaveLength(3);
    expect(ledger.register.accountCount).toBe(3);
  });

  it('answers whoever failed, and goes on', async () => {
    const ledger = await ledgerOf(await newPlace());
    const failed = ledger.change(() => Promise.reject(new RangeError('not this one')));
    const done = ledger.change(async () => ledger.record(accountAdded(JULIET)));
    await expect(failed).rejects.toThrow('not this one');
    await done;
    expect(ledger.head.sequence).toBe(1);
  });

  it('records no event that contradicts the register, and none outside of a change', async () => {
    const ledger = await ledgerOf(await newPlace());
    const issued = certificateIssued(JULIET);
    await ledger.change(async () => ledger.record(issued));
    const twice = ledger.change(async () => ledger.record(issued));
    await expect(twice).rejects.toThrow('was issued before');
    expect(() => ledger.record(accountAdded(JULIET))).toThrow('within a change');
  });

  it('shows a document when it is durable, and not before', async () => {
    const ledger = await ledgerOf(await newPlace());
    let seenWithin: string | undefined;
    await ledger.change(async () => {
      ledger.record(accountAdded(JULIET));
      ledger.publish('list', 'the list');
      seenWithin = ledger.document('list');
    });
    expect(seenWithin).toBeUndefined();
    expect(ledger.document('list')).toBe('the list');
  });

  it('is not opened when its entries contradict each other', async () => {
    const place = await newPlace();
    const store = await place.open();
    const revoked: LedgerEvent = {
      type: 'certificateRevoked',
      unixMs: 1,
      serialNumber: '4001',
      reason: 'unspecified',
    };
    await store.transact(async ({ head }) => ({
      entries: chain(head, accountAdded(JULIET), revoked),
      documents: NO_DOCUMENTS,
    }));
    await store.close();
    await expect(place.open().then(AuthorityLedger.open)).rejects.toThrow(
      'entry 2: serial number 4001 was never issued',
    );
  });
});
