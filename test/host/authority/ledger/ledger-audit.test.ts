import { expect, it } from 'vitest';
import type { LedgerEvent } from '../../../../src/ca/ledger-event.ts';
import { AuthorityLedger } from '../../../../src/host/authority/ledger/authority-ledger.ts';
import {
  type AuditVerdict,
  auditLedger,
  auditRecords,
} from '../../../../src/host/authority/ledger/ledger-audit.ts';
import {
  EMPTY_LEDGER_HEAD,
  type LedgerEntry,
  type LedgerHead,
  nextEntry,
} from '../../../../src/host/authority/ledger/ledger-entry.ts';
import { accountAdded, certificateIssued } from '../../../ca/register-events.ts';
import { describeEachStore, type LedgerPlace } from './ledger-stores.ts';
import { tamperingWith } from './ledger-tampering.ts';

const JULIET = 'juliet@capulet.lit';
const FIVE: readonly LedgerEvent[] = [
  accountAdded(JULIET),
  certificateIssued(JULIET),
  { type: 'signInsFailed', unixMs: 1, sinceUnixMs: 0, count: 3, addresses: ['192.0.2.1'] },
  certificateIssued(JULIET),
  { type: 'keyUsed', unixMs: 2, key: 'root', purpose: 'a test' },
];
const entries = chain(EMPTY_LEDGER_HEAD, FIVE);
const head: LedgerHead = { sequence: 5, hash: entries[4]?.hash ?? '' };

function chain(start: LedgerHead, events: readonly LedgerEvent[]): LedgerEntry[] {
  const made: LedgerEntry[] = [];
  for (const event of events) made.push(nextEntry(made.at(-1) ?? start, event));
  return made;
}

/** An entry with other contents and the hash that it had. */
function forged(sequence: number, event: LedgerEvent): LedgerEntry {
  const entry = entries[sequence - 1] as LedgerEntry;
  return { ...entry, text: nextEntry(EMPTY_LEDGER_HEAD, event).text };
}

async function filled(place: LedgerPlace): Promise<LedgerPlace> {
  const store = await place.open();
  await store.transact(async () => ({ entries, documents: new Map() }));
  await store.close();
  return place;
}

async function audit(place: LedgerPlace, pinned?: LedgerHead): Promise<AuditVerdict> {
  const store = await place.open();
  const verdict = await auditLedger(store, pinned);
  await store.close();
  return verdict;
}

describeEachStore('the audit log', (newPlace, cluster) => {
  it('is sound as it was written, and says its head', async () => {
    const place = await filled(await newPlace());
    expect(await audit(place)).toEqual({ type: 'sound', head });
    const pinned = { sequence: 3, hash: entries[2]?.hash ?? '' };
    expect(await audit(place, pinned)).toEqual({ type: 'sound', head });
  });

  it('names the entry that was changed', async () => {
    const place = await filled(await newPlace());
    await tamperingWith(place, cluster).put(forged(3, accountAdded('mallory@x.example')));
    expect(await audit(place)).toMatchObject({ type: 'broken', sequence: 3 });
    await expect(place.open().then(AuthorityLedger.open)).rejects.toThrow('entry 3 was changed');
  });

  it('names the entry that was taken away', async () => {
    const place = await filled(await newPlace());
    await tamperingWith(place, cluster).remove(2);
    expect(await audit(place)).toMatchObject({ type: 'broken', sequence: 2 });
  });

  it('notices that the end was cut off', async () => {
    const place = await filled(await newPlace());
    const tampering = tamperingWith(place, cluster);
    await tampering.remove(4);
    await tampering.remove(5);
    expect(await audit(place)).toMatchObject({ type: 'broken', sequence: 4 });
    await expect(place.open().then(AuthorityLedger.open)).rejects.toThrow('are missing');
  });

  it('notices an entry that was put behind the last one', async () => {
    const place = await filled(await newPlace());
    const sixth = nextEntry(head, accountAdded('mallory@x.example'));
    await tamperingWith(place, cluster).put(sixth);
    expect(await audit(place)).toMatchObject({ type: 'broken', sequence: 6 });
  });

  it('notices by a head that was noted down that the whole chain was made anew', async () => {
    const place = await filled(await newPlace());
    const tampering = tamperingWith(place, cluster);
    const others = [accountAdded(JULIET), accountAdded('mallory@x.example'), ...FIVE.slice(2)];
    const forgedEntries = chain(EMPTY_LEDGER_HEAD, others);
    for (const entry of forgedEntries) await tampering.put(entry);
    await tampering.setHead({ sequence: 5, hash: forgedEntries[4]?.hash ?? '' });
    expect(await audit(place)).toMatchObject({ type: 'sound' });
    expect(await audit(place, head)).toMatchObject({ type: 'broken', sequence: 5 });
  });

  it('notices by a head that was noted down that log and head were both cut', async () => {
    const place = await filled(await newPlace());
    const tampering = tamperingWith(place, cluster);
    await tampering.remove(5);
    await tampering.setHead({ sequence: 4, hash: entries[3]?.hash ?? '' });
    expect(await audit(place)).toMatchObject({ type: 'sound' });
    expect(await audit(place, head)).toMatchObject({ type: 'broken', sequence: 5 });
  });

  it('is shown without hashes of passwords', async () => {
    const place = await filled(await newPlace());
    const store = await place.open();
    const shown = [];
    for await (const record of auditRecords(store, 0)) shown.push(record);
    await store.close();
    expect(shown).toHaveLength(5);
    expect(shown[0]).toMatchObject({ sequence: 1, event: { type: 'accountAdded' } });
    expect(JSON.stringify(shown)).not.toContain('passwordHash');
  });

  it('is only appended to, says the database itself', async (context) => {
    const { database } = await filled(await newPlace());
    if (database === undefined) return context.skip('LMDB has no such rule');
    for (const statement of ['DELETE FROM', 'TRUNCATE']) {
      const done = cluster().query(database, `${statement} xor_ca.ledger_entries`);
      await expect(done).rejects.toThrow('only appended to');
    }
  });
});
