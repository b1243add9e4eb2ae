import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { withAuthority } from '../../../src/host/authority/access.ts';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import type { EnrolledIdentity } from '../../../src/host/enrollment/enrollment-client.ts';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import {
  afterTest,
  enrollJuliet,
  JULIET,
  newAuthorityState,
  PASSWORD,
  serve,
} from './authority-fixture.ts';

const PROGRAM = fileURLToPath(new URL('./authority-process.ts', import.meta.url));

/** Starts an authority on `state` in a process of its own. */
async function startProcess(
  state: string,
): Promise<{ child: ChildProcess; authority: RunningAuthority }> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  afterTest(async () => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, authority: JSON.parse(line) as RunningAuthority };
}

it('kill -9 while it certifies loses nothing that was acknowledged', async () => {
  const state = await newAuthorityState();
  await withAuthority(state, (operations) => operations.addUser(JULIET, PASSWORD, 100));
  for (const acknowledgedMax of [1, 2, 5]) {
    const { child, authority } = await startProcess(state);
    const acknowledged = await enrollUntilItDies(authority, (count) => {
      if (count === acknowledgedMax) child.kill('SIGKILL');
    });
    expect(acknowledged.length).toBeGreaterThanOrEqual(acknowledgedMax);

    const restarted = await serve(state);
    const { certificates } = await restarted.list();
    const known = new Set(certificates.map(({ fingerprintSha256 }) => fingerprintSha256));
    for (const { node, privateKey } of acknowledged) {
      expect(known).toContain(node.certificate.sha256);
      const again = await enrollJuliet(restarted, { privateKey });
      expect(again.node.nodeId).toBe(node.nodeId);
      expect(again.node.certificate.sha256).toBe(node.certificate.sha256);
    }
    await restarted.close();
  }
}, 120_000);

/** Three devices at a time, so that some are under way whenever it dies. */
async function enrollUntilItDies(
  authority: RunningAuthority,
  onAcknowledged: (count: number) => void,
) {
  const acknowledged: EnrolledIdentity[] = [];
  const worker = async () => {
    for (;;) {
      const privateKey = await generatePrivateKey('p256');
      acknowledged.push(await enrollJuliet(authority, { privateKey }));
      onAcknowledged(acknowledged.length);
    }
  };
  await Promise.allSettled([worker(), worker(), worker()]);
  return acknowledged;
}
