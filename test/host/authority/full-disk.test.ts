import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Authority } from '../../../src/host/authority/authority.ts';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import { auditLedger } from '../../../src/host/authority/ledger/ledger-audit.ts';
import { openLedgerForReading } from '../../../src/host/authority/ledger/open-ledger-store.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import { encodeSigningRequest } from '../../../src/host/enrollment/enrollment-request.ts';
import { mountSmallFileSystem, unmountSmallFileSystem } from '../state/small-file-system.ts';
import { JULIET, OVERLAY, PASSWORD } from './authority-fixture.ts';

const TRIES = 5;
const small = mountSmallFileSystem();

it.skipIf(small === undefined)(
  'a full disk (needs the right to mount one): nothing is issued, the process stays, and goes on',
  async () => {
    const place = small ?? '';
    try {
      const stateDirectory = join(place, 'ca');
      await initializeAuthority({ stateDirectory, overlayName: OVERLAY });
      const authority = await Authority.open(stateDirectory);
      await authority.addUser(JULIET, PASSWORD, 1_000);
      const issue = async () => {
        const csr = encodeSigningRequest(await generatePrivateKey('p256'), JULIET);
        const applicant = { userName: JULIET, device: undefined };
        const { type } = await authority.issuer.certify(applicant, csr, undefined);
        return type;
      };
      expect(await issue()).toBe('certificate');
      const filler = join(place, 'filler');
      fillUp(filler);
      const failures: string[] = [];
      for (let count = 0; count < TRIES; count++)
        await issue().catch((e) => failures.push(String(e)));
      expect(failures.length).toBeGreaterThan(0);
      expect(failures[0]).toMatch(
        /does not take more: cannot write .*; the disk is full, \d+ bytes/,
      );
      const issued = 1 + TRIES - failures.length;

      rmSync(filler);
      expect(await issue()).toBe('certificate');
      const { certificates } = await authority.list();
      expect(certificates.filter(({ jid }) => jid === JULIET)).toHaveLength(issued + 1);
      await authority.close();
      const store = await openLedgerForReading(stateDirectory, undefined);
      expect(await auditLedger(store)).toMatchObject({ type: 'sound' });
      await store.close();
    } finally {
      unmountSmallFileSystem(place);
    }
  },
  60_000,
);

/** Until nothing more goes onto the disk. */
function fillUp(path: string): void {
  for (let size = 1; ; size++) {
    try {
      writeFileSync(path, Buffer.alloc(4_096), { flag: 'a' });
    } catch {
      return;
    }
    if (size > 1_000) throw new Error('the disk does not fill up');
  }
}
