import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** What `--overlay` is when it is not given. */
export const DEFAULT_OVERLAY = 'xmpp.org';

/** The state of a real peer of `overlay`, unless `--state` names another place. */
export function peerStateDirectory(overlay: string, given: string | undefined): string {
  return given === undefined ? join(stateHome(), 'peer', overlay) : resolve(given);
}

/** The sandbox's state: thrown away and made anew by every run. */
export function sandboxStateDirectory(given: string | undefined): string {
  return given === undefined ? join(stateHome(), 'sandbox') : resolve(given);
}

/** `$XDG_STATE_HOME/xor`. The XDG specification says to ignore a path that is not absolute. */
function stateHome(): string {
  const configured = process.env.XDG_STATE_HOME ?? '';
  const home = isAbsolute(configured) ? configured : join(homedir(), '.local', 'state');
  return join(home, 'xor');
}
