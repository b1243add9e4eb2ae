import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AuthorityLedger } from '../../../../src/host/authority/ledger/authority-ledger.ts';
import { openLedgerStore } from '../../../../src/host/authority/ledger/open-ledger-store.ts';
import { accountAdded, certificateIssued } from '../../../ca/register-events.ts';

const JULIET = 'juliet@capulet.lit';

async function directoryWith(lines: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'ledger.jsonl'), lines);
  return directory;
}

async function open(directory: string): Promise<AuthorityLedger> {
  const ledger = await AuthorityLedger.open(
    await openLedgerStore(directory, undefined, 'existing'),
  );
  onTestFinished(() => ledger.close());
  return ledger;
}

describe('a ledger of lines of JSON', () => {
  const issued = certificateIssued(JULIET);
  const whole = [accountAdded(JULIET), issued]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');

  it('is taken over once, without a last line that was never acknowledged', async () => {
    const directory = await directoryWith(`${whole}{"type":"acc`);
    const ledger = await open(directory);
    expect(ledger.head.sequence).toBe(2);
    expect(ledger.register.certificate(issued.serialNumber)).toMatchObject(issued);
    expect(await readdir(directory)).toContain('ledger.jsonl.migrated');
    expect(await readdir(directory)).not.toContain('ledger.jsonl');
  });

  it('is not taken over twice when a crash came before it was renamed', async () => {
    const directory = await directoryWith(whole);
    const first = await AuthorityLedger.open(
      await openLedgerStore(directory, undefined, 'existing'),
    );
    await first.close();
    await writeFile(join(directory, 'ledger.jsonl'), whole);
    expect((await open(directory)).head.sequence).toBe(2);
  });

  it('is refused, and stays, when a line of it is damaged', async () => {
    const directory = await directoryWith(`${whole}hello\n`);
    await expect(open(directory)).rejects.toThrow('is damaged in line 3');
    expect(await readdir(directory)).toContain('ledger.jsonl');
  });
});
