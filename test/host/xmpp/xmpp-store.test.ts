import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { XmppStore } from '../../../src/host/xmpp/xmpp-store.ts';
import { restoreRouting } from '../../../src/xmpp/routing/restored-routing.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

let statePath: string;

beforeEach(() => {
  statePath = mkdtempSync(join(tmpdir(), 'xmpp-store-'));
});
afterEach(() => rmSync(statePath, { recursive: true, force: true }));

describe('what the XMPP usage keeps on disk', () => {
  test('what was written is there for the next run', async () => {
    const persisted: number[] = [];
    const store = await open((ticket) => persisted.push(ticket));
    store.write(1, [{ key: 'archive/1', value: Buffer.from('a') }]);
    store.write(2, [{ key: 'archive/1', value: undefined }]);
    store.write(3, [{ key: 'outbox/1', value: Buffer.from('b') }]);
    await store.close();
    expect(persisted).toEqual([1, 2, 3]);
    const again = await open(() => undefined);
    const records = Array.from(again.records(), ({ key, value }) => [key, `${value}`]);
    expect(records).toEqual([['outbox/1', 'b']]);
    await again.close();
  });

  test('kill -9: every acknowledged message is archived and waits, in order, once', async () => {
    const random = seededRandom(Date.now());
    let acknowledged = 0;
    for (let life = 0; life < 4; life++) {
      const handledMax = 20 + (random.bytes(1)[0] ?? 0);
      acknowledged += await runAndKill(handledMax);
      const store = await open(() => undefined);
      const environment = new XmppEnvironment(random);
      const { archive, outbox, damaged } = restoreRouting(store.records(), environment);
      await store.close();
      expect(damaged).toEqual([]);
      expect(outbox.length).toBeGreaterThanOrEqual(acknowledged);
      expect(archive.map(({ duplicateKey }) => duplicateKey).length).toBe(outbox.length);
      expect(new Set(archive.map(({ duplicateKey }) => duplicateKey)).size).toBe(archive.length);
      acknowledged = outbox.length;
    }
  }, 120_000);
});

async function runAndKill(handledMax: number): Promise<number> {
  const writer = spawn(process.execPath, [...WRITER, statePath], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let handled = 0;
  for await (const line of createInterface(writer.stdout)) {
    handled = Number(line.split(' ')[1]);
    if (handled >= handledMax) writer.kill('SIGKILL');
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
  expect(writer.signalCode).toBe('SIGKILL');
  return handled;
}

function open(persisted: (ticket: number) => void): Promise<XmppStore> {
  const persistFailed = (_ticket: number, reason: string) => {
    throw new Error(reason);
  };
  return XmppStore.open(statePath, { persisted, persistFailed }, (damage) => {
    throw new Error(damage.reason);
  });
}

const WRITER = [
  '--import',
  'tsx',
  fileURLToPath(new URL('./xmpp-store-writer.ts', import.meta.url)),
];
