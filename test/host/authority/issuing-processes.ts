import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { AccountName } from '../../../src/ca/account-name.ts';
import { AuthorityState } from '../../../src/host/authority/authority-state.ts';

/** A certificate that left an authority. */
export interface ReceivedCertificate {
  readonly serialNumber: string;
  readonly sha256: string;
  readonly nodeId: string;
}

/** Where an authority has its keys, and where its ledger. */
export interface IssuingPlace {
  readonly stateDirectory: string;
  readonly database: string | undefined;
}

/** Starts `issuing-process.ts`, which waits for its line: loading takes longer than issuing. */
export function startIssuing({ stateDirectory, database }: IssuingPlace): ChildProcess {
  const program = fileURLToPath(new URL('./issuing-process.ts', import.meta.url));
  const places = database === undefined ? [stateDirectory] : [stateDirectory, database];
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...places], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Lets it issue, and kills it once `certificatesMax` certificates have come. */
export async function issueUntilKilled(
  child: ChildProcess,
  userNames: readonly string[],
  certificatesMax: number,
): Promise<readonly ReceivedCertificate[]> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the process has no pipes');
  const received: ReceivedCertificate[] = [];
  const lines = createInterface({ input: stdout });
  // Its pipe may end before the process: until then it holds the state.
  const ended = Promise.all([once(lines, 'close'), once(child, 'close')]);
  lines.on('line', (line) => {
    // A line that the kill cut off reached nobody.
    if (line.endsWith('}')) received.push(JSON.parse(line) as ReceivedCertificate);
    if (received.length === certificatesMax) child.kill('SIGKILL');
  });
  stdin.write(`${JSON.stringify({ userNames })}\n`);
  await ended;
  return received;
}

/** Accounts with `devicesMax` devices each; nobody signs in with a password. */
export async function addAccounts(
  { stateDirectory, database }: IssuingPlace,
  count: number,
  devicesMax: number,
): Promise<readonly string[]> {
  const state = await AuthorityState.open(stateDirectory, { database });
  const userNames = Array.from({ length: count }, (_, index) => `user-${index}@x.example`);
  await state.exclusive(async () => {
    for (const name of userNames) {
      const userName = name as AccountName;
      const account = { userName, passwordHash: 'none', devicesMax };
      state.record({ type: 'accountAdded', unixMs: state.nowUnixMs(), ...account });
    }
  });
  await state.close();
  return userNames;
}
