import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { XmppStore } from '../../../../src/host/xmpp/xmpp-store.ts';
import {
  CERTIFICATE_PREFIX,
  readCertificateRecord,
} from '../../../../src/xmpp/client-certificates/certificate-records.ts';
import { CertificateRegister } from '../../../../src/xmpp/client-certificates/certificate-register.ts';

let statePath: string;

beforeEach(() => {
  statePath = mkdtempSync(join(tmpdir(), 'xor-certificates-'));
});
afterEach(() => rmSync(statePath, { recursive: true, force: true }));

test('kill -9 at any moment: every change that was answered is there afterwards', async () => {
  const answered: string[] = [];
  for (let life = 0; life < LIVES; life++) {
    const changesMax = 3 + Math.floor(Math.random() * 60);
    answered.push(...(await runAndKill(changesMax)));
    const register = await restored();
    for (const line of answered) {
      const [change = '', ...words] = line.split(' ');
      const state = register.find({ name: words.join(' ') })?.state;
      if (change === 'added') expect(state, line).toBeDefined();
      else expect(state, line).toBe(change);
    }
  }
  expect(answered.length).toBeGreaterThan(LIVES);
}, 120_000);

/** What was answered before the process was killed. */
async function runAndKill(changesMax: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [...WRITER, statePath], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface(writer.stdout)) {
    lines.push(line);
    if (lines.length >= changesMax) writer.kill('SIGKILL');
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
  expect(writer.signalCode).toBe('SIGKILL');
  return lines;
}

async function restored(): Promise<CertificateRegister> {
  const ignored = () => undefined;
  const store = await XmppStore.open(
    statePath,
    { persisted: ignored, persistFailed: ignored },
    (damage) => {
      throw new Error(damage.reason);
    },
  );
  const records = [...store.records()].filter(({ key }) => key.startsWith(CERTIFICATE_PREFIX));
  await store.close();
  return new CertificateRegister(
    records.map((record) => {
      const certificate = readCertificateRecord(record);
      if (certificate === undefined) throw new Error(`damaged: ${record.key}`);
      return certificate;
    }),
  );
}

const LIVES = 6;
const WRITER = [
  '--import',
  'tsx',
  fileURLToPath(new URL('./certificate-writer.ts', import.meta.url)),
];
