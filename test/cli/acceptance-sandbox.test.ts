import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runXor } from './xor-process.ts';

test('a sandbox of 8 peers verifies all 56 lookups and says so in one document', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'xor-sandbox-'));
  try {
    const state = join(directory, 'sandbox');
    const { status, stdout, stderr } = await runXor([
      'sandbox',
      '--once',
      '--json',
      '--state',
      state,
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(report).toEqual({
      overlay: 'xmpp.org',
      peers: 8,
      joined: 8,
      stored: 8,
      lookups: 56,
      verified: 56,
      failed: 0,
      joinMs: { p50: expect.any(Number), max: expect.any(Number) },
      lookupMs: { p50: expect.any(Number), p95: expect.any(Number), max: expect.any(Number) },
    });
    expect(report.joinMs.p50).toBeLessThanOrEqual(report.joinMs.max);
    expect(report.lookupMs.p50).toBeLessThanOrEqual(report.lookupMs.p95);
    expect(report.lookupMs.p95).toBeLessThanOrEqual(report.lookupMs.max);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 120_000);
