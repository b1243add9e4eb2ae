import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CertificateIssued } from '../../../src/ca/register-event.ts';
import { AuthorityState } from '../../../src/host/authority/authority-state.ts';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import { auditLedger, auditRecords } from '../../../src/host/authority/ledger/ledger-audit.ts';
import { openLedgerForReading } from '../../../src/host/authority/ledger/open-ledger-store.ts';
import { OVERLAY, temporaryDirectory } from './authority-fixture.ts';
import {
  addAccounts,
  type IssuingPlace,
  issueUntilKilled,
  type ReceivedCertificate,
  startIssuing,
} from './issuing-processes.ts';
import { sharedCluster } from './ledger/ledger-stores.ts';
import { isPostgresMissing } from './ledger/postgres-cluster.ts';

async function newPlace(database: string | undefined): Promise<IssuingPlace> {
  const stateDirectory = join(await temporaryDirectory(), 'ca');
  await initializeAuthority({ stateDirectory, overlayName: OVERLAY, database });
  return { stateDirectory, database };
}

/** What stands in the ledger, once its audit has found it sound. */
async function ledgerOf({ stateDirectory, database }: IssuingPlace) {
  const store = await openLedgerForReading(stateDirectory, database);
  expect(await auditLedger(store)).toMatchObject({ type: 'sound' });
  const fingerprints = new Set<string>();
  const nodeIds: string[] = [];
  const devicesOf = new Map<string, number>();
  for await (const record of auditRecords(store, 0)) {
    if (typeof record === 'string') throw new Error(record);
    const issued = record.event as Partial<CertificateIssued>;
    if (issued.type !== 'certificateIssued') continue;
    const { fingerprintSha256 = '', userName = '' } = issued;
    fingerprints.add(fingerprintSha256);
    nodeIds.push(...(issued.nodeIds ?? []));
    devicesOf.set(userName, (devicesOf.get(userName) ?? 0) + 1);
  }
  await store.close();
  return { fingerprints, nodeIds, devicesOf };
}

async function expectNothingLost(
  place: IssuingPlace,
  received: readonly ReceivedCertificate[],
): Promise<void> {
  const { fingerprints, nodeIds } = await ledgerOf(place);
  expect(received.filter(({ sha256 }) => !fingerprints.has(sha256))).toEqual([]);
  // Each certificate was for a new key: no Node-ID may be there twice.
  expect(new Set(nodeIds).size).toBe(nodeIds.length);
}

/** Kills process after process, each after some more certificates; the next one loads meanwhile. */
async function killRounds(place: IssuingPlace, rounds: number): Promise<ReceivedCertificate[]> {
  const userNames = await addAccounts(place, 200, 1_000);
  const received: ReceivedCertificate[] = [];
  const waiting = [startIssuing(place), startIssuing(place)];
  for (let round = 0; round < rounds; round++) {
    const child = waiting.shift() ?? startIssuing(place);
    if (round + 2 < rounds) waiting.push(startIssuing(place));
    const rotated = [...userNames.slice(round % 200), ...userNames.slice(0, round % 200)];
    const some = await issueUntilKilled(child, rotated, 1 + (round % 13));
    expect(some.length).toBeGreaterThanOrEqual(1 + (round % 13));
    received.push(...some);
  }
  return received;
}

describe('kill -9 while an authority issues', () => {
  it('a hundred times: what a client received is in the ledger, no Node-ID twice', async () => {
    const place = await newPlace(undefined);
    await expectNothingLost(place, await killRounds(place, 100));
  }, 600_000);

  describe.skipIf(isPostgresMissing)('with its ledger in PostgreSQL', () => {
    const cluster = sharedCluster();

    it('ten times: what a client received is in the ledger, no Node-ID twice', async () => {
      const place = await newPlace(await cluster().newDatabase());
      await expectNothingLost(place, await killRounds(place, 10));
    }, 300_000);

    it('two processes at once, one of them killed: no limit exceeded, no Node-ID twice', async () => {
      const first = await newPlace(await cluster().newDatabase());
      const second = { ...first, stateDirectory: `${first.stateDirectory}-2` };
      await cp(first.stateDirectory, second.stateDirectory, { recursive: true });
      const userNames = await addAccounts(first, 12, 5);
      const children = [startIssuing(first), startIssuing(second)] as const;
      const received = await Promise.all([
        issueUntilKilled(children[0], userNames, 20),
        issueUntilKilled(children[1], userNames, 25),
      ]);
      expect(received.flat().length).toBeLessThanOrEqual(60);
      await expectNothingLost(first, received.flat());
      const { devicesOf } = await ledgerOf(first);
      for (const name of userNames) expect(devicesOf.get(name) ?? 0).toBeLessThanOrEqual(5);
      // What is left of the limit is given out, and nothing beyond it.
      const state = await AuthorityState.open(first.stateDirectory, { database: first.database });
      expect(state.register.issuedCount).toBeLessThanOrEqual(60 + 2);
      await state.close();
    }, 120_000);
  });

  it('a second process on an embedded ledger is refused with a sentence', async () => {
    const { stateDirectory } = await newPlace(undefined);
    const state = await AuthorityState.open(stateDirectory);
    await expect(AuthorityState.open(stateDirectory)).rejects.toThrow(
      /is in use by process \d+; stop it, or name another --state/,
    );
    await state.close();
  });
});
