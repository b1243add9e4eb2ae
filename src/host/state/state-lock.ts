/**
 * One process at a time in a state directory, without a native flock.
 *
 * The lock is a file that appears whole (written aside, then linked, which fails when there is one)
 * and names its owner: process ID, when that process started, and a token. Process IDs are used
 * again, so a lock counts as stale when no process has the ID or the process that has it started
 * at another time.
 *
 * Two processes that find the same stale lock must not both take it. Whoever wants to replace it
 * first makes a claim, a file named after the token of that very lock, which only one can make; and
 * looks once more: the stale lock must still be there, since it goes only by the hand of whoever
 * holds the claim. A claim whose maker died is claimed in the same way. (LMDB's writer mutex would
 * do too, but its lock would be one more memory-mapped file to go bad, and nobody could read it.)
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** This process cannot have the state directory; the message is for its operator. */
export class StateDirectoryUnusable extends Error {
  /** The process that has it. */
  readonly pid: number | undefined;

  constructor(message: string, pid?: number) {
    super(message);
    this.name = 'StateDirectoryUnusable';
    this.pid = pid;
  }
}

export interface StateLock {
  release(): Promise<void>;
}

/** Takes the lock of `directory`; throws StateDirectoryUnusable while a living process has it. */
export async function lockStateDirectory(directory: string): Promise<StateLock> {
  const path = join(directory, LOCK_FILE);
  const token = randomBytes(16).toString('hex');
  const ownFile = join(directory, `${LOCK_FILE}.own-${token}`);
  await writeFile(ownFile, JSON.stringify(await ownerNow(token)), { mode: 0o600 });
  tokensInUse.add(token);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (await linkNew(ownFile, path)) return held(path, token);
      const owner = await readOwner(path);
      if (owner === undefined) continue;
      if (await isAlive(owner)) throw inUse(directory, owner);
      if (await replaceStale(directory, ownFile, owner)) return held(path, token);
    }
    throw deleteByHand(directory);
  } catch (error) {
    tokensInUse.delete(token);
    throw error;
  } finally {
    await rm(ownFile, { force: true });
  }
}

interface LockOwner {
  readonly pid: number;
  /** Of the process, in the system's own unit; undefined where the system does not tell. */
  readonly startTime: string | undefined;
  readonly host: string;
  readonly token: string;
}

function held(path: string, token: string): StateLock {
  return {
    release: async () => {
      if (!tokensInUse.delete(token)) return;
      if ((await readOwner(path))?.token === token) await rm(path, { force: true });
    },
  };
}

/**
 * Puts the own lock in the place of the stale one of `owner`; false when somebody else was faster
 * and the lock must be looked at anew.
 */
async function replaceStale(
  directory: string,
  ownFile: string,
  owner: LockOwner,
): Promise<boolean> {
  const path = join(directory, LOCK_FILE);
  const claims: string[] = [];
  let stale = owner;
  for (let depth = 0; depth < CLAIMS_MAX; depth++) {
    const claim = join(directory, `${LOCK_FILE}.claim-${stale.token}`);
    claims.push(claim);
    if (await linkNew(ownFile, claim)) {
      if ((await readOwner(path))?.token !== owner.token) {
        await rm(claim, { force: true });
        return false;
      }
      await rename(ownFile, path);
      for (const made of claims) await rm(made, { force: true });
      return true;
    }
    const claimant = await readOwner(claim);
    if (claimant === undefined) return false;
    if (await isAlive(claimant)) throw inUse(directory, claimant);
    stale = claimant;
  }
  throw deleteByHand(directory);
}

function inUse(directory: string, { pid, host }: LockOwner): StateDirectoryUnusable {
  if (host === hostname()) {
    const advice = 'stop it, or name another --state';
    return new StateDirectoryUnusable(`${directory} is in use by process ${pid}; ${advice}`, pid);
  }
  const advice = `if that does not run any more, delete ${join(directory, LOCK_FILE)}`;
  const owner = `process ${pid} on the machine ${host}`;
  return new StateDirectoryUnusable(`${directory} is in use by ${owner}; ${advice}`, pid);
}

/** Locks that come and go faster than they can be looked at, or an endless chain of dead claims. */
function deleteByHand(directory: string): StateDirectoryUnusable {
  const files = join(directory, `${LOCK_FILE}*`);
  return new StateDirectoryUnusable(
    `the lock of ${directory} cannot be taken; if no process uses it, delete ${files}`,
  );
}

/** Whether `target` is new and now the same file as `source`. */
async function linkNew(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who wrote a lock or claim; undefined when it is gone. One that cannot be read is stale. */
async function readOwner(path: string): Promise<LockOwner | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return (
    parseOwner(text) ?? { pid: 0, startTime: undefined, host: hostname(), token: 'unreadable' }
  );
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const { pid, startTime, host, token }: Partial<LockOwner> = JSON.parse(text);
    if (!Number.isInteger(pid) || typeof host !== 'string') return undefined;
    if (typeof token !== 'string' || !/^[0-9a-f]{32}$/.test(token)) return undefined;
    return { pid: pid ?? 0, startTime, host, token };
  } catch {
    return undefined;
  }
}

async function ownerNow(token: string): Promise<LockOwner> {
  return {
    pid: process.pid,
    startTime: await startTimeOf(process.pid),
    host: hostname(),
    token,
  };
}

async function isAlive(owner: LockOwner): Promise<boolean> {
  // Another machine's processes cannot be asked; its lock is not ours to break.
  if (owner.host !== hostname()) return true;
  if (owner.pid === process.pid) return tokensInUse.has(owner.token);
  if (owner.pid <= 0 || !processExists(owner.pid)) return false;
  if (owner.startTime === undefined) return true;
  const startTime = await startTimeOf(owner.pid);
  return startTime === undefined || startTime === owner.startTime;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, of another user.
    return codeOf(error) !== 'ESRCH';
  }
}

/** Field 22 of /proc/PID/stat, clock ticks since the start of the system; Linux alone has it. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The program's name, in parentheses, may hold anything: count from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Tokens of the locks that this process holds or tries to get. Its own process ID alone says
 * nothing: in a container it is the same after every restart.
 */
const tokensInUse = new Set<string>();

const LOCK_FILE = 'lock';
const ATTEMPTS_MAX = 100;
const CLAIMS_MAX = 8;
