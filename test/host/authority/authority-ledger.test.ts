import { appendFile, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { RegisterEvent } from '../../../src/ca/register-event.ts';
import { AuthorityLedger } from '../../../src/host/authority/authority-ledger.ts';
import { accountAdded, certificateIssued } from '../../ca/register-events.ts';
import { afterTest, temporaryDirectory } from './authority-fixture.ts';

async function newPath(): Promise<string> {
  return join(await temporaryDirectory(), 'ledger.jsonl');
}

async function read(path: string): Promise<RegisterEvent[]> {
  const events: RegisterEvent[] = [];
  const ledger = await AuthorityLedger.open(path, (event) => events.push(event));
  await ledger.close();
  return events;
}

const events = Array.from({ length: 50 }, (_, index) => accountAdded(`user-${index}@x.example`));

describe('AuthorityLedger', () => {
  it('gives back what was appended, in its order', async () => {
    const path = await newPath();
    const ledger = await AuthorityLedger.open(path, () => undefined);
    await Promise.all(events.map((event) => ledger.append(event)));
    await ledger.append(certificateIssued('juliet@capulet.lit'));
    await ledger.close();
    expect((await read(path)).slice(0, 50)).toEqual(events);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('writes what comes at the same time with one sync', async () => {
    const path = await newPath();
    const ledger = await AuthorityLedger.open(path, () => undefined);
    afterTest(() => ledger.close());
    const prototype = Object.getPrototypeOf(await handleOf(path)) as { datasync: () => unknown };
    const datasync = vi.spyOn(prototype, 'datasync');
    await Promise.all(events.map((event) => ledger.append(event)));
    expect(datasync.mock.calls.length).toBeLessThanOrEqual(2);
    datasync.mockRestore();
  });

  it('cuts off a last line without its end: that event was never acknowledged', async () => {
    const path = await newPath();
    const whole = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    for (const torn of ['{', JSON.stringify(events[0]), 'x'.repeat(200_000)]) {
      await writeFile(path, whole + torn);
      expect(await read(path)).toEqual(events);
      expect(await readFile(path, 'utf8')).toBe(whole);
    }
    await writeFile(path, '{"type":');
    expect(await read(path)).toEqual([]);
  });

  it('appends behind the last whole line after a crash', async () => {
    const path = await newPath();
    await writeFile(path, `${JSON.stringify(events[0])}\n{"type":"acc`);
    const ledger = await AuthorityLedger.open(path, () => undefined);
    await ledger.append(events[1] as RegisterEvent);
    await ledger.close();
    expect(await read(path)).toEqual(events.slice(0, 2));
  });

  it.each([
    ['no JSON', 'hello', 'line 2'],
    ['an empty line', '', 'line 2'],
    ['an unknown event', '{"type":"other"}', 'unknown event type "other"'],
    ['a field of another kind', '{"type":"accountRemoved","unixMs":"now"}', '"unixMs"'],
  ])('refuses %s in the middle, and names the line', async (_what, line, reason) => {
    const path = await newPath();
    const good = JSON.stringify(events[0]);
    await writeFile(path, `${good}\n${line}\n${good}\n`);
    await expect(read(path)).rejects.toThrow(reason);
    await expect(read(path)).rejects.toThrow('restore it from a backup');
  });

  it('refuses events that the register finds contradictory', async () => {
    const path = await newPath();
    await appendFile(path, `${JSON.stringify(events[0])}\n`);
    const contradictory = AuthorityLedger.open(path, () => {
      throw new RangeError('it was issued before');
    });
    await expect(contradictory).rejects.toThrow('line 1 (it was issued before)');
  });

  it('takes nothing more after a write that failed: nobody knows what is on disk', async () => {
    const path = await newPath();
    const ledger = await AuthorityLedger.open(path, () => undefined);
    const prototype = Object.getPrototypeOf(await handleOf(path)) as { datasync: () => unknown };
    const datasync = vi
      .spyOn(prototype, 'datasync')
      .mockRejectedValueOnce(new Error('ENOSPC: no space left on device'));
    const first = ledger.append(events[0] as RegisterEvent);
    await expect(first).rejects.toThrow('no space left');
    datasync.mockRestore();
    await expect(ledger.append(events[1] as RegisterEvent)).rejects.toThrow('cannot be written');
    await ledger.close();
  });
});

/** Any file handle: its prototype is the one of all. */
async function handleOf(path: string): Promise<object> {
  const handle = await open(path);
  await handle.close();
  return handle;
}
