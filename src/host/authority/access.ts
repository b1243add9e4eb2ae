import { setTimeout as wait } from 'node:timers/promises';
import { StateDirectoryUnusable } from '../state/state-lock.ts';
import { AuthorityAdminClient } from './admin-channel.ts';
import { Authority, type AuthorityOperations } from './authority.ts';
import type { AuthorityStateOptions } from './authority-state.ts';

/**
 * Does something with the authority in `stateDirectory`: through its admin channel when it runs,
 * otherwise by opening its state for that time. Throws AuthorityFailure, or StateDirectoryUnusable
 * where another process has the state for longer than it takes to start or to end.
 */
export async function withAuthority<Result>(
  stateDirectory: string,
  use: (authority: AuthorityOperations) => Promise<Result>,
  options: AuthorityStateOptions = {},
): Promise<Result> {
  const deadlineMs = performance.now() + BUSY_MS_MAX;
  for (;;) {
    const running = await AuthorityAdminClient.connect(stateDirectory);
    if (running !== undefined) return use(running);
    const authority = await openUnlessBusy(stateDirectory, deadlineMs, options);
    if (authority === undefined) {
      await wait(RETRY_MS);
      continue;
    }
    try {
      return await use(authority);
    } finally {
      await authority.close();
    }
  }
}

/** undefined: another process has the state and may soon offer its admin channel, or end. */
async function openUnlessBusy(
  stateDirectory: string,
  deadlineMs: number,
  options: AuthorityStateOptions,
): Promise<Authority | undefined> {
  try {
    return await Authority.open(stateDirectory, options);
  } catch (error) {
    const isBusy = error instanceof StateDirectoryUnusable && performance.now() < deadlineMs;
    if (!isBusy) throw error;
    return undefined;
  }
}

const BUSY_MS_MAX = 5_000;
const RETRY_MS = 100;
