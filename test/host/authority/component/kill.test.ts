/**
 * kill -9 while an authority answers over XMPP. `KILLS=100 npx vitest run …/kill.test.ts` kills it
 * so many times.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { AuthorityState } from '../../../../src/host/authority/authority-state.ts';
import { afterTest, newAuthorityState } from '../authority-fixture.ts';
import { addAccounts } from '../issuing-processes.ts';
import { CA, chainOf, csrStanza, newRequest, SECRET } from './component-fixture.ts';
import { ComponentServer } from './component-server.ts';

const KILLS = Number(process.env.KILLS ?? 6);
/** At once, in each round. */
const REQUESTS = 4;

interface Asked {
  readonly userName: string;
  readonly der: Uint8Array;
  readonly keySha256: string;
  /** SHA-256 of each certificate that came for it. */
  readonly received: Set<string>;
}

it(`XEP-0417 §6.1: a repeated request gets the same certificate after kill -9 (${KILLS} times)`, async () => {
  const stateDirectory = await newAuthorityState({ xmppAddress: CA });
  const userNames = await addAccounts({ stateDirectory, database: undefined }, 100, 8);
  const server = await ComponentServer.open(SECRET);
  afterTest(() => server.close());
  const all: Asked[] = [];
  let waiting = startProcess(stateDirectory, server);
  let unanswered: readonly Asked[] = [];
  for (let round = 0; round <= KILLS; round += 1) {
    const child = waiting;
    child.stdin?.write('go\n');
    // The next one loads its program meanwhile.
    waiting = startProcess(stateDirectory, server);
    await server.attachedTimes(round + 1);
    // What the last one was asked when it died is asked once more, and all is answered now.
    await Promise.all(unanswered.map((asked) => ask(server, asked, `again-${round}`)));
    if (round === KILLS) break;
    const fresh = userNames.slice(0, REQUESTS).map((_, index) => {
      const userName = userNames[(round * REQUESTS + index) % userNames.length] ?? '';
      return { userName, ...newRequest(userName), received: new Set<string>() };
    });
    all.push(...fresh);
    const answers = fresh.map((asked) => ask(server, asked, `first-${round}`));
    // From before the first of them is read to after the last one is answered.
    await Promise.race([wait((round % 20) * 1.5), Promise.all(answers)]);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    server.forgetAttached();
    unanswered = fresh;
  }
  for (const { received } of all) expect(received.size).toBe(1);
  const last = once(waiting, 'close');
  waiting.kill('SIGKILL');
  await last;
  await endAll();
  const state = await AuthorityState.open(stateDirectory);
  for (const { keySha256, received } of all) {
    const device = state.register.deviceOfKey(keySha256);
    const held = device === undefined ? [] : state.register.certificatesOf(device);
    expect(held.map(({ fingerprintSha256 }) => fingerprintSha256)).toEqual([...received]);
  }
  await state.close();
}, 900_000);

const children = new Set<ChildProcess>();

async function endAll(): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

function startProcess(stateDirectory: string, { port }: ComponentServer): ChildProcess {
  const program = fileURLToPath(new URL('./component-process.ts', import.meta.url));
  const args = ['--import', 'tsx', program, stateDirectory, String(port), SECRET];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  children.add(child);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Asks, and remembers what comes; it may never come. */
async function ask(server: ComponentServer, asked: Asked, round: string): Promise<void> {
  const { userName, der, keySha256, received } = asked;
  const id = `${round}-${keySha256.slice(0, 12)}`;
  const answer = await server.ask(csrStanza(der, { id, from: `${userName}/phone` }), id);
  const [leaf] = chainOf(answer);
  if (leaf === undefined) throw new Error(`no certificate: ${JSON.stringify(answer.children)}`);
  received.add(createHash('sha256').update(leaf).digest('hex'));
}
