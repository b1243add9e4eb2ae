import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadIdentity, type StoredIdentity } from '../../src/host/identity-file.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { Dice, HostileConnection, HostileMember } from './hostile-client.ts';
import { type PeerProcess, ProcessOverlay } from './process-overlay.ts';

const MEMBER_FRAMES = 6_000;
const STRANGER_FRAMES = 2_000;
const RAW_FRAMES = 2_000;
const FRAMES_PER_CONNECTION = 40;
const GROWTH_MAX_BYTES = 100 * 1024 * 1024;

let overlay: ProcessOverlay;
let attacked: PeerProcess;
let other: PeerProcess;
let memberIdentity: StoredIdentity;

beforeAll(async () => {
  overlay = await ProcessOverlay.start(['attacked', 'other', 'attacker']);
  attacked = await overlay.enroll('attacked', '--first');
  other = await overlay.enroll('other');
  const attacker = await overlay.enroll('attacker', '--client');
  expect(await attacker.process.end('SIGTERM')).toBe(0);
  const identity = await loadIdentity(overlay.state('attacker'));
  if (identity === undefined) throw new Error('the attacker is no member');
  memberIdentity = identity;
}, 120_000);

afterAll(() => overlay?.close(), 60_000);

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Sends random bytes, in `pieces` pieces, over ever new connections. */
async function garbage(
  connect: () => Promise<HostileConnection>,
  pieces: number,
  dice: Dice,
): Promise<void> {
  let tried = 0;
  while (tried < pieces) {
    const connection = await connect();
    for (let i = 0; i < FRAMES_PER_CONNECTION; i++) {
      tried += 1;
      await connection.send(dice.bytes(1 + dice.below(400)));
    }
    await connection.abort();
  }
}

/** Sends frames as a member until `frames` of them have left, over as many links as it takes. */
async function memberFrames(member: HostileMember, port: number, frames: number): Promise<void> {
  let connection = await HostileConnection.tls(port, memberIdentity);
  for (let sent = 0; sent < frames; ) {
    if (connection.isClosed) {
      connection = await HostileConnection.tls(port, memberIdentity);
    }
    const { bytes, endsLink } = member.next();
    if (await connection.send(bytes)) sent += 1;
    if (endsLink) expect(await connection.closedByPeer(10_000)).toBe(true);
    else await connection.heard(4);
  }
  await connection.abort();
}

test.skipIf(process.platform !== 'linux')(
  '10,000 random and mutated frames neither stop a peer nor fill its memory',
  async () => {
    const dice = new Dice(6940);
    const port = attacked.listenPort;
    await expect.poll(() => overlay.failedLookups([attacked], [other])).toEqual([]);
    const { body } = await overlay.ask(attacked, '/v1/status');
    const { configurationSequence } = body as { configurationSequence: number };
    const target = { nodeId: attacked.nodeId as NodeId, configurationSequence };
    const before = await residentBytes(attacked.process.pid);
    const start = performance.now();

    await garbage(() => HostileConnection.tcp(port), RAW_FRAMES, dice);
    await garbage(() => HostileConnection.tls(port), STRANGER_FRAMES, dice);
    const member = new HostileMember(memberIdentity, target, dice);
    await memberFrames(member, port, MEMBER_FRAMES);

    await expect
      .poll(async () => (await overlay.ask(attacked, '/readyz')).status, { timeout: 30_000 })
      .toBe(200);
    expect(attacked.process.hasEnded).toBe(false);
    const { body: after } = await overlay.ask(attacked, '/v1/status');
    const { counters } = after as { counters: { messagesReceived: number } };
    // Some are lost with the links that end; many must have come past the framing.
    expect(counters.messagesReceived).toBeGreaterThan(MEMBER_FRAMES / 4);
    const both = [attacked, other];
    await expect.poll(() => overlay.failedLookups(both, both), { timeout: 30_000 }).toEqual([]);
    await expect
      .poll(async () => (await residentBytes(attacked.process.pid)) - before, { timeout: 10_000 })
      .toBeLessThan(GROWTH_MAX_BYTES);
    expect(performance.now() - start).toBeLessThan(60_000);
  },
  120_000,
);
