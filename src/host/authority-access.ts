import { Authority, type AuthorityOperations } from './authority.ts';
import { AuthorityAdminClient } from './authority-admin-channel.ts';

/**
 * Does something with the authority in `stateDirectory`: through its admin channel when it runs,
 * otherwise by opening its state for that time. Throws AuthorityFailure.
 */
export async function withAuthority<Result>(
  stateDirectory: string,
  use: (authority: AuthorityOperations) => Promise<Result>,
): Promise<Result> {
  const running = await AuthorityAdminClient.connect(stateDirectory);
  if (running !== undefined) return use(running);
  const authority = await Authority.open(stateDirectory);
  try {
    return await use(authority);
  } finally {
    await authority.close();
  }
}
